//! Orders in which clips are judged.

use serde_json::{Value, json};

use super::review::{begin, field, follow, send};
use super::{Browser, Page, key};
use crate::support::{Expect, World, id, text, with};

/// What two lists say of four clips: how much of it is wrong in the worse of the two, and how
/// far they are from each other, are in different orders.
const HEARD: [[&str; 2]; 4] = [
    ["one two three four", "one two three four"],
    ["one two three four", "one two three x"],
    ["a b c d", "a b c d"],
    ["one two three four", "one two x y"],
];

/// A run of these lists, and the samples of its clips.
async fn run(w: &World) -> (Value, Vec<String>) {
    let made = w
        .dataset("clips", &[Some("one two three four"); HEARD.len()])
        .await;
    let list = |at: usize, name: &str| {
        let items = HEARD.iter().enumerate().map(
            |(number, heard)| json!({ "filename": format!("{number}.wav"), "text": heard[at] }),
        );
        json!({ "name": name, "items": items.collect::<Vec<_>>() })
    };
    let body = json!({ "run_name": "r", "dataset_id": made.id,
        "transcripts": [list(0, "x"), list(1, "y")] });
    let run = w.post("/runs", &body).await.data(202).clone();
    let run = w.ended(&run).await;
    let results = w.results(&run, "provider=imported/x").await;
    let samples = results.iter().map(|one| text(&one["sample_id"]).to_owned());
    (run, samples.collect())
}

/// The clip of an address, by its number.
fn clip(samples: &[String], at: &str) -> usize {
    let path = at.split('?').next().unwrap();
    let sample = path.rsplit('/').next().unwrap();
    samples.iter().position(|one| one == sample).unwrap()
}

/// The clips of a queue, one after the other, with how many are said to be left.
async fn skipped(
    browser: &mut Browser,
    (run, samples): (&Value, &[String]),
    queue: &str,
) -> Vec<(usize, String)> {
    let (mut at, mut page) = begin(browser, run, &format!("queue={queue}")).await;
    let mut seen = Vec::new();
    while page.text.contains("Transcription A") {
        let left = page.text.split("<p class=\"hint left\">").nth(1).unwrap();
        let left = left.split('<').next().unwrap().to_owned();
        seen.push((clip(samples, &at), left));
        assert!(seen.len() <= samples.len(), "{queue}: {seen:?}");
        let answer = send(browser, &at, &page.text, &[("go", "skip")]).await;
        (at, page) = follow(browser, answer).await;
    }
    seen
}

/// Each with what comes behind it.
fn counted(clips: &[usize]) -> Vec<(usize, String)> {
    let last = clips.len().saturating_sub(1);
    let left = |place| match last - place {
        0 => "The last clip of this queue".to_owned(),
        left => format!("{left} left in this queue"),
    };
    let clips = clips.iter().enumerate();
    clips.map(|(place, clip)| (*clip, left(place))).collect()
}

/// The letter of a model on a page that names them.
fn letter(page: &Page, model: &str) -> char {
    let is_of = |letter: &char| {
        let begin = format!(">Transcription {letter}</h2>");
        let rest = page.text.split(&begin).nth(1).unwrap();
        let name = rest.split("<bdi class=\"model\">").nth(1).unwrap();
        name.starts_with(&format!("{model}<"))
    };
    ['A', 'B'].into_iter().find(is_of).unwrap()
}

#[test]
fn orders_find_what_they_are_for() {
    with(async |w| {
        let (run, samples) = run(w).await;
        let of = (&run, samples.as_slice());
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let all = w.results(&run, "").await;
        let is_flagged = |clip: &[Value]| clip.iter().any(|r| r["score"]["flags"] != json!([]));
        let clips = all.chunks(2).enumerate();
        let flagged = clips.filter(|(_, clip)| is_flagged(clip));
        let flagged: Vec<usize> = flagged.map(|(at, _)| at).collect();
        for (queue, clips) in [
            ("clips", vec![0, 1, 2, 3]),
            ("worst", vec![2, 3, 1, 0]),
            // Where both are wrong alike nothing is found.
            ("disagreement", vec![3, 1]),
            ("flags", flagged),
            ("unreviewed", vec![0, 1, 2, 3]),
            ("second", vec![]),
            ("split", vec![]),
            ("nonsense", vec![0, 1, 2, 3]),
        ] {
            let seen = skipped(&mut browser, of, queue).await;
            assert_eq!(seen, counted(&clips), "{queue}");
        }
        let random = skipped(&mut browser, of, "random").await;
        assert_eq!(skipped(&mut browser, of, "random").await, random);
        let mut seen: Vec<usize> = random.iter().map(|(clip, _)| *clip).collect();
        assert_eq!(random, counted(&seen));
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3]);
        assert_eq!(
            w.results(&run, "reviewed=none").await.len(),
            8,
            "skipping says nothing"
        );
    });
}

#[test]
fn models_disagree_by_the_normaliser_that_counts() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two"); 2]).await;
        let list = |name: &str, texts: [&str; 2]| {
            json!({ "name": name, "items": [
                { "filename": "0.wav", "text": texts[0] },
                { "filename": "1.wav", "text": texts[1] },
            ] })
        };
        let body = json!({ "run_name": "r", "dataset_id": made.id, "normalizer": "raw-v1",
            "transcripts": [list("x", ["one two", "one two"]), list("y", ["One, two", "one"])] });
        let run = w.post("/runs", &body).await.data(202).clone();
        let run = w.ended(&run).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let clips = async |browser: &mut Browser| {
            let (_, page) = begin(browser, &run, "queue=disagreement").await;
            match page.text.contains("1 left in this queue") {
                true => 2,
                false => usize::from(page.text.contains("The last clip of this queue")),
            }
        };
        assert_eq!(clips(&mut browser).await, 2);
        let path = format!("/runs/{}", id(&run));
        let wanted = json!({ "normalizer": "indic-v1" });
        w.post(&format!("{path}/rescore"), &wanted).await.ok(202);
        w.machine
            .wait("it is scored again", async || {
                let run = w.get(&path).await.data(200).clone();
                (run["scorings"][1]["status"] == "completed").then_some(())
            })
            .await;
        assert_eq!(clips(&mut browser).await, 1);
    });
}

#[test]
fn every_clip_is_judged_once_all_its_transcriptions_are() {
    with(async |w| {
        let (run, samples) = run(w).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let named = "blind=0&chosen=1";
        // The worst of each: of two that are alike, the later model's.
        let (mut at, mut page) = begin(&mut browser, &run, &format!("queue=worst&{named}")).await;
        let mut seen = Vec::new();
        while page.text.contains("Transcription A") {
            seen.push(clip(&samples, &at));
            assert!(seen.len() <= samples.len(), "{seen:?}");
            let judge = format!("{}.judge", letter(&page, "imported/y"));
            let sent = [(&*judge, "wrong"), ("go", "next")];
            let answer = send(&mut browser, &at, &page.text, &sent).await;
            (at, page) = follow(&mut browser, answer).await;
        }
        assert_eq!(seen, [2, 3, 1, 0]);
        let all = "You have judged every clip";
        assert!(!page.text.contains(all), "{}", page.text);
        let none = "No clip of this order is left to judge";
        assert!(page.text.contains(none), "{}", page.text);

        let (mut at, mut page) = begin(&mut browser, &run, &format!("queue=clips&{named}")).await;
        for _ in &samples {
            let judge = format!("{}.judge", letter(&page, "imported/x"));
            let sent = [(&*judge, "right"), ("go", "next")];
            let answer = send(&mut browser, &at, &page.text, &sent).await;
            (at, page) = follow(&mut browser, answer).await;
        }
        for queue in ["clips", "worst", "unreviewed", "random"] {
            let (_, page) = begin(&mut browser, &run, &format!("queue={queue}")).await;
            assert!(page.text.contains(all), "{queue}: {}", page.text);
        }
    });
}

#[test]
fn what_others_have_reviewed_is_not_what_one_has_begun() {
    with(async |w| {
        let (run, samples) = run(w).await;
        let mut asha = Browser::signed_in(w, &w.project.key).await;
        let (at, page) = begin(&mut asha, &run, "queue=clips").await;
        let half = [("A.judge", "right"), ("go", "stay")];
        let answer = send(&mut asha, &at, &page.text, &half).await;
        follow(&mut asha, answer).await;
        let of = (&run, samples.as_slice());
        assert!(skipped(&mut asha, of, "second").await.is_empty());
        let (other, _) = key(w, "reviewer").await;
        let mut ravi = Browser::new(w);
        ravi.sign_in(&other, "Ravi", "/runs").await;
        assert_eq!(skipped(&mut ravi, of, "second").await, counted(&[0]));
        // Once Ravi has said something too, it is there for both.
        let (at, page) = begin(&mut ravi, &run, "queue=second").await;
        assert_eq!(field(&page.text, "A.verdict"), "");
        let answer = send(&mut ravi, &at, &page.text, &half).await;
        follow(&mut ravi, answer).await;
        assert_eq!(skipped(&mut asha, of, "second").await, counted(&[0]));
    });
}
