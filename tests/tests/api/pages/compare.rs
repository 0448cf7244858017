//! Two runs side by side.

use super::{Browser, key};
use crate::support::{FLASH, PRO, id, with};

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

        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        assert_eq!(stranger.get(&path).await.status, 404);
        assert_eq!(with(&mut stranger, &id(&other)).await.status, 404);
    });
}
