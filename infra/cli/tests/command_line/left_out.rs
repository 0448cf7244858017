//! What is not kept, not read or not taken is told, and with what to do.

use serde_json::Value;

use super::{Set, code, document, text, wav};

fn remarks(told: &Value) -> Vec<&str> {
    let all = told["remarks"].as_array().unwrap().iter();
    all.map(|one| one.as_str().unwrap()).collect()
}

/// A dataset keeps 50 fields of a sample.
#[test]
fn fields_that_are_not_kept_are_told() {
    let names: Vec<String> = (0..60).map(|n| format!("f{n:02}")).collect();
    let long = "n".repeat(300);
    let values = vec!["v"; 61].join(",");
    let table = format!(
        "file_name,text,{},{long}\na.wav,x,{values}\n",
        names.join(",")
    );
    let set = Set::new(&[("set/l.csv", table.as_bytes()), ("set/a.wav", &wav())]);
    let check = |more: &[&str]| {
        let all = [&["check", "set", "--language", "en", "--json"], more].concat();
        let output = set.run(&all);
        assert_eq!(code(&output), 0);
        document(&output)
    };
    let told = check(&[]);
    assert_eq!(
        remarks(&told),
        [
            "11 fields are left out of a dataset, which keeps 50 of a sample with `utterance` and \
             `speaker`: f49, f50, f51 and 8 more",
            &format!(
                "1 field is left out of a dataset, for the name is longer than 255 characters or the value \
                 can't be kept: {}…",
                "n".repeat(40)
            ),
        ]
    );
    // What a group of the gate is of is kept before others.
    let run = ["run", "set", "--language", "en", "--dry-run", "--json"];
    let gate = ["--fail-if", "wer>0.1 group=f59:v"];
    let told = document(&set.run(&[&run[..], &gate].concat()));
    let first = "f48, f49, f50 and 8 more";
    assert!(
        remarks(&told).iter().any(|one| one.ends_with(first)),
        "{told}"
    );
}

/// A recording that only has to be written in another form.
#[test]
fn a_recording_of_another_kind_is_refused_with_the_command_that_writes_it_anew() {
    let mut gsm = wav();
    gsm[20..22].copy_from_slice(&0x31_u16.to_le_bytes());
    let aiff = b"FORM\0\0\0\x2eAIFFCOMM\0\0\0\x12\0\x01\0\0\0\0\0\x10\x40\x0e\xfa\0\0\0\0\0\0\0SSND\0\0\0\0";
    let table = "file_name,text\nwavs/a.wav,x\nwavs/my file.aiff,y\n";
    let set = Set::new(&[
        ("set/l.csv", table.as_bytes()),
        ("set/wavs/a.wav", &gsm),
        ("set/wavs/my file.aiff", aiff),
    ]);
    let output = set.run(&["check", "set", "--language", "en"]);
    assert_eq!(code(&output), 3);
    let words = text(&output.stdout);
    for wanted in [
        "GSM 6.10",
        "ffmpeg -i a.wav -ar 16000 -ac 1 a.flac",
        "ffmpeg -i 'my file.aiff' -ar 16000 -ac 1 'my file.flac'",
    ] {
        assert!(words.contains(wanted), "{wanted}: {words}");
    }
    assert!(words.contains("wavs/a.wav: refused: "), "{words}");
}

/// A line of 1 GB, or of all that is read at once: told with its file, and in bounded memory.
#[test]
#[cfg(unix)]
fn a_line_that_is_too_long_is_refused_in_bounded_memory() {
    let set = Set::new(&[
        ("r.txt", b"a b\n"),
        ("set/a.wav", &wav()),
        ("set/big.csv", b"file_name,text\na.wav,"),
        ("big.csv", b"id,text\nu1,"),
        ("long.csv", b"id,text\nu1,x\nu2,"),
    ]);
    let grown = |name: &str, length: u64| {
        let file = std::fs::OpenOptions::new()
            .append(true)
            .open(set.path(name));
        file.unwrap().set_len(length).unwrap();
    };
    grown("set/big.csv", 1 << 30);
    grown("big.csv", 1 << 30);
    let long = vec![b'x'; 60 << 20];
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(set.path("long.csv"))
        .unwrap();
    std::io::Write::write_all(&mut file, &long).unwrap();
    let run = |arguments: &[&str]| {
        std::process::Command::new("/bin/sh")
            .args([
                "-c",
                "ulimit -v 600000 && exec \"$0\" \"$@\"",
                env!("CARGO_BIN_EXE_stt-eval"),
            ])
            .args(arguments)
            .current_dir(set.folder.path())
            .env_clear()
            .output()
            .unwrap()
    };
    for (arguments, wanted) in [
        (
            ["check", "set/big.csv"].as_slice(),
            "big.csv: is larger than 64 MiB",
        ),
        (&["check", "set"], "big.csv: "),
        (
            &["score", "r.txt", "big.csv"],
            "big.csv: is larger than 64 MiB",
        ),
        (
            &["score", "big.csv", "r.txt"],
            "big.csv: is larger than 64 MiB",
        ),
        (&["score", "long.csv", "r.txt"], "long.csv line 3: "),
        (&["score", "r.txt", "long.csv"], "long.csv line 3: "),
    ] {
        let output = run(arguments);
        let words = text(&output.stderr);
        assert_eq!(code(&output), 3, "{arguments:?}: {words}");
        assert!(words.contains(wanted), "{arguments:?}: {words}");
    }
}
