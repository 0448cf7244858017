//! Vendors of jobs beside Gemini: what one unit asks of them is several requests, and
//! whatever goes wrong between those, nothing is paid for twice and nothing is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use speech_sim::{Charge, Fault, SpeechSim};
use stt_eval_shared::domain::RunId;
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::fault::{Kind, Site};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::calls::{ITEMS, SIDE_BY_SIDE, draw, outcomes, told};
use crate::draw::setting;
use crate::rig::{Case, Ground, Options, TEXTS};

/// Models, and what their credentials are kept for.
const MODELS: [(&str, &str); 3] = [
    ("sarvam/saaras-v4-verbatim", "sarvam"),
    ("assemblyai/universal-2", "assemblyai"),
    // Asked with the functions' role: its calls are among those of AWS that fail.
    ("aws/transcribe", BY_ROLE),
];
const BY_ROLE: &str = "aws";
/// Of so many cases one is drawn by default; `RELIABILITY_ONE_OF` says otherwise, and
/// `RELIABILITY_FULL=1` tries all.
const ONE_OF: u64 = 48;

/// A case and the vendors of it.
struct Place {
    case: Case,
    speech: SpeechSim,
}

impl Place {
    async fn start(ground: &Arc<Ground>, repeats: bool) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let bucket = ground.cloud.s3_client();
        let speech = SpeechSim::start_over(listener, Some(bucket)).await.unwrap();
        let urls = speech.vendor_urls().into_iter();
        let urls: Vec<String> = urls
            .map(|(vendor, url)| format!("{vendor}={url}"))
            .collect();
        // For as long as the test lives, as options have it.
        let urls: &'static str = urls.join(",").leak();
        let options = Options {
            repeats,
            settings: vec![("PROVIDER_URLS", urls), ("ROLE_PROVIDERS", BY_ROLE)],
            ..Options::default()
        };
        let case = Case::start(ground, options).await;
        for (_, vendor) in MODELS.into_iter().filter(|(_, vendor)| *vendor != BY_ROLE) {
            case.credential(vendor, case.account()).await;
        }
        for (number, text) in (1u32..).zip(TEXTS) {
            speech.record(&sha256(&wav(number, 0.1)), text);
        }
        Self { case, speech }
    }

    async fn run(&self, model: &str) -> RunId {
        let dataset = self.case.dataset().await;
        self.case.injector.restart();
        self.case.run(&dataset, &[model]).await
    }

    /// Everything was heard, and paid for once.
    async fn is_whole(&self, run: RunId, name: &str) {
        let outcomes = outcomes(&self.case, run).await;
        assert_eq!(told(&outcomes), (ITEMS, BTreeMap::new()), "{name}");
        let mut paid: Vec<Charge> = self.speech.ledger().charges;
        assert_eq!(paid.len(), ITEMS, "{name}: {paid:?}");
        paid.sort();
        paid.dedup();
        assert_eq!(paid.len(), ITEMS, "{name}: twice");
    }

    async fn end(self) {
        self.case.end().await;
        self.speech.shutdown().await;
    }
}

/// Every call of the functions to AWS in a run of jobs, each failing in every way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_aws_call_in_a_run_of_several_jobs_may_fail() {
    let ground = Ground::start().await;
    let full = std::env::var("RELIABILITY_FULL").is_ok();
    let seed = setting("RELIABILITY_SEED", 1);
    let one_of = setting("RELIABILITY_ONE_OF", ONE_OF);
    let (mut all, mut cases) = (0, JoinSet::new());
    for (model, vendor) in MODELS {
        // Of what is asked by role the calls that are the vendor's; the others are alike.
        let by_role = vendor == BY_ROLE;
        let one_of = if by_role { one_of.div_ceil(6) } else { one_of };
        let place = Place::start(&ground, false).await;
        let run = place.run(model).await;
        place.case.settle().await;
        place.is_whole(run, model).await;
        let sites = place.case.sites();
        place.end().await;
        for site in sites {
            if by_role && !full && !site.call.starts_with("transcribe ") {
                continue;
            }
            for kind in Kind::ALL {
                all += 1;
                let name = format!("{model}: {site} × {kind:?}");
                if !full && !draw(&name, seed).is_multiple_of(one_of) {
                    continue;
                }
                let (ground, site) = (ground.clone(), site.clone());
                cases.spawn(async move {
                    let _place = SIDE_BY_SIDE.acquire().await.unwrap();
                    with_fault(&ground, model, site, kind, &name).await
                });
            }
        }
    }
    let (tried, mut struck) = (cases.len(), 0);
    while let Some(done) = cases.join_next().await {
        struck += usize::from(done.unwrap());
    }
    println!("{all} sites × faults, {tried} tried, {struck} struck");
    // How often is polled differs from case to case, so some never happen.
    assert!(
        tried < 20 || struck * 3 > tried,
        "{struck} of {tried} faults happened"
    );
}

/// Whether the fault happened.
async fn with_fault(ground: &Arc<Ground>, model: &str, site: Site, kind: Kind, name: &str) -> bool {
    let place = Place::start(ground, kind.repeats()).await;
    let dataset = place.case.dataset().await;
    place.case.injector.restart();
    place.case.injector.arm(site, kind);
    let run = place.case.run(&dataset, &[model]).await;
    place.case.settle().await;
    let struck = place.case.injector.struck();
    place.is_whole(run, name).await;
    place.end().await;
    struck
}

/// A worker that dies after what it has paid for, before it hears of it: what is there is
/// found, by a job's id or by an upload.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_between_the_requests_of_a_unit_costs_nothing() {
    let ground = Ground::start().await;
    for (model, vendor) in MODELS {
        let place = Arc::new(Place::start(&ground, false).await);
        place.speech.fault(vendor, Fault::Silence);
        let run = place.run(model).await;
        let watch = tokio::spawn({
            let place = place.clone();
            async move {
                while place.speech.ledger().charges.is_empty() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                place.case.injector.crash();
            }
        });
        place.case.settle().await;
        watch.await.unwrap();
        place.is_whole(run, model).await;
    }
}
