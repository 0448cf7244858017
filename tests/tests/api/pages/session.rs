//! Signing in, what a session is good for, and how it ends.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Browser, COOKIE, Page, key, revoke};
use crate::support::store::rows;
use crate::support::{Expect, with};

const API: &str = "/api/v1/evaluations/stt";

#[test]
fn people_sign_in_with_a_key_and_a_name_and_out_again() {
    with(async |w| {
        let mut browser = Browser::new(w);
        let asked = browser.get("/runs?cursor=").await;
        assert_eq!(asked.status, 303);
        assert_eq!(
            asked.header("location"),
            "/sign-in?next=%2Fruns%3Fcursor%3D"
        );
        let form = browser.get(asked.header("location")).await;
        assert_eq!(form.status, 200);
        assert!(form.text.contains("name=\"next\" value=\"/runs?cursor=\""));

        let page = browser.sign_in(&w.project.key, "Asha", "/datasets").await;
        assert_eq!((page.status, page.header("location")), (303, "/datasets"));
        let set = page.header("set-cookie");
        let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200";
        assert!(set.starts_with(&format!("{COOKIE}=ses_")), "{set}");
        assert!(set.ends_with(attributes), "{set}");
        let cookie = browser.cookie.clone().unwrap();
        let token = cookie.rsplit('.').next().unwrap();
        assert_eq!(
            rows(w, token).await,
            [] as [String; 0],
            "it is stored hashed"
        );

        let page = browser.get("/datasets").await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("<bdi>Asha</bdi>"), "{}", page.text);
        assert_eq!(browser.get("/").await.header("location"), "/runs");
        // Who is signed in is not asked again.
        for (path, to) in [("/sign-in", "/"), ("/sign-in?next=%2Fhelp", "/help")] {
            let page = browser.get(path).await;
            assert_eq!((page.status, page.header("location")), (303, to));
        }

        let page = browser.post("/sign-out", &[]).await;
        assert_eq!((page.status, page.header("location")), (303, "/sign-in"));
        assert_eq!(page.header("clear-site-data"), "\"cache\",\"storage\"");
        assert_eq!(browser.cookie, None);
        // The cookie of before is good for nothing.
        browser.cookie = Some(cookie);
        assert_eq!(browser.get("/runs").await.status, 303);
        assert_eq!(browser.get("/sign-in").await.status, 200);
        assert_eq!(browser.post("/sign-out", &[]).await.status, 303);
    });
}

#[test]
fn wrong_cut_off_and_revoked_keys_are_told_alike_and_begin_nothing() {
    with(async |w| {
        let (revoked, id) = key(w, "viewer").await;
        revoke(w, &id).await;
        let whole = &w.project.key;
        let cut = &whole[..whole.len() - 1];
        let mut texts = Vec::new();
        for key in [&*revoked, cut, "", "nonsense", "sk_<script>"] {
            let mut browser = Browser::new(w);
            let page = browser
                .sign_in(key, "A\u{0301} <b>", "//evil.example")
                .await;
            assert_eq!((page.status, browser.cookie.is_none()), (401, true));
            assert!(page.text.contains("value=\"A\u{0301} &#60;b&#62;\""));
            assert!(page.text.contains("name=\"next\" value=\"/\""));
            texts.push(page.text);
        }
        texts.dedup();
        assert_eq!(texts.len(), 1);
        let mut browser = Browser::new(w);
        for name in ["", "   ", "a\u{7}", &"a".repeat(101)] {
            let page = browser.sign_in(whole, name, "/").await;
            assert_eq!((page.status, browser.cookie.is_none()), (422, true));
        }
        let project = format!("S({:?})", w.project.name);
        let begun = async || {
            let found = rows(w, "session#").await;
            found.iter().filter(|row| row.contains(&project)).count()
        };
        assert_eq!(begun().await, 0);
        Browser::signed_in(w, whole).await;
        assert_eq!(begun().await, 1);
    });
}

#[test]
fn a_session_ends_with_its_key_and_has_its_rights() {
    with(async |w| {
        let (text, id) = key(w, "viewer").await;
        let mut browser = Browser::signed_in(w, &text).await;
        assert_eq!(browser.get("/runs").await.status, 200);
        let run = "/runs/run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        let page = browser.post(&format!("{run}/cancel"), &[]).await;
        assert_eq!(page.status, 403);
        assert!(page.text.contains("the role Editor"), "{}", page.text);
        // Of another key's session the token is worth nothing.
        let mut other = Browser::signed_in(w, &w.project.key).await;
        let (own, theirs) = (browser.cookie.clone(), other.cookie.clone());
        let (own, theirs) = (own.unwrap(), theirs.unwrap());
        let own: Vec<&str> = own.split('.').collect();
        let theirs: Vec<&str> = theirs.split('.').collect();
        for (session, key, token) in [
            (own[0], theirs[1], own[2]),
            (own[0], own[1], theirs[2]),
            (theirs[0], own[1], own[2]),
        ] {
            other.cookie = Some(format!("{session}.{key}.{token}"));
            assert_eq!(other.get("/runs").await.status, 303);
        }
        revoke(w, &id).await;
        let page = browser.get("/runs").await;
        assert_eq!(
            (page.status, page.header("location")),
            (303, "/sign-in?next=%2Fruns&session=ended")
        );
        let told = browser.get(page.header("location")).await.text;
        assert!(told.contains("its key was revoked"), "{told}");
    });
}

#[test]
fn the_json_api_takes_no_cookie_and_pages_take_no_key() {
    with(async |w| {
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        for path in ["/runs", "/datasets", "/files"] {
            let answer = browser.get(&format!("{API}{path}")).await;
            assert_eq!(answer.status, 401, "{path}");
        }
        assert_eq!(browser.post(&format!("{API}/runs"), &[]).await.status, 401);
        let with_key = w.request("GET", "//runs");
        let mut nobody = Browser::new(w);
        let page = nobody.send(with_key).await;
        // A client that follows: it is led to the form.
        assert!(page.text.contains("Sign in"), "{}", page.text);
    });
}

#[test]
fn what_other_sites_send_is_refused_and_changes_nothing() {
    with(async |w| {
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let base = browser.base.clone();
        let elsewhere = "http://127.0.0.1:1";
        for headers in [
            vec![],
            vec![("origin", elsewhere)],
            vec![("origin", "null")],
            vec![("sec-fetch-site", "same-site"), ("origin", &*base)],
            vec![("sec-fetch-site", "cross-site")],
        ] {
            let mut request = browser.request("POST", "/sign-out");
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let page = browser.send(request).await;
            assert_eq!(page.status, 403, "{headers:?}");
            assert!(page.text.contains("another site"), "{}", page.text);
        }
        assert_eq!(browser.get("/runs").await.status, 200);
        // No page of ours signs out by a link.
        assert_eq!(browser.get("/sign-out").await.status, 405);
        let request = browser.request("POST", "/sign-out");
        let request = request.header("sec-fetch-site", "same-origin");
        assert_eq!(browser.send(request).await.status, 303);
    });
}

/// What a form is known by.
fn token_of(page: &Page) -> String {
    let token = page.text.split("name=\"token\" value=\"").nth(1).unwrap();
    token.split('"').next().unwrap().to_owned()
}

#[test]
fn admins_make_keys_that_are_shown_once_and_revoke_them() {
    with(async |w| {
        let mut admin = Browser::signed_in(w, &w.project.key).await;
        let page = admin.get("/keys").await;
        assert_eq!(page.status, 200, "{}", page.text);
        let token = token_of(&page);
        let fields = [("name", "Asha"), ("role", "reviewer"), ("token", &*token)];
        let page = admin.post("/keys", &fields).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let count = |page: &Page| page.text.matches("/revoke\"").count();
        let made = count(&page);
        // Its answer is loaded again, or the form is gone back to and sent once more.
        let other = [("name", "Ravi"), ("role", "viewer"), ("token", &*token)];
        for again in [&fields, &other] {
            let again = admin.post("/keys", again).await;
            assert_eq!((again.status, count(&again)), (409, made), "{}", again.text);
            assert!(again.text.contains("made with this form already"));
            assert!(!again.text.contains("<code id=\"new-key\">sk_"));
            assert_ne!(token_of(&again), token);
        }
        let key = page.text.split("<code id=\"new-key\">sk_").nth(1).unwrap();
        let key = format!("sk_{}", key.split('<').next().unwrap());
        assert!(!admin.get("/keys").await.text.contains(&key));
        let mut reviewer = Browser::signed_in(w, &key).await;
        assert_eq!(reviewer.get("/keys").await.status, 403);
        assert_eq!(reviewer.post("/keys", &fields).await.status, 403);
        let revoke = page.text.split("action=\"/keys/key_").nth(1).unwrap();
        let revoke = format!("/keys/key_{}", revoke.split('"').next().unwrap());
        assert_eq!(reviewer.post(&revoke, &[]).await.status, 403);
        for (name, role, status) in [
            ("", "viewer", 422),
            ("a\u{202e}", "viewer", 422),
            ("a", "owner", 422),
            ("a", "", 422),
        ] {
            let fields = [("name", name), ("role", role), ("token", "new")];
            let page = admin.post("/keys", &fields).await;
            assert_eq!(page.status, status, "{name} {role}");
            if name.starts_with('a') && role == "viewer" {
                // What was typed and chosen is there still.
                assert!(page.text.contains("value=\"a"), "{}", page.text);
                assert!(
                    page.text.contains("value=\"viewer\" checked"),
                    "{}",
                    page.text
                );
            }
        }
        let page = admin.post(&revoke, &[]).await;
        assert_eq!((page.status, page.header("location")), (303, "/keys"));
        // What is gone already leads back to what is there.
        let again = admin.post(&revoke, &[]).await;
        assert_eq!(again.status, 404);
        assert!(
            again.text.contains("href=\"/keys\">Back</a>"),
            "{}",
            again.text
        );
        assert_eq!(reviewer.get("/runs").await.status, 303);
    });
}

/// Ids of the sessions that the page of keys offers to end.
async fn to_end(admin: &mut Browser) -> Vec<String> {
    let page = admin.get("/keys").await;
    assert_eq!(page.status, 200, "{}", page.text);
    let forms = page.text.split("action=\"/sessions/").skip(1);
    forms
        .map(|form| form.split('/').next().unwrap().to_owned())
        .collect()
}

/// The id of the session that a browser holds.
fn session_of(browser: &Browser) -> String {
    let cookie = browser.cookie.as_deref().unwrap();
    cookie.split('.').next().unwrap().to_owned()
}

#[test]
fn admins_see_who_is_signed_in_and_end_sessions() {
    with(async |w| {
        let (text, id) = key(w, "viewer").await;
        let mut admin = Browser::signed_in(w, &w.project.key).await;
        let mut viewer = Browser::new(w);
        viewer.sign_in(&text, "Ravi <b>", "/runs").await;
        let mut phone = Browser::signed_in(w, &text).await;
        let (first, second) = (session_of(&viewer), session_of(&phone));
        // Newest first; the own session is named, and ended by signing out.
        assert_eq!(to_end(&mut admin).await, [&*second, &*first]);
        let page = admin.get("/keys").await;
        assert!(page.text.contains("Ravi &#60;b&#62;"), "{}", page.text);
        assert_eq!(page.text.matches("this browser").count(), 1);
        let token = viewer.cookie.as_deref().unwrap().rsplit('.').next();
        assert!(!page.text.contains(token.unwrap()));

        let end = |id: &str| format!("/sessions/{id}/end");
        assert_eq!(viewer.get("/keys").await.status, 403);
        assert_eq!(viewer.post(&end(&second), &[]).await.status, 403);
        let mut stranger = Browser::signed_in(w, &w.stranger().await.key).await;
        assert_eq!(to_end(&mut stranger).await, [] as [String; 0]);
        let nowhere = "ses_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        for id in [&*first, nowhere, "key_1", "%FF"] {
            let page = stranger.post(&end(id), &[]).await;
            assert_eq!(page.status, 404, "{id}");
            assert!(page.text.contains("no such session"), "{}", page.text);
        }
        let from_elsewhere = admin.request("POST", &end(&first));
        assert_eq!(admin.send(from_elsewhere).await.status, 403);
        assert_eq!(viewer.get("/runs").await.status, 200);

        // The same list as JSON, without the token and what proves it.
        let listed = w.get("//api/v1/sessions?limit=2").await;
        assert_eq!(listed.body["metadata"]["total"], 3);
        let listed = listed.data(200);
        let ids = [&listed[0]["id"], &listed[1]["id"]];
        assert_eq!(ids, [&*second, &*first]);
        let ravi = &listed[1];
        assert_eq!(
            (&ravi["reviewer_name"], &ravi["key_name"]),
            (&"Ravi <b>".into(), &"people".into())
        );
        assert_eq!(
            (&ravi["key_id"], ravi.as_object().unwrap().len()),
            (&id.clone().into(), 6)
        );

        let page = admin.post(&end(&first), &[]).await;
        assert_eq!((page.status, page.header("location")), (303, "/keys"));
        let page = viewer.get("/runs").await;
        let sign_in = "/sign-in?next=%2Fruns&session=ended";
        assert_eq!((page.status, page.header("location")), (303, sign_in));
        assert_eq!(admin.post(&end(&first), &[]).await.status, 404);
        assert_eq!(rows(w, &first).await, [] as [String; 0]);
        assert_eq!(phone.get("/runs").await.status, 200);
        assert_eq!(to_end(&mut admin).await, [&*second]);

        // What signed out, or has lost its key, is on the list no more.
        phone.post("/sign-out", &[]).await;
        assert_eq!(rows(w, &second).await, [] as [String; 0]);
        let mut third = Browser::signed_in(w, &text).await;
        assert_eq!(to_end(&mut admin).await.len(), 1);
        let door = format!("//api/v1/sessions/{}", session_of(&third));
        w.delete(&door).await.ok(200);
        assert_eq!(w.delete(&door).await.status, 404);
        assert_eq!(third.get("/runs").await.status, 303);
        assert_eq!(to_end(&mut admin).await, [] as [String; 0]);
        Browser::signed_in(w, &text).await;
        revoke(w, &id).await;
        assert_eq!(to_end(&mut admin).await, [] as [String; 0]);
    });
}

#[test]
fn sessions_are_listed_page_by_page_and_those_of_before_go_on_working() {
    with(async |w| {
        let mut admin = Browser::signed_in(w, &w.project.key).await;
        let mut before = Browser::signed_in(w, &w.project.key).await;
        for _ in 0..50 {
            Browser::signed_in(w, &w.project.key).await;
        }
        let first = to_end(&mut admin).await;
        assert_eq!(first.len(), 50);
        let page = admin.get("/keys").await;
        let older = page.text.split("href=\"/keys?sessions=").nth(1).unwrap();
        let older = format!("/keys?sessions={}", older.split('"').next().unwrap());
        let page = admin.get(&older).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.text.matches("action=\"/sessions/").count(), 1);
        assert!(page.text.contains("this browser"), "{}", page.text);
        assert_eq!(admin.get("/keys?sessions=x").await.status, 400);

        // A session of the release before has no row in the list.
        let id = session_of(&before);
        let dynamodb = w.machine.node.cloud.dynamodb_client();
        let listed = dynamodb.delete_item().table_name("access");
        let listed = listed
            .key("pk", AttributeValue::S(w.project.name.clone()))
            .key("sk", AttributeValue::S(id.clone()));
        listed.send().await.unwrap();
        assert_eq!(before.get("/runs").await.status, 200);
        assert_eq!(rows(w, &id).await.len(), 1);
        assert_eq!(before.post("/sign-out", &[]).await.status, 303);
        assert_eq!(rows(w, &id).await, [] as [String; 0]);
    });
}
