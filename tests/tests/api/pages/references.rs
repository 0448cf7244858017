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

#[test]
fn what_was_sent_without_a_session_leads_back_to_its_form_and_is_told() {
    with(async |w| {
        let made = w.dataset("ended", &[Some("one")]).await;
        let sample = id(&samples(w, &made.id).await[0]);
        let path = format!("/samples/{sample}");
        for signed_in in [true, false] {
            let mut asha = Browser::signed_in(w, &w.project.key).await;
            let cookie = asha.cookie.clone();
            asha.post("/sign-out", &[]).await;
            // One that is no good any more, or none: browsers drop those that are old.
            asha.cookie = cookie.filter(|_| signed_in);
            let of = format!("/datasets/{}?cursor=", made.id);
            let sent = asha.request("POST", &path);
            let sent = sent
                .header("origin", &asha.base)
                .header("referer", format!("{}{of}", asha.base))
                .header("content-type", "application/x-www-form-urlencoded")
                .body("etag=1&ground_truth=mine");
            let page = asha.send(sent).await;
            let next = format!("%2Fdatasets%2F{}%3Fcursor%3D", made.id);
            assert_eq!(
                (page.status, page.header("location")),
                (303, &*format!("/sign-in?next={next}&session=unsaved"))
            );
            let told = asha.get(page.header("location")).await;
            assert!(told.text.contains("what you sent was not saved"));
            let page = asha.sign_in(&w.project.key, "Asha", &of).await;
            assert_eq!((page.status, page.header("location")), (303, &*of));
        }
        // A browser that does not say where it was.
        let page = Browser::new(w).post(&path, &[("etag", "1")]).await;
        let next = format!("/sign-in?next=%2Fsamples%2F{sample}&session=unsaved");
        assert_eq!((page.status, page.header("location")), (303, &*next));
        assert_eq!(samples(w, &made.id).await[0]["ground_truth"], "one");
    });
}
