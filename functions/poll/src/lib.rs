//! Schedule → collect, score, finish, sweep.
//!
//! Each invocation asks the due indexes what there is to do and does it in
//! pieces, each of which may fail, be interrupted or be done by two at once
//! without harm. What is not reached stays due.

mod clear;
mod collect;
mod credential;
mod lines;
mod sweep;
mod units;

use std::time::Duration;

use stt_eval_shared::access::credentials::VaultError;
use stt_eval_shared::access::{NoRandomness, random};
use stt_eval_shared::domain::unit::{Effect, Event, Step, Unit};
use stt_eval_shared::domain::{ProjectId, Timestamp};
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
/// Least time that must be left to begin another piece.
const NEEDED: Duration = Duration::from_secs(10);

/// Handles a schedule event. Its payload carries nothing that is needed, so
/// anything will do.
pub async fn handle(_event: serde_json::Value, app: &App, deadline: Deadline) {
    let tables = [
        DueTable::Units,
        DueTable::Runs,
        DueTable::Files,
        DueTable::Datasets,
    ];
    for table in tables {
        let shards = row::due_shards().map(|shard| sweep_shard(app, table, shard, deadline));
        for swept in futures::future::join_all(shards).await {
            if let Err(error) = swept {
                tracing::error!(?table, %error, "what is due could not be read");
            }
        }
    }
}

/// Does all that is due in one shard, page by page, for as long as time allows.
/// What fails stays due, and is not tried again by this invocation.
async fn sweep_shard(
    app: &App,
    table: DueTable,
    shard: String,
    deadline: Deadline,
) -> Result<(), StoreError> {
    let now = Timestamp::now();
    let mut after = None;
    loop {
        let (page, next) = app.store.due(table, &shard, now, PAGE, after).await?;
        for item in page {
            if !deadline.allows(NEEDED) {
                return Ok(());
            }
            if let Err(error) = piece(app, table, &item, deadline).await {
                tracing::warn!(?table, pk = %item.pk, sk = %item.sk, %error, "a piece of work failed and stays due");
            }
        }
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn piece(app: &App, table: DueTable, item: &Due, deadline: Deadline) -> Result<(), Failure> {
    match table {
        DueTable::Units => match Store::parse_units_key(&item.pk, &item.sk) {
            Some(UnitsKey::Unit(project, run, key)) => units::due(app, &project, run, key).await,
            Some(UnitsKey::Poll(project, provider, credential)) => {
                credential::poll(app, &project, &provider, &credential, deadline).await
            }
            None => Err(Failure::Setup("a due unit has an unknown key")),
        },
        DueTable::Runs => sweep::run(app, &item.pk, &item.sk, deadline).await,
        DueTable::Files => sweep::file(app, &item.pk, &item.sk).await,
        DueTable::Datasets => clear::dataset(app, &item.pk, &item.sk, deadline).await,
    }
}

fn project(pk: &str) -> Result<ProjectId, Failure> {
    pk.parse()
        .map_err(|_| Failure::Setup("a due item belongs to no project"))
}

/// Opens a project's credential for a provider. `None` when it was removed or
/// replaced by another: what was made with it is out of reach.
async fn credential(
    app: &App,
    project: &ProjectId,
    provider: &str,
    id: &str,
) -> Result<Option<Credential>, Failure> {
    let vault = app
        .vault
        .as_ref()
        .ok_or(Failure::Setup("KMS_KEY_ID or KEY_FILE is not set"))?;
    let Some(sealed) = app.store.credential(project, provider).await? else {
        return Ok(None);
    };
    let mut credential = vault.open(project, &sealed).await?;
    // A replaced key usually belongs to the same account at the provider; what
    // is not visible with it answers "not found".
    credential.id = id.to_owned();
    Ok(Some(credential))
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
    let Ok(Step {
        unit: next,
        effects,
    }) = unit.step(event, Timestamp::now(), &app.config.policy)
    else {
        return Ok(None);
    };
    // Effects first: each may be repeated, and one that fails leaves the unit
    // where it was, to be done again.
    for effect in effects {
        match effect {
            Effect::CancelBatch(batch) => cancel(app, unit, &batch).await?,
        }
    }
    match app.store.save_unit(&next).await {
        Ok(()) => Ok(Some(next)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Stops a batch and forgets its request document.
async fn cancel(app: &App, unit: &Unit, batch: &str) -> Result<(), Failure> {
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(credential) = credential(app, &unit.project, &unit.provider, id).await? else {
        return Ok(());
    };
    let client = client(app, &unit.provider)?;
    client.cancel(&credential, batch).await?;
    if let Some(input) = &unit.batch_input {
        client.delete_file(&credential, input).await?;
    }
    Ok(())
}
