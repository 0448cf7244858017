//! Keys of providers.

use gemini_sim::{Fault, FaultRule};
use serde_json::json;

use crate::support::store::{objects, rows};
use crate::support::{CLOSED_PORT, Expect, World, machine, secret, text, with};

const GOOGLE: &str = "/credentials/google";

fn refuse(code: u16, key: &str) -> FaultRule {
    let message = Some("API key not valid: upstream detail 271828".to_owned());
    let fault = Fault::Status {
        code,
        message,
        after_commit: false,
        retry_after: None,
    };
    FaultRule {
        api_key: Some(key.to_owned()),
        ..FaultRule::new(fault)
    }
}

#[test]
fn a_key_says_where_its_vendor_is_to_work() {
    with(async |w| {
        let there = "/credentials/assemblyai";
        let of = |region: &str| json!({ "api_key": "made-up-key-wxyz", "region": region });
        let kept = w.put(there, &of("eu")).await.data(200).clone();
        assert_eq!(kept["last_four"], "wxyz");
        for (at, region) in [(there, "mars"), (there, ""), (GOOGLE, "eu")] {
            let refused = w.put(at, &of(region)).await;
            assert_eq!(refused.refused(422), ["region"], "{at} {region}");
        }
    });
}

#[test]
fn a_secret_goes_in_and_four_characters_come_out() {
    with(async |w| {
        let first = w.get(GOOGLE).await.data(200).clone();
        assert_eq!(first["provider"], "google");
        assert_eq!(
            first["last_four"],
            w.project.name[w.project.name.len() - 4..]
        );
        let kept = w
            .put(GOOGLE, &json!({ "api_key": "AIza-made-up-key-wxyz" }))
            .await;
        let kept = kept.data(200).clone();
        assert_eq!(kept["last_four"], "wxyz");
        assert_eq!(
            kept["inserted_at"], first["inserted_at"],
            "replaced, not made anew"
        );
        let shown = w.get(GOOGLE).await;
        assert_eq!(shown.data(200), &kept);
        for place in [shown.text, w.get("/providers").await.text] {
            assert!(!place.contains("made-up"), "{place}");
        }
        for part in ["AIza-made-up", &secret(&w.project.name)] {
            assert_eq!(
                rows(w, part).await,
                [] as [String; 0],
                "it is stored sealed"
            );
            assert_eq!(objects(w, part).await, [] as [String; 0]);
        }
        w.delete(GOOGLE).await.ok(200);
        w.get(GOOGLE).await.no(404);
        w.delete(GOOGLE).await.no(404);
    });
}

#[test]
fn a_key_is_tried_at_the_provider_first() {
    with(async |w| {
        let bad = format!("AIza-bad-key-of-{}", w.project.name);
        w.strike(refuse(400, &bad));
        let before = w.get(GOOGLE).await.data(200).clone();
        // Google says 400 to a key that is none, 401 or 403 to one that may not.
        let answer = w.put(GOOGLE, &json!({ "api_key": bad })).await;
        World::names(&answer, 422, "api_key");
        assert!(!answer.text.contains("271828"), "{}", answer.text);
        let denied = format!("AIza-denied-key-of-{}", w.project.name);
        w.strike(refuse(403, &denied));
        let answer = w.put(GOOGLE, &json!({ "api_key": denied })).await;
        World::names(&answer, 422, "api_key");
        assert!(!answer.text.contains("271828"), "{}", answer.text);
        let down = format!("AIza-down-key-of-{}", w.project.name);
        w.strike(refuse(500, &down));
        let answer = w.put(GOOGLE, &json!({ "api_key": down })).await;
        answer.no(503);
        assert!(answer.header("retry-after").is_some());
        assert!(
            text(&answer.body["error"]).contains("validate=false"),
            "{}",
            answer.text
        );
        assert_eq!(answer.body["metadata"]["code"], "provider_unreachable");
        // A limit says nothing of the key: it may be one of addresses.
        let limited = format!("AIza-limited-key-of-{}", w.project.name);
        w.strike(refuse(429, &limited));
        let answer = w.put(GOOGLE, &json!({ "api_key": limited })).await;
        answer.no(503);
        assert!(!answer.text.contains("271828"), "{}", answer.text);
        // Nor does a page of some proxy.
        let proxy = format!("AIza-proxied-key-of-{}", w.project.name);
        let page = Fault::Html {
            after_commit: false,
        };
        w.strike(FaultRule {
            api_key: Some(proxy.clone()),
            ..FaultRule::new(page)
        });
        w.put(GOOGLE, &json!({ "api_key": proxy })).await.no(503);
        assert_eq!(w.get(GOOGLE).await.data(200), &before, "the old one stays");
        let unchecked = format!("{GOOGLE}?validate=false");
        w.put(&unchecked, &json!({ "api_key": bad })).await.ok(200);
        World::names(
            &w.put(&format!("{GOOGLE}?validate=no"), &json!({ "api_key": bad }))
                .await,
            422,
            "validate",
        );
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_not_kept_when_the_provider_is_not_reached() {
    let (machine, client) = machine(vec![("GEMINI_BASE_URL", CLOSED_PORT)]).await;
    let before = client.get(GOOGLE).await.data(200).clone();
    let key = json!({ "api_key": "AIza-nobody-was-asked-about" });
    let answer = client.put(GOOGLE, &key).await;
    assert_eq!(answer.refused(503), [] as [String; 0]);
    assert_eq!(answer.body["metadata"]["code"], "provider_unreachable");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(client.get(GOOGLE).await.data(200), &before);
    let unchecked = format!("{GOOGLE}?validate=false");
    client.put(&unchecked, &key).await.ok(200);
    machine.stop().await;
}

#[test]
fn odd_credentials_are_refused() {
    with(async |w| {
        let path = format!("{GOOGLE}?validate=false");
        for key in [
            json!(""),
            json!("short"),
            json!("x".repeat(513)),
            json!("with blanks in it"),
            json!("with-க-in-it"),
            json!("line\nbreak-in-it"),
            json!(12345678),
            json!(null),
        ] {
            let answer = w.put(&path, &json!({ "api_key": key })).await;
            World::names(&answer, 422, "api_key");
            if let Some(key) = key.as_str().filter(|key| key.len() > 6) {
                assert!(!answer.text.contains(key), "a refusal repeats no secret");
            }
        }
        World::names(&w.put(&path, &json!({})).await, 422, "api_key");
        let typo = json!({ "api_key": "a-made-up-key", "apikey": "a-made-up-key" });
        World::names(&w.put(&path, &typo).await, 400, "apikey");
        for provider in [
            "unknown",
            "OpenAI",
            "Google",
            "google%2F",
            "%00",
            "x".repeat(300).as_str(),
        ] {
            let path = format!("/credentials/{provider}");
            w.get(&path).await.no(404);
            w.delete(&path).await.no(404);
            let unchecked = format!("{path}?validate=false");
            w.put(&unchecked, &json!({ "api_key": "a-made-up-key" }))
                .await
                .no(404);
        }
    });
}
