//! Large runs, and many: their pages ask no more of the tables than those of a small one.

use std::time::Duration;

use stt_eval_local::node::Node;
use stt_eval_local::options::NodeOptions;
use stt_eval_shared::domain::review::{Opinion, Review, Reviewer, Verdict};
use stt_eval_shared::domain::run::{Run, RunStatus};
use stt_eval_shared::domain::{ProjectId, ResultId, RunId, Timestamp};
use stt_eval_shared::store::StoreError;
use stt_eval_tests::{Machine, MachineOptions};

use super::Browser;
use super::review::follow;
use crate::support::{FLASH, PRO, text};

/// Most bytes of a page on its way.
const MOST_BYTES: usize = 100_000;

/// How large a run is, of two models.
#[derive(Clone, Copy)]
struct Size {
    /// Its clips.
    samples: u16,
    /// Of these, such as have results; the others are pending.
    done: u16,
}

/// A run of one clip.
const ONE: Size = Size {
    samples: 1,
    done: 1,
};

/// What was asked of DynamoDB so far.
fn asked(node: &Node) -> u64 {
    let counts = node.counts();
    let of_tables = counts.as_array().unwrap().iter();
    let of_tables = of_tables.filter(|count| count["service"] == "dynamodb");
    of_tables
        .map(|count| count["requests"].as_u64().unwrap())
        .sum()
}

/// A run of one clip becomes one of many, each with the results of the first; of one clip in
/// seven the second model has heard something else.
async fn enlarge(node: &Node, project: &ProjectId, run: RunId, size: Size) {
    let store = &node.app.store;
    let mut outcomes = Vec::new();
    for model in 0..2 {
        let first = store.results_between(project, run, model, 0, 1).await;
        let first = first.unwrap().into_iter().next().unwrap().outcome;
        outcomes.extend((1..size.done).map(|position| {
            let mut outcome = first.clone();
            outcome.id = ResultId::new(run, model, position);
            if model == 1 && position % 7 == 3 {
                outcome.transcription = Some("x y z".to_owned());
            }
            outcome
        }));
    }
    store.write_outcomes(project, &outcomes).await.unwrap();
    // What ends a run may still write to it.
    loop {
        let small = store.run(project, run).await.unwrap().unwrap();
        let large = Run {
            sample_count: size.samples.into(),
            rev: small.rev + 1,
            ..small
        };
        match store.save_run(&large).await {
            Err(StoreError::Conflict) => {}
            saved => return saved.unwrap(),
        }
    }
}

/// A machine on the same data on which nothing looks for work, so that what is counted is
/// asked for by pages alone.
async fn quiet(machine: Machine) -> (Node, tempfile::TempDir) {
    let Machine { node, dir, .. } = machine;
    node.stop().await.unwrap();
    let mut options = NodeOptions::new(dir.path().to_owned(), "demo".parse().unwrap());
    options.poll_interval = Duration::from_hours(1);
    let node = Node::start(options).await.unwrap();
    // What is looked for at the beginning is over once nothing is asked any more.
    let mut before = u64::MAX;
    while asked(&node) != before {
        before = asked(&node);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    (node, dir)
}

/// A large run on a quiet machine, and a browser that is signed in there.
struct Large {
    node: Node,
    browser: Browser,
    project: ProjectId,
    run: String,
    /// Who is signed in.
    who: Reviewer,
    dir: tempfile::TempDir,
}

impl Large {
    async fn of(size: Size) -> Self {
        let machine = Machine::start_with(MachineOptions {
            projects: vec!["demo"],
            // Only the embedded cloud counts what it is asked.
            metered: true,
            ..MachineOptions::default()
        })
        .await;
        let client = machine.client("demo");
        let dataset = machine.dataset(&client, "clips", &["one two three"]).await;
        let run = machine.run(&client, &dataset, &[PRO, FLASH]).await;
        let run = machine.ended(&client, &run).await;
        let run = text(&run["id"]).to_owned();
        let project = "demo".parse().unwrap();
        enlarge(&machine.node, &project, run.parse().unwrap(), size).await;
        let own = client.get("/whoami").await;
        let who = Reviewer {
            key: text(&own.data(200)["key"]["id"]).parse().unwrap(),
            name: Some("Asha".to_owned()),
        };
        let key = machine.node.api_keys["demo"].clone();
        let (node, dir) = quiet(machine).await;
        let mut browser = Browser::at(node.url.clone());
        let signed_in = browser.sign_in(&key, "Asha", "/runs").await;
        assert_eq!(signed_in.status, 303, "{}", signed_in.text);
        Self {
            node,
            browser,
            project,
            run,
            who,
            dir,
        }
    }

    async fn run(&self) -> Run {
        let id = self.run.parse().unwrap();
        let found = self.node.app.store.run(&self.project, id).await;
        found.unwrap().unwrap()
    }

    /// A run like it that nothing has come of.
    async fn another(&self, number: u8, status: RunStatus) -> Run {
        let run = Run {
            id: RunId::mint(1, [number; 10]),
            status,
            rev: 1,
            ..self.run().await
        };
        self.node.app.store.save_run(&run).await.unwrap();
        run
    }

    /// The one who is signed in finds what a model has heard right, on all clips.
    async fn judge(&self, model: u8, clips: u16) {
        let (store, id) = (&self.node.app.store, self.run.parse().unwrap());
        let positions: Vec<u16> = (0..clips).collect();
        // A transaction takes a hundred items.
        for some in positions.chunks(90) {
            let reviews = some.iter().map(|position| {
                let said = Opinion {
                    verdict: Some(Verdict::Right),
                    ..Opinion::nothing(self.who.clone(), Timestamp::now())
                };
                Review::with(None, ResultId::new(id, model, *position), said).unwrap()
            });
            let reviews: Vec<Review> = reviews.collect();
            let run = self.run().await;
            let run = Run {
                rev: run.rev + 1,
                ..run
            };
            store.save_reviews(&reviews, &run).await.unwrap();
        }
    }

    /// How often a page asks the tables, with the page.
    async fn asks(&mut self, path: &str) -> (u64, super::Page) {
        let before = asked(&self.node);
        let request = self.browser.request("GET", path);
        let request = request.header("accept-encoding", "gzip");
        let page = self.browser.send(request).await;
        (asked(&self.node) - before, page)
    }

    async fn stop(self) {
        self.node.stop().await.unwrap();
        drop(self.dir);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_page_over_ten_thousand_results_asks_little() {
    let size = Size {
        samples: 5_000,
        done: 500,
    };
    let mut large = Large::of(size).await;
    let run = large.run.clone();
    let clip = large.browser.get(&format!("/runs/{run}/review")).await;
    let clip = clip.header("location").to_owned();
    let told = large.browser.get(&clip).await.text;
    assert!(told.contains("at least 100 left in this queue"), "{told}");
    // This order is worked out once, and kept.
    let scattered = format!("/runs/{run}/results?sort=-disagreement");
    assert_eq!(large.browser.get(&scattered).await.status, 200);
    // The session with its key and the run are one request each; then each model's
    // results, or their order and they themselves; then all their clips.
    for (path, most) in [
        (format!("/runs/{run}/results"), 5),
        (format!("/runs/{run}/results?sort=-wer"), 5),
        (format!("/runs/{run}/results?sort=unreviewed"), 5),
        // These lie anywhere: all of them are asked for at once.
        (scattered, 5),
        (format!("/runs/{run}/review"), 4),
        // And what comes behind it.
        (clip, 7),
        (format!("/runs/{run}"), 3),
    ] {
        let (asks, page) = large.asks(&path).await;
        assert!(matches!(page.status, 200 | 303), "{path}: {}", page.status);
        assert!((1..=most).contains(&asks), "{path} asks {asks} times");
        if page.status == 200 {
            assert_eq!(page.header("content-encoding"), "gzip", "{path}");
            let bytes: usize = page.header("content-length").parse().unwrap();
            assert!(bytes <= MOST_BYTES, "{path}: {bytes}");
        }
    }
    let all = large.browser.get(&format!("/runs/{run}/results")).await;
    assert!(all.text.contains("10,000"), "{}", all.text);
    large.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_clip_is_found_in_few_requests_however_many_are_judged() {
    // As many results as 180 clips of four models have.
    let clips = 360;
    let size = Size {
        samples: clips,
        done: clips,
    };
    let mut large = Large::of(size).await;
    let queue = |large: &Large, name: &str| format!("/runs/{}/review?queue={name}", large.run);
    for name in ["clips", "random", "worst", "disagreement"] {
        let path = queue(&large, name);
        let first = large.browser.get(&path).await;
        let (at, page) = follow(&mut large.browser, first).await;
        let left = "359 left in this queue";
        assert!(page.text.contains(left), "{name}: {}", page.text);
        // The session, the run, the clip, its sample, and what comes behind it.
        let (asks, _) = large.asks(&at).await;
        assert!(asks <= 7, "a clip of {name} asks {asks} times");
    }
    // Without one, they would read clip by clip: 720 requests and more.
    large.judge(1, clips).await;
    let mut found = Vec::new();
    let worst = queue(&large, "worst");
    found.push(("worst", large.asks(&worst).await, 34));
    large.judge(0, clips).await;
    for (name, most) in [("clips", 24), ("random", 26), ("disagreement", 26)] {
        let path = queue(&large, name);
        found.push((name, large.asks(&path).await, most));
    }
    for (name, (asks, page), most) in found {
        assert_eq!(page.status, 200, "{name} has none left");
        assert!((1..=most).contains(&asks), "{name} asks {asks} times");
    }
    large.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_go_with_a_dataset_are_counted_and_not_read() {
    let mut large = Large::of(ONE).await;
    for number in 1..=30 {
        large.another(number, RunStatus::Completed).await;
    }
    let pending = large.another(31, RunStatus::Pending).await;
    let path = format!("/datasets/{}/delete", pending.dataset);
    let told = large.browser.get(&path).await.text;
    for part in ["32\u{a0}runs", "1\u{a0}run is under way"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (asks, page) = large.asks(&path).await;
    assert_eq!(page.status, 200);
    // The session with its key and the dataset; then all runs, and those in either state.
    assert!((1..=5).contains(&asks), "it asks {asks} times");
    large.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clips_without_results_are_read_once() {
    let mut large = Large::of(ONE).await;
    let pending = large.another(1, RunStatus::Pending).await;
    let path = format!("/runs/{}/results", pending.id);
    let told = large.browser.get(&path).await.text;
    assert!(told.contains("<bdi>clips-0.wav</bdi>"), "{told}");
    let (asks, page) = large.asks(&path).await;
    assert_eq!(page.status, 200);
    // The session with its key, the run, the results of its two models, and the clip.
    assert!((1..=5).contains(&asks), "it asks {asks} times");
    large.stop().await;
}
