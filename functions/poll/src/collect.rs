//! Collection in two durable steps: land the raw output, then score it from
//! there. Either may be done again; the second never asks the provider.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{Ending, Event, Unit, UnitState};
use stt_eval_shared::domain::{ResultId, Timestamp};
use stt_eval_shared::metrics;
use stt_eval_shared::objects::{ObjectError, run_prefix};
use stt_eval_shared::providers::{BatchProvider, CallError, ItemOutcome, OutputLine};
use tokio::io::AsyncBufRead;

use super::lines::{Line, MAX_LINE, next};
use super::outcomes::{Failed, Scoring, bounded_beside};
use super::pass::Pass;
use super::record::Collected;
use super::{Access, Failure, access, client, discard, save, units};

/// Whether somebody may have begun to collect the unit before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// This is the first time: nothing has landed.
    Nobody,
    /// A collection broke off; what it landed is read again.
    Somebody,
}

/// Raw output that has landed: where it lies, and what it is if it is small.
struct Landed {
    key: String,
    whole: Option<Bytes>,
}

/// Collects a unit that is in `collecting`.
pub(crate) async fn collect(
    app: &App,
    pass: &Pass,
    unit: Unit,
    earlier: Earlier,
) -> Result<(), Failure> {
    let UnitState::Collecting { ending, fence, .. } = unit.state.clone() else {
        return Ok(());
    };
    let run = app.store.run(&unit.project, unit.run).await?;
    let Some(run) = run.filter(|run| run.counts(unit.key)) else {
        return save(app, &unit, Event::Cancel).await.map(drop);
    };
    let opened = match &unit.credential {
        Some(id) => access(app, &unit.project, &unit.provider, id).await?,
        None => None,
    };
    let (items, reason) = match &ending {
        Ending::Nothing {
            code,
            message,
            retryable,
        } => (
            HashMap::new(),
            Failed {
                code: code.clone(),
                message: message.clone(),
                retryable: *retryable,
            },
        ),
        Ending::Output { output } => {
            match land(app, &run, &unit, output, opened.as_ref(), earlier).await? {
                Some(Landed { key, whole }) => {
                    (read(app, &unit, &key, whole).await?, Failed::missing())
                }
                None => (HashMap::new(), Failed::gone()),
            }
        }
    };
    let samples = pass.chunks.of(app, &unit, run.dataset).await?;
    let outcomes = Scoring::new(&run, &unit)?.outcomes(&samples, items, &reason);
    app.store
        .write_outcomes(&unit.project, &outcomes.outcomes)
        .await?;
    // Before the unit is done: who dies in between collects again, from what has
    // landed. Afterwards nobody would come back for what is left.
    let unit = forget(app, &unit, &ending, opened.as_ref()).await?;
    let codes = outcomes.outcomes.into_iter().filter_map(|o| o.error_code);
    let collected = Collected {
        fence,
        seen: run,
        tally: outcomes.tally,
        codes: codes.collect(),
        unit,
    };
    pass.recorder.record(app, collected).await
}

/// Where the raw output of a unit's last attempt lies.
pub(crate) fn raw_key(unit: &Unit) -> String {
    format!(
        "{}{}/a{}/output.jsonl",
        run_prefix(&unit.project, unit.run),
        unit.key,
        unit.attempt
    )
}

/// Lands the raw output. `None` when the provider has none.
async fn land(
    app: &App,
    run: &Run,
    unit: &Unit,
    output: &str,
    access: Option<&Access>,
    earlier: Earlier,
) -> Result<Option<Landed>, Failure> {
    let key = raw_key(unit);
    if earlier == Earlier::Somebody {
        match app.objects.head(&key, None).await {
            Ok(_) => return Ok(Some(Landed { key, whole: None })),
            Err(ObjectError::Missing) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let Some(access) = access else {
        return Ok(None);
    };
    // The provider may come to itself, and new credentials may come; but nobody
    // waits longer than two batches and then an output can take.
    let waited = Timestamp::now().since(run.inserted_at.max(unit.ready_at));
    let hopeless = waited >= app.config.policy.batch() * 3;
    let client = client(app, &unit.provider)?;
    let stream = match client.download(&access.credential, output).await {
        Ok(stream) => stream,
        // A twin may have landed it meanwhile, and had it deleted.
        Err(error) if units::is_unknown(&error) => {
            return match app.objects.head(&key, None).await {
                Ok(_) => Ok(Some(Landed { key, whole: None })),
                Err(ObjectError::Missing) if access.replaced && !hopeless => Err(error.into()),
                Err(ObjectError::Missing) => Ok(None),
                Err(error) => Err(error.into()),
            };
        }
        Err(error) if hopeless => {
            tracing::error!(run_id = %unit.run, unit_id = %unit.key, %error, "an output is given up");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let landed = app
        .objects
        .put_stream(&key, "application/jsonl", stream)
        .await?;
    tracing::info!(
        run_id = %unit.run, unit_id = %unit.key, attempt = unit.attempt,
        bytes = landed.length, sha256 = %landed.sha256, "an output was landed"
    );
    Ok(Some(Landed {
        key,
        whole: landed.whole,
    }))
}

/// Reads landed output by key: its bytes where they are known, else the object.
pub(crate) async fn read(
    app: &App,
    unit: &Unit,
    key: &str,
    whole: Option<Bytes>,
) -> Result<HashMap<ResultId, ItemOutcome>, Failure> {
    match whole {
        Some(bytes) => lines_of(app, unit, &*bytes).await,
        None => lines_of(app, unit, app.objects.reader(key).await?).await,
    }
}

/// The first line of a key counts; lines of unknown keys and unreadable ones are
/// counted and told.
async fn lines_of<R: AsyncBufRead + Unpin>(
    app: &App,
    unit: &Unit,
    mut reader: R,
) -> Result<HashMap<ResultId, ItemOutcome>, Failure> {
    let client: &dyn BatchProvider = client(app, &unit.provider)?;
    let wanted: BTreeSet<ResultId> = unit
        .positions()
        .map(|position| ResultId::new(unit.run, unit.key.provider, position))
        .collect();
    let mut items = HashMap::new();
    let (mut unknown, mut repeated, mut malformed) = (0u32, 0u32, 0u32);
    while let Some(line) = next(&mut reader, MAX_LINE).await? {
        let Line::Whole(line) = line else {
            malformed += 1;
            continue;
        };
        match client.parse_line(&line) {
            OutputLine::Blank => {}
            OutputLine::Malformed { .. } => malformed += 1,
            OutputLine::Item { key, outcome } => {
                match key
                    .parse::<ResultId>()
                    .ok()
                    .filter(|id| wanted.contains(id))
                {
                    None => unknown += 1,
                    Some(id) if items.contains_key(&id) => repeated += 1,
                    Some(id) => {
                        // At once: all of them are in memory together.
                        items.insert(id, bounded_beside(outcome, 0));
                    }
                }
            }
        }
    }
    // Replayed outputs were counted when they came.
    if unknown > 0 && matches!(unit.state, UnitState::Collecting { .. }) {
        let (project, run, key) = (&unit.project, unit.run, unit.key);
        metrics::odd(metrics::UNKNOWN_KEYS, project, run, key, unknown as usize);
    }
    if unknown + repeated + malformed > 0 {
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, unknown, repeated, malformed, "an output has odd lines");
    }
    Ok(items)
}

/// Forgets what the provider keeps for the unit; gives it without the batches
/// that are gone. The outcomes are safe, so a failure here is only told: what is
/// left is found by the audit of the credential.
async fn forget(
    app: &App,
    unit: &Unit,
    ending: &Ending,
    access: Option<&Access>,
) -> Result<Unit, Failure> {
    let Some(Access {
        credential,
        replaced,
    }) = access
    else {
        return Ok(unit.clone());
    };
    let client = client(app, &unit.provider)?;
    let told = |error: CallError| {
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "something stays at the provider for now");
    };
    if let (Some(batch), Ending::Output { output }) = (unit.batch(), ending) {
        let files = unit.batch_input.iter().chain([output]).cloned().collect();
        let gone = match discard::over(client, credential, batch, files).await {
            // Gone, or not to be seen with this key.
            Ok(()) if *replaced => unit.clone(),
            Ok(()) => unit.without(&[batch.to_owned()]),
            Err(error) => {
                told(error);
                unit.clone()
            }
        };
        return discard::batches_of(app, &gone, Some(batch)).await;
    }
    if let Some(input) = &unit.batch_input
        && let Err(error) = client.delete_file(credential, input).await
    {
        told(error);
    }
    discard::batches_of(app, unit, None).await
}
