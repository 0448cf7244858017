//! Two runs side by side.

use serde_json::{Value, json};

use super::{Browser, key};
use crate::support::{Expect, FLASH, PRO, id, items, text, with};

#[test]
fn a_run_is_compared_with_another_over_its_dataset() {
    with(async |w| {
        let references = [Some("one two three four"), Some("five six")];
        let made = w.dataset("clips", &references).await;
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        let path = format!("/runs/{}/compare", id(&run));
        let (viewer, _) = key(w, "viewer").await;
        let mut browser = Browser::signed_in(w, &viewer).await;
        let page = browser.get(&format!("/runs/{}", id(&run))).await;
        assert!(page.text.contains(&format!("href=\"{path}\">Compare</a>")));
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(
            page.text
                .contains("There is no other run over this dataset")
        );

        w.record(&made.audio[0], PRO, "one two three five");
        let other = w.run(&made.id, &[PRO]).await;
        let elsewhere = w.dataset("others", &[Some("one two")]).await;
        let elsewhere = w.run(&elsewhere.id, &[PRO]).await;
        let page = browser.get(&path).await;
        assert!(
            page.text
                .contains(&format!("<option value=\"{}\">", id(&other)))
        );
        assert!(!page.text.contains(&id(&elsewhere)), "{}", page.text);
        assert!(!page.text.contains(&format!("value=\"{}\"", id(&run))));

        let with = async |browser: &mut Browser, other: &str| {
            browser
                .get(&format!("{path}?with={other}&utm_source=mail"))
                .await
        };
        let page = with(&mut browser, &id(&other)).await;
        assert_eq!(page.status, 200, "{}", page.text);
        for told in [
            "can’t be told apart: on",
            "these 2\u{a0}clips",
            "Only in this run: <bdi class=\"model\">gemini-2.5-flash</bdi>.",
            "0.0\u{202f}%",
            "16.7\u{202f}%",
            "\u{2212}16.7",
            "<svg class=\"chart\"",
            &format!("value=\"{}\" selected", id(&other)),
        ] {
            assert!(page.text.contains(told), "{told}: {}", page.text);
        }
        let page = with(&mut browser, &id(&elsewhere)).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(
            page.text.contains("they are over different datasets"),
            "{}",
            page.text
        );
        assert!(!page.text.contains("<svg"));
        for unknown in ["x", "run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1"] {
            assert_eq!(with(&mut browser, unknown).await.status, 404);
        }
        let page = browser
            .get(&format!("{path}?with={}&block_by=nothing", id(&other)))
            .await;
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(page.text.contains("no clip of the dataset has the field"));
        assert!(!page.text.contains("block_by:"), "{}", page.text);
        assert!(page.text.contains(">Back to the run</a>"), "{}", page.text);

        // What was changed since makes it another comparison, once both are scored again.
        let changed = "References were changed since this was scored:";
        assert!(!with(&mut browser, &id(&other)).await.text.contains(changed));
        let clips = format!("/datasets/{}?include_samples=true", made.id);
        let clips = w.get(&clips).await.data(200)["samples"].clone();
        let wording = json!({ "ground_truth": "five seven" });
        let sample = format!("/samples/{}", id(&items(&clips)[1]));
        w.patch(&sample, &wording).await.ok(200);
        let again = w.run(&made.id, &[PRO]).await;
        let page = with(&mut browser, &id(&other)).await;
        let links = |run: &Value| format!("<li><a href=\"/runs/{}\">", id(run));
        assert!(page.text.contains(changed), "{}", page.text);
        assert!(page.text.contains(&links(&run)) && page.text.contains(&links(&other)));
        let page = with(&mut browser, &id(&again)).await;
        assert!(page.text.contains(&links(&run)), "{}", page.text);
        assert!(!page.text.contains(&links(&again)), "{}", page.text);

        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        assert_eq!(stranger.get(&path).await.status, 404);
        assert_eq!(with(&mut stranger, &id(&other)).await.status, 404);
    });
}

#[test]
fn speakers_are_known_wherever_in_a_dataset_they_are_named() {
    with(async |w| {
        let made = w.dataset("late", &[Some("one two"); 23]).await.id;
        let path = format!("/datasets/{made}?include_samples=true&limit=100");
        let samples = w.get(&path).await.data(200)["samples"].clone();
        for sample in &items(&samples)[21..] {
            let patch = json!({ "metadata": { "speaker": "s" } });
            let path = format!("/samples/{}", id(sample));
            w.patch(&path, &patch).await.ok(200);
        }
        let run = w.run(&made, &[PRO, FLASH]).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let page = browser.get(&format!("/runs/{}/report", id(&run))).await;
        assert!(page.text.contains("22\u{a0}blocks in all"), "{}", page.text);
    });
}

#[test]
fn intervals_are_drawn_by_speaker_where_speakers_are_known() {
    with(async |w| {
        let texts = ["one two three four", "five six", "seven eight", "nine ten"];
        let made = w.dataset("spoken", &texts.map(Some)).await.id;
        let path = format!("/datasets/{made}?include_samples=true");
        let samples = w.get(&path).await.data(200)["samples"].clone();
        for (number, sample) in items(&samples).iter().enumerate() {
            let speaker = json!({ "speaker": format!("s{}", number / 2), "all": "same" });
            let patch = json!({ "metadata": speaker });
            let path = format!("/samples/{}", id(sample));
            w.patch(&path, &patch).await.ok(200);
        }
        let run = w.run(&made, &[PRO, FLASH]).await;
        let other = w.run(&made, &[PRO, FLASH]).await;
        let path = format!("/runs/{}", id(&run));
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let together = "Clips of one speaker count together";
        for (query, blocks) in [
            ("", Some("2\u{a0}blocks")),
            ("?sort=wer&utm_source=mail", Some("2\u{a0}blocks")),
            ("?block_by=", None),
            ("?block_by=&group_by=speaker", None),
        ] {
            for page in ["report", "report.html"] {
                let page = browser.get(&format!("{path}/{page}{query}")).await;
                assert_eq!(page.status, 200, "{}", page.text);
                assert_eq!(page.text.contains(together), blocks.is_some(), "{query}");
                assert!(
                    page.text.contains(blocks.unwrap_or("4\u{a0}blocks")),
                    "{query}"
                );
            }
        }
        // What is chosen stays chosen.
        let page = browser.get(&format!("{path}/report?block_by=")).await;
        assert!(
            page.text.contains("/report.html?block_by=&#38;"),
            "{}",
            page.text
        );
        assert!(page.text.contains("?block_by=&#38;sort="), "{}", page.text);
        // One block of all is none.
        let page = browser.get(&format!("{path}/report?block_by=all")).await;
        assert!(page.text.contains("1\u{a0}block"), "{}", page.text);
        let compare = format!("{path}/compare?with={}", id(&other));
        let page = browser.get(&compare).await;
        assert!(page.text.contains(together), "{}", page.text);
        let page = browser.get(&format!("{compare}&block_by=")).await;
        assert!(!page.text.contains(together), "{}", page.text);
        assert!(
            page.text.contains("where speakers are known</a>"),
            "{}",
            page.text
        );
        // Programs get what they ask for.
        let told = w.get(&format!("{path}/report")).await.data(200).clone();
        assert_eq!(told["block_by"], Value::Null);
        let export = format!("{path}/export?format=html");
        let url = w
            .machine
            .wait("the export is made", async || {
                let answer = w.get(&export).await;
                (answer.status == 200).then(|| text(&answer.data(200)["url"]).to_owned())
            })
            .await;
        let file = browser
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(file.contains(together));
    });
}
