//! Every call of every handler × every way it can fail, one at a time.

use crate::rig::{Case, Ground, Options};
use crate::state::Summary;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clean() {
    let ground = Ground::start().await;
    for _ in 0..2 {
    let begun = std::time::Instant::now();
    let case = Case::start(&ground, Options::default()).await;
    println!("started {:?}", begun.elapsed());
    let run = case.flow().await;
    println!("flow {:?}", begun.elapsed());
    let summary = Summary::of(&case, run).await;
    println!("{summary:#?}");
    let sites = case.sites();
    println!("{} sites", sites.len());
    let mut counts = std::collections::BTreeMap::<_, u32>::new();
    for s in &sites { *counts.entry((s.handler, s.call.clone())).or_default() += 1; }
    println!("{counts:#?}");
    println!("{:?}", case.sim.ledger().counts);
    case.end().await;
    println!("ended {:?}", begun.elapsed());
    }
}
