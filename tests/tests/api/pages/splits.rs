//! Tables with training and test data.

use super::Browser;
use super::datasets::{hidden, recordings, samples};
use crate::support::{text, with};

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
            "This table has splits: test 1, train 2. One of them is taken",
            "1\u{a0}clip can be saved.",
            "<option value=\"test\" selected>",
        ] {
            assert!(page.text.contains(told), "{told}: {}", page.text);
        }
        let kept = hidden(&page, "kept");
        let form = [&form[..], &[("kept", &*kept)]].concat();
        for (split, clips) in [("train", "2\u{a0}clips"), ("", "3\u{a0}clips")] {
            let form = [&form[..], &[("split", split)]].concat();
            let page = browser.send_form("/datasets/preview", &form, None).await;
            let told = format!("{clips} can be saved.");
            assert!(page.text.contains(&told), "{split}: {}", page.text);
            assert_eq!(hidden(&page, "split"), split);
        }
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
