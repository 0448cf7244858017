//! Exports that the command makes by itself are read back.

use std::collections::BTreeMap;
use std::io::Cursor;

use serde_json::{Value, json};
use stt_eval_formats::archive::Archive;

use super::{Bench, code, text};

/// Files of an archive.
fn files(bytes: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let mut archive = Archive::open(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive
        .entries()
        .iter()
        .map(|entry| entry.name.clone())
        .collect();
    let mut all = BTreeMap::new();
    for (index, name) in names.into_iter().enumerate() {
        let mut content = Vec::new();
        archive.copy(index, &mut content).unwrap();
        all.insert(name, content);
    }
    all
}

/// Of a run over the folder of the bench.
pub async fn are_read_back(bench: &Bench, run: &str) {
    let shown = async |format: &str| {
        let told = bench
            .run(&["export", run, "--format", format, "--output", "-"])
            .await;
        assert_eq!(code(&told), 0, "{format}: {}", text(&told.stderr));
        told.stdout
    };
    // What sides are scored as is what the run was.
    for (format, end) in [("seglst", "seglst.json"), ("stm", "stm")] {
        let all = files(shown(format).await);
        let folder = tempfile::tempdir().unwrap();
        let side = |name: &str| {
            let name = format!("{name}.{end}");
            let path = folder.path().join(&name);
            std::fs::write(&path, &all[&name]).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (right, heard) = (side("ref"), side("hyp.gemini-2.5-flash"));
        let score = bench.json(&["score", &right, &heard]).await;
        assert_eq!(score["systems"][0]["wer"], 0.25, "{format}: {score}");
        assert_eq!(score["systems"][0]["samples"], 4, "{format}: {score}");
    }
    let tasks: Value = serde_json::from_slice(&shown("label_studio").await).unwrap();
    let task = &tasks[0];
    assert_eq!(task["data"]["audio"], "1.wav", "{task}");
    assert_eq!(task["predictions"].as_array().unwrap().len(), 2, "{task}");

    // The folder can be checked, and has the recordings to the byte.
    let saved = bench
        .json(&["export", run, "--format", "audiofolder"])
        .await;
    let name = saved["output"].as_str().unwrap();
    assert!(name.ends_with(".audiofolder.zip"), "{name}");
    let checked = bench.json(&["check", name]).await;
    assert_eq!(checked["format"], "audiofolder");
    assert_eq!(checked["summary"]["usable"], 4);
    assert_eq!(checked["summary"]["speakers"], 4);
    assert_eq!(checked["samples"][0]["text"], "one two three four");
    let path = bench.home.path().join(name);
    let all = files(std::fs::read(&path).unwrap());
    let own = std::fs::read(bench.home.path().join("set/1.wav")).unwrap();
    assert_eq!(all["00001-1.wav"], own);
    std::fs::remove_file(path).unwrap();
}

/// Every document of a run has its id and its name in one shape.
pub async fn name_their_run(bench: &Bench, wanted: &Value) {
    let id = wanted["id"].as_str().unwrap();
    for asked in [
        &["status", id][..],
        &["results", id],
        &["report", id],
        &["export", id, "--format", "stm"],
        &["diff", id, id],
    ] {
        let told = bench.json(asked).await;
        for field in ["id", "name"] {
            assert_eq!(told["run"][field], wanted[field], "{asked:?}: {told}");
        }
    }
    let runs = bench.json(&["runs"]).await;
    assert_eq!(runs["runs"][0]["name"], wanted["name"]);
}

/// What means something in TRN and STM is no text there: others stand for it, which is told, and
/// what is counted is what the run has counted.
#[tokio::test(flavor = "multi_thread")]
async fn characters_that_mean_something_elsewhere_change_no_figure() {
    let bench = Bench::new().await;
    let pairs = [
        ("(paren) one", "paren one"),
        ("x { y", "x y"),
        ("a @ b", "a b"),
        (";; c", "c"),
        ("d (e) f", "d (e) f"),
        ("one\ttwo three", "one two three"),
        ("plain words", "plain words"),
        ("{g / h}", "g / h"),
    ];
    let lines = pairs.map(|(said, heard)| json!({"text": said, "whisper": heard}));
    bench.set_of("odd", 6_000, &lines);
    let run = ["run", "odd", "--language", "en", "--hyp", "whisper"];
    let done = bench
        .json(&[&run[..], &["--normalizer", "raw-v1"]].concat())
        .await;
    let id = done["run"]["id"].as_str().unwrap();
    let own = &done["models"][0];
    assert_eq!(own["words"]["substitutions"], 4, "{own}");
    assert_eq!(own["words"]["deletions"], 3, "{own}");
    for (format, told) in [
        (
            "trn",
            "note: 8 texts have characters that mean something there, and are written as others, \
             on both sides alike: TAB as U+00A0, ( as （, ; as ；, @ as ＠, { as ｛, } as ｝; \
             words are counted as in the run\n",
        ),
        (
            "stm",
            "note: 8 texts have characters that mean something there",
        ),
        ("seglst", ""),
    ] {
        let saved = bench
            .run(&["export", id, "--format", format, "--json"])
            .await;
        let words = text(&saved.stderr);
        assert!(words.starts_with(told), "{format}: {words}");
        assert_eq!(words.is_empty(), told.is_empty(), "{format}: {words}");
        let file = super::document(&saved)["output"]
            .as_str()
            .unwrap()
            .to_owned();
        let score = bench
            .json(&["score", &file, "--normalizer", "raw-v1"])
            .await;
        let found = &score["systems"][0];
        for field in ["samples", "wer", "words"] {
            assert_eq!(found[field], own[field], "{format}: {score}");
        }
    }

    // Of what a reference leaves open, other formats have one reading.
    bench.set_of(
        "open",
        6_100,
        &[json!({"text": "{one|1} two", "whisper": "1 two"})],
    );
    let run = [
        "run",
        "open",
        "--language",
        "en",
        "--hyp",
        "whisper",
        "--markup",
        "braces",
    ];
    let done = bench.json(&run).await;
    assert_eq!(done["models"][0]["wer"], 0.0, "{done}");
    let id = done["run"]["id"].as_str().unwrap();
    for format in ["trn", "stm", "seglst"] {
        let saved = bench
            .run(&["export", id, "--format", format, "-o", "-"])
            .await;
        let words = text(&saved.stderr);
        let told = "note: 1 reference has alternatives, or words that are not scored: of these";
        assert!(words.starts_with(told), "{format}: {words}");
    }
    bench.machine.stop().await;
}
