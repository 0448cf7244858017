//! What pages show, and the headers they come with.

use serde_json::json;

use super::Browser;
use crate::support::{FLASH, PRO, id, text, with};

#[test]
fn where_nothing_is_said_there_is_no_rate_and_that_is_told() {
    with(async |w| {
        let made = w.dataset("d", &[Some(""), Some("")]).await;
        let item = |at: usize| json!({ "filename": format!("{at}.wav"), "text": "made up words" });
        let body = json!({ "run_name": "r", "dataset_id": made.id,
                           "transcripts": [{ "name": "talky", "items": [item(0), item(1)] }] });
        let run = w.post("/runs", &body).await.data(202).clone();
        let run = w.ended(&run).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let page = browser.get(&format!("/runs/{}", id(&run))).await;
        assert!(
            page.text.contains("imported/talky") && !page.text.contains("00.0"),
            "{}",
            page.text
        );
        let page = browser.get(&format!("/runs/{}/results", id(&run))).await;
        assert!(page.text.contains(">Nothing is said.<"), "{}", page.text);
    });
}

#[test]
fn every_page_comes_with_the_headers_that_keep_it_safe() {
    with(async |w| {
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let bucket = {
            let file = w.recording().await;
            let path = format!("/files/{file}?include_signed_url=true");
            let shown = w.get(&path).await.data(200).clone();
            let url = text(&shown["signed_url"]).to_owned();
            url.split('/').take(3).collect::<Vec<_>>().join("/")
        };
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self' {bucket}; media-src 'self' {bucket}; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'; trusted-types fragment"
        );
        for (path, status) in [
            ("/sign-in", 303),
            ("/runs", 200),
            ("/datasets", 200),
            ("/runs/new", 200),
            ("/settings", 200),
            ("/help", 200),
            ("/", 303),
            ("/runs/nonsense", 404),
            ("/runs/run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1/report", 404),
            ("/runs?cursor=nonsense", 400),
        ] {
            let page = browser.get(path).await;
            assert_eq!(page.status, status, "{path}");
            for (name, value) in [
                ("content-security-policy", &*policy),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("referrer-policy", "same-origin"),
                ("x-content-type-options", "nosniff"),
                (
                    "permissions-policy",
                    "camera=(), microphone=(), geolocation=(), payment=()",
                ),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(page.header(name), value, "{path}: {name}");
            }
            if status != 303 {
                assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
                assert_eq!(page.text.matches("<h1>").count(), 1, "{path}");
                assert_eq!(page.text.matches("<main ").count(), 1, "{path}");
                let scripts = page.text.split("<script").skip(1);
                let of_all = |script: &str| {
                    let tag = script.split('>').next().unwrap();
                    let own = ["outbox", "name", "transcripts", "settings"]
                        .map(|of| format!("/{of}.js\""));
                    own.iter().any(|name| tag.ends_with(&**name))
                };
                assert!(scripts.clone().all(of_all) && scripts.count() < 3, "{path}");
                assert!(!page.text.contains(" style="), "{path}");
            }
            if status == 400 || status == 404 {
                assert!(page.text.contains(page.header("x-request-id")), "{path}");
            }
        }
        // A page that is none leads on, and programs are told as ever.
        for path in ["/runs/nonsense", "/no/such/page"] {
            let request = browser.request("GET", path);
            let page = browser.send(request.header("accept", "text/html")).await;
            assert_eq!(page.status, 404, "{path}");
            for link in ["href=\"/runs\"", "href=\"/keys\"", "action=\"/sign-out\""] {
                assert!(page.text.contains(link), "{path}: {}", page.text);
            }
            assert!(!page.text.contains("aria-current"), "{}", page.text);
            let mut nobody = Browser::new(w);
            let request = nobody.request("GET", path).header("accept", "text/html");
            let page = nobody.send(request).await;
            assert!(!page.text.contains("href=\"/keys\""), "{}", page.text);
        }
        // What is only sent to is a page too for one who opens it.
        for path in ["/datasets/preview", "/demo", "/runs/x/cancel"] {
            let request = browser.request("GET", path);
            let page = browser.send(request.header("accept", "text/html")).await;
            assert_eq!(page.status, 405, "{path}");
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            assert!(page.text.contains("action=\"/sign-out\""), "{}", page.text);
        }
        let page = browser.get("/no/such/page").await;
        assert_eq!(page.header("content-type"), "application/json");
        // Tracking parameters do no harm.
        assert_eq!(browser.get("/runs?utm_source=mail&x").await.status, 200);
    });
}

#[test]
fn the_style_is_kept_for_good_under_its_digest() {
    with(async |w| {
        let mut browser = Browser::new(w);
        let page = browser.get("/sign-in").await;
        let path = page
            .text
            .split("rel=\"stylesheet\" href=\"")
            .nth(1)
            .unwrap();
        let path = path.split('"').next().unwrap().to_owned();
        let plain = browser.get(&path).await;
        assert_eq!(plain.status, 200);
        assert_eq!(plain.header("content-type"), "text/css; charset=utf-8");
        assert_eq!(
            plain.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(plain.header("content-encoding"), "");
        assert!(plain.text.contains("prefers-color-scheme"));
        let request = browser.request("GET", &path);
        let packed = browser
            .send(request.header("accept-encoding", "gzip"))
            .await;
        assert_eq!(packed.header("content-encoding"), "gzip");
        let other = path.replace("/assets/", "/assets/0");
        assert_eq!(browser.get(&other).await.status, 404);
        let request = browser.request("GET", "/sign-in");
        let packed = browser
            .send(request.header("accept-encoding", "gzip"))
            .await;
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert_eq!(packed.header("vary"), "accept-encoding");
    });
}

#[test]
fn runs_and_datasets_are_listed_and_nothing_of_others_is() {
    with(async |w| {
        let dataset = w
            .dataset("clips <i>", &[Some("one two"), Some("three")])
            .await;
        let body = json!({
            "run_name": "<b>first</b> look", "dataset_id": dataset.id, "providers": [PRO, FLASH],
        });
        let run = w.post("/runs", &body).await.data(202).clone();
        let run = id(&w.ended(&run).await);
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let list = browser.get("/runs").await;
        assert!(
            list.text.contains("&#60;b&#62;first&#60;/b&#62;"),
            "{}",
            list.text
        );
        assert!(list.text.contains(&format!("href=\"/runs/{run}\"")));
        let page = browser.get(&format!("/runs/{run}")).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("Completed"), "{}", page.text);
        let results = browser.get(&format!("/runs/{run}/results?sort=-wer")).await;
        assert_eq!(results.status, 200, "{}", results.text);
        assert!(results.text.contains("missing </span>"), "{}", results.text);
        // Each clip is known by its file, and is judged from here.
        for name in ["0.wav", "1.wav"] {
            let file = format!("<small><bdi>{name}</bdi> · ");
            assert!(results.text.contains(&file), "{}", results.text);
        }
        let review = format!("href=\"/runs/{run}/review/smp_");
        assert!(results.text.contains(&review), "{}", results.text);
        let audio = results.text.split("src=\"/audio/").nth(1).unwrap();
        let audio = format!("/audio/{}", audio.split('"').next().unwrap());
        let led = browser.get(&audio).await;
        assert_eq!(
            (led.status, led.header("cache-control")),
            (302, "private, max-age=600")
        );
        assert!(led.header("location").contains("X-Amz-Signature="));
        let report = browser.get(&format!("/runs/{run}/report?sort=wer")).await;
        assert_eq!(report.status, 200, "{}", report.text);
        assert!(report.text.contains(">Who wins"), "{}", report.text);
        let file = browser.get(&format!("/runs/{run}/report.html")).await;
        assert_eq!(
            file.header("content-disposition"),
            format!("attachment; filename=\"report-{run}.html\"")
        );
        assert!(file.text.contains("http-equiv=\"Content-Security-Policy\""));
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        assert_eq!(stranger.get("/runs").await.text.matches("<tr>").count(), 0);
        assert_eq!(stranger.get(&audio).await.status, 404);
        for path in ["", "/results", "/report", "/report.html"] {
            let page = stranger.get(&format!("/runs/{run}{path}")).await;
            assert_eq!(page.status, 404, "{path}");
        }
        for action in ["cancel", "retry"] {
            let page = stranger.post(&format!("/runs/{run}/{action}"), &[]).await;
            assert_eq!(page.status, 404, "{action}");
        }
        // It has ended: there is nothing to stop.
        let page = browser.post(&format!("/runs/{run}/cancel"), &[]).await;
        assert_eq!(page.status, 409, "{}", page.text);
        let back = format!("href=\"/runs/{run}\">Back to the run</a>");
        assert!(page.text.contains(&back), "{}", page.text);
    });
}
