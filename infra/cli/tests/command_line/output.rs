//! What goes where: colours, readers that leave, steps, completions, pages.

use std::process::{Command, Stdio};

use super::{Set, code, command, document, text};

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
            command.env("CLICOLOR_FORCE", "0");
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
    // What is ours is in ASCII then, and others' texts are as they are.
    let dots = |arguments: &[&str]| {
        let mut command = command(set.folder.path());
        let told = command.env("LANG", "C").args(arguments).output().unwrap();
        format!("{}{}", text(&told.stdout), text(&told.stderr))
    };
    let told = dots(&["check", "--help"]);
    assert!(told.contains("test, dev, train ...") && !told.contains('…'));
    let told = dots(&["normalise", "\u{2026}.txt", "--normalizer", "raw-v1"]);
    let note = "note: there is no file ....txt: it is taken as a text\n";
    assert!(told.contains("….txt") && told.contains(note), "{told}");
    let ascii = command(set.folder.path())
        .env("LANG", "C")
        .args(["score", "r.txt", "h.txt", "--fail-if", "wer>0.9"])
        .args(["--fail-if", "wer.high>0.9"])
        .output()
        .unwrap();
    let ascii = text(&ascii.stdout);
    assert!(ascii.contains("\nok   h: WER"), "{ascii}");
    assert!(ascii.contains("\n?    h: WER"), "{ascii}");
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

/// What bash offers for a line, by the script that is printed.
#[cfg(unix)]
fn offered(set: &Set, line: &str) -> Vec<String> {
    let script = r#"
        source completions.bash
        COMP_LINE=$1
        COMP_POINT=${#COMP_LINE}
        read -ra COMP_WORDS <<< "$COMP_LINE"
        [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
        complete -p stt-eval > registered
        [[ $(< registered) =~ -F\ ([a-z_]+) ]]
        "${BASH_REMATCH[1]}" stt-eval "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let told = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", script, "bash", line])
        .current_dir(set.folder.path())
        .output()
        .unwrap();
    assert!(told.stderr.is_empty(), "{told:?}");
    text(&told.stdout).lines().map(str::to_owned).collect()
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_options_and_values() {
    let set = Set::new(&[]);
    let printed = set.run(&["completions", "bash"]).stdout;
    std::fs::write(set.path("completions.bash"), printed).unwrap();
    assert_eq!(offered(&set, "stt-eval norm"), ["normalise"]);
    assert_eq!(offered(&set, "stt-eval score --mar"), ["--markup"]);
    assert_eq!(
        offered(&set, "stt-eval score r h --markup "),
        ["none", "braces", "asr_eval"]
    );
    assert_eq!(offered(&set, "stt-eval keys new --ro"), ["--role"]);
}

#[test]
fn what_is_no_document_is_refused_as_one() {
    let set = Set::new(&[("file", b"")]);
    for arguments in [&["man"][..], &["completions", "bash"]] {
        let mut all = arguments.to_vec();
        all.push("--json");
        let told = set.run(&all);
        assert_eq!(code(&told), 2);
        assert_eq!(document(&told)["error"]["code"], "usage");
    }
    let version = document(&set.run(&["--version", "--json"]));
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    let pages = document(&set.run(&["man", "pages", "--json"]));
    assert_eq!(pages["folder"], "pages");
    let nowhere = set.run(&["man", "file/pages"]);
    assert_eq!(code(&nowhere), 1);
    let words = text(&nowhere.stderr);
    assert!(
        words.contains("file/pages") && words.contains("hint: name a folder"),
        "{words}"
    );
}

#[test]
fn pages_and_help_tell_exit_codes() {
    let set = Set::new(&[]);
    let page = set.run(&["man"]).stdout;
    let page = text(&page);
    for part in [
        ".SH \"EXIT STATUS\"",
        "\\fB101\\fR",
        ".SH \"ENVIRONMENT\"",
        "\\fBSTT_EVAL_API_KEY\\fR",
        ".SH \"FILES\"",
        "[\\fB\\-\\-progress\\fR \\fIHOW\\fR]",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // Options without a long name, and those that must be there, have their values as well.
    assert_eq!(code(&set.run(&["man", "pages"])), 0);
    for (name, part) in [
        ("stt-eval-run.1", "[\\fB\\-j\\fR \\fIN\\fR]"),
        (
            "stt-eval-keys-new.1",
            "\\fB\\-\\-role\\fR \\fIROLE\\fR <\\fINAME\\fR>",
        ),
    ] {
        let page = std::fs::read_to_string(set.path("pages").join(name)).unwrap();
        assert!(page.contains(part), "{part}: {page}");
    }
    let help = set.run(&["--help"]).stdout;
    let help = text(&help);
    let readme = include_str!("../../README.md");
    let (_, listed) = help.split_once("Exit codes:\n").unwrap();
    let codes: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(codes.len(), 12);
    for code in codes {
        assert!(readme.contains(&format!("\n| {code} | ")), "{code}");
    }
}

#[test]
fn a_key_that_is_an_argument_by_mistake_is_not_told_back() {
    let set = Set::new(&[]);
    let keys = ["sk_x", "sk_abc_def", "0123456789abcdef0123456789abcdef"];
    let url = "https://stt.example.org";
    for key in keys {
        for arguments in [
            &["login", key][..],
            &["login", url, key],
            &["login", url, "--api-key", key],
            &["login", url, &format!("--api-key={key}")],
            &["login", url, "--key-file", key],
            &["logout", "one", key],
            &["credentials", "set", "openai", key],
            &["whoami", "--profile", key],
            &["score", key, "h.txt"],
        ] {
            for more in [&[][..], &["--json"], &["--events"]] {
                let all: Vec<&str> = arguments.iter().chain(more).copied().collect();
                let mut command = command(set.folder.path());
                command.env("HOME", set.folder.path()).args(&all);
                let told = command.output().unwrap();
                assert_ne!(code(&told), 0, "{all:?}");
                for told in [&told.stdout, &told.stderr] {
                    assert!(!text(told).contains(key), "{all:?}: {}", text(told));
                }
            }
        }
    }
    let told = set.run(&["login", url, "sk_abc"]);
    assert!(text(&told.stderr).contains("--key-file"), "{told:?}");
    // Names are told.
    let told = set.run(&["score", "sk_refs.txt", "h.txt"]);
    assert!(text(&told.stderr).contains("sk_refs.txt"), "{told:?}");
}

#[test]
fn a_configuration_that_is_wrong_is_told_without_its_values() {
    let config = "[profile.good]\nurl = \"https://stt.example.org\"\n\
                  [profile.bad]\nurl = \"https://b\"\ncredential_command = \"cat secret\"\n";
    let set = Set::new(&[("config.toml", config.as_bytes())]);
    let asked = |arguments: &[&str], file: &str| {
        let mut command = command(set.folder.path());
        command
            .env("HOME", set.folder.path())
            .env("STT_EVAL_CONFIG", file);
        command.args(arguments).output().unwrap()
    };
    let bad = asked(&["whoami", "--profile", "bad"], "config.toml");
    assert_eq!(code(&bad), 2);
    assert_eq!(
        text(&bad.stderr),
        "error: config.toml: [profile.bad] credential_command must be a list: [\"pass\", \
         \"show\", \"stt-eval\"]\n"
    );
    // It stops no other one, and is not lost.
    let listed = asked(&["profiles", "--json"], "config.toml");
    assert_eq!(document(&listed)["profiles"][0]["name"], "good");
    assert!(text(&listed.stderr).contains("[profile.bad]"));
    let missing = asked(&["whoami"], "nofile.toml");
    assert_eq!(code(&missing), 2);
    assert!(
        text(&missing.stderr).contains("STT_EVAL_CONFIG names nofile.toml"),
        "{missing:?}"
    );
    let key = ["login", "https://stt.example.org", "--key-file", "nokey"];
    let key = asked(&key, "nofile.toml");
    assert_eq!(code(&key), 2);
    assert!(text(&key.stderr).contains("nokey: No such file"), "{key:?}");
}

#[test]
fn what_can_hardly_be_meant_is_told() {
    let set = Set::new(&[("r.txt", b"a\n")]);
    let file = set.run(&["normalise", "nofile.txt"]);
    assert!(
        text(&file.stderr).contains("there is no file nofile.txt"),
        "{file:?}"
    );
    for arguments in [
        &["normalise", "a", "--language", "klingon"][..],
        &["score", "r.txt", "r.txt", "--language", "klingon"],
        &["check", "-"],
        &["logout", "nope"],
    ] {
        let told = set.run(arguments);
        assert_eq!(code(&told), 2, "{told:?}");
    }
    // A language that is not known here has texts all the same.
    assert_eq!(code(&set.run(&["normalise", "a", "--language", "fr"])), 0);
}

/// `script` is a terminal that tests can type into; each Debian has it.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_what_is_typed_after_a_key_was_not() {
    use std::io::{Read, Write};

    let set = Set::new(&[]);
    let asked = format!(
        "tty; {} login https://stt.example.org; echo code $?; stty -a",
        env!("CARGO_BIN_EXE_stt-eval")
    );
    let mut terminal = Command::new("script")
        .args(["-q", "-e", "-c", &asked, "/dev/null"])
        .env("HOME", set.folder.path())
        .env("LANG", "C.UTF-8")
        .env_remove("CI")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = terminal.stdin.take().unwrap();
    let mut shown = terminal.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut piece = [0; 256];
    while !text(&seen).contains("(not shown)") {
        let read = shown.read(&mut piece).unwrap();
        assert!(read > 0, "{}", text(&seen));
        seen.extend_from_slice(&piece[..read]);
    }
    // The question is shown first, and what is typed hidden after it: until then Ctrl-C is the
    // terminal's, which ends the shell as well.
    let asked = text(&seen).to_owned();
    let name = asked.lines().next().unwrap().trim();
    loop {
        let modes = Command::new("stty")
            .args(["-a", "-F", name])
            .output()
            .unwrap();
        assert!(modes.status.success(), "{modes:?}");
        if text(&modes.stdout).contains("-isig") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Ctrl-C.
    typed.write_all(b"\x03").unwrap();
    shown.read_to_end(&mut seen).unwrap();
    drop(typed);
    terminal.wait().unwrap();
    let seen = text(&seen);
    assert!(seen.contains("code 130"), "{seen}");
    let modes: Vec<&str> = seen.split_whitespace().collect();
    for mode in ["echo", "isig", "icanon"] {
        assert!(modes.contains(&mode), "{mode}: {seen}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_is_told_once() {
    let set = Set::new(&[("r.txt", b"a\n")]);
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = command(set.folder.path());
    command
        .args(["score", "r.txt", "r.txt", "--json"])
        .stdout(full);
    let told = command.output().unwrap();
    assert_eq!(code(&told), 1);
    assert_eq!(text(&told.stderr).lines().count(), 1, "{told:?}");
}
