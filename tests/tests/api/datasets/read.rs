//! Reading datasets and their samples.

use serde_json::{Value, json};

use crate::support::{World, each, items, text, with};

#[test]
fn datasets_are_listed_newest_first() {
    with(async |w| {
        let mut made = Vec::new();
        for name in ["one", "two", "three", "four"] {
            made.insert(0, w.unknown(name, &[None]).await.id);
        }
        let whole = w.get("/datasets").await;
        assert_eq!(each(whole.data(200), "id"), made.iter().collect::<Vec<_>>());
        assert_eq!(whole.body["metadata"]["total"], 4);
        assert!(items(whole.data(200))[0].get("samples").is_none());
        for limit in [1, 3] {
            let paged = w.pages("/datasets", limit).await;
            assert_eq!(each(&json!(paged), "id"), made.iter().collect::<Vec<_>>());
        }
    });
}

#[test]
fn samples_come_in_pages_in_their_order() {
    with(async |w| {
        let references: Vec<String> = (0..7).map(|n| format!("number {n}")).collect();
        let references: Vec<Option<&str>> = references.iter().map(|r| Some(&**r)).collect();
        let made = w.unknown("seven", &references).await;
        let path = format!("/datasets/{}", made.id);
        assert!(w.get(&path).await.data(200).get("samples").is_none());
        let path = format!("{path}?include_samples=true");
        let whole = w.get(&path).await;
        assert_eq!(whole.body["metadata"]["total"], 7);
        let samples = &whole.data(200)["samples"];
        assert_eq!(
            each(samples, "file_id"),
            made.files.iter().collect::<Vec<_>>()
        );
        assert_eq!(
            each(samples, "ground_truth"),
            references.iter().flatten().collect::<Vec<_>>()
        );
        assert!(items(samples)[0].get("signed_url").is_none());
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = w.get(&format!("{path}&limit=3{cursor}")).await;
            seen.extend(items(&page.data(200)["samples"]).clone());
            match &page.body["metadata"]["next_cursor"] {
                Value::Null => break,
                next => cursor = format!("&cursor={}", text(next)),
            }
        }
        assert_eq!(&seen, items(samples));

        let signed = w
            .get(&format!("{path}&limit=1&include_signed_url=true"))
            .await;
        let url = text(&signed.data(200)["samples"][0]["signed_url"]).to_owned();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let played = http.get(url).send().await.unwrap();
        assert_eq!(played.bytes().await.unwrap(), made.audio[0]);

        World::names(&w.get(&format!("{path}&limit=0")).await, 422, "limit");
        World::names(&w.get(&format!("{path}&cursor=x")).await, 400, "cursor");
        // A cursor of another dataset is none of this one.
        let other = w.unknown("other", &[None, None]).await;
        let cursor = w.get(&format!("{path}&limit=1")).await.body["metadata"].clone();
        let cursor = text(&cursor["next_cursor"]);
        let foreign = format!(
            "/datasets/{}?include_samples=true&cursor={cursor}",
            other.id
        );
        World::names(&w.get(&foreign).await, 400, "cursor");
    });
}
