//! API keys.

use serde_json::{Value, json};

use crate::support::routes::ROLES;
use crate::support::store::rows;
use crate::support::{Expect, World, each, id, items, text, with};

const KEYS: &str = "//api/v1/keys";

#[test]
fn a_key_is_shown_once_and_never_again() {
    with(async |w| {
        let mut made = Vec::new();
        for role in ROLES {
            let key = w
                .post(
                    KEYS,
                    &json!({ "name": format!("the {role}"), "role": role }),
                )
                .await;
            let key = key.data(201).clone();
            assert_eq!(key["role"], role);
            assert_eq!(key["name"], format!("the {role}"));
            let secret = text(&key["key"]);
            assert!(secret.starts_with("sk_") && secret.ends_with(text(&key["last_four"])));
            w.with_key(Some(secret)).get("/files").await.ok(200);
            made.push(key);
        }
        let listed = w.get(KEYS).await;
        assert_eq!(listed.body["metadata"]["total"], 5);
        assert_eq!(items(listed.data(200)).len(), 5);
        assert_eq!(each(listed.data(200), "role")[0], "admin", "newest first");
        assert_eq!(w.pages(KEYS, 2).await.len(), 5);
        for key in &made {
            let secret = text(&key["key"]);
            let middle = secret.split('_').nth(2).unwrap();
            assert!(!listed.text.contains(middle), "{}", listed.text);
            assert_eq!(
                rows(w, middle).await,
                [] as [String; 0],
                "it is stored hashed"
            );
            let shown = items(listed.data(200))
                .iter()
                .find(|k| k["id"] == key["id"])
                .unwrap();
            assert_eq!(shown["last_four"], key["last_four"]);
        }
        for body in [
            json!({ "name": "", "role": "viewer" }),
            json!({ "name": "a\u{202e}", "role": "viewer" }),
            json!({ "name": "a", "role": "owner" }),
            json!({ "name": "a", "role": "Viewer" }),
            json!({ "name": "a" }),
            json!({ "role": "viewer" }),
        ] {
            w.post(KEYS, &body).await.no(422);
        }
        let more = w
            .post(
                KEYS,
                &json!({ "name": "a", "role": "viewer", "key": "mine" }),
            )
            .await;
        World::names(&more, 400, "key");
        assert_eq!(w.get(KEYS).await.body["metadata"]["total"], 5);
    });
}

#[test]
fn a_revoked_key_works_no_more() {
    with(async |w| {
        let made = w
            .post(KEYS, &json!({ "name": "going", "role": "admin" }))
            .await;
        let made = made.data(201).clone();
        let client = w.with_key(Some(text(&made["key"])));
        client.get("/files").await.ok(200);
        let path = format!("{KEYS}/{}", id(&made));
        w.delete(&path).await.ok(200);
        for (method, route) in [
            ("GET", "/files"),
            ("POST", "/runs"),
            ("GET", "/nothing"),
            ("GET", KEYS),
        ] {
            let status = client.send(client.request(method, route)).await.status;
            assert!(
                status == 401 || (route == "/nothing" && status == 404),
                "{route}: {status}"
            );
        }
        w.delete(&path).await.no(404);
        assert_eq!(w.get(KEYS).await.body["metadata"]["total"], 1);
    });
}

#[test]
fn a_key_comes_in_either_header_and_must_be_whole() {
    with(async |w| {
        let anonymous = w.with_key(None);
        let key = &w.project.key;
        let bearer = |text: String| {
            anonymous
                .request("GET", "/files")
                .header("authorization", text)
        };
        anonymous
            .send(bearer(format!("Bearer {key}")))
            .await
            .ok(200);
        anonymous
            .send(bearer(format!("bearer {key}")))
            .await
            .ok(200);
        let stranger = w.stranger().await;
        let parts: Vec<&str> = key.split('_').collect();
        let theirs: Vec<&str> = stranger.key.split('_').collect();
        let flipped = {
            let mut bytes = key.clone().into_bytes();
            bytes[40] = if bytes[40] == b'0' { b'1' } else { b'0' };
            String::from_utf8(bytes).unwrap()
        };
        for wrong in [
            String::new(),
            " ".to_owned(),
            "sk_".to_owned(),
            "x".repeat(5_000),
            key[..key.len() - 1].to_owned(),
            format!("{key}0"),
            key.to_uppercase(),
            key.replace("sk_", "pk_"),
            flipped,
            [parts[0], theirs[1], parts[2], parts[3]].join("_"),
            [parts[0], parts[1], theirs[2], theirs[3]].join("_"),
            format!("{key},{key}"),
        ] {
            let answer = anonymous
                .send(
                    anonymous
                        .request("GET", "/files")
                        .header("x-api-key", &wrong),
                )
                .await;
            assert_eq!(answer.status, 401, "{wrong}");
            answer.no(401);
            let answer = anonymous.send(bearer(format!("Bearer {wrong}"))).await;
            assert_eq!(answer.status, 401, "Bearer {wrong}");
        }
        for scheme in [key.clone(), format!("Basic {key}"), "Bearer".to_owned()] {
            anonymous.send(bearer(scheme)).await.no(401);
        }
        let binary = reqwest::header::HeaderValue::from_bytes(b"sk_\xff\xfe").unwrap();
        let binary = anonymous
            .request("GET", "/files")
            .header("x-api-key", binary);
        anonymous.send(binary).await.no(401);
        let in_query = anonymous.get(&format!("/files?api_key={key}")).await;
        assert!([400, 401].contains(&in_query.status), "{}", in_query.text);
        let headers = anonymous.get("/files").await;
        assert!(
            headers.header("www-authenticate").is_some(),
            "{:?}",
            headers.headers
        );
        assert_eq!(headers.body["data"], Value::Null);
    });
}

#[test]
fn the_last_admin_key_is_not_lost_by_a_slip() {
    with(async |w| {
        let keys = w.get(KEYS).await;
        let own = id(&items(keys.data(200))[0]);
        let answer = w.delete(&format!("{KEYS}/{own}")).await;
        answer.no(409);
        w.get(KEYS).await.ok(200);
    });
}
