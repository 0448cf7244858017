//! Settings and help.

use std::time::Duration;

use gemini_sim::{Fault, FaultRule};
use serde_json::{Value, json};

use super::{Browser, key};
use crate::support::{Expect, PRO, World, id, secret, with};

const GOOGLE: &str = "/credentials/google";
/// An address that is public, and needs no resolver.
const PUBLIC: &str = "https://8.8.8.8/v1";

/// Refuses whoever asks with a key.
fn refuse(w: &World, code: u16, key: &str) {
    w.strike(FaultRule {
        api_key: Some(key.to_owned()),
        ..FaultRule::new(Fault::Status {
            code,
            message: Some("API key not valid: upstream detail 271828".to_owned()),
            retry_after: None,
            after_commit: false,
        })
    });
}

#[test]
fn administrators_keep_and_remove_keys_of_vendors() {
    with(async |w| {
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let page = browser.get("/settings").await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("id=\"key-google\""), "{}", page.text);
        assert!(page.text.contains("id=\"key-groq\""), "{}", page.text);
        assert!(!page.text.contains("id=\"key-custom\""), "{}", page.text);
        let before = w.get(GOOGLE).await.data(200).clone();
        let save = |key: &str| {
            [("do", "save"), ("provider", "google"), ("api_key", key)]
                .map(|(a, b)| (a, b.to_owned()))
        };
        let send = async |browser: &mut Browser, fields: &[(&str, String)]| {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, &**value))
                .collect();
            browser.post("/settings", &fields).await
        };
        // What can't be a key, and what its vendor refuses, is told at the field.
        let bad = format!("AIza-bad-page-key-of-{}", w.project.name);
        refuse(w, 400, &bad);
        for (key, told) in [
            ("short", "must have 8 to"),
            (&*bad, "does not accept this key"),
        ] {
            let page = send(&mut browser, &save(key)).await;
            assert_eq!(page.status, 422, "{}", page.text);
            assert!(page.text.contains(told), "{}", page.text);
            assert!(page.text.contains("id=\"wrong-google\""), "{}", page.text);
            assert!(!page.text.contains(key), "it never comes back");
            assert!(!page.text.contains("271828"), "{}", page.text);
            assert!(!page.text.contains("name=\"unchecked\""));
        }
        let down = format!("AIza-down-page-key-of-{}", w.project.name);
        refuse(w, 500, &down);
        let page = send(&mut browser, &save(&down)).await;
        assert_eq!(page.status, 503, "{}", page.text);
        assert!(page.text.contains("name=\"unchecked\""), "{}", page.text);
        assert_eq!(w.get(GOOGLE).await.data(200), &before, "the old one stays");
        let unchecked = [&save(&down)[..], &[("unchecked", "1".to_owned())]].concat();
        let page = send(&mut browser, &unchecked).await;
        assert_eq!(page.header("location"), "/settings?told=saved#google");
        let good = format!("AIza-good-page-key-of-{}", w.project.name);
        let page = send(&mut browser, &save(&format!(" {good} "))).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let four = good[good.len() - 4..].to_owned();
        assert_eq!(w.get(GOOGLE).await.data(200)["last_four"], *four);
        let page = browser.get("/settings?told=saved").await;
        assert!(
            page.text.contains(&format!("<code>{four}</code>")),
            "{}",
            page.text
        );
        assert!(page.text.contains("The key is kept.") && !page.text.contains(&good));
        let remove = [("do", "remove"), ("provider", "google")];
        let page = browser.post("/settings", &remove).await;
        assert_eq!(page.header("location"), "/settings?told=removed#google");
        w.get(GOOGLE).await.no(404);
        assert_eq!(browser.post("/settings", &remove).await.status, 404);
        // Its models can't be ticked any more, and the way to the key is shown.
        let form = browser.get("/runs/new").await;
        assert!(
            form.text.contains("href=\"/settings#google\""),
            "{}",
            form.text
        );
        for fields in [
            [("do", "save"), ("provider", "nobody")],
            [("do", "save"), ("provider", "custom")],
        ] {
            assert_eq!(browser.post("/settings", &fields).await.status, 404);
        }
        let odd = [("do", "other"), ("provider", "google")];
        assert_eq!(browser.post("/settings", &odd).await.status, 422);

        // Where a vendor is to work is chosen once, and stays chosen: with a key that is not
        // taken, and when it is replaced.
        let place = async |browser: &mut Browser, key: &str, region: &str| {
            let fields = [
                ("do", "save"),
                ("provider", "assemblyai"),
                ("api_key", key),
                ("region", region),
                ("unchecked", "1"),
            ];
            browser.post("/settings", &fields).await
        };
        let page = place(&mut browser, "x", "eu").await;
        assert_eq!(page.status, 422, "{}", page.text);
        let chosen = "value=\"eu\" selected";
        assert!(page.text.contains(chosen), "{}", page.text);
        let page = place(&mut browser, "key-for-assemblyai-1", "eu").await;
        assert_eq!(page.status, 303, "{}", page.text);
        let kept = w.get("/credentials/assemblyai").await;
        assert_eq!(kept.data(200)["region"], "eu");
        let page = browser.get("/settings").await;
        assert!(page.text.contains(chosen), "{}", page.text);
        let page = place(&mut browser, "key-for-assemblyai-2", "").await;
        assert_eq!(page.status, 303, "{}", page.text);
        let kept = w.get("/credentials/assemblyai").await;
        assert_eq!(kept.data(200)["region"], Value::Null);
    });
}

#[test]
fn others_see_their_session_and_can_keep_no_keys() {
    with(async |w| {
        w.post(
            "/models",
            &json!({ "name": "one", "base_url": "https://speech.example.com/v1", "model": "m" }),
        )
        .await
        .ok(201);
        let mut admin = Browser::signed_in(w, &w.project.key).await;
        assert!(admin.get("/settings").await.text.contains("custom/one"));
        assert!(
            admin
                .get("/runs/new")
                .await
                .text
                .contains("model.custom/one")
        );
        let (key, id) = key(w, "editor").await;
        let mut browser = Browser::signed_in(w, &key).await;
        let page = browser.get("/settings").await;
        assert_eq!(page.status, 200);
        assert!(
            page.text.contains(&id) && page.text.contains("Asha"),
            "{}",
            page.text
        );
        assert!(!page.text.contains("type=\"password\"") && !page.text.contains("custom/one"));
        let fields = [("do", "remove"), ("provider", "google")];
        assert_eq!(browser.post("/settings", &fields).await.status, 403);
        w.get(GOOGLE).await.ok(200);
        for path in ["/settings", "/help"] {
            let page = browser.get(path).await;
            for section in ["Datasets", "Runs", "Settings", "Help"] {
                assert!(page.text.contains(&format!(">{section}</a>")), "{section}");
            }
            assert!(!page.text.contains(">Keys</a>"));
            assert_eq!(Browser::new(w).get(path).await.status, 303);
        }
    });
}

#[test]
fn a_run_whose_key_is_refused_says_so_and_goes_on_with_another_key() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two")]).await;
        let refused = secret(&w.project.name);
        refuse(w, 403, &refused);
        let run = w.start(&made.id, &[PRO]).await;
        let path = format!("/runs/{}/progress", id(&run));
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let mut text = String::new();
        for _ in 0..100 {
            text = browser.get(&path).await.text;
            if text.contains("class=\"person\"") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(text.contains("1\u{a0}clip waits."), "{text}");
        assert!(text.contains("What to do: replace the key."), "{text}");
        assert!(text.contains("href=\"/settings#google\""), "{text}");
        let (editor, _) = key(w, "editor").await;
        let mut editor = Browser::signed_in(w, &editor).await;
        let theirs = editor.get(&path).await.text;
        assert!(
            theirs.contains("An administrator of the project"),
            "{theirs}"
        );
        let another = format!("AIza-another-page-key-of-{}", w.project.name);
        let fields = [
            ("do", "save"),
            ("provider", "google"),
            ("api_key", &*another),
        ];
        assert_eq!(browser.post("/settings", &fields).await.status, 303);
        assert_eq!(w.ended(&run).await["status"], "completed");
        let text = browser.get(&path).await.text;
        assert!(!text.contains("What to do"), "{text}");
    });
}

#[test]
fn administrators_make_and_remove_models_of_their_own() {
    with(async |w| {
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let page = browser.get("/settings").await;
        assert!(
            page.text.contains("action=\"/settings/models\""),
            "{}",
            page.text
        );
        let fields = |name, base_url, price| {
            [
                ("do", "make"),
                ("name", name),
                ("base_url", base_url),
                ("model", "whisper <large>"),
                ("dialect", "vllm"),
                ("api_key", "own-secret-314159"),
                ("price_per_audio_hour", price),
                ("currency", "INR"),
            ]
        };
        for (sent, told) in [
            (fields("Not so", PUBLIC, ""), ">Name</a>: "),
            (fields("mine", "http://10.0.0.1/v1", ""), ">Address</a>: "),
            (
                fields("mine", PUBLIC, "a lot"),
                "An hour of audio</a>: must be an amount",
            ),
            (fields("mine", PUBLIC, "-1"), ">An hour of audio</a>: "),
        ] {
            let page = browser.post("/settings/models", &sent).await;
            assert_eq!(page.status, 422, "{told}: {}", page.text);
            assert!(page.text.contains(told), "{told}: {}", page.text);
            assert!(
                page.text.contains("value=\"whisper &#60;large&#62;\""),
                "{}",
                page.text
            );
            assert!(!page.text.contains("314159"), "it never comes back");
        }
        let odd = [
            &fields("mine", PUBLIC, "")[..],
            &[("languages", "Hindi, klingon")],
        ]
        .concat();
        let page = browser.post("/settings/models", &odd).await;
        assert_eq!(page.status, 422, "{}", page.text);
        for told in [
            "id=\"model-languages-wrong\">“klingon” is not known; known are ",
            "value=\"Hindi, klingon\"",
        ] {
            assert!(page.text.contains(told), "{told}: {}", page.text);
        }
        assert_eq!(page.text.matches("autofocus").count(), 1, "{}", page.text);
        for (seconds, told) in [
            ("half a minute", "must be a whole number"),
            ("7201", "must be from 1 to 7200"),
        ] {
            let odd = [&fields("mine", PUBLIC, "")[..], &[("max_seconds", seconds)]].concat();
            let page = browser.post("/settings/models", &odd).await;
            assert_eq!(page.status, 422, "{}", page.text);
            let told = format!("id=\"model-longest-wrong\">{told}");
            for told in [&*told, seconds] {
                assert!(page.text.contains(told), "{told}: {}", page.text);
            }
        }
        assert_eq!(w.get("/models").await.data(200), &json!([]));
        let lists = [
            ("languages", "Hindi, ta"),
            ("format.wav", "1"),
            ("format.flac", "1"),
            ("max_seconds", "30"),
        ];
        let all = [&fields("mine", PUBLIC, "12.5")[..], &lists].concat();
        let page = browser.post("/settings/models", &all).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let made = w.get("/models").await.data(200)[0].clone();
        assert_eq!(made["languages"], json!(["hi", "ta"]));
        let formats = made["formats"].as_array().map(Vec::len);
        assert_eq!(formats, Some(2), "{made}");
        assert_eq!(made["max_seconds"], 30, "{made}");
        let page = browser.get("/settings?told=model_made").await;
        for told in ["custom/mine", "12.5 INR", "can be chosen in new runs"] {
            assert!(page.text.contains(told), "{told}: {}", page.text);
        }
        assert!(!page.text.contains("314159"));
        let form = browser.get("/runs/new").await;
        assert!(form.text.contains("model.custom/mine"), "{}", form.text);
        let again = browser
            .post("/settings/models", &fields("mine", PUBLIC, ""))
            .await;
        assert_eq!(again.status, 409, "{}", again.text);
        assert!(
            again.text.contains("has a model of this name already"),
            "{}",
            again.text
        );

        // Its key is replaced, or taken from it.
        for (given, has_key) in [("another-secret-161803", true), ("", false)] {
            let replace = [("do", "key"), ("name", "mine"), ("api_key", given)];
            let page = browser.post("/settings/models", &replace).await;
            assert_eq!(page.header("location"), "/settings?told=model_key#own");
            let made = w.get("/models").await.data(200)[0].clone();
            assert_eq!(made["has_api_key"], has_key, "{made}");
            assert_eq!(made["max_seconds"], 30, "{made}");
        }
        let page = browser.get("/settings?told=model_key").await;
        assert!(page.text.contains("The key is replaced."), "{}", page.text);
        let odd = [("do", "key"), ("name", "mine"), ("api_key", "two words")];
        let page = browser.post("/settings/models", &odd).await;
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(page.text.contains("href=\"/settings\""), "{}", page.text);

        let (editor, _) = key(w, "editor").await;
        let mut editor = Browser::signed_in(w, &editor).await;
        let page = editor.get("/settings").await;
        assert!(!page.text.contains("/settings/models"), "{}", page.text);
        let replace = [("do", "key"), ("name", "mine"), ("api_key", "x")];
        assert_eq!(editor.post("/settings/models", &replace).await.status, 403);
        let remove = [("do", "remove"), ("name", "mine")];
        assert_eq!(editor.post("/settings/models", &remove).await.status, 403);
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        assert_eq!(stranger.post("/settings/models", &remove).await.status, 404);
        let page = browser.post("/settings/models", &remove).await;
        assert_eq!(page.status, 303, "{}", page.text);
        assert_eq!(w.get("/models").await.data(200), &json!([]));
    });
}
