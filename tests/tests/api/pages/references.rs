//! References that people type: long ones, and those that come when nobody is signed in.

use super::Browser;
use super::datasets::samples;
use crate::support::{id, with};

#[test]
fn a_reference_may_be_as_long_as_the_api_takes_it_and_a_longer_one_comes_back() {
    with(async |w| {
        let made = w.dataset("long", &[Some("one")]).await;
        let path = format!("/samples/{}", id(&samples(w, &made.id).await[0]));
        let mut asha = Browser::signed_in(w, &w.project.key).await;
        let longest = "क".repeat(100_000);
        let fields = [("etag", "1"), ("ground_truth", &*longest), ("cursor", "")];
        let page = asha.post(&path, &fields).await;
        assert_eq!(page.status, 303, "{}", page.text);
        assert_eq!(samples(w, &made.id).await[0]["ground_truth"], longest);
        let longer = format!("{longest}ख");
        let fields = [("etag", "2"), ("ground_truth", &*longer), ("cursor", "")];
        let page = asha.post(&path, &fields).await;
        assert_eq!(page.status, 422);
        let told = "must have at most 100000 characters, has 100001";
        assert!(page.text.contains(told) && page.text.contains(&format!("&#10;{longer}<")));
        // What nobody types is refused before it is read.
        let endless = "x".repeat(4 * 1024 * 1024);
        let fields = [("etag", "2"), ("ground_truth", &*endless)];
        let page = asha.post(&path, &fields).await;
        assert_eq!(page.status, 413);
        assert!(page.text.contains("larger than 4096 KiB"), "{}", page.text);
    });
}
