//! Transcripts that were made elsewhere, as columns beside the recordings.

use serde_json::{Value, json};
use stt_eval_tests::audio::wav;

use super::{Bench, code, text};

const RUN: [&str; 4] = ["run", "heard.d", "--language", "en"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], more].concat()
}

/// Lines of JSON: the first system is right, the second lacks a clip, failed at another, and
/// heard nothing of a third.
fn write(bench: &Bench, first: &str) {
    let folder = bench.home.path().join("heard.d");
    std::fs::create_dir_all(&folder).unwrap();
    let texts = ["one two", "three four", "five six", "seven eight"];
    let mut lines = String::new();
    for (seed, said) in (40..).zip(texts) {
        let name = format!("{seed}.wav");
        std::fs::write(folder.join(&name), wav(seed, 0.3)).unwrap();
        let mut line = json!({"file_name": name, "text": said, "whisper": said});
        line["Azure v2"] = match seed {
            40 => Value::Null,
            41 => "".into(),
            42 => "five".into(),
            _ => said.into(),
        };
        line["domain"] = if seed > 41 { "call" } else { "read" }.into();
        if seed == 40 {
            line["whisper"] = first.into();
        }
        if seed == 43 {
            line["Azure v2 error"] = "quota".into();
            line["Azure v2"] = Value::Null;
        }
        lines += &format!("{line}\n");
    }
    std::fs::write(folder.join("metadata.jsonl"), lines).unwrap();
}

fn of<'a>(document: &'a Value, model: &str) -> &'a Value {
    let models = document["models"].as_array().unwrap();
    let found = models.iter().find(|one| one["model"] == model);
    found.unwrap_or_else(|| panic!("{model}: {document}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_transcripts_are_models_of_the_run() {
    let bench = Bench::new().await;
    write(&bench, "one two");
    // What would be taken is no fact of an utterance.
    let checked = bench
        .json(&["check", "heard.d", "--hyp", "whisper,Azure v2"])
        .await;
    let last = &checked["samples"][3];
    assert_eq!(last["hypotheses"], json!({"whisper": "seven eight"}));
    assert_eq!(last["metadata"], json!({"domain": "call"}), "{last}");
    let words = bench
        .run(&["check", "heard.d", "--hyp", "whisper,Azure v2"])
        .await;
    let words = text(&words.stdout);
    let heard = "  heard   2 transcripts of Azure v2; its service failed at 1\n  heard   4 \
                 transcripts of whisper\n";
    assert!(words.contains(heard), "{words}");
    assert_eq!(last["failures"], json!({"Azure v2": "quota"}), "{last}");
    // No model is asked, so nothing has to be agreed to.
    let both = ["--hyp", "whisper,Azure v2"];
    let told = bench.run(&with(&both)).await;
    let words = text(&told.stderr);
    assert_eq!(code(&told), 0, "{words}");
    let noted = "Transcripts made elsewhere: imported/azure-v2 of 2 of 4; its service failed at \
                 1; 1 counts as failed by itself, imported/whisper of all 4\n";
    assert!(words.contains(noted), "{words}");
    assert!(!words.contains("Estimate"), "{words}");
    let first = bench.json(&with(&both)).await;
    assert_eq!(of(&first, "imported/whisper")["wer"], 0.0, "{first}");
    let azure = of(&first, "imported/azure-v2");
    assert_eq!(azure["completed"], 2, "{azure}");
    assert_eq!(azure["failed_by_model"], 1, "{azure}");
    assert_eq!(azure["failed_by_service"], 1, "{azure}");
    assert_eq!(azure["words"]["deletions"], 3 + 2, "{azure}");
    same_by_score(&bench, azure).await;
    assert_eq!(bench.counts().await, (1, 1));
    #[cfg(unix)]
    cut_short(&bench, &first).await;

    // In another order it is the same, and other transcripts are another run.
    let again = bench
        .json(&with(&["--hyp", "Azure v2", "--hyp", "whisper"]))
        .await;
    assert_eq!(again["run"]["id"], first["run"]["id"]);
    write(&bench, "one too");
    let other = bench.json(&with(&both)).await;
    assert_ne!(other["run"]["id"], first["run"]["id"]);
    assert_eq!(other["run"]["dataset_id"], first["run"]["dataset_id"]);
    assert_eq!(of(&other, "imported/whisper")["wer"], 0.125);
    assert_eq!(bench.counts().await, (2, 1));

    beside_models(&bench).await;
    as_they_are(&bench).await;
    wrong(&bench).await;
    bench.machine.stop().await;
}

/// The same table without a deployment, and what the run exports.
async fn same_by_score(bench: &Bench, azure: &Value) {
    bench
        .json(&["export", "latest", "--format", "csv", "--output", "run.csv"])
        .await;
    for (file, model) in [
        ("heard.d/metadata.jsonl", "Azure v2"),
        ("run.csv", "imported/azure-v2"),
    ] {
        let score = ["score", file, "--hyp", model, "--language", "en"];
        let scored = bench.json(&score).await;
        let offline = &scored["systems"][0];
        assert_eq!(offline["failed"], azure["failed_by_service"], "{offline}");
        // What the model failed at by itself, which a gate counts.
        let missing = scored["missing"].as_array().unwrap().len();
        assert_eq!(azure["failed_by_model"], missing, "{scored}");
        for figure in ["wer", "words"] {
            assert_eq!(offline[figure], azure[figure], "{figure}: {offline}");
        }
    }
}

/// A command that was killed just before it knew what it had made, an hour or days ago.
#[cfg(unix)]
async fn cut_short(bench: &Bench, first: &Value) {
    let step = super::stopped::journal_file(bench.home.path(), "runs");
    let made: Value = serde_json::from_slice(&std::fs::read(&step).unwrap()).unwrap();
    for at in [made["at"].as_str().unwrap(), "2026-01-01T00:00:00.000Z"] {
        let mut begun = made.clone();
        begun["id"] = Value::Null;
        begun["at"] = at.into();
        std::fs::write(&step, begun.to_string()).unwrap();
        let again = bench.json(&with(&["--hyp", "whisper,Azure v2"])).await;
        assert_eq!(again["run"]["id"], first["run"]["id"], "{at}");
    }
    assert_eq!(bench.counts().await, (1, 1));
}

/// With a model that is asked, and conditions by the name of the column.
async fn beside_models(bench: &Bench) {
    let asked = [
        "-p",
        "gemini-2.5-pro",
        "--hyp",
        "whisper",
        "--fail-if",
        "wer>0.5 model=whisper",
        "--fail-if",
        "failed>0.9",
        "--fail-if",
        "wer>0.1 model=whisper group=domain:read",
    ];
    let refused = bench.run(&with(&asked)).await;
    assert_eq!(code(&refused), 2, "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("--yes agrees"));
    for seed in 40..44 {
        bench
            .machine
            .record(&wav(seed, 0.3), "gemini-2.5-pro", "one two");
    }
    let agreed = [&asked[..], &["--yes"]].concat();
    let failed = bench.run(&with(&[&agreed[..], &["--json"]].concat())).await;
    assert_eq!(code(&failed), 100, "{}", text(&failed.stderr));
    let done = super::document(&failed);
    assert_eq!(done["gates"][3]["group"], "domain:read", "{done}");
    assert_eq!(done["gates"][3]["value"], 0.25);
    assert_eq!(done["models"].as_array().unwrap().len(), 2, "{done}");
    assert_eq!(done["gates"][0]["model"], "imported/whisper", "{done}");
    assert_eq!(done["gates"][0]["status"], "passed");
    assert_eq!(done["comparisons"].as_array().unwrap().len(), 1);
}

/// More than a request has room for, and a dataset that is run as it is.
async fn as_they_are(bench: &Bench) {
    let folder = bench.home.path().join("long.d");
    std::fs::create_dir_all(&folder).unwrap();
    let long = "word ".repeat(2_000);
    let mut table = "file_name,text,a,b,c,d\n".to_owned();
    for seed in 60..85 {
        std::fs::write(folder.join(format!("{seed}.wav")), wav(seed, 0.2)).unwrap();
        table += &format!("{seed}.wav,word,{long},{long},{long},word\n");
    }
    std::fs::write(folder.join("metadata.csv"), table).unwrap();
    let run = ["run", "long.d", "--language", "en", "--name", "long"];
    let all = [&run[..], &["--hyp", "a,b,c,d"]].concat();
    let first = bench.json(&all).await;
    assert_eq!(of(&first, "imported/a")["words"]["insertions"], 25 * 1_999);
    assert_eq!(of(&first, "imported/d")["wer"], 0.0);
    // Another text of a clip is another dataset; its transcripts find their recordings.
    let table = "file_name,text,d\n61.wav,words,word\n99.wav,word,word\n60.wav,word,word\n";
    std::fs::write(folder.join("metadata.csv"), table).unwrap();
    std::fs::write(folder.join("99.wav"), wav(99, 0.2)).unwrap();
    let wishes = [
        "--keyword",
        "x",
        "--limit",
        "9",
        "--max-cost",
        "1",
        "--json",
    ];
    let reused = [&run[..], &["--hyp", "d", "--reuse"], &wishes].concat();
    let reused = bench.run(&reused).await;
    let words = text(&reused.stderr);
    for noted in [
        "note: no -p is asked, so nothing comes of --max-cost\n",
        "is run as it is; what is in long.d is not sent, and nothing comes of --keyword\n",
    ] {
        assert!(words.contains(noted), "{words}");
    }
    let noted = "note: transcripts of 1 utterance are left out: the dataset does not have them";
    assert!(words.contains(noted), "{words}");
    let reused = super::document(&reused);
    assert_eq!(reused["run"]["dataset_id"], first["run"]["dataset_id"]);
    assert_eq!(of(&reused, "imported/d")["completed"], 2, "{reused}");
}

async fn wrong(bench: &Bench) {
    for (asked, told) in [
        (
            &["--hyp", "nemo"][..],
            "metadata.jsonl: has no column \"nemo\"; there are Azure v2, domain, file_name, text, \
             whisper, Azure v2 error",
        ),
        (
            &["--hyp", "text", "--text-column", "text"],
            "the column \"text\" is taken as the recording or the reference",
        ),
        (&["--hyp", "Azure v2,azure-V2"], "are one model"),
        (&["--hyp", "…"], "no name of a model can be made of it"),
        (&["--hyp", "whisper", "--demo"], "cannot be used with"),
        (
            &["--hyp", "whisper", "--fail-if", "wer>1 model=azure"],
            "no -p azure is asked",
        ),
        (
            &["--hyp", "whisper", "--fail-if", "wer>1 group=domain:none"],
            "no utterance has domain:none\nhint: they have language, domain",
        ),
    ] {
        let refused = bench.run(&with(asked)).await;
        let words = text(&refused.stderr);
        assert_eq!(code(&refused), 2, "{asked:?} {words}");
        assert!(words.contains(told), "{asked:?} {words}");
    }
    // Of recordings on which nothing is said no rate is told.
    let still = bench.home.path().join("still.d");
    std::fs::create_dir_all(&still).unwrap();
    std::fs::write(still.join("7.wav"), wav(7, 0.2)).unwrap();
    let line = json!({"file_name": "7.wav", "text": "", "whisper": "thank you"});
    std::fs::write(still.join("metadata.jsonl"), format!("{line}\n")).unwrap();
    let run = ["run", "still.d", "--language", "en", "--hyp", "whisper"];
    let told = bench.run(&run).await;
    let words = text(&told.stdout);
    let noted = "no rate is made of no words; imported/whisper wrote 2 words on them\n";
    assert!(
        words.contains(noted) && !words.contains("00.0 %"),
        "{words}"
    );
    let told = bench.run(&["results", "latest"]).await;
    assert!(text(&told.stdout).contains("WER – (2 words on silence)"));
    // What a deployment would not keep is told with its line, before anything is sent.
    let before = bench.counts().await;
    for (first, exit, told) in [
        ("\0", 3, "metadata.jsonl line 1: --hyp whisper: "),
        (&"word ".repeat(20_001), 3, "at most 100000"),
    ] {
        write(bench, first);
        let refused = bench.run(&with(&["--hyp", "whisper"])).await;
        let words = text(&refused.stderr);
        assert_eq!(code(&refused), exit, "{words}");
        assert!(words.contains(told), "{words}");
    }
    assert_eq!(bench.counts().await, before);
    // What has no columns has none of transcripts.
    let plain = bench.home.path().join("plain.d");
    std::fs::create_dir_all(&plain).unwrap();
    std::fs::write(plain.join("a.wav"), wav(1, 0.2)).unwrap();
    std::fs::write(plain.join("a.txt"), "one\n").unwrap();
    let refused = bench.run(&["check", "plain.d", "--hyp", "a"]).await;
    let words = text(&refused.stderr);
    assert_eq!(code(&refused), 2, "{words}");
    assert!(words.contains("has no columns, and so no \"a\""), "{words}");
    // A column that nobody asked for is offered.
    let table = "file_name,text,pred_text_whisper\na.wav,one,won\n";
    std::fs::write(plain.join("metadata.csv"), table).unwrap();
    let run = ["run", "plain.d", "-p", "gemini-2.5-pro", "--language", "en"];
    let told = bench.run(&run).await;
    let words = text(&told.stderr);
    let noted = "note: the source has transcripts of whisper, which are left out (--hyp whisper \
                 takes them into the run)\n";
    assert!(words.contains(noted), "{words}");
}
