//! Which deployment, and which key, as far as this machine knows.

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use super::{Set, code, command, document, text};

const TWO: &str = "[profile.a]\nurl = \"https://a\"\n[profile.b]\nurl = \"https://b\"\n";

fn asked(set: &Set, arguments: &[&str]) -> Output {
    let mut command = command(set.folder.path());
    command
        .env("HOME", set.folder.path())
        .env("STT_EVAL_CONFIG", "config.toml");
    command.args(arguments).output().unwrap()
}

#[test]
fn where_none_is_chosen_all_are_named() {
    let set = Set::new(&[("config.toml", TWO.as_bytes())]);
    for arguments in [&["models"][..], &["logout"]] {
        let told = asked(&set, arguments);
        assert_eq!(code(&told), 2);
        assert_eq!(
            text(&told.stderr),
            "error: no profile is chosen; there are a, b\nhint: --profile a, STT_EVAL_PROFILE=a, \
             or default = \"a\" as the first line of config.toml\n"
        );
    }
}

#[test]
fn a_file_of_keys_that_is_refused_is_told_with_those_that_are_in_it() {
    let keys = "[profile.a]\nkey = \"sk_0123456789\"\n";
    let config = format!("default = \"b\"\n{TWO}");
    let set = Set::new(&[
        ("config.toml", config.as_bytes()),
        ("credentials.toml", keys.as_bytes()),
    ]);
    for (mode, told) in [(0o644, true), (0o600, false)] {
        let open = PermissionsExt::from_mode(mode);
        std::fs::set_permissions(set.path("credentials.toml"), open).unwrap();
        let listed = asked(&set, &["profiles", "--json"]);
        assert_eq!(code(&listed), 0);
        let words = text(&listed.stderr);
        let note = "note: credentials.toml can be read by others (mode 644)\nhint: chmod 600";
        assert_eq!(words.contains(note), told, "{words}");
        let listed = document(&listed);
        let from = |place: usize| listed["profiles"][place]["key_from"].clone();
        assert_eq!(
            (from(0), from(1)),
            ("credentials.toml".into(), "not set".into())
        );
        let settings = listed["settings"].as_array().unwrap();
        let key = settings.iter().find(|one| one["name"] == "key").unwrap();
        assert_eq!(key["from"], "not set");
    }
}

#[test]
fn what_a_program_prints_that_is_no_key_is_told_with_its_profile() {
    let config = "default = \"a\"\n[profile.a]\nurl = \"https://a\"\n\
                  credential_command = [\"/bin/echo\", \"two words\"]\n";
    let set = Set::new(&[("config.toml", config.as_bytes())]);
    let told = asked(&set, &["models"]);
    assert_eq!(code(&told), 4);
    let wanted = "error: what credential_command of profile a gives is no key\n";
    assert_eq!(text(&told.stderr), wanted);
}
