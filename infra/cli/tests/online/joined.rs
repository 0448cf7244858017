//! Transcripts for a dataset that is run as it is: each goes with its own recording, whatever
//! that is called and wherever its row stands.

use stt_eval_tests::audio::wav;
use stt_eval_wire::paths;

use super::{Bench, code, document, text};

/// A recording, what is said in it, and what was heard.
type Row<'a> = (&'a str, u32, &'a str, &'a str);

/// Three folders with recordings of the same names; two are the same to the byte.
const ROWS: [Row<'_>; 6] = [
    ("a/0.wav", 201, "one two", "one two"),
    ("b/0.wav", 202, "three four", "three for"),
    ("c/0.wav", 203, "five six", "five six"),
    ("a/1.wav", 204, "seven eight", "seven eight"),
    ("b/1.wav", 205, "nine ten", "nine ten"),
    ("c/1.wav", 205, "red green", "red green"),
];

fn write(bench: &Bench, folder: &str, rows: &[Row<'_>]) {
    let folder = bench.home.path().join(folder);
    let mut table = "file_name,text,whisper\n".to_owned();
    for (name, seed, said, heard) in rows {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, wav(*seed, 0.3)).unwrap();
        table += &format!("{name},{said},{heard}\n");
    }
    std::fs::write(folder.join("metadata.csv"), table).unwrap();
}

fn run<'a>(folder: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let run = ["run", folder, "--language", "en", "--hyp", "whisper"];
    [&run[..], &["--name", "two"], more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn transcripts_go_with_their_recordings() {
    let bench = Bench::new().await;
    write(&bench, "two", &ROWS);
    let first = bench.json(&run("two", &[])).await;
    let wer = 1.0 / 12.0;
    assert_eq!(first["models"][0]["wer"], wer, "{first}");

    // In another order, and by other names.
    let mut sorted = ROWS;
    sorted.reverse();
    write(&bench, "sorted", &sorted);
    let renamed = ROWS.map(|(name, seed, said, heard)| match name {
        "a/0.wav" => ("b/1.wav", seed, said, heard),
        "b/1.wav" => ("a/0.wav", seed, said, heard),
        _ => (name, seed, said, heard),
    });
    write(&bench, "renamed", &renamed);
    for folder in ["sorted", "renamed"] {
        let again = bench.json(&run(folder, &["--reuse"])).await;
        assert_eq!(again["run"]["dataset_id"], first["run"]["dataset_id"]);
        assert_eq!(again["models"][0]["wer"], wer, "{folder}: {again}");
        assert_eq!(again["models"][0]["completed"], 6, "{folder}: {again}");
    }

    // Other recordings, of the same names and of others.
    let before = bench.counts().await;
    let same_names = ROWS.map(|(name, seed, said, heard)| match seed {
        201 | 202 => (name, seed + 100, said, heard),
        _ => (name, seed, said, heard),
    });
    write(&bench, "other", &same_names);
    let strange = ROWS.map(|(_, seed, said, heard)| match seed {
        203 => ("x.wav", 303, said, heard),
        _ => ("y.wav", 304, said, heard),
    });
    write(&bench, "strange", &strange[2..4]);
    for (folder, told) in [
        (
            "other",
            "2 of 6 recordings with a transcript are not in the dataset “two”, which has other \
             audio by the same names",
        ),
        (
            "strange",
            "2 of 2 recordings with a transcript are not in the dataset “two”",
        ),
    ] {
        let refused = bench.run(&run(folder, &["--reuse", "--json"])).await;
        let error = &document(&refused)["error"];
        assert_eq!(code(&refused), 3, "{error} {}", text(&refused.stderr));
        assert_eq!(error["message"], told, "{folder}");
        assert_eq!(error["code"], "other_audio");
    }
    assert_eq!(bench.counts().await, before);

    // More than the dataset has: what it lacks is left out, and told.
    let more = [&ROWS[..], &[("d/0.wav", 206, "blue", "blue")]].concat();
    write(&bench, "more", &more);
    let told = bench.run(&run("more", &["--reuse", "--json"])).await;
    let noted = "note: transcripts of 1 utterance are left out: the dataset does not have them\n";
    assert!(text(&told.stderr).contains(noted), "{}", text(&told.stderr));
    assert_eq!(document(&told)["models"][0]["wer"], wer);
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_recordings_are_told_apart_in_few_requests() {
    let bench = Bench::new().await;
    let names: Vec<String> = (0..21).map(|nth| format!("{nth}.wav")).collect();
    let rows = names.iter().zip(400..);
    let mut rows: Vec<Row<'_>> = rows
        .map(|(name, seed)| (name.as_str(), seed, "one two", "one two"))
        .collect();
    write(&bench, "many", &rows);
    let first = bench.json(&run("many", &[])).await;
    rows.reverse();
    rows[0].3 = "one";
    write(&bench, "turned", &rows);
    let told = bench
        .run(&run("turned", &["--reuse", "-v", "--json"]))
        .await;
    let again = document(&told);
    assert_eq!(again["run"]["dataset_id"], first["run"]["dataset_id"]);
    assert_eq!(again["models"][0]["wer"], 1.0 / 42.0, "{again}");
    let words = text(&told.stderr);
    let lists = paths::files();
    let asked = words.lines().filter(|line| line.contains(&lists));
    assert_eq!(asked.count(), 1, "{words}");
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_is_told_by_the_name_that_it_has() {
    let bench = Bench::new().await;
    write(&bench, "one", &ROWS);
    // The same content in another folder, with another transcript.
    let mut heard = ROWS;
    heard[0].3 = "one too";
    write(&bench, "copy", &heard);
    let told = async |folder: &str| {
        let run = ["run", folder, "--language", "en", "--hyp", "whisper"];
        let words = text(&bench.run(&run).await.stderr);
        let mut lines = words.lines();
        let line = lines.find(|line| line.starts_with("Dataset "));
        line.unwrap_or_else(|| panic!("{words}")).to_owned()
    };
    let first = told("one").await;
    assert!(first.contains("“one "), "{first}");
    assert_eq!(told("copy").await, first);
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transcripts_go_with_their_pieces() {
    let bench = Bench::new().await;
    let line = |nth: u32, said: &str, heard: &str| {
        let offset = f64::from(nth) * 0.3;
        serde_json::json!({
            "audio_filepath": "long.wav", "offset": offset, "duration": 0.3, "text": said,
            "pred_text_whisper": heard,
        })
        .to_string()
    };
    let lines = [
        line(0, "one two", "one two"),
        line(1, "three four", "three for"),
        line(2, "five six", "five six"),
    ];
    let mut backwards = lines.clone();
    backwards.reverse();
    let write = |folder: &str, seed: u32, lines: &[String]| {
        let folder = bench.home.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("long.wav"), wav(seed, 0.9)).unwrap();
        std::fs::write(folder.join("manifest.jsonl"), lines.join("\n")).unwrap();
    };
    write("pieces", 211, &lines);
    write("backwards", 211, &backwards);
    write("others", 212, &lines);
    let first = bench.json(&run("pieces", &[])).await;
    assert_eq!(first["models"][0]["wer"], 1.0 / 6.0, "{first}");
    let again = bench.json(&run("backwards", &["--reuse"])).await;
    assert_ne!(again["run"]["id"], first["run"]["id"]);
    assert_eq!(again["run"]["dataset_id"], first["run"]["dataset_id"]);
    assert_eq!(again["models"][0]["wer"], 1.0 / 6.0, "{again}");
    let refused = bench.run(&run("others", &["--reuse"])).await;
    let words = text(&refused.stderr);
    assert_eq!(code(&refused), 3, "{words}");
    assert!(words.contains("3 of 3 recordings with a transcript are not in"));
    bench.machine.stop().await;
}
