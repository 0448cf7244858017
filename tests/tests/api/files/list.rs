//! Lists of files, playback, deletion.

use serde_json::{Value, json};

use crate::support::store::{bare, bucket, objects, rows};
use crate::support::{Expect, PRO, World, audio, each, id, text, with};

#[test]
fn lists_are_newest_first_and_go_on_with_cursors() {
    with(async |w| {
        let mut made = Vec::new();
        for number in 0..7 {
            made.push(id(&w
                .announce(&format!("{number}.wav"), "audio/wav", 5)
                .await["file"]));
        }
        let whole = w.get("/files").await;
        let meta = &whole.body["metadata"];
        assert_eq!((&meta["total"], &meta["limit"]), (&json!(7), &json!(50)));
        assert_eq!(meta["next_cursor"], Value::Null);
        let ids: Vec<&str> = each(whole.data(200), "id").into_iter().map(text).collect();
        let mut newest = made.clone();
        newest.sort();
        newest.reverse();
        assert_eq!(ids, newest, "ids tell the time");
        for limit in [1, 3, 7, 100] {
            let paged = w.pages("/files", limit).await;
            let paged: Vec<String> = paged.iter().map(id).collect();
            assert_eq!(paged, newest, "pages of {limit}");
        }
        // What comes meanwhile doesn't show up on later pages.
        let first = w.get("/files?limit=5").await;
        w.announce("late.wav", "audio/wav", 5).await;
        let cursor = text(&first.body["metadata"]["next_cursor"]).to_owned();
        let rest = w.get(&format!("/files?limit=5&cursor={cursor}")).await;
        let rest: Vec<&str> = each(rest.data(200), "id").into_iter().map(text).collect();
        assert_eq!(rest, newest[5..]);
    });
}

#[test]
fn odd_pages_are_refused() {
    with(async |w| {
        let stranger = w.stranger().await;
        for client in [&w.project, &stranger] {
            for number in 0..3 {
                let name = format!("{number}.wav");
                let body =
                    json!({ "filename": name, "content_type": "audio/wav", "size_bytes": 1 });
                client.post("/files", &body).await.ok(201);
            }
        }
        for list in ["/files", "/datasets", "/runs"] {
            for limit in ["0", "101", "x", "-1", "1.5", "", "99999999999999999999"] {
                World::names(&w.get(&format!("{list}?limit={limit}")).await, 422, "limit");
            }
            for cursor in ["x", "", "%00", "eyJrIjoxfQ", &"A".repeat(5_000)] {
                let answer = w.get(&format!("{list}?cursor={cursor}")).await;
                World::names(&answer, 400, "cursor");
            }
        }
        // Also where nothing is paged.
        let made = w.dataset("paged", &[None]).await;
        let run = w.run(&made.id, &[PRO]).await;
        for thing in [
            format!("/datasets/{}", made.id),
            format!("/runs/{}", id(&run)),
        ] {
            World::names(&w.get(&format!("{thing}?cursor=x")).await, 400, "cursor");
            w.get(&thing).await.ok(200);
        }
        let first = w.get("/files?limit=1").await;
        let cursor = text(&first.body["metadata"]["next_cursor"]).to_owned();
        w.get(&format!("/files?limit=2&cursor={cursor}"))
            .await
            .ok(200);
        let foreign = stranger
            .get(&format!("/files?limit=1&cursor={cursor}"))
            .await;
        World::names(&foreign, 400, "cursor");
        World::names(
            &w.get(&format!("/datasets?cursor={cursor}")).await,
            400,
            "cursor",
        );
        for at in [0, cursor.len() / 2, cursor.len() - 1] {
            let mut other = cursor.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            World::names(
                &w.get(&format!("/files?cursor={other}")).await,
                400,
                "cursor",
            );
        }
    });
}

#[test]
fn a_signed_url_plays_the_file_and_comes_only_when_asked_for() {
    with(async |w| {
        let bytes = audio();
        let file = w.file("a.wav", "audio/wav", bytes.clone()).await;
        let plain = w.get(&format!("/files/{file}")).await.data(200).clone();
        assert!(plain.get("signed_url").is_none(), "{plain}");
        let asked = format!("/files/{file}?include_signed_url=true");
        let url = text(&w.get(&asked).await.data(200)["signed_url"]).to_owned();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let played = http.get(&url).send().await.unwrap();
        assert_eq!(played.status(), 200);
        assert_eq!(played.headers()["content-type"], "audio/wav");
        assert_eq!(played.bytes().await.unwrap(), bytes);
        let part = http
            .get(&url)
            .header("range", "bytes=10-19")
            .send()
            .await
            .unwrap();
        assert_eq!(part.status(), 206);
        assert_eq!(part.bytes().await.unwrap(), bytes[10..20]);
        let other = url.replace(&file, "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1");
        assert_eq!(http.get(other).send().await.unwrap().status(), 403);
        assert_eq!(http.delete(&url).send().await.unwrap().status(), 403);
        let listed = w.get("/files?include_signed_url=true").await;
        assert!(each(listed.data(200), "signed_url")[0].is_string());
        let odd = w
            .get(&format!("/files/{file}?include_signed_url=yes"))
            .await;
        World::names(&odd, 422, "include_signed_url");
        // Nothing is there to play yet.
        let awaited = id(&w.announce("b.wav", "audio/wav", 5).await["file"]);
        let awaited = w
            .get(&format!("/files/{awaited}?include_signed_url=true"))
            .await;
        assert_eq!(awaited.data(200)["signed_url"], Value::Null);
    });
}

#[test]
fn a_deleted_file_is_gone_at_once_and_for_good() {
    with(async |w| {
        let file = w.recording().await;
        assert_eq!(objects(w, bare(&file)).await.len(), 1);
        w.delete(&format!("/files/{file}")).await.ok(200);
        w.get(&format!("/files/{file}")).await.no(404);
        w.delete(&format!("/files/{file}")).await.no(404);
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 0);
        let body = json!({ "name": "d", "language": "en", "samples": [{ "file_id": file }] });
        World::names(&w.post("/datasets", &body).await, 422, "samples[0].file_id");
        w.machine
            .wait("object and record are gone", async || {
                let left = objects(w, bare(&file)).await.len() + rows(w, bare(&file)).await.len();
                (left == 0).then_some(())
            })
            .await;
        // One that was never sent can be deleted, too.
        let awaited = w.announce("b.wav", "audio/wav", 5).await;
        let file = id(&awaited["file"]);
        w.delete(&format!("/files/{file}")).await.ok(200);
        w.get(&format!("/files/{file}")).await.no(404);
    });
}

#[test]
fn a_file_in_use_stays_and_the_dataset_is_named() {
    with(async |w| {
        let made = w.dataset("Village recordings", &[Some("one two")]).await;
        let path = format!("/files/{}", made.files[0]);
        let refused = w.delete(&path).await;
        refused.no(409);
        let told = refused.text.contains("Village recordings") || refused.text.contains(&made.id);
        assert!(told, "{}", refused.text);
        assert_eq!(w.get(&path).await.data(200)["status"], "ready");
        w.delete(&format!("/datasets/{}", made.id)).await.ok(200);
        w.machine
            .wait("the file went with its last dataset", async || {
                (w.get(&path).await.status == 404).then_some(())
            })
            .await;
    });
}

#[test]
fn nothing_of_the_inside_is_shown() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &["gemini-2.5-pro"]).await;
        let run = id(&run);
        let mut seen = String::new();
        for path in [
            "/files".to_owned(),
            format!("/files/{}", made.files[0]),
            "/datasets".to_owned(),
            format!("/datasets/{}?include_samples=true", made.id),
            "/runs".to_owned(),
            format!("/runs/{run}?include_results=true"),
            format!("/runs/{run}/results?include_alignment=true"),
            "/credentials/google".to_owned(),
            "//api/v1/keys".to_owned(),
        ] {
            let answer = w.get(&path).await;
            answer.ok(200);
            seen.push_str(&answer.text);
        }
        let name = &w.project.name;
        for inside in [
            &bucket(w),
            &format!("audio/{name}"),
            &format!("runs/{name}"),
            "incoming/",
            "object_key",
            "secret",
            "ciphertext",
            "X-Amz",
            "batches/",
            "http://",
            &*w.machine.node.provider_urls["google"],
        ] {
            assert!(!seen.contains(inside), "{inside} is shown in {seen}");
        }
    });
}
