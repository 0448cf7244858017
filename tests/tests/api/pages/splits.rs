//! Tables with training and test data.

use super::Browser;
use super::datasets::{hidden, recordings, samples};
use crate::support::{text, with};

/// Whether the forms of a preview go on with this split; with none, where it is empty.
fn takes(page: &str, split: &str) -> bool {
    page.contains(&format!("type=\"hidden\" name=\"split\" value=\"{split}\""))
}

#[test]
fn train_and_test_are_never_taken_together_in_silence() {
    with(async |w| {
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let files = recordings(w, &["1.wav", "2.wav", "3.wav"]).await;
        let table = "file_name,text,split\n1.wav,पहला,train\n2.wav,दूसरा,test\n3.wav,तीसरा,train\n";
        let form = [("name", "split"), ("language", "Hindi"), ("files", &*files)];
        let sent = Some(("table", "t.csv", "text/csv", table.as_bytes()));
        let page = browser.send_form("/datasets/preview", &form, sent).await;
        assert_eq!(page.status, 200, "{}", page.text);
        for told in [
            "This table has splits: test 1, train 2. Only “test” is taken.",
            "1\u{a0}clip can be saved.",
            "name=\"split\" value=\"test\" aria-current=\"true\">test 1</button>",
        ] {
            assert!(page.text.contains(told), "{told}: {}", page.text);
        }
        // Those of the other split do have a row.
        assert!(!page.text.contains("without a row"), "{}", page.text);
        let kept = hidden(&page, "kept");
        let form = [&form[..], &[("kept", &*kept)]].concat();
        for (split, clips) in [("train", "2\u{a0}clips"), ("", "3\u{a0}clips")] {
            let form = [&form[..], &[("split", split)]].concat();
            let page = browser.send_form("/datasets/preview", &form, None).await;
            let told = format!("{clips} can be saved.");
            assert!(page.text.contains(&told), "{split}: {}", page.text);
            assert!(takes(&page.text, split), "{}", page.text);
        }
        // What was chosen is chosen still where something else is changed, but not of
        // another table.
        let change = [&form[..], &[("split", "train"), ("change", "true")]].concat();
        let page = browser.send_form("/datasets/preview", &change, None).await;
        assert!(takes(&page.text, "train"), "{}", page.text);
        let again = [&form[..], &[("split", "train")]].concat();
        let page = browser.send_form("/datasets/preview", &again, sent).await;
        assert!(takes(&page.text, "test"), "{}", page.text);
        let wrong = [&form[..], &[("split", "dev")]].concat();
        let page = browser.send_form("/datasets/preview", &wrong, None).await;
        assert!(page.text.contains("there is no split"), "{}", page.text);
        let train = [&form[..], &[("split", "train")]].concat();
        let page = browser.send_form("/datasets", &train, None).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let dataset = page.header("location").split(['/', '?']).nth(2).unwrap();
        let made = samples(w, dataset).await;
        let made: Vec<_> = made
            .iter()
            .map(|sample| text(&sample["filename"]))
            .collect();
        assert_eq!(made, ["1.wav", "3.wav"]);
    });
}

#[test]
fn rows_that_name_no_split_are_counted_and_not_taken_along() {
    with(async |w| {
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let files = recordings(w, &["1.wav", "2.wav", "3.wav", "4.wav", "5.wav"]).await;
        let form = [("name", "some"), ("language", "Hindi"), ("files", &*files)];
        let table = |last: &str| {
            format!(
                "file_name,text,split\n1.wav,पहला,\n2.wav,दूसरा,validation\n3.wav,तीसरा, \n\
                 4.wav,चौथा,{last}\n5.wav,पाँचवाँ,validation\n"
            )
        };
        for (last, told, clips) in [
            (
                "train",
                "splits: train 1, validation 2; 2\u{a0}rows name none.",
                2,
            ),
            ("val", "splits: validation 3; 2\u{a0}rows name none.", 3),
        ] {
            let table = table(last);
            let sent = Some(("table", "t.csv", "text/csv", table.as_bytes()));
            let page = browser.send_form("/datasets/preview", &form, sent).await;
            let only = "Only “validation” is taken, and no row that names no split.";
            let saved = format!("{clips}\u{a0}clips can be saved.");
            for told in [told, only, &saved] {
                assert!(page.text.contains(told), "{told}: {}", page.text);
            }
            assert!(!page.text.contains("without a row"), "{}", page.text);
            let kept = hidden(&page, "kept");
            let all = [&form[..], &[("kept", &*kept), ("split", "")]].concat();
            let page = browser.send_form("/datasets/preview", &all, None).await;
            assert!(
                page.text.contains("5\u{a0}clips can be saved."),
                "{}",
                page.text
            );
        }
    });
}
