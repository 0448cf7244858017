//! Sources that are more than a folder: archives, sheets of Excel, tables with recordings.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use stt_eval_formats::Problem;
use stt_eval_formats::files::InMemory;
use stt_eval_tests::Machine;
use stt_eval_tests::audio::wav;

/// As a Mac packs a folder: one folder more, and what it leaves behind. In it a sheet of
/// openpyxl with four rows, three recordings and a file that is none.
const OF_A_MAC: &[u8] = include_bytes!("fixtures/of-a-mac.zip");
/// A file called `../gone.wav`.
const LEADS_OUT: &[u8] = include_bytes!("fixtures/leads-out.zip");
/// A ZIP of `data/test-00000-of-00001.parquet`, as pyarrow writes it: two recordings with
/// texts inside, and a row with a file that is no audio.
const OF_THE_HUB: &[u8] = include_bytes!("fixtures/of-the-hub.zip");

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stt-eval"));
    command
        .current_dir(folder)
        .env_clear()
        .env("LANG", "en_US.UTF-8")
        .env("HOME", folder)
        .env("TMPDIR", folder.join("tmp"))
        .args(arguments);
    command
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tmp")).unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn document(output: &Output) -> Value {
    let words = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {words}"))
}

/// Nothing that was unpacked is left.
fn is_tidy(folder: &Path) {
    let left = std::fs::read_dir(folder.join("tmp")).unwrap();
    assert_eq!(left.count(), 0, "something is left in the temporary folder");
}

#[test]
fn an_archive_is_read_as_the_folder_that_was_packed() {
    let set = folder(&[("set.zip", OF_A_MAC), ("out.zip", LEADS_OUT)]);
    let output = command(set.path(), &["check", "set.zip", "--json"])
        .output()
        .unwrap();
    let told = document(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert_eq!(
        (&told["format"], &told["source"]),
        (&"xlsx".into(), &"set.zip".into())
    );
    assert_eq!(told["files"], serde_json::json!(["set/clips.xlsx"]));
    assert_eq!(told["samples"].as_array().unwrap().len(), 4);
    assert_eq!(told["samples"][0]["audio"], "set/a/1.wav");
    assert_eq!(told["samples"][0]["seconds"], 1.0);
    assert_eq!(told["summary"]["usable"], 3);
    let refused = told["findings"].as_array().unwrap().iter();
    let refused: Vec<&Value> = refused
        .filter(|one| one["kind"] == "refused_audio")
        .collect();
    assert_eq!(refused.len(), 1, "{told}");

    let output = command(set.path(), &["check", "out.zip", "--json"])
        .output()
        .unwrap();
    let told = document(&output);
    assert_eq!(
        (output.status.code(), &told["error"]["code"]),
        (Some(3), &"malformed".into())
    );
    let message = told["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("out.zip") && message.contains("leads out"),
        "{message}"
    );
    assert!(!set.path().join("gone.wav").exists());
    is_tidy(set.path());
}

/// The recordings of the fixture, so that the double can be told what is heard in them.
fn inside(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut archive =
        stt_eval_formats::archive::Archive::open(std::io::Cursor::new(bytes)).unwrap();
    let name = archive.entries()[0].name.clone();
    let table = archive.read(&name, 1 << 20).unwrap().unwrap();
    let files = InMemory::new([(name.clone(), table)]);
    let mut found = Vec::new();
    stt_eval_formats::recordings(&files, &name, None, |_, bytes| {
        found.push(bytes.to_vec());
        Ok::<(), Problem>(())
    })
    .unwrap();
    found
}

/// Runs a source with one model; what can't be used is left out.
async fn verdict(machine: &Machine, folder: &Path, source: &str) -> Value {
    let mut command = command(
        folder,
        &[
            "run",
            source,
            "-p",
            "gemini-2.5-pro",
            "--language",
            "en",
            "--skip-broken",
            "--yes",
            "--json",
        ],
    );
    command
        .env("STT_EVAL_URL", &machine.node.url)
        .env("STT_EVAL_API_KEY", &machine.node.api_keys["demo"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let told = document(&output);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}\n{words}");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_in_tables_and_pieces_of_recordings_become_verdicts() {
    let machine = Machine::start().await;
    for (audio, heard) in inside(OF_THE_HUB).iter().zip(["one two three", "four six"]) {
        machine.record(audio, "gemini-2.5-pro", heard);
    }
    let set = folder(&[("hub.zip", OF_THE_HUB)]);
    let told = verdict(&machine, set.path(), "hub.zip").await;
    let model = &told["models"][0];
    assert_eq!(told["run"]["total"], 2, "{told}");
    // "four five six" without its second word.
    assert_eq!(model["words"]["deletions"], 1, "{told}");
    is_tidy(set.path());

    // Two pieces of one recording of a call, each what it would be alone.
    let (first, second) = (wav(1, 0.4), wav(2, 0.4));
    machine.record(&first, "gemini-2.5-pro", "red green");
    machine.record(&second, "gemini-2.5-pro", "blue");
    let call = joined(&first, &second);
    let set = folder(&[
        ("call.wav", &call),
        ("wav.scp", b"call sox /data/call.wav -t wav - |\n"),
        (
            "segments",
            b"u1 call 0.0 0.4\nu2 call 0.4 -1\nu3 call 7 8\n",
        ),
        ("text", b"u1 red green\nu2 blue black\nu3 x\n"),
    ]);
    let told = verdict(&machine, set.path(), ".").await;
    let model = &told["models"][0];
    assert_eq!(model["words"]["hits"], 3, "{told}");
    assert_eq!(model["words"]["deletions"], 1, "{told}");
    is_tidy(set.path());
}

/// One recording behind the other, both of the same kind.
fn joined(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut all = [first, &second[44..]].concat();
    let length = all.len() as u32;
    all[4..8].copy_from_slice(&(length - 8).to_le_bytes());
    all[40..44].copy_from_slice(&(length - 44).to_le_bytes());
    all
}

#[test]
fn what_a_project_has_agreed_on_holds_unless_it_is_said_otherwise() {
    let project = "[read]\nlanguage = \"hi\"\n\n[gate]\nfail-if = [\"wer>0.1\"]\n";
    let set = folder(&[
        ("stt-eval.toml", project.as_bytes()),
        ("refs.txt", b"one two\nthree four\n"),
        ("hyps.txt", b"one two\nthree for\n"),
    ]);
    let below = set.path().join("set");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(below.join("metadata.csv"), "file_name,text\na.wav,x\n").unwrap();
    std::fs::write(below.join("a.wav"), b"").unwrap();
    // The home is above: the search for the file ends there.
    let at_home = |folder: &Path, arguments: &[&str]| {
        let mut command = command(folder, arguments);
        command.env("HOME", set.path()).output().unwrap()
    };
    let languages = |arguments: &[&str]| {
        let output = at_home(&below, arguments);
        document(&output)["summary"]["languages"].clone()
    };
    let check = ["check", ".", "--no-probe", "--json"];
    assert_eq!(languages(&check), serde_json::json!({"hi": 1}));
    let mut otherwise = check.to_vec();
    otherwise.extend(["--language", "ta"]);
    assert_eq!(languages(&otherwise), serde_json::json!({"ta": 1}));

    let score = ["score", "refs.txt", "hyps.txt", "--json"];
    let gated = command(set.path(), &score).output().unwrap();
    assert_eq!(gated.status.code(), Some(100), "{}", document(&gated));
    let words = String::from_utf8_lossy(&gated.stderr);
    assert!(
        words.contains("stt-eval.toml  --fail-if=wer>0.1"),
        "{words}"
    );
    let mut other = score.to_vec();
    other.extend(["--fail-if", "wer>0.5"]);
    let other = command(set.path(), &other).output().unwrap();
    assert_eq!(other.status.code(), Some(0), "{}", document(&other));

    for (project, wanted) in [
        ("[run]\nyes = true\n", "[run] has no yes; it may have model"),
        ("[profile]\n", "there is no table [profile]"),
        (
            "[read]\nformat = \"x\"\n",
            "stt-eval.toml: invalid value 'x'",
        ),
        ("[read]\nsplit = true\n", "split must be a text"),
        ("not toml", "stt-eval.toml: "),
        ("key = \"sk_1\"\n", "key must be a table of options"),
    ] {
        std::fs::write(set.path().join("stt-eval.toml"), project).unwrap();
        let told = at_home(&below, &check);
        let message = document(&told)["error"]["message"].clone();
        let message = message.as_str().unwrap();
        assert_eq!(told.status.code(), Some(2), "{project}");
        assert!(message.contains(wanted), "{project}: {message}");
        assert!(!message.contains("sk_1"), "{message}");
    }
}

/// What has no end is not waited for, and is told where it was meant.
#[test]
fn pipes_in_a_folder_are_left_alone() {
    let set = folder(&[
        ("metadata.csv", b"file_name,text\na.wav,x\np.wav,y\n"),
        ("a.wav", &wav(1, 0.2)),
    ]);
    let made = Command::new("mkfifo")
        .args(["p.wav", "notes.txt", "alone.csv"])
        .current_dir(set.path())
        .status();
    assert!(made.unwrap().success());
    let told = command(set.path(), &["check", ".", "--json"])
        .output()
        .unwrap();
    let told = document(&told);
    assert_eq!(told["summary"]["usable"], 1, "{told}");
    assert_eq!(told["findings"][0]["message"], "p.wav is not there");
    let told = command(set.path(), &["check", "alone.csv", "--json"])
        .output()
        .unwrap();
    assert_eq!(told.status.code(), Some(2));
    let message = document(&told)["error"]["message"].clone();
    assert_eq!(message, "alone.csv: is neither a file nor a folder");
}

/// Nothing is asked of a deployment before what is asked for can be had.
#[test]
fn wrong_wishes_are_told_before_anything_is_done() {
    let set = folder(&[
        (
            "metadata.csv",
            b"file_name,text\na.wav,x\nb.wav,y,z\nhttps://x/c.wav,z\n",
        ),
        ("a.wav", &wav(1, 0.2)),
    ]);
    let told = |arguments: &[&str]| {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let told = command(set.path(), &arguments).output().unwrap();
        (told.status.code().unwrap(), document(&told))
    };
    for (arguments, wanted) in [
        (&["score"][..], "<REFERENCES>"),
        (&["run", ".", "-p", "m", "-p", "m"], "-p m is there twice"),
        (&["run", ".", "-p", "m", "--limit", "0"], "--limit"),
        (
            &["run", ".", "-p", "m", "--max-cost", "0"],
            "must be from 0.000001 to 1000000",
        ),
    ] {
        let (code, told) = told(arguments);
        let message = told["error"]["message"].as_str().unwrap();
        assert_eq!(code, 2, "{told}");
        assert!(message.contains(wanted), "{message}");
    }
    // Without a model, a deployment, or a change: what `check` says.
    let (code, dry) = told(&["run", ".", "--dry-run"]);
    assert_eq!((code, &dry), (3, &told(&["check", "."]).1));
    let findings: Vec<&Value> = dry["findings"].as_array().unwrap().iter().collect();
    let messages: Vec<&str> = findings
        .iter()
        .map(|one| one["message"].as_str().unwrap())
        .collect();
    assert!(
        messages.contains(&"https://x/c.wav is on a network, from which nothing is fetched"),
        "{messages:?}"
    );
    let text = command(set.path(), &["check", "."]).output().unwrap();
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("1 of 3 can be used; 1 row can't be read"),
        "{text}"
    );
    // One count, whatever tells it: a row that can't be read would have been an utterance.
    let message = &dry["error"]["message"];
    assert_eq!(message, "2 findings make 2 utterances unusable");
}

/// `meeteval` 0.4.3, `cpwer` over all sessions: errors, words of the references. Made once,
/// with seeded texts, out of order and in part with nothing heard.
const MEETEVAL: (u64, u64) = (41, 138);

#[test]
fn stm_and_seg_lst_count_as_meeteval_counts_them() {
    let set = folder(&[
        ("ref.stm", include_bytes!("fixtures/meeteval/ref.stm")),
        ("hyp.stm", include_bytes!("fixtures/meeteval/hyp.stm")),
        (
            "ref.json",
            include_bytes!("fixtures/meeteval/ref.seglst.json"),
        ),
        (
            "hyp.json",
            include_bytes!("fixtures/meeteval/hyp.seglst.json"),
        ),
    ]);
    for (references, hypotheses) in [
        ("ref.stm", "hyp.stm"),
        ("ref.json", "hyp.json"),
        ("ref.stm", "hyp.json"),
    ] {
        let arguments = [
            "score",
            references,
            hypotheses,
            "--normalizer",
            "raw-v1",
            "--json",
        ];
        let told = document(&command(set.path(), &arguments).output().unwrap());
        let words = &told["systems"][0]["words"];
        let count = |what: &str| words[what].as_u64().unwrap();
        let (substitutions, deletions) = (count("substitutions"), count("deletions"));
        let errors = substitutions + deletions + count("insertions");
        let all = count("hits") + substitutions + deletions;
        assert_eq!((errors, all), MEETEVAL, "{references} {hypotheses}: {told}");
    }
}

/// What went wrong, where, and what to do now: by the words on standard error.
#[test]
fn failures_name_the_file_as_it_is_called_and_what_to_do() {
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let table = wide("file_name,text\na.wav,hello there\n");
    let lines = wide("hello there\n");
    let mut cut = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec();
    cut.extend([0x4b, 0xcb]);
    let audio = wav(1, 0.1);
    let set = folder(&[
        ("a.txt", b"one\ntwo\n"),
        ("b.txt", b"one\ntwo\nthree\n"),
        ("right/text.txt", b"one\ntwo\n"),
        ("heard/text.txt", b"one\n"),
        ("kaldi/wav.scp", b"u1 a.wav\n"),
        ("kaldi/text", b"x1 hello\n"),
        ("empty/.DS_Store", b""),
        ("cut.csv.gz", &cut),
        ("wide/a.wav", &audio),
        ("wide/m.csv", &table),
        ("wide.txt", &lines),
        ("tarred/audio_0.tar", b""),
        (
            "tarred/tarred_audio_manifest.json",
            b"{\"audio_filepath\": \"a.wav\", \"duration\": 1.0, \"text\": \"x\", \"shard_id\": 0}\n",
        ),
        (
            "unpacked/tarred_audio_manifest.json",
            b"{\"audio_filepath\": \"a.wav\", \"duration\": 1.0, \"text\": \"x\", \"shard_id\": 0}\n",
        ),
        ("unpacked/audio_0/a.wav", &audio),
        (
            "windows/manifest.jsonl",
            br#"{"audio_filepath": "C:\\data\\sets\\clips\\a.wav", "duration": 0.1, "text": "x"}"#,
        ),
        ("windows/clips/a.wav", &audio),
        (
            "backslash/m.csv",
            b"path,text\r\nclips\\a.wav,x\r\n",
        ),
        ("backslash/clips/a.wav", &audio),
    ]);
    let told = |arguments: &[&str]| {
        let told = command(set.path(), arguments).output().unwrap();
        let words = [told.stdout, told.stderr].concat();
        (
            told.status.code().unwrap(),
            String::from_utf8(words).unwrap(),
        )
    };
    for (arguments, wanted, words) in [
        (
            &["score", "a.txt", "b.txt"][..],
            3,
            "error: b.txt has 3 lines, a.txt 2\n",
        ),
        (
            &["score", "right/text.txt", "heard/text.txt"],
            3,
            "error: text.txt of the hypotheses has 1 line, the references' 2\n",
        ),
        (
            &["check", "kaldi"],
            3,
            "error: text and wav.scp share no ids (text: x1 …; wav.scp: u1 …)\n",
        ),
        (
            &["check", "wide/a.wav"],
            3,
            "error: a.wav: is a recording, not a list of them\nhint: name its folder",
        ),
        (
            &["score", "a.txt", "wide/a.wav"],
            3,
            "error: a.wav: is a recording, and has no text\nhint: name what was said or heard",
        ),
        (
            &["check", "a.txt"],
            5,
            "error: a.txt: no recordings are named in it: it is read as plain lines\nhint: name a",
        ),
        (
            &["check", "empty"],
            5,
            "error: empty: no files are in the folder\n",
        ),
        (
            &["check", "cut.csv.gz"],
            3,
            "error: cut.csv.gz: is gzip that is cut short: its end is missing\nhint: copy",
        ),
        (
            &["check", "tarred"],
            3,
            "error: tarred_audio_manifest.json: is a tarred NeMo manifest: it holds bare names of \
             recordings inside of TAR archives\nhint: unpack",
        ),
        (&["check", "unpacked"], 0, "1 of 1 can be used"),
        (&["check", "windows"], 0, "1 of 1 can be used"),
        (&["check", "backslash"], 0, "1 of 1 can be used"),
        (
            &["check", "wide"],
            0,
            "m.csv has no byte order mark and was read as UTF-16 (little end first)\n",
        ),
        (
            &["score", "wide.txt", "wide.txt"],
            0,
            "note: wide.txt has no byte order mark and was read as UTF-16",
        ),
        (
            &["run", "wide", "-p", "m", "--sample-seed", "1"],
            2,
            "hint: add --limit N",
        ),
        // Where nothing can be made, and where there is no room.
        (
            &["score", "a.txt", "a.txt", "--summary", "/proc/no.md"],
            1,
            "error: --summary: /proc/no.md: ",
        ),
    ] {
        let (code, said) = told(arguments);
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert_eq!(code, wanted, "{arguments:?}: {said}");
    }
    #[cfg(target_os = "linux")]
    for option in ["--junit", "--summary"] {
        let (code, said) = told(&["score", "a.txt", "a.txt", option, "/dev/full"]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("error: /dev/full: No space left"), "{said}");
        // What was found is told all the same.
        assert!(said.contains("0.0 %"), "{said}");
    }
}
