//! Every call of every handler × every way it can fail, one at a time; then
//! the schedule and the queue heal it, and nothing may tell the case from one
//! in which nothing failed.
//!
//! The list of calls is recorded, not written down. By default a part of the
//! product is drawn by seed; `RELIABILITY_FULL=1` runs all of it, and
//! `RELIABILITY_SEED` draws another part.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gemini_sim::{Fault, FaultRule, Route};
use stt_eval_tests::fault::{Kind, Site};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::failing::of_model;
use crate::rig::{Case, FLASH, Ground, Options};
use crate::state::Summary;

/// Cases under way at once.
const AT_ONCE: usize = 8;
/// Of so many cases one is drawn by default.
const ONE_OF: u64 = 12;
/// The due indexes are read over and over by the same call; so many of its
/// readings are call sites.
const READINGS: u32 = 2;

/// A fault to inject.
#[derive(Debug, Clone)]
enum Injected {
    Aws(Site, Kind),
    Gemini(Route, u32, &'static str),
}

impl Injected {
    /// Row and column of the coverage.
    fn place(&self) -> (String, String) {
        match self {
            Self::Aws(site, kind) => (site.handler.to_owned(), format!("{kind:?}")),
            Self::Gemini(route, _, kind) => (format!("gemini {route}"), (*kind).to_owned()),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Aws(site, kind) => format!("{site} × {kind:?}"),
            Self::Gemini(route, ordinal, kind) => format!("gemini {route} #{ordinal} × {kind}"),
        }
    }

    /// Whether a file may stay at the provider until it forgets by itself: a
    /// document whose deletion it refused. Speech never stays.
    fn may_leave(&self, file: &str) -> bool {
        matches!(self, Self::Gemini(Route::FileDelete, ..)) && !file.contains("audio")
    }
}

/// How a request to the provider goes wrong.
const GEMINI_KINDS: [&str; 9] = [
    "drop_request",
    "lose_reply",
    "503",
    "503 after commit",
    "503 for long",
    "429",
    "html",
    "cut_reply",
    "crash",
];

fn fault(kind: &str) -> (Fault, u32) {
    let status = |code, after_commit| Fault::Status {
        code,
        message: None,
        after_commit,
        retry_after: None,
    };
    match kind {
        "drop_request" => (Fault::DropRequest, 1),
        "lose_reply" => (Fault::LoseReply, 1),
        "503" => (status(503, false), 1),
        "503 after commit" => (status(503, true), 1),
        "503 for long" => (status(503, false), 6),
        "429" => (status(429, false), 1),
        "html" => (Fault::Html { after_commit: true }, 1),
        "cut_reply" => (Fault::CutReply { bytes: 3 }, 1),
        // The answer never comes in time: the function dies first.
        "crash" => (Fault::DelayReply { millis: 20_000 }, 1),
        other => panic!("no such kind: {other}"),
    }
}

/// FNV-1a: the same draw on every machine.
fn draw(name: &str, seed: u64) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
        >> 20
}

/// What the flow is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// All goes well.
    Plain,
    /// A batch never ends and is made once more.
    Again,
}

impl Flow {
    async fn start(self, ground: &Arc<Ground>, repeats: bool) -> Case {
        let mut options = Options {
            repeats,
            ..Options::default()
        };
        if self == Self::Again {
            // Few polls until then: each would be a call site.
            options.settings = vec![
                ("BATCH_DEADLINE_SECONDS", "0.6"),
                ("POLL_PAUSES_SECONDS", "0.3"),
            ];
        }
        let case = Case::start(ground, options).await;
        if self == Self::Again {
            let state = "RUNNING".to_owned();
            let stuck = of_model(Fault::Stuck { state }, FLASH);
            case.sim.faults().add(stuck.times(1));
        }
        case
    }
}

async fn recorded(ground: &Arc<Ground>, flow: Flow) -> (Summary, Vec<Site>, BTreeMap<Route, u64>) {
    let case = flow.start(ground, false).await;
    let run = case.flow().await;
    let summary = Summary::of(&case, run).await;
    let again = |site: &Site| site.call.ends_with("/due") && site.ordinal > READINGS;
    let sites = case
        .sites()
        .into_iter()
        .filter(|site| !again(site))
        .collect();
    let routes = case.sim.ledger().counts;
    case.end().await;
    (summary, sites, routes)
}

/// Runs the flow with one fault; gives what is different, and whether the
/// fault happened.
async fn inject(
    ground: Arc<Ground>,
    flow: Flow,
    injected: Injected,
    clean: Arc<Summary>,
) -> (Vec<String>, bool) {
    let repeats = matches!(&injected, Injected::Aws(_, kind) if kind.repeats());
    let case = Arc::new(flow.start(&ground, repeats).await);
    let mut watch = None;
    let rule = match &injected {
        Injected::Aws(site, kind) => {
            case.injector.arm(site.clone(), *kind);
            None
        }
        Injected::Gemini(route, ordinal, kind) => {
            let (fault, mut times) = fault(kind);
            if *route == Route::BatchCreate {
                // Three creations of unknown outcome are for people to look at.
                times = times.min(2);
            }
            let rule = FaultRule::new(fault)
                .on(*route)
                .after(ordinal - 1)
                .times(times);
            let id = case.sim.faults().add(rule);
            if *kind == "crash" {
                let case = case.clone();
                watch = Some(tokio::spawn(async move {
                    while case.sim.faults().struck(id) == 0 {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                    case.injector.crash();
                }));
            }
            Some(id)
        }
    };
    let run = case.flow().await;
    let struck = match rule {
        None => case.injector.struck(),
        Some(id) => case.sim.faults().struck(id) > 0,
    };
    if let Some(watch) = watch {
        watch.abort();
        let _ = watch.await;
    }
    let mut summary = Summary::of(&case, run).await;
    summary
        .left
        .retain(|left| left.starts_with("batch ") || !injected.may_leave(left));
    let different = clean.differences(&summary);
    Arc::into_inner(case).unwrap().end().await;
    (different, struck)
}

/// Sites, cases, cases run, cases in which the fault happened.
type Coverage = BTreeMap<String, BTreeMap<String, (u32, u32, u32)>>;

fn print(title: &str, coverage: &Coverage) {
    println!("\n{title}: exercised / drawn / all");
    let mut sums = (0, 0, 0);
    for (row, kinds) in coverage {
        let cells = kinds.iter().map(|(kind, (all, drawn, struck))| {
            sums = (sums.0 + all, sums.1 + drawn, sums.2 + struck);
            format!("{kind} {struck}/{drawn}/{all}")
        });
        let cells: Vec<_> = cells.collect();
        println!("  {row:18} {}", cells.join(", "));
    }
    println!("  {:18} {}/{}/{}", "in all", sums.2, sums.1, sums.0);
}

async fn product(title: &str, ground: Arc<Ground>, flow: Flow, clean: Summary, all: Vec<Injected>) {
    let full = std::env::var("RELIABILITY_FULL").is_ok();
    let seed = std::env::var("RELIABILITY_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(1);
    let only = std::env::var("RELIABILITY_ONLY").ok();
    let clean = Arc::new(clean);
    let mut coverage = Coverage::new();
    let mut cases = JoinSet::new();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    for injected in all {
        let (row, column) = injected.place();
        let cell = coverage.entry(row).or_default().entry(column).or_default();
        cell.0 += 1;
        let drawn = match &only {
            Some(part) => injected.name().contains(part.as_str()),
            None => full || draw(&injected.name(), seed).is_multiple_of(ONE_OF),
        };
        if !drawn {
            continue;
        }
        cell.1 += 1;
        let (ground, clean, room) = (ground.clone(), clean.clone(), room.clone());
        cases.spawn(async move {
            let _room = room.acquire_owned().await.unwrap();
            let case = tokio::spawn(inject(ground, flow, injected.clone(), clean));
            (injected, case.await)
        });
    }
    let mut wrong = Vec::new();
    while let Some(done) = cases.join_next().await {
        let (injected, done) = done.unwrap();
        let (row, column) = injected.place();
        match done {
            Ok((different, struck)) => {
                coverage.get_mut(&row).unwrap().get_mut(&column).unwrap().2 += u32::from(struck);
                if !different.is_empty() {
                    wrong.push(format!("{}: {}", injected.name(), different.join("; ")));
                }
            }
            Err(panic) => wrong.push(format!("{}: {panic}", injected.name())),
        }
    }
    print(title, &coverage);
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{} cases (seed {seed}):\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn of_sites(sites: &[Site]) -> Vec<Injected> {
    let each = sites.iter().flat_map(|site| {
        Kind::ALL
            .into_iter()
            .map(|kind| Injected::Aws(site.clone(), kind))
    });
    each.collect()
}

/// Requests to the provider: of each route those after the first ones.
fn of_routes(routes: &BTreeMap<Route, u64>, first: &BTreeMap<Route, u64>) -> Vec<Injected> {
    let mut all = Vec::new();
    for (route, count) in routes {
        let known = first.get(route).copied().unwrap_or(0);
        for ordinal in known + 1..=*count {
            for kind in GEMINI_KINDS {
                // An output that is a page of HTML is an output: see `output`.
                if *route == Route::FileDownload && kind == "html" {
                    continue;
                }
                all.push(Injected::Gemini(
                    *route,
                    u32::try_from(ordinal).unwrap(),
                    kind,
                ));
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_aws_call_may_fail() {
    let ground = Ground::start().await;
    let (clean, sites, _) = recorded(&ground, Flow::Plain).await;
    println!("{} call sites", sites.len());
    product("AWS", ground, Flow::Plain, clean, of_sites(&sites)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_to_the_provider_may_fail() {
    let ground = Ground::start().await;
    let (clean, _, routes) = recorded(&ground, Flow::Plain).await;
    let all = of_routes(&routes, &BTreeMap::new());
    product("Gemini", ground, Flow::Plain, clean, all).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_making_a_batch_once_more_calls_may_fail() {
    let ground = Ground::start().await;
    let (_, plain, few) = recorded(&ground, Flow::Plain).await;
    let (clean, mut sites, routes) = recorded(&ground, Flow::Again).await;
    // What the plain flow calls as well is tried there.
    sites.retain(|site| !plain.contains(site));
    println!("{} more call sites", sites.len());
    let mut all = of_sites(&sites);
    all.extend(of_routes(&routes, &few));
    product("Once more", ground, Flow::Again, clean, all).await;
}
