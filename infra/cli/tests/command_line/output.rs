//! What goes where: colours, readers that leave, steps, completions, pages.

use std::process::{Command, Stdio};

use super::{Set, code, command, document};

#[test]
fn colours_follow_the_flag_then_the_environment() {
    let set = Set::new(&[("r.txt", b"a b\n"), ("h.txt", b"a c\n")]);
    let coloured = |set_up: &dyn Fn(&mut Command), more: &[&str]| {
        let mut command = command(set.folder.path());
        set_up(&mut command);
        command
            .args(["score", "r.txt", "h.txt", "--fail-if", "wer>0.9"])
            .args(more);
        command.output().unwrap().stdout.contains(&0x1b)
    };
    assert!(!coloured(&|_| {}, &[]));
    assert!(coloured(&|_| {}, &["--color", "always"]));
    assert!(coloured(
        &|command| {
            command.env("CLICOLOR_FORCE", "1");
        },
        &[]
    ));
    assert!(!coloured(
        &|command| {
            command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
        },
        &[]
    ));
    assert!(!coloured(
        &|command| {
            command.env("CLICOLOR_FORCE", "1");
        },
        &["--color", "never"]
    ));
    let ascii = command(set.folder.path())
        .env("LANG", "C")
        .args(["score", "r.txt", "h.txt", "--fail-if", "wer>0.9"])
        .output()
        .unwrap();
    assert!(
        String::from_utf8(ascii.stdout)
            .unwrap()
            .contains("ok   h: WER")
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let text = "a\n".repeat(200_000);
    let set = Set::new(&[("t.txt", text.as_bytes())]);
    let mut child = command(set.folder.path())
        .args(["normalise", "t.txt"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 141);
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn steps_of_a_normaliser_are_shown() {
    let set = Set::new(&[]);
    let told = document(&set.run(&["normalise", "उम्र २५, साल।", "--language", "hi", "--json"]));
    let text = &told["texts"][0];
    assert_eq!(text["normalised"], "उम्र 25 साल");
    let last = text["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["text"], text["normalised"]);
}

#[test]
fn completions_and_pages_come_from_the_command() {
    let set = Set::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = set.run(&["completions", shell]);
        assert!(
            code(&output) == 0
                && String::from_utf8(output.stdout)
                    .unwrap()
                    .contains("normalise"),
            "{shell}"
        );
    }
    assert!(set.run(&["man"]).stdout.starts_with(b".ie"));
    assert_eq!(code(&set.run(&["man", "pages"])), 0);
    assert!(set.path("pages/stt-eval-score.1").is_file());
    assert_eq!(code(&set.run(&["--help"])), 0);
}
