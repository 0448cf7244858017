//! One cycle of the schedule: everything that is due, for as long as time allows.

use futures::StreamExt as _;
use futures::future::BoxFuture;
use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::store::due::{Due, DueTable};
use stt_eval_shared::store::units::UnitsKey;
use stt_eval_shared::store::{Store, StoreError, row};
use stt_eval_shared::{App, Deadline};
use tracing::Instrument as _;

use super::account::{audio, poll};
use super::cycle::Cycle;
use super::failure::{Failure, NEEDED};
use super::{datasets, files, runs, units};

/// Items to a page of a due index.
const PAGE: i32 = 100;

/// Pieces under way at once in each shard of each table: one that waits for a
/// slow provider does not hold up the others.
const AT_ONCE: usize = 4;

/// One cycle: everything that is due, for as long as time allows. All tables at
/// once, so that none waits for the backlog of another.
pub(crate) async fn sweep(app: &App, deadline: Deadline) {
    let tables = [
        DueTable::Runs,
        DueTable::Units,
        DueTable::Files,
        DueTable::Datasets,
    ];
    let cycle = Cycle::default();
    let shards = tables.into_iter().flat_map(|table| {
        let cycle = &cycle;
        row::due_shards().map(move |shard| async move {
            if let Err(error) = sweep_shard(app, table, shard, deadline, cycle).await {
                tracing::error!(?table, %error, "what is due could not be read");
                cycle.note(|figures| figures.errors += 1);
            }
        })
    });
    futures::future::join_all(shards).await;
    cycle.note(|figures| cloudwatch::polled(figures));
}

/// Does all that is due in one shard, page by page, for as long as time allows.
/// What fails stays due, and is not tried again by this invocation.
async fn sweep_shard(
    app: &App,
    table: DueTable,
    shard: String,
    deadline: Deadline,
    cycle: &Cycle,
) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let mut after = None;
    loop {
        let (page, next) = app.store.due(table, &shard, now, PAGE, after).await?;
        if let Some(first) = page.first() {
            let overdue = now.since(first.at);
            cycle.note(|figures| figures.most_overdue = figures.most_overdue.max(overdue));
        }
        let mut pieces = Vec::with_capacity(page.len());
        for item in page {
            pieces.push(try_piece(app, table, item, deadline, cycle));
        }
        futures::stream::iter(pieces)
            .buffer_unordered(AT_ONCE)
            .collect::<()>()
            .await;
        after = next;
        if after.is_none() || !deadline.allows(NEEDED) {
            return Ok(());
        }
    }
}

/// One piece of work, if there is time for it.
async fn try_piece(app: &App, table: DueTable, item: Due, deadline: Deadline, cycle: &Cycle) {
    if !deadline.allows(NEEDED) {
        return;
    }
    let work = async {
        if let Err(error) = piece(app, table, &item, deadline, cycle).await {
            cycle.note(|figures| figures.errors += 1);
            tracing::warn!(%error, "a piece of work failed and stays due");
        }
    };
    work.instrument(span(table, &item)).await;
}

/// Gives every line of a piece of work the ids that it is about.
fn span(table: DueTable, item: &Due) -> tracing::Span {
    let (project, run) = match item.pk.split_once('#') {
        Some((project, run)) => (project, Some(run)),
        None => (
            &*item.pk,
            item.sk.rsplit('#').find(|part| part.starts_with("run_")),
        ),
    };
    // What lies in a run's own partition is a unit of it.
    let unit = run.filter(|_| item.pk.contains('#')).map(|_| &*item.sk);
    tracing::info_span!("due", ?table, item = %item.sk, project_id = project, run_id = run, unit_id = unit)
}

/// One piece of work, in a box as well.
fn piece<'a>(
    app: &'a App,
    table: DueTable,
    item: &'a Due,
    deadline: Deadline,
    cycle: &'a Cycle,
) -> BoxFuture<'a, Result<(), Failure>> {
    match table {
        DueTable::Units => {
            match Store::parse_units_key(&item.pk, &item.sk) {
                Some(UnitsKey::Unit(project, run, key)) => Box::pin(async move {
                    units::due::due(app, cycle, &project, run, key, deadline).await
                }),
                Some(UnitsKey::Poll(project, provider, credential)) => Box::pin(async move {
                    poll::poll(app, cycle, &project, &provider, &credential, deadline).await
                }),
                Some(UnitsKey::Admission(project, provider, credential)) => Box::pin(async move {
                    audio::tend(app, &project, &provider, &credential, deadline).await
                }),
                None => {
                    let unknown = Failure::Setup("a due unit has an unknown key");
                    Box::pin(std::future::ready(Err(unknown)))
                }
            }
        }
        DueTable::Runs => Box::pin(runs::due::run(app, &item.pk, &item.sk, deadline, cycle)),
        DueTable::Files => Box::pin(files::due(app, &item.pk, &item.sk)),
        DueTable::Datasets => Box::pin(datasets::due(app, &item.pk, &item.sk, deadline)),
    }
}
