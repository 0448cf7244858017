//! Collection in two durable steps: land the raw output, then score it from
//! there. Either may be done again; the second never asks the provider.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use stt_eval_shared::App;
use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{Ending, Event, Fate, Unit, UnitKind, UnitState};
use stt_eval_shared::domain::{ResultId, Timestamp};
use stt_eval_shared::objects::{ObjectError, raw_key};
use stt_eval_shared::providers::{CallError, OutputLine};
use stt_eval_shared::store::calls::AnswersFrom;
use stt_eval_shared::work::account::{Access, UNKNOWN_VENDOR, access, client};
use stt_eval_shared::work::step::save;
use tokio::io::AsyncBufRead;

use super::imported;
use super::lines::{Line, MAX_LINE, next};
use super::outcomes::{ItemLine, NoLine, UnitScorer, bounded_beside};
use super::record::Collected;
use crate::cycle::Cycle;
use crate::discard;
use crate::failure::Failure;

/// Whether a collection of the unit may have begun before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    /// This is the first one: nothing has landed.
    First,
    /// One broke off; what it landed is read again.
    Resumed,
}

/// Raw output that has landed: where it lies, and what it is if it is small.
struct Landed {
    key: String,
    whole: Option<Bytes>,
}

/// Collects a unit that is in `collecting`. In a box: many ways lead here, and each
/// would carry all of it.
pub(crate) fn collect<'a>(
    app: &'a App,
    cycle: &'a Cycle,
    unit: Unit,
    collection: Collection,
) -> BoxFuture<'a, Result<(), Failure>> {
    Box::pin(collected(app, cycle, unit, collection))
}

async fn collected(
    app: &App,
    cycle: &Cycle,
    unit: Unit,
    collection: Collection,
) -> Result<(), Failure> {
    let UnitState::Collecting { ending, fence, .. } = unit.state.clone() else {
        return Ok(());
    };
    let run = app.store.run(&unit.project, unit.run).await?;
    let Some(run) = run.filter(|run| run.counts(unit.key)) else {
        return save(app, &unit, Event::Cancel).await.map(drop);
    };
    let opened = match &unit.credential {
        Some(id) => access(app, &unit.project, &unit.vendor, id).await?,
        None => None,
    };
    let mut unit = unit;
    let (items, reason) = match &ending {
        Ending::Nothing {
            code,
            message,
            retryable,
        } => (
            HashMap::new(),
            NoLine {
                code: code.clone(),
                message: message.clone(),
                retryable: *retryable,
            },
        ),
        Ending::Landed => {
            let Landed { key, whole } = match unit.kind {
                UnitKind::Imported => land_transcripts(app, &run, &unit, collection).await?,
                UnitKind::Job | UnitKind::Calls => land_answers(app, &unit, collection).await?,
            };
            (read(app, &unit, &key, whole).await?, NoLine::missing(&unit))
        }
        Ending::Output { output } => {
            match land(app, &run, &unit, output, opened.as_ref(), collection).await? {
                Some(Landed { key, whole }) => {
                    let items = read(app, &unit, &key, whole).await?;
                    let now = Timestamp::now();
                    if items.is_empty() && !unit.would_be_believed(now, &app.policy(&unit.vendor)) {
                        // Something else was sent in its place, once perhaps.
                        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, "an output has nothing of its unit, and is asked for again");
                        return save(app, &unit, Event::Unreadable { fence })
                            .await
                            .map(drop);
                    }
                    // Not before it is believed: what has landed may be deleted.
                    if let Some(batch) = unit.batch().map(str::to_owned) {
                        unit = unit.with_fate(&batch, Fate::Landed);
                    }
                    (items, NoLine::missing(&unit))
                }
                None => (HashMap::new(), NoLine::gone()),
            }
        }
    };
    let samples = cycle.chunks.of(app, &unit, run.dataset).await?;
    let outcomes = UnitScorer::new(app, &run, &unit)?.outcomes(&samples, items, &reason);
    app.store
        .write_outcomes(&unit.project, &outcomes.outcomes)
        .await?;
    // Before the unit is done: after a crash in between it is collected again, from
    // what has landed. Once it is done, what is left would not be looked for.
    let unit = discard_spent(app, &unit, &ending, opened.as_ref()).await?;
    // What is asked for once more has not failed yet.
    let again = run.asks_again();
    let ended = outcomes.outcomes.into_iter();
    let ended = ended.filter(|outcome| !(again && outcome.passing));
    let codes = ended.filter_map(|outcome| outcome.error_code);
    let collected = Collected {
        fence,
        seen: run,
        tally: outcomes.tally,
        codes: codes.collect(),
        unit,
    };
    cycle.recorder.record(app, collected).await
}

/// Where the raw output of a unit's last attempt lies.
pub(crate) fn landed_at(unit: &Unit) -> String {
    raw_key(&unit.project, unit.run, unit.key, unit.attempt)
}

/// Lands the raw output. `None` when the provider has none.
async fn land(
    app: &App,
    run: &Run,
    unit: &Unit,
    output: &str,
    access: Option<&Access>,
    collection: Collection,
) -> Result<Option<Landed>, Failure> {
    let key = landed_at(unit);
    if collection == Collection::Resumed && has_landed(app, unit, &key).await? {
        return Ok(Some(Landed { key, whole: None }));
    }
    let Some(access) = access else {
        return Ok(None);
    };
    // The provider may recover, and new credentials may come; but not for ever:
    // by then two batches could have run, and an output been fetched.
    let waited = Timestamp::now().since(run.inserted_at.max(unit.ready_at));
    let hopeless = waited >= app.policy(&unit.vendor).batch() * 3;
    let client = client(app, &unit.vendor)?;
    let stream = match client.output(&access.credential, output).await {
        Ok(stream) => stream,
        // A twin may have landed it meanwhile, and had it deleted.
        Err(error) if error.is_unknown() => {
            if has_landed(app, unit, &key).await? {
                return Ok(Some(Landed { key, whole: None }));
            }
            // Gemini says so of files that are there, too.
            return if hopeless {
                Ok(None)
            } else {
                Err(error.into())
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

/// Strings the answers of a unit's calls together, as any other raw output.
async fn land_answers(app: &App, unit: &Unit, collection: Collection) -> Result<Landed, Failure> {
    let key = landed_at(unit);
    if collection == Collection::Resumed && has_landed(app, unit, &key).await? {
        return Ok(Landed { key, whole: None });
    }
    let (store, unit_of) = (
        app.store.clone(),
        (unit.project.clone(), unit.run, unit.key),
    );
    let answers = stream::try_unfold(Some(AnswersFrom::default()), move |from| {
        let (store, (project, run, key)) = (store.clone(), unit_of.clone());
        async move {
            let Some(from) = from else {
                return Ok(None);
            };
            let answers = store.some_answers(&project, run, key, from).await;
            answers.map(Some).map_err(std::io::Error::other)
        }
    });
    let answers = answers.boxed();
    let landed = app
        .objects
        .put_stream(&key, "application/jsonl", answers)
        .await?;
    tracing::info!(
        run_id = %unit.run, unit_id = %unit.key, bytes = landed.length,
        "the answers of calls were landed"
    );
    Ok(Landed {
        key,
        whole: landed.whole,
    })
}

/// Lands transcripts that people sent as the raw output of a unit.
async fn land_transcripts(
    app: &App,
    run: &Run,
    unit: &Unit,
    collection: Collection,
) -> Result<Landed, Failure> {
    let key = landed_at(unit);
    if collection == Collection::Resumed && has_landed(app, unit, &key).await? {
        return Ok(Landed { key, whole: None });
    }
    let lines = Bytes::from(imported::lines(app, run, unit).await?);
    app.objects
        .put(&key, "application/jsonl", lines.clone())
        .await?;
    let whole = Some(lines);
    Ok(Landed { key, whole })
}

/// Whether the output is in the bucket already. While it is in doubt, something else
/// may have landed in its place.
async fn has_landed(app: &App, unit: &Unit, key: &str) -> Result<bool, Failure> {
    match app.objects.head(key, None).await {
        Ok(_) if unit.doubt.is_none() => Ok(true),
        Ok(_) => Ok(!read(app, unit, key, None).await?.is_empty()),
        Err(ObjectError::Missing) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads landed output by key: its bytes where they are known, else the object.
pub(crate) async fn read(
    app: &App,
    unit: &Unit,
    key: &str,
    whole: Option<Bytes>,
) -> Result<HashMap<ResultId, ItemLine>, Failure> {
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
) -> Result<HashMap<ResultId, ItemLine>, Failure> {
    let reads = app.lines(&unit.vendor).ok_or(UNKNOWN_VENDOR)?;
    let wanted: BTreeSet<ResultId> = unit
        .positions()
        .map(|position| ResultId::new(unit.run, unit.key.model, position))
        .collect();
    let mut items = HashMap::new();
    let (mut unknown, mut repeated, mut malformed) = (0u32, 0u32, 0u32);
    while let Some(line) = next(&mut reader, MAX_LINE).await? {
        let Line::Whole(line) = line else {
            malformed += 1;
            continue;
        };
        match reads.read_line(&line) {
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
                        let outcome = bounded_beside(outcome, 0);
                        let measured = reads.measured(&line);
                        items.insert(id, ItemLine { outcome, measured });
                    }
                }
            }
        }
    }
    // Replayed outputs were counted when they came.
    if unknown > 0 && matches!(unit.state, UnitState::Collecting { .. }) {
        let (project, run, key) = (&unit.project, unit.run, unit.key);
        cloudwatch::anomaly(
            cloudwatch::UNKNOWN_KEYS,
            project,
            run,
            key,
            unknown as usize,
        );
    }
    if unknown + repeated + malformed > 0 {
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, unknown, repeated, malformed, "an output has odd lines");
    }
    Ok(items)
}

/// Forgets what the provider keeps for the unit; gives it without the batches
/// that are gone. The outcomes are safe, so a failure here is only told: what is
/// left is found by the audit of the credential.
async fn discard_spent(
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
    if unit.kind == UnitKind::Calls {
        return Ok(unit.clone());
    }
    let client = client(app, &unit.vendor)?;
    let told = |error: CallError| {
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "something stays at the provider for now");
    };
    if let (Some(batch), Ending::Output { output }) = (unit.batch(), ending)
        && unit.fate(batch) == Fate::Landed
    {
        let files = discard::Files {
            output: Some(output.clone()),
            input: unit.batch_input.clone(),
        };
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
        && !unit.has_batch_that_may_be_alive()
        && let Err(error) = client.discard_prepared(credential, input).await
    {
        told(error);
    }
    discard::batches_of(app, unit, None).await
}
