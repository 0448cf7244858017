//! Schedule → collect, score, finish, sweep.
//!
//! Each invocation asks the due indexes what there is to do and does it in
//! pieces, each of which may fail, be interrupted or be done by two at once
//! without harm. What is not reached stays due.

mod audit;
mod chunks;
mod clear;
mod collect;
mod credential;
mod discard;
mod lines;
mod operator;
mod outcomes;
mod pass;
mod record;
mod replay;
mod rescore;
mod room;
mod sweep;
mod together;
mod units;

use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use pass::Pass;
use stt_eval_shared::access::credentials::VaultError;
use stt_eval_shared::access::{NoRandomness, random};
use stt_eval_shared::domain::unit::{Effect, Event, Step, Unit};
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::metrics;
use stt_eval_shared::objects::ObjectError;
use stt_eval_shared::providers::{BatchProvider, CallError, Credential};
use stt_eval_shared::queue::QueueError;
use stt_eval_shared::registration::RegisterError;
use stt_eval_shared::store::Store;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::due::{Due, DueTable};
use stt_eval_shared::store::row;
use stt_eval_shared::store::units::UnitsKey;
use stt_eval_shared::{App, Deadline};
use tracing::Instrument;

use discard::Discarded;

/// A piece of work could not be done now. It stays due.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The provider.
    #[error(transparent)]
    Provider(#[from] CallError),
    /// Registration.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// No claims can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// Reading landed output broke off.
    #[error("landed output: {0}")]
    Output(#[from] std::io::Error),
    /// The function is not set up for it, or data names what is unknown here.
    #[error("{0}")]
    Setup(&'static str),
}

/// Items to a page of a due index.
const PAGE: i32 = 100;
/// Pieces under way at once in each shard of each table: one that waits for a
/// slow provider does not hold up the others.
const AT_ONCE: usize = 4;
/// Least time that must be left to begin another piece.
const NEEDED: Duration = Duration::from_secs(10);

/// Handles a schedule event, whose payload carries nothing that is needed, so
/// anything will do and nothing is answered; or the request of an operator
/// (see `operator`), which is answered.
pub async fn handle(event: serde_json::Value, app: &App, deadline: Deadline) -> serde_json::Value {
    // In boxes that hide what they are: the type of all that there may be to do
    // is so deep that the compiler gives up on it.
    if let Some(request) = operator::request(&event) {
        let answer: BoxFuture<'_, serde_json::Value> =
            Box::pin(operator::handle(request, app, deadline));
        return answer.await;
    }
    let cycle: BoxFuture<'_, ()> = Box::pin(sweep(app, deadline));
    cycle.await;
    serde_json::Value::Null
}

/// One cycle: everything that is due, for as long as time allows. All tables at
/// once, so that none waits for the backlog of another.
async fn sweep(app: &App, deadline: Deadline) {
    let tables = [
        DueTable::Runs,
        DueTable::Units,
        DueTable::Files,
        DueTable::Datasets,
    ];
    let pass = Pass::default();
    let shards = tables.into_iter().flat_map(|table| {
        let pass = &pass;
        row::due_shards().map(move |shard| async move {
            if let Err(error) = sweep_shard(app, table, shard, deadline, pass).await {
                tracing::error!(?table, %error, "what is due could not be read");
                pass.note(|cycle| cycle.errors += 1);
            }
        })
    });
    futures::future::join_all(shards).await;
    pass.note(|cycle| metrics::polled(cycle));
}

/// Does all that is due in one shard, page by page, for as long as time allows.
/// What fails stays due, and is not tried again by this invocation.
async fn sweep_shard(
    app: &App,
    table: DueTable,
    shard: String,
    deadline: Deadline,
    pass: &Pass,
) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let mut after = None;
    loop {
        let (page, next) = app.store.due(table, &shard, now, PAGE, after).await?;
        if let Some(first) = page.first() {
            let overdue = now.since(first.at);
            pass.note(|cycle| cycle.most_overdue = cycle.most_overdue.max(overdue));
        }
        let mut pieces = Vec::with_capacity(page.len());
        for item in page {
            pieces.push(try_piece(app, table, item, deadline, pass));
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
async fn try_piece(app: &App, table: DueTable, item: Due, deadline: Deadline, pass: &Pass) {
    if !deadline.allows(NEEDED) {
        return;
    }
    let work = async {
        if let Err(error) = piece(app, table, &item, deadline, pass).await {
            pass.note(|cycle| cycle.errors += 1);
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
    pass: &'a Pass,
) -> BoxFuture<'a, Result<(), Failure>> {
    match table {
        DueTable::Units => match Store::parse_units_key(&item.pk, &item.sk) {
            Some(UnitsKey::Unit(project, run, key)) => {
                Box::pin(async move { units::due(app, pass, &project, run, key, deadline).await })
            }
            Some(UnitsKey::Poll(project, provider, credential)) => Box::pin(async move {
                credential::poll(app, pass, &project, &provider, &credential, deadline).await
            }),
            Some(UnitsKey::Room(project, provider, credential)) => Box::pin(async move {
                room::tend(app, &project, &provider, &credential, deadline).await
            }),
            None => {
                let unknown = Failure::Setup("a due unit has an unknown key");
                Box::pin(std::future::ready(Err(unknown)))
            }
        },
        DueTable::Runs => Box::pin(sweep::run(app, &item.pk, &item.sk, deadline, pass)),
        DueTable::Files => Box::pin(sweep::file(app, &item.pk, &item.sk)),
        DueTable::Datasets => Box::pin(clear::dataset(app, &item.pk, &item.sk, deadline)),
    }
}

fn project(pk: &str) -> Result<ProjectId, Failure> {
    pk.parse()
        .map_err(|_| Failure::Setup("a due item belongs to no project"))
}

/// A project's credential for a provider.
pub(crate) struct Access {
    pub(crate) credential: Credential,
    /// It is not the one that was asked for: that one was replaced. Usually the
    /// new key belongs to the same account at the provider, but nothing says so:
    /// what is not visible with it may well be there.
    pub(crate) replaced: bool,
}

impl Access {
    /// Whether the provider says that there is no such thing, and would know.
    pub(crate) fn proves_absence(&self, error: &CallError) -> bool {
        units::is_unknown(error) && !self.replaced
    }
}

/// Opens a project's credential for a provider. `None` when it was removed: what
/// was made with it is out of reach.
pub(crate) async fn access(
    app: &App,
    project: &ProjectId,
    provider: &str,
    id: &str,
) -> Result<Option<Access>, Failure> {
    let vault = app
        .vault
        .as_ref()
        .ok_or(Failure::Setup("KMS_KEY_ID or KEY_FILE is not set"))?;
    let Some(sealed) = app.store.credential(project, provider).await? else {
        return Ok(None);
    };
    let mut credential = vault.open(project, &sealed).await?;
    let replaced = credential.id != id;
    credential.id = id.to_owned();
    Ok(Some(Access {
        credential,
        replaced,
    }))
}

/// The same for what may be tried with whatever key there is now.
async fn credential(
    app: &App,
    project: &ProjectId,
    provider: &str,
    id: &str,
) -> Result<Option<Credential>, Failure> {
    let access = access(app, project, provider, id).await?;
    Ok(access.map(|access| access.credential))
}

fn client<'a>(app: &'a App, provider: &str) -> Result<&'a dyn BatchProvider, Failure> {
    app.batch_provider(provider)
        .ok_or(Failure::Setup("a unit's provider is unknown here"))
}

fn fence() -> Result<u64, Failure> {
    // 53 bits: what every number format on the way holds exactly.
    Ok(u64::from_be_bytes(random::<8>()?) >> 11)
}

/// Saves a step and does its effects. `None` when somebody else was faster:
/// the work is theirs.
async fn save(app: &App, unit: &Unit, event: Event) -> Result<Option<Unit>, Failure> {
    match make(app, unit, event).await? {
        Some(next) => saved(app.store.save_unit(&next).await, next),
        None => Ok(None),
    }
}

/// The same, in one write with whatever else this invocation saves just then.
async fn save_along(
    app: &App,
    pass: &Pass,
    unit: &Unit,
    event: Event,
) -> Result<Option<Unit>, Failure> {
    match make(app, unit, event).await? {
        Some(next) => saved(pass.writer.save(app, &next).await, next),
        None => Ok(None),
    }
}

fn saved(result: Result<(), StoreError>, unit: Unit) -> Result<Option<Unit>, Failure> {
    match result {
        Ok(()) => Ok(Some(unit)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes a step and does its effects; what it leads to is still to be saved.
async fn make(app: &App, unit: &Unit, event: Event) -> Result<Option<Unit>, Failure> {
    let now = Timestamp::now();
    let Ok(Step {
        unit: next,
        effects,
    }) = unit.step(event, now, &app.config.policy)
    else {
        return Ok(None);
    };
    // Effects first: each may be repeated, and one that fails leaves the unit
    // where it was, to be done again.
    for effect in effects {
        match effect {
            // A second batch of an intent costs as long as it runs. One that is
            // given up was told to stop again and again before.
            Effect::CancelBatch(batch) if unit.is_sought(now, &app.config.policy) => {
                cancel_batch(app, unit, &batch).await?;
            }
            Effect::CancelBatch(batch) => try_to_cancel(app, unit, &batch).await?,
            Effect::DeleteInput(name) => delete_input(app, unit, &name).await?,
        }
    }
    if next.is_done() {
        room::leave(app, unit).await?;
    }
    Ok(Some(next))
}

/// Deletes a request document that no batch reads any more.
async fn delete_input(app: &App, unit: &Unit, name: &str) -> Result<(), Failure> {
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(credential) = credential(app, &unit.project, &unit.provider, id).await? else {
        return Ok(());
    };
    match client(app, &unit.provider)?
        .delete_file(&credential, name)
        .await
    {
        // The provider forgets by itself after two days.
        Err(error) if units::is_unauthorized(&error) => Ok(()),
        deleted => Ok(deleted?),
    }
}

/// Stops a batch. Its request document stays: another batch of the unit, the
/// one that counts, may still be read from it.
async fn cancel_batch(app: &App, unit: &Unit, batch: &str) -> Result<(), Failure> {
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(credential) = credential(app, &unit.project, &unit.provider, id).await? else {
        return Ok(());
    };
    match client(app, &unit.provider)?
        .cancel(&credential, batch)
        .await
    {
        // Nobody can stop it any more; waiting for that would help nobody.
        Err(error) if units::is_unauthorized(&error) => {
            tracing::error!(run_id = %unit.run, unit_id = %unit.key, "a batch can't be stopped: the credentials are refused");
            Ok(())
        }
        stopped => Ok(stopped?),
    }
}

/// The same where nothing depends on it: that the provider fails is only told,
/// for the audit of the credential tries again.
async fn try_to_cancel(app: &App, unit: &Unit, batch: &str) -> Result<(), Failure> {
    match cancel_batch(app, unit, batch).await {
        Err(Failure::Provider(error)) => {
            tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch was not told to stop");
            Ok(())
        }
        other => other,
    }
}

/// Stops the batch of a unit that is given up, and forgets what was made for it;
/// gives the unit without what is gone. What is not over yet is deleted later; so
/// is, when there is no more `patience`, what the provider fails to stop.
async fn cancel(app: &App, unit: &Unit, batch: &str, patience: bool) -> Result<Unit, Failure> {
    match stopped(app, unit, batch).await {
        Err(Failure::Provider(error)) if !patience => {
            tracing::error!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch is left to the audit: it can't be stopped");
            Ok(unit.clone())
        }
        stopped => stopped,
    }
}

async fn stopped(app: &App, unit: &Unit, batch: &str) -> Result<Unit, Failure> {
    cancel_batch(app, unit, batch).await?;
    let Some(id) = unit.credential.as_deref() else {
        return Ok(unit.clone());
    };
    let (project, provider) = (&unit.project, &*unit.provider);
    room::leave(app, unit).await?;
    let Some(access) = access(app, project, provider, id).await? else {
        return Ok(unit.clone());
    };
    let credential = &access.credential;
    let client = client(app, provider)?;
    if let Some(name) = &unit.batch_input {
        match client.delete_file(credential, name).await {
            Err(error) if units::is_unauthorized(&error) => {}
            deleted => deleted?,
        }
    }
    // It may have ended before it could be stopped: what came of it goes, too.
    match discard::batch(app, client, credential, batch, None).await {
        Ok(Discarded::Unknown) if access.replaced => Ok(unit.clone()),
        Ok(Discarded::Gone | Discarded::Unknown) => {
            let gone = unit.without(&[batch.to_owned()]);
            discard::batches_of(app, &gone, None).await
        }
        Ok(Discarded::Open) => discard::batches_of(app, unit, Some(batch)).await,
        Err(error) if units::is_unauthorized(&error) => Ok(unit.clone()),
        Err(error) => Err(error.into()),
    }
}
