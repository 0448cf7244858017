//! What a model heard as a second wording of a reference.

use serde_json::Value;

use super::{Browser, Page, key};
use crate::support::{FLASH, PRO, World, each, id, text, with};

/// The value of a field of a page.
fn field(page: &Page, name: &str) -> String {
    let rest = page.text.split(&format!("name=\"{name}\" value=\"")).nth(1);
    rest.unwrap().split('"').next().unwrap().to_owned()
}

/// A reviewer proposes a wording, and an editor sees it, as it is said in results too.
async fn proposed_by(
    w: &World,
    reviewer: &mut Browser,
    editor: &mut Browser,
    (clip, letter): (&str, &str),
) {
    let path = format!("{clip}/propose");
    let tag = field(&reviewer.get(clip).await, "slots");
    // Letters are one visitor's own.
    let mut meant = None;
    for of in ["A", "B"] {
        let page = reviewer.get(&format!("{path}?of={of}&slots={tag}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("Propose this") && !page.text.contains("WER"));
        assert!(!page.text.contains("name=\"everywhere\""), "{}", page.text);
        let heard = page.text.split("id=\"heard\"").nth(1).unwrap();
        if heard.split("</section>").next().unwrap().contains("too") {
            meant = Some(of);
        }
    }
    let of = meant.unwrap();
    let form = |text| {
        [
            ("of", of),
            ("slots", &*tag),
            ("blind", "1"),
            ("ground_truth", text),
        ]
    };
    for (text, told) in [("one {two", "never closed"), (" ", "must not be empty")] {
        let page = reviewer.post(&path, &form(text)).await;
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(page.text.contains(told), "{told}: {}", page.text);
    }
    let answer = reviewer.post(&path, &form("one {two|too|to} three")).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = reviewer.get(answer.header("location")).await;
    assert!(page.text.contains("Editors find it"), "{}", page.text);
    let tag = field(&editor.get(clip).await, "slots");
    let of_editor = format!("{clip}/variant?of={letter}&slots={tag}&blind=");
    // Models are hidden until the editor has judged, and what is said of them with them.
    let take = "Take this as the reference";
    let page = editor.get(&format!("{of_editor}1")).await;
    assert!(!page.text.contains(take), "{}", page.text);
    let page = editor.get(&format!("{of_editor}0")).await;
    let form = "name=\"ground_truth\" value=\"one {two|too|to} three\"";
    assert!(
        page.text.contains(take) && page.text.contains(form),
        "{}",
        page.text
    );
    let run = clip.split('/').nth(2).unwrap();
    let results = w
        .results(&serde_json::json!({ "id": run }), "reviewed=others")
        .await;
    let reviews = format!("/results/{}/reviews", id(&results[0]));
    let said = w.get(&reviews).await.data(200)[0].clone();
    assert_eq!(said["proposed_reference"], "one {two|too|to} three");
    assert_eq!(
        (&said["verdict"], &said["comment"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(said["reasons"], serde_json::json!(["spelling_variant"]));
    // So it is found.
    for (query, clips) in [
        ("reason=spelling_variant", 1),
        ("reason=proposed", 1),
        ("reason=name", 0),
        ("status=completed", 1),
        ("status=failed", 0),
    ] {
        let page = editor.get(&format!("/runs/{run}/results?{query}")).await;
        let found = page.text.matches("<article").count();
        assert_eq!(found, clips, "{query}: {}", page.text);
        let (_, value) = query.split_once('=').unwrap();
        let chosen = format!("<option value=\"{value}\" selected>");
        assert!(page.text.contains(&chosen), "{query}: {}", page.text);
    }
    let of_run = serde_json::json!({ "id": run });
    assert_eq!(w.results(&of_run, "proposed=true").await.len(), 1);
    let sample = clip.rsplit('/').next().unwrap();
    let edit = format!("href=\"/samples/{sample}\"");
    for (browser, edits) in [(editor, true), (reviewer, false)] {
        let path = format!("/runs/{run}/results?reason=proposed");
        let page = browser.get(&path).await;
        assert!(
            page.text.contains("proposes: one {two|too|to} three"),
            "{}",
            page.text
        );
        assert_eq!(page.text.contains(&edit), edits, "{}", page.text);
    }
}

#[test]
fn what_was_heard_becomes_a_second_wording() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two three")]).await;
        w.record(&made.audio[0], PRO, "one too three");
        w.record(&made.audio[0], FLASH, "one two three");
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        let set = format!("/datasets/{}?include_samples=true", made.id);
        let set = w.get(&set).await.data(200)["samples"].clone();
        let sample = text(each(&set, "id")[0]).to_owned();
        let clip = format!("/runs/{}/review/{sample}", id(&run));
        let path = format!("{clip}/variant");

        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let page = browser.get(&clip).await;
        assert_eq!(
            page.text.matches("/variant?of=").count(),
            1,
            "{}",
            page.text
        );
        let tag = field(&page, "slots");
        let address =
            |letter: &str, blind: u8| format!("{path}?of={letter}&slots={tag}&blind={blind}");
        let mut proposed = Vec::new();
        for letter in ["A", "B"] {
            let page = browser.get(&address(letter, 1)).await;
            assert_eq!(page.status, 200, "{}", page.text);
            assert!(
                !page.text.contains("WER") && !page.text.contains(PRO),
                "{}",
                page.text
            );
            if page.text.contains("one {two|too} three") {
                proposed.push(letter);
            } else {
                assert!(
                    page.text.contains("No alternative can be proposed"),
                    "{}",
                    page.text
                );
            }
        }
        let [letter] = proposed[..] else {
            panic!("{proposed:?}");
        };
        let page = browser.get(&address(letter, 1)).await;
        let etag = field(&page, "etag");
        let form = |text| {
            [
                ("of", letter),
                ("slots", &*tag),
                ("blind", "1"),
                ("etag", &*etag),
                ("ground_truth", text),
            ]
        };
        for (text, told) in [
            ("one {two three", "never closed"),
            ("", "must not be empty"),
        ] {
            let page = browser.post(&path, &form(text)).await;
            assert_eq!(page.status, 422, "{}", page.text);
            assert!(
                page.text.contains(told) && page.text.contains("role=\"alert\""),
                "{}",
                page.text
            );
        }
        let wanted = "one {two|too} three";
        for _ in 0..2 {
            // Sent twice it is saved once.
            let answer = browser.post(&path, &form(wanted)).await;
            assert_eq!(answer.status, 303, "{}", answer.text);
            let page = browser.get(answer.header("location")).await;
            assert!(
                page.text.contains("The reference takes both now."),
                "{}",
                page.text
            );
            assert!(page.text.contains("/rescore\""), "{}", page.text);
            assert!(
                !page.text.contains("WER"),
                "nobody has judged yet: {}",
                page.text
            );
        }
        let set = format!("/datasets/{}?include_samples=true", made.id);
        let samples = w.get(&set).await.data(200)["samples"].clone();
        assert_eq!(each(&samples, "ground_truth"), [wanted]);
        assert_eq!(each(&samples, "reference_version"), [2]);
        let page = browser.get(&address(letter, 0)).await;
        for told in ["33.3\u{202f}%", "0.0\u{202f}%"] {
            assert!(page.text.contains(told), "{told}: {}", page.text);
        }
        let page = browser.post(&path, &form("one {two|tu} three")).await;
        assert_eq!(page.status, 412, "{}", page.text);
        assert!(page.text.contains(wanted) && page.text.contains("one {two|tu} three"));

        let (reviewer, _) = key(w, "reviewer").await;
        let mut reviewer = Browser::signed_in(w, &reviewer).await;
        let page = reviewer.get(&clip).await;
        assert!(
            page.status == 200 && !page.text.contains("/variant"),
            "{}",
            page.text
        );
        proposed_by(w, &mut reviewer, &mut browser, (&clip, letter)).await;
        let set = w.get(&set).await.data(200)["samples"].clone();
        assert_eq!(
            each(&set, "ground_truth"),
            [wanted],
            "nothing is changed by it"
        );
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        let rescore = format!("/runs/{}/rescore", id(&run));
        for (browser, status) in [(&mut reviewer, 403), (&mut stranger, 404)] {
            assert_eq!(browser.get(&address(letter, 1)).await.status, status);
            assert_eq!(browser.post(&path, &form(wanted)).await.status, status);
            assert_eq!(browser.post(&rescore, &[]).await.status, status);
        }
        let page = browser.get(&format!("{path}?of={letter}&slots=0")).await;
        assert_eq!(page.status, 412);
        let answer = browser.post(&rescore, &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let run = w.get(&format!("/runs/{}", id(&run))).await;
        assert_eq!(each(&run.data(200)["scorings"], "id").len(), 2);
    });
}
