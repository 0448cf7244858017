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

#[test]
fn what_is_not_kept_is_counted_all_the_same() {
    let lines: String = (0..1_500)
        .map(|row| {
            format!(
                "{{\"audio_filepath\": \"{row}.wav\", \"duration\": 1, \"text_filepath\": \
                 \"{row}.txt\"}}\n"
            )
        })
        .collect();
    let set = Set::new(&[("manifest.json", lines.as_bytes())]);
    let told = set.run(&["check", "manifest.json", "--no-probe"]);
    let words = text(&told.stdout);
    assert_eq!(code(&told), 3, "{words}");
    assert!(words.contains("0 of 1,500 can be used\n"), "{words}");
    let more = "      … and 1,480 more (--json has the first 1,000)\n";
    assert!(words.contains(more), "{words}");
    let few: String = lines
        .lines()
        .take(30)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(set.path("manifest.json"), few).unwrap();
    let told = set.run(&["check", "manifest.json", "--no-probe"]);
    let words = text(&told.stdout);
    assert!(
        words.contains("… and 10 more (--json has all)\n"),
        "{words}"
    );
}

#[cfg(unix)]
#[test]
fn what_is_outside_is_read_where_that_is_allowed() {
    let wav = wav();
    let set = Set::new(&[("set/a.wav", &wav), ("texts/a.txt", b"one two\n")]);
    std::os::unix::fs::symlink(set.path("set"), set.path("link")).unwrap();
    // By the way that leads through no link.
    let real = set.path("set").canonicalize().unwrap();
    let list = |text: &str| {
        let line = format!(
            "{{\"audio_filepath\": \"{}/a.wav\", \"duration\": 1, \"text_filepath\": \
             \"{text}\"}}\n",
            real.display()
        );
        std::fs::write(set.path("set/manifest.json"), line).unwrap();
    };
    let check = |more: &[&str]| {
        let told = set.run(&[&["check", "link", "--json"], more].concat());
        document(&told)
    };
    for written in [
        "../texts/a.txt".to_owned(),
        format!("{}/texts/../texts/a.txt", set.folder.path().display()),
    ] {
        list(&written);
        let told = check(&["--allow-outside"]);
        assert_eq!(told["samples"][0]["text"], "one two", "{told}");
        assert_eq!(told["samples"][0]["audio"], "a.wav", "{told}");
        let told = check(&[]);
        let wanted = format!(
            "the text of this row is in {written}, which is outside of the folder, and is not read \
             (--allow-outside)"
        );
        let findings = told["findings"].as_array().unwrap();
        assert!(
            findings.iter().any(|one| one["message"] == wanted.as_str()),
            "{told}"
        );
    }
    // Of another machine.
    list("/nowhere/texts/a.txt");
    for more in [&[][..], &["--allow-outside"]] {
        let told = check(more);
        let wanted = "the text of this row is in /nowhere/texts/a.txt, which is not in this folder";
        let findings = told["findings"].as_array().unwrap();
        assert!(
            findings.iter().any(|one| one["message"] == wanted),
            "{told}"
        );
    }
}
