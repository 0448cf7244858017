//! A run with failures: other formats have no word for them, and still nothing is scored
//! otherwise than the run.

use stt_eval_tests::audio::wav;

use super::{Bench, code, document, text, with};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_failed_at_is_in_no_figure_of_its_exports() {
    let bench = Bench::new().await;
    let set = bench.home.path().join("set");
    // One that the stand-in was told of for one model alone.
    let audio = wav(5, 0.4);
    bench.machine.record(&audio, "gemini-2.5-pro", "one two");
    std::fs::write(set.join("5.wav"), &audio).unwrap();
    let table = std::fs::read_to_string(set.join("metadata.csv")).unwrap();
    std::fs::write(set.join("metadata.csv"), table + "5.wav,one three,s-5\n").unwrap();
    let run = bench.json(&with(&["--yes"])).await;
    let id = run["run"]["id"].as_str().unwrap();
    let figures = |document: &serde_json::Value, list: &str, name: &str| {
        let all = document[list].as_array().unwrap().clone();
        let mut all: Vec<_> = all
            .into_iter()
            .map(|one| {
                let of = |field: &str| one[field].clone();
                (of(name).to_string(), of("wer"), of("samples"), of("failed"))
            })
            .collect();
        all.sort_by_key(|one| one.0.clone());
        all
    };
    let wanted = figures(&run, "models", "model");
    assert_eq!(
        (&wanted[0].2, &wanted[0].3),
        (&4.into(), &1.into()),
        "{run}"
    );
    for format in ["trn", "stm", "seglst", "csv", "jsonl"] {
        let saved = bench
            .run(&["export", id, "--format", format, "--json"])
            .await;
        let words = text(&saved.stderr);
        let has_word = ["csv", "jsonl"].contains(&format);
        let note = "note: failed: 1 of 5 of gemini-2.5-flash: the lines of these are empty; \
                    failed.jsonl in the archive tells";
        assert_eq!(words.starts_with(note), !has_word, "{format}: {words}");
        let file = document(&saved)["output"].as_str().unwrap().to_owned();
        let score = bench.json(&["score", &file]).await;
        let found = figures(&score, "systems", "name");
        assert_eq!(found.len(), 2, "{format}: {score}");
        for (found, wanted) in found.iter().zip(&wanted) {
            assert_eq!((&found.0, &found.1), (&wanted.0, &wanted.1), "{format}");
            assert_eq!(found.3, wanted.3, "{format}: {score}");
        }
    }
    for format in ["nemo", "label_studio"] {
        let saved = bench
            .run(&["export", id, "--format", format, "-o", "-"])
            .await;
        assert_eq!(code(&saved), 0, "{}", text(&saved.stderr));
        let note = "note: failed: 1 of 5 of gemini-2.5-flash: nothing of these is in the file";
        assert!(
            text(&saved.stderr).starts_with(note),
            "{format}: {}",
            text(&saved.stderr)
        );
    }
    // What failed has no error rate to be sorted by, and is shown.
    let worst = ["results", id, "--status", "failed", "--worst", "--json"];
    let told = bench.run(&worst).await;
    let results = document(&told)["results"].clone();
    assert_eq!(results.as_array().unwrap().len(), 1, "{results}");
    assert_eq!(results[0]["provider"], "gemini-2.5-flash");
    let words = text(&told.stderr);
    assert!(
        words.starts_with("note: --worst sorts by error rate, and what is failed"),
        "{words}"
    );
    let told = bench
        .run(&["results", id, "--status", "completed", "--worst"])
        .await;
    assert!(told.stderr.is_empty(), "{}", text(&told.stderr));
    assert!(
        text(&told.stdout)
            .lines()
            .next()
            .unwrap()
            .ends_with("WER 50.0 %")
    );
    // A list that ends before what there is does says so.
    for (most, more) in [("9", true), ("10", false)] {
        let told = bench.run(&["results", id, "--limit", most, "--json"]).await;
        let is_noted =
            text(&told.stderr) == "note: there are more than these 9: --limit N shows N\n";
        assert_eq!((&document(&told)["more"], is_noted), (&more.into(), more));
    }
    bench.machine.stop().await;
}

/// A model that heard nothing at all has no field in a file that has a word for nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_not_in_an_export_is_named() {
    let bench = Bench::new().await;
    let set = bench.home.path().join("one");
    std::fs::create_dir(&set).unwrap();
    let audio = wav(5, 0.4);
    bench.machine.record(&audio, "gemini-2.5-pro", "one two");
    std::fs::write(set.join("5.wav"), &audio).unwrap();
    std::fs::write(set.join("metadata.csv"), "file_name,text\n5.wav,one two\n").unwrap();
    let run = "run one -p gemini-2.5-pro -p gemini-2.5-flash --language en --yes";
    let run = bench.json(&run.split(' ').collect::<Vec<_>>()).await;
    let id = run["run"]["id"].as_str().unwrap();
    for format in ["nemo", "label_studio"] {
        let saved = bench
            .run(&["export", id, "--format", format, "-o", "-"])
            .await;
        assert_eq!(
            text(&saved.stderr),
            "note: without a transcription, so not in the file and not told of by score: \
             gemini-2.5-flash\n",
            "{format}"
        );
        assert!(!text(&saved.stdout).contains("flash"), "{format}");
    }
    bench.machine.stop().await;
}
