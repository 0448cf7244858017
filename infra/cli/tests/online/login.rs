//! `login` and the file of profiles, which is its owner's.

use std::os::unix::fs::PermissionsExt;

use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe::OpenOptions;
use tokio::process::Command;

use super::{Bench, code, document, text};

/// What `login` leaves of the file.
async fn login(bench: &Bench, arguments: &[&str], key: &str) -> (i32, String, String) {
    let mut command = bench.bare();
    command.arg("login").args(arguments);
    let told = bench.with_input(command, key).await;
    let file = std::fs::read_to_string(bench.config("config.toml")).unwrap();
    (code(&told), text(&told.stderr), file)
}

async fn key_from(bench: &Bench, profile: &str) -> String {
    let mut command = bench.bare();
    command.args(["whoami", "--json", "--profile", profile]);
    let told = document(&bench.told(command.output().await.unwrap()));
    told["key_from"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_profiles_stays_its_owners() {
    let bench = Bench::new().await;
    let url = bench.machine.node.url.clone();
    let keys = bench.config("credentials.toml");
    std::fs::create_dir_all(keys.parent().unwrap()).unwrap();
    let written = format!(
        "# of the team\ndefault = \"a\"\n\n[profile.a] # the usual one\nurl = \"{url}/\"\n\
         project = \"demo\"\ncredential_command = [\n  \"false\", # no such luck\n]\n\n\
         # not ready\n[profile.shell]\nurl = \"https://b\"\ncredential_command = \"cat x\"\n"
    );
    std::fs::write(bench.config("config.toml"), &written).unwrap();

    // What is refused keeps nothing, the name of a profile that can't be read among it.
    let (exit, told, file) = login(&bench, &[&url, "--profile", "two"], "sk_wrong").await;
    assert_eq!((exit, file), (4, written.clone()), "{told}");
    let own = [url.as_str(), "--profile", "shell"];
    let (exit, told, file) = login(&bench, &own, bench.key()).await;
    assert_eq!((exit, file), (2, written.clone()), "{told}");
    assert!(told.contains("[profile.shell]"), "{told}");
    assert!(!keys.exists());

    // It stops no other one.
    let two = [url.as_str(), "--profile", "two"];
    let (exit, told, file) = login(&bench, &two, bench.key()).await;
    assert_eq!(exit, 0, "{told}");
    let added = format!("{written}\n[profile.two]\nurl = \"{url}\"\n");
    assert_eq!(file, added);
    assert_eq!(key_from(&bench, "two").await, "credentials.toml");
    // A second time there is nothing to write.
    let (exit, told, file) = login(&bench, &["two"], bench.key()).await;
    assert_eq!((exit, file), (0, added.clone()), "{told}");

    // The key that is kept is the one that is used, and what gave it before is told.
    let (exit, told, file) = login(&bench, &["a"], bench.key()).await;
    assert_eq!(exit, 0, "{told}");
    assert!(
        told.contains("credential_command of profile a is a comment in config.toml now"),
        "{told}"
    );
    let list = "credential_command = [\n  \"false\", # no such luck\n]\n";
    let comment = "# credential_command = [\n#   \"false\", # no such luck\n# ]\n";
    assert_eq!(file, added.replace(list, comment));
    assert_eq!(key_from(&bench, "a").await, "credentials.toml");

    // What can be written in more ways than are known here is left to its owner.
    let inline =
        format!("[profile]\nb = {{ url = \"{url}\", credential_command = [\"false\"] }}\n");
    std::fs::write(bench.config("config.toml"), &inline).unwrap();
    let before = std::fs::read(&keys).unwrap();
    let (exit, told, file) = login(&bench, &["b"], bench.key()).await;
    assert_eq!((exit, file), (2, inline), "{told}");
    assert!(told.contains("can't be changed as it is written"), "{told}");
    assert_eq!(std::fs::read(&keys).unwrap(), before);
    let inline = format!("profile = {{ b = {{ url = \"{url}\" }} }}\n");
    std::fs::write(bench.config("config.toml"), &inline).unwrap();
    let new = [url.as_str(), "--profile", "of us"];
    let (exit, told, file) = login(&bench, &new, bench.key()).await;
    assert_eq!((exit, file), (2, inline), "{told}");
    assert!(
        told.contains("config.toml: no profile can be added to it as it is written"),
        "{told}"
    );
    let lines = format!("by the lines [profile.\"of us\"] and url = \"{url}\"");
    assert!(told.contains(&lines), "{told}");

    // As an editor of Windows writes it.
    let marked = format!("\u{feff}[profile.b]\r\nurl = \"{url}\"\r\n");
    std::fs::write(bench.config("config.toml"), &marked).unwrap();
    let (exit, told, file) = login(&bench, &two, bench.key()).await;
    assert_eq!(exit, 0, "{told}");
    assert!(
        file.starts_with("\u{feff}default = \"two\"\n[profile.b]"),
        "{file}"
    );
    assert_eq!(key_from(&bench, "two").await, "credentials.toml");
    bench.machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_changed_meanwhile_is_left_with_the_key_that_was_kept() {
    let bench = Bench::new().await;
    let url = bench.machine.node.url.clone();
    let keys = bench.config("credentials.toml");
    std::fs::create_dir_all(keys.parent().unwrap()).unwrap();
    let written = "default = \"two\"\n[profile.two]\nurl = \"https://b\" # of Asha\n";
    std::fs::write(bench.config("config.toml"), written).unwrap();
    let kept = "[profile.two]\nkey = \"sk_that_works\"\n";
    std::fs::write(&keys, kept).unwrap();
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o600)).unwrap();
    // It can be written to once it is read from, which is when the profiles were read.
    let pipe = bench.home.path().join("key");
    let made = Command::new("/usr/bin/mkfifo").arg(&pipe).status().await;
    assert!(made.unwrap().success());
    let at_pipe = [url.as_str(), "--profile", "two", "--key-file", "key"];
    for is_changed in [true, false] {
        let mut command = bench.bare();
        let child = command.arg("login").args(at_pipe).spawn().unwrap();
        let open = async || OpenOptions::new().open_sender(&pipe).ok();
        let mut opened = bench.machine.wait("the key is asked for", open).await;
        let changed = format!("# changed\n{written}");
        if is_changed {
            std::fs::write(bench.config("config.toml"), &changed).unwrap();
        }
        opened.write_all(bench.key().as_bytes()).await.unwrap();
        drop(opened);
        let told = bench.told(child.wait_with_output().await.unwrap());
        let words = text(&told.stderr);
        let file = std::fs::read_to_string(bench.config("config.toml")).unwrap();
        let in_file = std::fs::read_to_string(&keys).unwrap();
        if is_changed {
            assert_eq!(code(&told), 1, "{words}");
            assert!(
                words.contains("was changed while the key was asked for, and nothing was kept"),
                "{words}"
            );
            assert_eq!(file, changed);
            assert!(in_file.contains("sk_that_works"));
        } else {
            assert_eq!(code(&told), 0, "{words}");
            assert_eq!(file, changed.replace("https://b", &url));
            assert!(in_file.contains(bench.key()));
        }
    }
    bench.machine.stop().await;
}
