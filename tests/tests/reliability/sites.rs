//! Every call of every handler × every way it can fail, one at a time; then
//! the schedule and the queue heal it, and nothing may tell the case from one
//! in which nothing failed.
//!
//! The list of calls is recorded, not written down. By default a part of the
//! product is drawn by seed; `RELIABILITY_FULL=1` runs all of it,
//! `RELIABILITY_SEED` draws another part, and `RELIABILITY_ONLY=…` runs the
//! cases whose names contain that.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gemini_sim::{Fault, FaultRule, Route};
use stt_eval_tests::fault::{Kind, Site};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::draw::setting;
use crate::rig::Ground;
use crate::state::Summary;
use crate::workflow::Flow;

/// Cases under way at once, of all tests together. Most of them wait for a grace
/// or a lease at any moment; more would only make the others late.
static SIDE_BY_SIDE: Semaphore = Semaphore::const_new(12);
/// Of so many cases one is drawn by default; `RELIABILITY_ONE_OF` says otherwise.
const ONE_OF: u64 = 24;
/// What a handler calls depends a little on which was faster: a case whose fault
/// did not happen is tried again, so many times in all.
const TRIES: usize = 4;
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
    fn may_leave(&self, what: &str) -> bool {
        matches!(self, Self::Gemini(Route::FileDelete, ..))
            && !what.contains("audio")
            && !what.starts_with("batch ")
    }
}

/// How a request to the provider goes wrong. A single 400, 403, 404 or page of
/// HTML is no verdict, neither on what was paid for nor on what is to be sent.
const GEMINI_KINDS: [&str; 12] = [
    "drop_request",
    "lose_reply",
    "503",
    "503 after commit",
    "503 for long",
    "429",
    "html",
    "400",
    "403",
    "404",
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
        "400" => (status(400, false), 1),
        "403" => (status(403, false), 1),
        "404" => (status(404, false), 1),
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

/// What a case without faults comes to, and what it calls.
struct Recorded {
    summary: Summary,
    sites: Vec<Site>,
    routes: BTreeMap<Route, u64>,
}

async fn recorded(ground: &Arc<Ground>, flow: Flow) -> Recorded {
    let case = flow.start(ground, false).await;
    let stand = flow.prepare(&case).await;
    case.injector.restart();
    case.sim.reset_ledger();
    let run = flow.act(&case, &stand).await;
    let wrong = flow.wrong(&case, run, |_| false).await;
    assert!(wrong.is_empty(), "{flow:?} without a fault: {wrong:#?}");
    let summary = Summary::of(&case, run).await;
    let again = |site: &Site| site.call.ends_with("/due") && site.ordinal > READINGS;
    let sites = case
        .sites()
        .into_iter()
        .filter(|site| !again(site))
        .collect();
    let routes = case.sim.ledger().counts;
    case.end().await;
    Recorded {
        summary,
        sites,
        routes,
    }
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
    let stand = flow.prepare(&case).await;
    case.injector.restart();
    let mut watch = None;
    let rule = match &injected {
        Injected::Aws(site, kind) => {
            case.injector.arm(site.clone(), *kind);
            None
        }
        Injected::Gemini(route, ordinal, kind) => {
            let (fault, mut times) = fault(kind);
            if *route == Route::BatchCreate {
                times = times.min(flow.doubtful());
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
    let run = flow.act(&case, &stand).await;
    let struck = match rule {
        None => case.injector.struck(),
        Some(id) => case.sim.faults().struck(id) > 0,
    };
    if let Some(watch) = watch {
        watch.abort();
        let _ = watch.await;
    }
    let mut summary = Summary::of(&case, run).await;
    let may_leave = |left: &str| injected.may_leave(left);
    summary.left.retain(|left| !may_leave(left));
    let mut different = clean.differences(&summary);
    different.extend(flow.wrong(&case, run, may_leave).await);
    Arc::into_inner(case).unwrap().end().await;
    (different, struck)
}

/// Of one handler and one kind of fault.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    all: u32,
    drawn: u32,
    struck: u32,
    wrong: u32,
}

impl std::ops::AddAssign for Cell {
    fn add_assign(&mut self, other: Self) {
        self.all += other.all;
        self.drawn += other.drawn;
        self.struck += other.struck;
        self.wrong += other.wrong;
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.struck, self.drawn, self.all)?;
        if self.wrong > 0 {
            write!(f, " ({} WRONG)", self.wrong)?;
        }
        Ok(())
    }
}

type Coverage = BTreeMap<String, BTreeMap<String, Cell>>;

fn print(title: &str, coverage: &Coverage, took: Duration) {
    println!("\n{title}: struck / tried / sites × faults");
    let mut sum = Cell::default();
    for (row, kinds) in coverage {
        let cells: Vec<_> = kinds
            .iter()
            .map(|(kind, cell)| format!("{kind} {cell}"))
            .collect();
        kinds.values().for_each(|cell| sum += *cell);
        println!("  {row:22} {}", cells.join(", "));
    }
    println!(
        "  {:22} {sum}, {} wrong, {:.0} s",
        "in all",
        sum.wrong,
        took.as_secs_f64()
    );
}

async fn product(
    title: &str,
    ground: &Arc<Ground>,
    flow: Flow,
    clean: Summary,
    all: Vec<Injected>,
) -> Vec<String> {
    let full = std::env::var("RELIABILITY_FULL").is_ok();
    let seed = setting("RELIABILITY_SEED", 1);
    let only = std::env::var("RELIABILITY_ONLY").ok();
    let one_of = setting("RELIABILITY_ONE_OF", ONE_OF);
    let begun = Instant::now();
    let clean = Arc::new(clean);
    let mut coverage = Coverage::new();
    let mut cases = JoinSet::new();
    for injected in all {
        let (row, column) = injected.place();
        let cell = coverage.entry(row).or_default().entry(column).or_default();
        cell.all += 1;
        let name = format!("{title}: {}", injected.name());
        let drawn = match &only {
            Some(part) => name.contains(part.as_str()),
            None => full || draw(&name, seed).is_multiple_of(one_of),
        };
        if !drawn {
            continue;
        }
        cell.drawn += 1;
        let (ground, clean) = (ground.clone(), clean.clone());
        cases.spawn(async move {
            let _place = SIDE_BY_SIDE.acquire().await.unwrap();
            for _ in 1..TRIES {
                let (ground, clean) = (ground.clone(), clean.clone());
                let case = tokio::spawn(inject(ground, flow, injected.clone(), clean)).await;
                if !matches!(&case, Ok((different, false)) if different.is_empty()) {
                    return (name, injected, case);
                }
            }
            let case = tokio::spawn(inject(ground, flow, injected.clone(), clean));
            (name, injected, case.await)
        });
    }
    let (mut wrong, mut missed) = (Vec::new(), Vec::new());
    while let Some(done) = cases.join_next().await {
        let (name, injected, done) = done.unwrap();
        let (row, column) = injected.place();
        let cell = coverage.get_mut(&row).unwrap().get_mut(&column).unwrap();
        let before = wrong.len();
        match done {
            Ok((different, struck)) => {
                cell.struck += u32::from(struck);
                if !struck {
                    missed.push(name.clone());
                }
                if !different.is_empty() {
                    wrong.push(format!("{name}: {}", different.join("; ")));
                }
            }
            Err(panic) => wrong.push(format!("{name}: {panic}")),
        }
        cell.wrong += u32::from(wrong.len() > before);
    }
    print(title, &coverage, begun.elapsed());
    for name in &missed {
        println!("  did not happen: {name}");
    }
    let drawn: u32 = coverage
        .values()
        .flatten()
        .map(|(_, cell)| cell.drawn)
        .sum();
    if drawn >= 20 && missed.len() * 4 > drawn as usize {
        wrong.push(format!(
            "{title}: of {drawn} faults {} did not happen",
            missed.len()
        ));
    }
    wrong
}

fn judge(mut wrong: Vec<String>) {
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{} cases (seed {}):\n{}",
        wrong.len(),
        setting("RELIABILITY_SEED", 1),
        wrong.join("\n")
    );
}

/// Whether a call changes nothing. Its answer being lost is then the same as
/// its not being sent.
fn reads(site: &Site) -> bool {
    let operation = site.call.split(' ').nth(1).unwrap_or_default();
    let reads = ["Get", "BatchGet", "Query", "Scan", "Head", "List"];
    reads.iter().any(|read| operation.starts_with(read))
}

fn of_sites(sites: &[Site]) -> Vec<Injected> {
    let each = sites.iter().flat_map(|site| {
        let told = |kind: &Kind| !reads(site) || !matches!(kind, Kind::Lost | Kind::LostRepeated);
        let kinds = Kind::ALL.into_iter().filter(told);
        kinds.map(|kind| Injected::Aws(site.clone(), kind))
    });
    each.collect()
}

/// Requests to the provider: of each route those after the first ones.
fn of_routes(routes: &BTreeMap<Route, u64>, first: &BTreeMap<Route, u64>) -> Vec<Injected> {
    let mut all = Vec::new();
    for (route, count) in routes {
        let known = first.get(route).copied().unwrap_or(0);
        let reads = matches!(
            route,
            Route::FileGet
                | Route::FileList
                | Route::FileDownload
                | Route::BatchGet
                | Route::BatchList
        );
        for ordinal in known + 1..=*count {
            for kind in GEMINI_KINDS {
                // Again the same as not being carried out.
                if reads && ["lose_reply", "503 after commit"].contains(&kind) {
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
    let plain = recorded(&ground, Flow::Plain).await;
    println!("{} call sites", plain.sites.len());
    let all = of_sites(&plain.sites);
    judge(product("AWS", &ground, Flow::Plain, plain.summary, all).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_to_the_provider_may_fail() {
    let ground = Ground::start().await;
    let plain = recorded(&ground, Flow::Plain).await;
    let all = of_routes(&plain.routes, &BTreeMap::new());
    judge(product("Gemini", &ground, Flow::Plain, plain.summary, all).await);
}

/// A flow that is the plain one but for a part of it: what the plain one calls as
/// well is tried there.
async fn beside_the_plain_one(title: &str, flow: Flow) {
    let ground = Ground::start().await;
    let plain = recorded(&ground, Flow::Plain).await;
    let mut other = recorded(&ground, flow).await;
    other.sites.retain(|site| !plain.sites.contains(site));
    println!("{} more call sites", other.sites.len());
    let mut all = of_sites(&other.sites);
    all.extend(of_routes(&other.routes, &plain.routes));
    judge(product(title, &ground, flow, other.summary, all).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_making_a_batch_once_more_calls_may_fail() {
    beside_the_plain_one("Once more", Flow::Again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_waiting_for_admission_calls_may_fail() {
    beside_the_plain_one("Waiting", Flow::Waiting).await;
}

/// Cancelling, retrying, scoring anew, deleting, and finding out what became of a creation or
/// a collection that broke off: each from where it begins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_workflow_calls_may_fail() {
    let ground = Ground::start().await;
    let mut wrong = Vec::new();
    for flow in Flow::PARTS {
        let recorded = recorded(&ground, flow).await;
        let title = format!("{flow:?}");
        println!("{title}: {} call sites", recorded.sites.len());
        let mut all = of_sites(&recorded.sites);
        all.extend(of_routes(&recorded.routes, &BTreeMap::new()));
        wrong.extend(product(&title, &ground, flow, recorded.summary, all).await);
    }
    judge(wrong);
}
