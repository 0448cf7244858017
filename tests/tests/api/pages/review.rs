//! Judging clips without scripts.

use serde_json::{Value, json};

use super::{Browser, Page, key};
use crate::support::{FLASH, PRO, World, each, id, text, with};

/// A run over three clips and two models.
async fn run(w: &World) -> Value {
    let references = [Some("one two"), Some("three four five"), Some("six seven")];
    let made = w.dataset("clips", &references).await;
    w.run(&made.id, &[PRO, FLASH]).await
}

/// Follows to a page, and tells where that is.
pub(super) async fn follow(browser: &mut Browser, page: Page) -> (String, Page) {
    let (mut at, mut page) = (String::new(), page);
    while page.status == 303 {
        at = page.header("location").to_owned();
        page = browser.get(&at).await;
    }
    (at, page)
}

pub(super) async fn begin(browser: &mut Browser, run: &Value, query: &str) -> (String, Page) {
    let page = browser
        .get(&format!("/runs/{}/review?{query}", id(run)))
        .await;
    follow(browser, page).await
}

/// The value of a field of a form.
pub fn field(page: &str, name: &str) -> String {
    let field = page
        .split(&format!("name=\"{name}\" value=\""))
        .nth(1)
        .unwrap();
    field.split('"').next().unwrap().to_owned()
}

/// The fields that a page's form sends by itself.
fn fields(page: &str) -> Vec<(String, String)> {
    let names = ["queue", "blind", "did", "slots", "listened"].map(str::to_owned);
    let of_slots = ["A", "B"].into_iter().flat_map(|letter| {
        let has = page.contains(&format!("name=\"{letter}.seen\""));
        let names = ["seen", "verdict"].map(|name| format!("{letter}.{name}"));
        names.into_iter().filter(move |_| has)
    });
    let names = names.into_iter().chain(of_slots);
    names
        .map(|name| (name.clone(), field(page, &name)))
        .collect()
}

pub(super) async fn send(
    browser: &mut Browser,
    at: &str,
    page: &str,
    more: &[(&str, &str)],
) -> Page {
    let path = at.split('?').next().unwrap();
    let mut all = fields(page);
    all.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    let own = all.iter().map(|(name, value)| (&**name, &**value));
    let all: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
    browser.post(path, &all).await
}

#[test]
fn clips_are_judged_blind_one_after_the_other_and_undone() {
    with(async |w| {
        let run = run(w).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let of_run = browser.get(&format!("/runs/{}", id(&run))).await;
        assert!(
            of_run
                .text
                .contains("/review?queue=unreviewed\">Review</a>"),
            "{}",
            of_run.text
        );
        let (mut at, mut page) = begin(&mut browser, &run, "queue=worst&utm_source=x").await;
        let mut seen = Vec::new();
        for judged in 0..3 {
            assert_eq!(page.status, 200, "{}", page.text);
            assert_eq!(page.header("x-fragment"), "1");
            for told in [PRO, FLASH, "res_", "WER", "cost"] {
                assert!(!page.text.contains(told), "{told}: {}", page.text);
                assert!(!at.contains(told), "{told}: {at}");
            }
            assert!(page.text.contains(">Transcription A</h2>"));
            assert!(page.text.contains(">Transcription B</h2>"));
            seen.push(at.split('?').next().unwrap().to_owned());
            let sent = [
                ("A.judge", "right"),
                ("B.name", "1"),
                ("B.verdict", "wrong"),
                ("B.comment", "not <so>"),
                ("go", "next"),
            ];
            let answer = send(&mut browser, &at, &page.text, &sent).await;
            assert_eq!(answer.status, 303, "{}", answer.text);
            (at, page) = follow(&mut browser, answer).await;
            let run = w.get(&format!("/runs/{}", id(&run))).await;
            let score = &run.data(200)["score"];
            let count = |what: &str| {
                let of = |model: &str| score[model][what].as_u64().unwrap();
                of(PRO) + of(FLASH)
            };
            assert_eq!(
                (count("correct"), count("incorrect")),
                (judged + 1, judged + 1)
            );
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 3, "each clip once");
        assert!(
            page.text.contains("You have judged every clip"),
            "{}",
            page.text
        );
        let results = w.results(&run, "reason=name").await;
        let said = &w
            .get(&format!("/results/{}/reviews", id(&results[0])))
            .await;
        let said = &said.data(200)[0];
        assert_eq!(said["reviewer"]["name"], "Asha");
        assert_eq!(
            said["mine"], false,
            "a person, not the program with that key"
        );
        assert_eq!(
            (&said["blind"], &said["queue"]),
            (&json!(true), &json!("worst"))
        );
        assert_eq!(
            (&said["listened"], &said["comment"]),
            (&Value::Null, &json!("not <so>"))
        );

        // What was judged is told when one comes back to it.
        let last = seen.last().unwrap().clone();
        let did = at
            .split("did=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned();
        let back = browser.get(&format!("{last}?queue=worst&did={did}")).await;
        assert!(
            back.text.contains(PRO) && back.text.contains("WER"),
            "{}",
            back.text
        );
        assert!(back.text.contains("not &#60;so&#62;"), "{}", back.text);
        // Undone, from the newest on; sent twice, once.
        let mut did = did;
        for left in [2, 1, 0] {
            for _ in 0..2 {
                let fields = [("queue", "worst"), ("did", &*did), ("go", "undo")];
                let answer = browser.post(&format!("{last}/undo"), &fields).await;
                assert_eq!(answer.status, 303, "{}", answer.text);
                (at, page) = follow(&mut browser, answer).await;
            }
            assert!(page.text.contains("Taken back"), "{}", page.text);
            assert!(!page.text.contains(PRO), "{}", page.text);
            assert_eq!(w.results(&run, "reviewed=none").await.len(), 6 - 2 * left);
            did = field(&page.text, "did");
        }
        assert!(did.is_empty() && at.contains("/review/smp_"));

        // Models were told by then: what is said now was not said blind.
        let sent = [("A.judge", "wrong"), ("B.judge", "wrong"), ("go", "next")];
        let answer = send(&mut browser, &at, &page.text, &sent).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let again = w.results(&run, "reviewed=others").await;
        assert_eq!(again.len(), 2);
        for result in &again {
            let said = w.get(&format!("/results/{}/reviews", id(result))).await;
            assert_eq!(said.data(200)[0]["blind"], false, "{}", said.text);
        }
    });
}

#[test]
fn what_contradicts_itself_is_settled_and_told_and_undone_one_transcription_after_the_other() {
    with(async |w| {
        let run = run(w).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let (at, page) = begin(&mut browser, &run, "").await;
        let settles = "“Right” goes with no reason but the spelling";
        // What was done last counts: a button, or else a box.
        let sent = [
            ("A.judge", "right"),
            ("A.missing_text", "1"),
            ("audio_unusable", "1"),
        ];
        let answer = send(&mut browser, &at, &page.text, &sent).await;
        let (now, page) = follow(&mut browser, answer).await;
        assert!(page.text.contains(settles), "{}", page.text);
        assert_eq!(field(&page.text, "A.verdict"), "right");
        assert_eq!(w.results(&run, "is_correct=true").await.len(), 1);
        assert!(w.results(&run, "reason=missing_text").await.is_empty());
        assert_eq!(field(&page.text, "B.verdict"), "");
        let sent = [("B.judge", "wrong"), ("B.name", "1")];
        let answer = send(&mut browser, &now, &page.text, &sent).await;
        let (now, page) = follow(&mut browser, answer).await;
        assert!(!page.text.contains(settles), "{}", page.text);
        assert_eq!(w.results(&run, "is_correct=false").await.len(), 1);
        // Both can be undone, the newest first.
        let path = now.split('?').next().unwrap().to_owned();
        let did = field(&page.text, "did");
        assert_eq!(did.split(',').count(), 2, "{did}");
        let undo = format!("{path}/undo");
        let answer = browser.post(&undo, &[("did", &*did)]).await;
        let (now, page) = follow(&mut browser, answer).await;
        assert!(w.results(&run, "is_correct=false").await.is_empty());
        assert_eq!(w.results(&run, "is_correct=true").await.len(), 1);
        // A box that is ticked of what is right makes it wrong; what is passed over is told.
        let sent = [("A.name", "1"), ("go", "next")];
        let answer = send(&mut browser, &now, &page.text, &sent).await;
        let (_, next) = follow(&mut browser, answer).await;
        assert!(next.text.contains(settles), "{}", next.text);
        assert_eq!(w.results(&run, "is_correct=false").await.len(), 1);
        let undone = field(&next.text, "did");
        let answer = browser.post(&undo, &[("did", &*undone)]).await;
        let (now, page) = follow(&mut browser, answer).await;
        assert_eq!(field(&page.text, "A.verdict"), "right");
        let answer = send(&mut browser, &now, &page.text, &[("go", "next")]).await;
        let (_, next) = follow(&mut browser, answer).await;
        let told = "Saved. Passed over: 1\u{a0}transcription.";
        assert!(next.text.contains(told), "{}", next.text);
    });
}

#[test]
fn what_was_changed_several_times_is_taken_back_step_by_step() {
    with(async |w| {
        let run = run(w).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let (mut at, mut page) = begin(&mut browser, &run, "").await;
        let path = at.split('?').next().unwrap().to_owned();
        let said = ["right", "wrong", "cannot_tell", "right"];
        for verdict in said {
            let sent = [("A.judge", verdict)];
            let answer = send(&mut browser, &at, &page.text, &sent).await;
            (at, page) = follow(&mut browser, answer).await;
            assert_eq!(field(&page.text, "A.verdict"), verdict);
        }
        let mut did = field(&page.text, "did");
        assert_eq!(did.split(',').count(), said.len(), "{did}");
        for stands in said.into_iter().rev().skip(1).chain([""]) {
            // Sent twice it is done once.
            for _ in 0..2 {
                let answer = browser
                    .post(&format!("{path}/undo"), &[("did", &*did)])
                    .await;
                (_, page) = follow(&mut browser, answer).await;
            }
            assert!(page.text.contains("Taken back"), "{}", page.text);
            assert_eq!(field(&page.text, "A.verdict"), stands);
            did = field(&page.text, "did");
        }
        assert_eq!(did, "");
        assert_eq!(w.results(&run, "reviewed=none").await.len(), 6);
    });
}

#[test]
fn what_was_judged_anew_in_another_window_is_not_said_to_be_taken_back() {
    with(async |w| {
        let run = run(w).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let (at, page) = begin(&mut browser, &run, "").await;
        let path = at.split('?').next().unwrap().to_owned();
        let answer = send(&mut browser, &at, &page.text, &[("A.judge", "right")]).await;
        let (_, here) = follow(&mut browser, answer).await;
        let did = field(&here.text, "did");
        let there = browser.get(&at).await;
        let answer = send(&mut browser, &at, &there.text, &[("A.judge", "wrong")]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let answer = browser
            .post(&format!("{path}/undo"), &[("did", &*did)])
            .await;
        let (_, page) = follow(&mut browser, answer).await;
        assert!(
            page.text.contains("nothing was taken back"),
            "{}",
            page.text
        );
        assert!(!page.text.contains("Taken back."), "{}", page.text);
        assert_eq!(field(&page.text, "A.verdict"), "wrong");
        assert_eq!(field(&page.text, "did"), "");
        assert_eq!(w.results(&run, "is_correct=false").await.len(), 1);
    });
}

#[test]
fn a_clip_that_was_begun_comes_back_where_work_is_shared() {
    with(async |w| {
        let run = run(w).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let shared = "queue=unreviewed";
        let (at, page) = begin(&mut browser, &run, shared).await;
        let half = [("A.judge", "right"), ("go", "next")];
        send(&mut browser, &at, &page.text, &half).await;
        let (again, page) = begin(&mut browser, &run, shared).await;
        assert_eq!(again.split('?').next(), at.split('?').next());
        assert_eq!(field(&page.text, "A.verdict"), "right");
        // To others it is one of those that somebody has.
        let mut other = Browser::new(w);
        other.sign_in(&w.project.key, "Ravi", "/runs").await;
        let (theirs, _) = begin(&mut other, &run, shared).await;
        assert_ne!(theirs.split('?').next(), at.split('?').next());
    });
}

#[test]
fn two_windows_of_one_reviewer_choose_and_two_reviewers_do_not_meet() {
    with(async |w| {
        let run = run(w).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let (at, page) = begin(&mut browser, &run, "").await;
        let judge = |verdict| [("A.judge", verdict), ("go", "stay")];
        let first = send(&mut browser, &at, &page.text, &judge("right")).await;
        assert_eq!(first.status, 303, "{}", first.text);
        // The same once more is the same.
        let again = send(&mut browser, &at, &page.text, &judge("right")).await;
        assert_eq!(again.status, 303, "{}", again.text);
        let second = send(&mut browser, &at, &page.text, &judge("wrong")).await;
        assert_eq!(second.status, 412, "{}", second.text);
        assert!(second.text.contains("in another window"), "{}", second.text);
        assert!(
            second.text.contains("What stands: <bdi>Right</bdi>"),
            "{}",
            second.text
        );
        assert_eq!(field(&second.text, "A.verdict"), "wrong");
        assert_eq!(w.results(&run, "is_correct=true").await.len(), 1);
        let chosen = send(&mut browser, &at, &second.text, &[("go", "stay")]).await;
        assert_eq!(chosen.status, 303, "{}", chosen.text);
        assert_eq!(w.results(&run, "is_correct=false").await.len(), 1);

        let (key, _) = key(w, "reviewer").await;
        let mut other = Browser::new(w);
        other.sign_in(&key, "Ravi", "/runs").await;
        let page = other.get(&at).await;
        assert!(
            !page.text.contains("Asha"),
            "others are told later: {}",
            page.text
        );
        let sent = [
            ("A.judge", "right"),
            ("B.verdict", "cannot_tell"),
            ("go", "stay"),
        ];
        let answer = send(&mut other, &at, &page.text, &sent).await;
        let (_, page) = follow(&mut other, answer).await;
        assert!(page.text.contains("Asha: Wrong"), "{}", page.text);
        let reviewed = w.results(&run, "").await;
        let sum: u64 = reviewed
            .iter()
            .map(|r| r["reviews"].as_u64().unwrap())
            .sum();
        assert_eq!(sum, 3);
        // Asha's own clips are left to Ravi's queues, and the other way round.
        let (second, _) = begin(&mut other, &run, "queue=second").await;
        assert_eq!(second, "", "what Asha has reviewed Ravi has too");
        let (fresh, _) = begin(&mut other, &run, "queue=unreviewed").await;
        assert_ne!(fresh.split('?').next(), at.split('?').next());
    });
}

#[test]
fn a_run_can_want_its_reviews_blind_and_what_reviewers_differ_on_is_found() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two"), Some("three")]).await;
        let asked = json!({ "run_name": "r", "dataset_id": made.id, "providers": [PRO, FLASH],
            "blind_review": true });
        let run = w.post("/runs", &asked).await;
        let run = run.data(202).clone();
        assert_eq!(run["blind_review"], true);
        let run = w.ended(&run).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let seen = "queue=clips&blind=0&chosen=1";
        let (at, page) = begin(&mut browser, &run, seen).await;
        for told in [PRO, FLASH, "WER", "type=\"checkbox\" name=\"blind\""] {
            assert!(!page.text.contains(told), "{told}: {}", page.text);
        }
        let says = "In this run models are hidden until you have judged.";
        assert!(page.text.contains(says), "{}", page.text);
        let sent = [
            ("A.verdict", "wrong"),
            ("B.verdict", "wrong"),
            ("go", "stay"),
        ];
        let answer = send(&mut browser, &at, &page.text, &sent).await;
        let (_, page) = follow(&mut browser, answer).await;
        assert!(page.text.contains(PRO), "{}", page.text);
        let results = w.results(&run, "").await;
        let judged = results.iter().find(|r| r["reviews"] == 1).unwrap();
        let said = w.get(&format!("/results/{}/reviews", id(judged))).await;
        assert_eq!(said.data(200)[0]["blind"], true);

        // A program with the key is another reviewer, and Ravi is to decide.
        let says = json!({ "is_correct": true });
        let path = format!("/results/{}", id(judged));
        w.patch(&path, &says).await.data(200);
        let mut ravi = Browser::new(w);
        ravi.sign_in(&w.project.key, "Ravi", "/runs").await;
        let (found, page) = begin(&mut ravi, &run, "queue=split").await;
        assert_eq!(found.split('?').next(), at.split('?').next());
        assert!(page.text.contains("The last clip of this queue"));
        let (other, _) = begin(&mut ravi, &run, "queue=unreviewed").await;
        assert_ne!(other.split('?').next(), at.split('?').next());
        // What is changed while others judge is told beside what was scored.
        let path = format!("/samples/{}", text(&judged["sample_id"]));
        let change = json!({ "ground_truth": "one too" });
        w.patch(&path, &change).await.data(200);
        let page = browser.get(&at).await;
        let told = "It says now: <bdi dir=\"auto\">one too</bdi>";
        assert!(page.text.contains(told), "{}", page.text);
        let page = browser.get(&other).await;
        assert!(!page.text.contains("It says now"), "{}", page.text);
        // One that is put back is what was scored.
        let change = json!({ "ground_truth": judged["ground_truth"] });
        w.patch(&path, &change).await.data(200);
        let page = browser.get(&at).await;
        assert!(!page.text.contains("It says now"), "{}", page.text);
        // The form of a run has a box for it.
        let form = browser.get("/runs/new").await;
        assert!(form.text.contains("name=\"blind_review\""));
    });
}

#[test]
fn only_reviewers_of_the_project_judge_and_only_its_clips() {
    with(async |w| {
        let run = run(w).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let (at, page) = begin(&mut browser, &run, "").await;
        let path = at.split('?').next().unwrap().to_owned();
        let (viewer, _) = key(w, "viewer").await;
        let mut viewer = Browser::signed_in(w, &viewer).await;
        let of_run = viewer.get(&format!("/runs/{}", id(&run))).await;
        assert!(!of_run.text.contains("/review\""), "{}", of_run.text);
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        let sent = [("A.judge", "right")];
        for (browser, status) in [(&mut viewer, 403), (&mut stranger, 404)] {
            assert_eq!(browser.get(&path).await.status, status);
            assert_eq!(
                browser
                    .get(&format!("/runs/{}/review", id(&run)))
                    .await
                    .status,
                status
            );
            assert_eq!(send(browser, &path, &page.text, &sent).await.status, status);
            assert_eq!(
                send(browser, &format!("{path}/undo"), &page.text, &sent)
                    .await
                    .status,
                status
            );
        }
        let other = w.dataset("other", &[Some("eight")]).await;
        let other = w
            .get(&format!("/datasets/{}?include_samples=true", other.id))
            .await;
        let other = text(each(&other.data(200)["samples"], "id")[0]).to_owned();
        for sample in [&*other, "smp_x", "%ff"] {
            let page = browser
                .get(&format!("/runs/{}/review/{sample}", id(&run)))
                .await;
            assert_eq!(page.status, 404, "{sample}");
        }
        for bad in [
            vec![("A.judge", "maybe")],
            vec![("A.seen", "x")],
            vec![("A.comment", &*"x".repeat(5_001)), ("A.judge", "right")],
        ] {
            let page = send(&mut browser, &path, &page.text, &bad).await;
            assert!([400, 422].contains(&page.status), "{}", page.text);
        }
        // Letters that stand for others by now.
        let page = send(
            &mut browser,
            &path,
            &page.text,
            &[("slots", "0"), ("A.judge", "right")],
        )
        .await;
        assert_eq!(page.status, 412);
        assert_eq!(w.results(&run, "reviewed=none").await.len(), 6);
    });
}
