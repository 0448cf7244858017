//! Machines without room, and files that can't be read.

use std::os::unix::fs::symlink;
use std::process::{Command, Output};

use super::{Set, code, document, text, wav};

/// A limit of the size of files stands for a disk that is full.
fn without_room(set: &Set, arguments: &[&str]) -> Output {
    let line = "trap '' XFSZ && ulimit -f 0 && exec \"$0\" \"$@\"";
    Command::new("/bin/sh")
        .args(["-c", line, env!("CARGO_BIN_EXE_stt-eval")])
        .args(arguments)
        .current_dir(set.folder.path())
        .env_clear()
        .env("TMPDIR", set.folder.path())
        .output()
        .unwrap()
}

#[test]
fn a_report_that_has_no_room_takes_no_place_and_keeps_no_other_from_being_written() {
    let set = Set::new(&[
        ("r.txt", b"a b\n"),
        ("h.txt", b"a c\n"),
        ("old.xml", b"<before/>"),
    ]);
    let score = ["score", "r.txt", "h.txt", "--junit-samples", "worst=1"];
    let told = without_room(&set, &[&score[..], &["--junit", "old.xml"]].concat());
    assert_eq!(code(&told), 1, "{}", text(&told.stderr));
    assert!(
        text(&told.stderr).contains("old.xml: "),
        "{}",
        text(&told.stderr)
    );
    let left = std::fs::read(set.path("old.xml")).unwrap();
    assert_eq!(left, b"<before/>");
    assert_eq!(std::fs::read_dir(set.folder.path()).unwrap().count(), 3);

    // One that can't be written, and one that can.
    let both = ["--junit", "/dev/full", "--summary", "sum.md"];
    let told = set.run(&[&score[..], &both].concat());
    assert_eq!(code(&told), 1, "{}", text(&told.stderr));
    let summary = std::fs::read_to_string(set.path("sum.md")).unwrap();
    assert!(summary.contains("50.0"), "{summary}");
    // Both are told.
    let none = ["--junit", "/dev/full", "--summary", "/dev/full"];
    let told = set.run(&[&score[..], &none].concat());
    let words = text(&told.stderr);
    assert_eq!(words.matches("/dev/full: ").count(), 2, "{words}");
}

#[test]
fn an_archive_that_has_no_room_is_the_fault_of_the_machine() {
    let set = Set::new(&[]);
    let archive = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/of-a-mac.zip");
    let told = without_room(&set, &["check", archive, "--json"]);
    let error = document(&told)["error"].clone();
    assert_eq!((code(&told), &error["code"]), (1, &"machine".into()));
    assert!(
        error["hint"].as_str().unwrap().contains("TMPDIR"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(set.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_list_that_can_not_be_read_is_told() {
    let set = Set::new(&[
        ("set/a.wav", &wav()),
        ("set/transcript.txt", b"a one two\n"),
    ]);
    symlink("nowhere", set.path("set/manifest.json")).unwrap();
    let told = set.run(&["check", "set"]);
    let words = text(&told.stdout);
    let note = "note    manifest.json can't be read, and is left out: ";
    assert!(words.contains(note), "{words}");
}
