//! Words that matter, by a file: only one of the project's own, where the project names it.

use super::{Set, code, text};

#[test]
fn a_file_that_is_not_there_is_wrong_usage() {
    let set = Set::new(&[("set/a.wav", b"")]);
    let told = set.run(&["run", "set", "-p", "m", "--keyword", "@nowhere.txt"]);
    assert_eq!(code(&told), 2, "{told:?}");
    assert!(text(&told.stderr).contains("nowhere.txt: "), "{told:?}");
}

#[test]
fn a_project_names_no_file_outside_of_itself() {
    for keyword in ["@../secret.txt", "@/etc/hostname", "@link.txt"] {
        let project = format!("[run]\nkeyword = [\"KYC\", \"{keyword}\"]\n");
        let set = Set::new(&[
            ("secret.txt", b"secret\n"),
            ("project/a/x.wav", b""),
            ("project/stt-eval.toml", project.as_bytes()),
        ]);
        #[cfg(unix)]
        std::os::unix::fs::symlink("../secret.txt", set.path("project/link.txt")).unwrap();
        let told = super::command(&set.path("project"))
            .args(["run", "a", "-p", "m"])
            .output()
            .unwrap();
        assert_eq!(code(&told), 2, "{told:?}");
        let words = text(&told.stderr);
        assert!(words.contains("keyword leads out of its folder"), "{words}");
        assert!(!words.contains("secret\n"), "{words}");
    }
    // One of its own is taken, as seen from the file of the project.
    let set = Set::new(&[
        ("a/x.wav", b""),
        ("words.txt", b"KYC\n"),
        ("stt-eval.toml", b"[run]\nkeyword = \"@words.txt\"\n"),
    ]);
    let told = super::command(&set.path("a"))
        .env("HOME", set.path(""))
        .args(["run", ".", "-p", "m"])
        .output()
        .unwrap();
    // The words are read; there is no deployment to send them to.
    assert_eq!(code(&told), 2, "{told:?}");
    let words = text(&told.stderr);
    assert!(words.contains("words.txt"), "{words}");
    assert!(words.contains("no deployment is configured"), "{words}");
}
