//! What belongs to another project is not there, on every page.

use super::{Browser, key};
use crate::support::{FLASH, id, text, with};

/// Where pages are routed: a new one is tried here by itself.
const ROUTES: &str = include_str!("../../../../functions/api/src/pages/mod.rs");

/// Paths that name a thing, each with whether it is asked by GET and by POST.
fn routes() -> Vec<(&'static str, bool, bool)> {
    let routes = ROUTES.split(".route(").skip(1).filter_map(|route| {
        let path = route.split('"').nth(1)?;
        let handlers = route.split_once(path)?.1;
        let of_thing = path.contains('{') && !path.starts_with("/assets/");
        of_thing.then(|| (path, handlers.contains("get("), handlers.contains("post(")))
    });
    routes.collect()
}

#[test]
fn what_belongs_to_another_project_is_not_there_on_any_page() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two")]).await;
        let run = id(&w.run(&made.id, &[FLASH]).await);
        let shown = w
            .get(&format!("/datasets/{}?include_samples=true", made.id))
            .await;
        let sample = &shown.data(200)["samples"][0];
        let (sample, file) = (text(&sample["id"]), text(&sample["file_id"]));
        let (_, of_key) = key(w, "viewer").await;
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        let fields = [
            ("etag", "1"),
            ("ground_truth", "three"),
            ("go", "stay"),
            ("A.judge", "right"),
            ("of", "A"),
            ("slots", "0"),
        ];
        let routes = routes();
        assert!(routes.len() >= 20, "{routes:?}");
        for (path, by_get, by_post) in routes {
            let of = match path.split('/').nth(1) {
                Some("datasets") => &*made.id,
                Some("runs") => &*run,
                Some("samples") => sample,
                Some("audio") => file,
                Some("keys") => &*of_key,
                _ => panic!("whose is the id of {path}?"),
            };
            let path = path.replace("{id}", of).replace("{sample}", sample);
            if by_get {
                let page = stranger.get(&format!("{path}?of=A&slots=0")).await;
                assert_eq!(page.status, 404, "GET {path}: {}", page.text);
            }
            if by_post {
                let page = stranger.post(&path, &fields).await;
                assert_eq!(page.status, 404, "POST {path}: {}", page.text);
            }
        }
        // All of it is there as it was.
        let mut own = Browser::signed_in(w, &w.project.key).await;
        for path in [
            format!("/runs/{run}"),
            format!("/datasets/{}", made.id),
            format!("/samples/{sample}"),
        ] {
            assert_eq!(own.get(&path).await.status, 200, "{path}");
        }
    });
}
