//! Where the key is kept, and where settings come from.

use std::path::Path;

use serde_json::Value;

use super::{Bench, code, document, text};

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_kept_where_only_its_owner_reads_it() {
    let bench = Bench::new().await;
    let url = bench.machine.node.url.clone();

    let mut none = bench.bare();
    none.args(["models", "--json"]);
    let none = none.output().await.unwrap();
    assert_eq!(code(&none), 2);
    assert!(
        document(&none)["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("login URL")
    );

    let login = |arguments: &[&str]| {
        let mut command = bench.bare();
        command.args(["login"]).args(arguments);
        command
    };
    let no_terminal = login(&[&url]).output().await.unwrap();
    assert_eq!(code(&no_terminal), 2, "{}", text(&no_terminal.stderr));

    assert!(text(&no_terminal.stderr).contains("there is no terminal to ask for the API key"));

    // Where standard input is no terminal it is read without being named.
    let wrong = login(&[&url]);
    let wrong = bench.with_input(wrong, "sk_wrong\n").await;
    assert_eq!(code(&wrong), 4, "{}", text(&wrong.stderr));
    let wrong = login(&[&url, "--key-file", "-"]);
    let wrong = bench.with_input(wrong, "sk_wrong\n").await;
    assert_eq!(code(&wrong), 4, "{}", text(&wrong.stderr));
    assert!(!text(&wrong.stderr).contains("sk_wrong"));
    // There is no profile yet that could be named.
    assert!(text(&wrong.stderr).contains("hint: nothing was kept: the same command"));
    assert!(!bench.config("credentials.toml").exists());

    let right = login(&[&url, "--key-file", "-"]);
    let right = bench.with_input(right, &format!("{}\n", bench.key())).await;
    assert_eq!(code(&right), 0, "{}", text(&right.stderr));
    assert!(text(&right.stdout).contains("admin"));
    let keys = bench.config("credentials.toml");
    assert_eq!(mode(&keys), 0o600);
    assert_eq!(mode(keys.parent().unwrap()), 0o700);
    // A key that is good no more, of the profile and of the environment.
    let kept = std::fs::read_to_string(&keys).unwrap();
    std::fs::write(&keys, kept.replace(bench.key(), "sk_wrong")).unwrap();
    for (own, hint) in [
        (None, "stt-eval login default"),
        (Some("sk_other"), "the key comes from STT_EVAL_API_KEY"),
    ] {
        let mut refused = bench.bare();
        let own = own.map(|key| ("STT_EVAL_API_KEY", key));
        let refused = refused.arg("models").envs(own).output().await.unwrap();
        assert_eq!(code(&refused), 4);
        let told = "error: the key for profile default was refused (401)";
        assert_eq!(text(&refused.stderr), format!("{told}\nhint: {hint}\n"));
    }
    std::fs::write(&keys, kept).unwrap();
    assert!(
        !std::fs::read_to_string(bench.config("config.toml"))
            .unwrap()
            .contains(bench.key())
    );

    let ask = |arguments: &[&str]| {
        let mut command = bench.bare();
        command.args(arguments);
        command
    };
    let piped = bench
        .with_input(login(&[&url, "--json"]), bench.key())
        .await;
    assert_eq!(document(&piped)["project"], "demo");
    let set = ["credentials", "set", "deepgram", "--no-validate", "--json"];
    let given = "dg_0123456789abcdefghij";
    for (input, exit) in [(given, 0), (" \n", 2), ("two words", 2)] {
        let kept = bench.with_input(ask(&set), input).await;
        let words = text(&kept.stdout) + &text(&kept.stderr);
        assert_eq!(code(&kept), exit, "{words}");
        assert!(
            !words.contains(given) && !words.contains("two words"),
            "{words}"
        );
        if exit == 0 {
            assert_eq!(document(&kept)["credential"]["last_four"], "ghij");
        }
    }
    let who = ask(&["whoami", "--json"]).output().await.unwrap();
    let who = document(&bench.told(who));
    assert_eq!(who["role"], "admin");
    assert_eq!(who["project"], "demo");
    assert!(!who["key_name"].as_str().unwrap().is_empty());
    assert_eq!(who["may"].as_array().unwrap().len(), 4);
    assert_eq!(who["profile"], "default");
    assert!(bench.key().ends_with(who["last_four"].as_str().unwrap()));
    std::fs::write(
        bench.home.path().join("stt-eval.toml"),
        "[run]\nmodel = [\"a\", \"b\"]\n",
    )
    .unwrap();
    let listed = async |more: &[&str], url: Option<&str>| {
        let mut command = ask(&["profiles", "--json"]);
        command
            .args(more)
            .envs(url.map(|url| ("STT_EVAL_URL", url)));
        document(&bench.told(command.output().await.unwrap()))
    };
    let from = |listed: &Value, name: &str| {
        let settings = listed["settings"].as_array().unwrap();
        let one = settings.iter().find(|one| one["name"] == name).unwrap();
        (
            one["value"].clone(),
            one["from"].as_str().unwrap().to_owned(),
        )
    };
    let of = |value: &str, origin: &str| (Value::from(value), origin.to_owned());
    let plain = listed(&[], None).await;
    assert_eq!(plain["profiles"][0]["url"], url);
    assert_eq!(from(&plain, "profile"), of("default", "config.toml"));
    assert_eq!(from(&plain, "deployment"), of(&url, "config.toml"));
    assert_eq!(
        from(&plain, "key"),
        (Value::Null, "credentials.toml".to_owned())
    );
    assert_eq!(from(&plain, "patience"), of("60 s", "default"));
    assert_eq!(from(&plain, "[run] model"), of("a, b", "stt-eval.toml"));
    let other = "http://127.0.0.1:9";
    let variable = listed(&["--patience", "5"], Some(other)).await;
    assert_eq!(from(&variable, "deployment"), of(other, "STT_EVAL_URL"));
    assert_eq!(from(&variable, "key"), (Value::Null, "not set".to_owned()));
    assert_eq!(from(&variable, "patience"), of("5 s", "--patience"));
    let flag = listed(&["--profile", "default"], Some(other)).await;
    assert_eq!(from(&flag, "profile"), of("default", "--profile"));
    assert_eq!(from(&flag, "deployment"), of(&url, "config.toml"));
    std::fs::remove_file(bench.home.path().join("stt-eval.toml")).unwrap();

    // The key of a profile goes to no other address.
    let mut elsewhere = ask(&["models", "--json"]);
    elsewhere.env("STT_EVAL_URL", "http://127.0.0.1:9");
    let elsewhere = elsewhere.output().await.unwrap();
    assert_eq!(code(&elsewhere), 4);
    assert_eq!(document(&elsewhere)["error"]["code"], "no_key");

    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&keys, open).unwrap();
    let exposed = ask(&["models", "--json"]).output().await.unwrap();
    assert_eq!(code(&exposed), 4);
    assert_eq!(document(&exposed)["error"]["code"], "key_exposed");
    let shut = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&keys, shut).unwrap();

    let out = ask(&["logout", "--json"]).output().await.unwrap();
    assert_eq!(document(&out)["was_kept"], true);
    let without = listed(&[], None).await;
    assert_eq!(without["profiles"][0]["key_from"], "not set");
    assert_eq!(from(&without, "key"), (Value::Null, "not set".to_owned()));
    let gone = ask(&["models", "--json"]).output().await.unwrap();
    assert_eq!(code(&gone), 4);
    assert!(
        !std::fs::read_to_string(&keys)
            .unwrap()
            .contains(bench.key())
    );

    // A program that prints the key.
    let key_file = bench.home.path().join("key");
    std::fs::write(&key_file, bench.key()).unwrap();
    let config = format!(
        "default = \"a\"\n[profile.a]\nurl = \"{url}\"\nproject = \"demo\"\ncredential_command = [\"/bin/cat\", \"{}\"]\n",
        key_file.display()
    );
    std::fs::write(bench.config("config.toml"), config).unwrap();
    let who = document(&ask(&["whoami", "--json"]).output().await.unwrap());
    assert_eq!(who["key_from"], "credential_command");
    bench.machine.stop().await;
}
