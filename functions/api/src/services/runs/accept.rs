//! Accepting runs.

use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::accepted::Acceptance;
use stt_eval_shared::domain::dataset::Dataset;
use stt_eval_shared::domain::run::{Run, RunModel};
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::domain::{DatasetId, Timestamp};
use stt_eval_shared::providers::Offered;
use stt_eval_shared::queue::Message;
use stt_eval_shared::store::runs::Accept;
use stt_eval_shared::store::samples::Clip;
use stt_eval_shared::wire::datasets::NewDataset;
use stt_eval_shared::wire::runs::NewRun;
use time::OffsetDateTime;

use super::check::{self, Config};
use crate::actor::Actor;
use crate::refusal::{Refusal, finish};
use crate::services::about_run;
use crate::services::attempt::Attempt;
use crate::services::datasets::{self, check::CheckedDataset};
use crate::services::named::in_body;
use crate::services::transcripts::keep::keep_ahead;
use crate::services::transcripts::read::{self, CheckedTranscripts};
use crate::services::transcripts::request;

/// The dataset of a run: one that exists, or one to be made.
enum DatasetOfRun {
    Known(Box<Dataset>),
    New(Box<CheckedDataset>),
}

impl DatasetOfRun {
    /// Its clips, in order of position.
    async fn clips(&self, app: &App, attempt: &Attempt) -> Result<Vec<Clip>, Refusal> {
        match self {
            Self::Known(dataset) => Ok(app.store.clips(&dataset.project, dataset.id).await?),
            Self::New(checked) => checked.clips(attempt.dataset_id()?),
        }
    }
}

/// Finds or checks the dataset of a run.
async fn dataset(
    app: &App,
    actor: &Actor,
    attempt: &Attempt,
    known: Option<DatasetId>,
    new: Option<NewDataset>,
) -> Result<DatasetOfRun, Refusal> {
    let project = &actor.project;
    if let Some(new) = new {
        // An earlier attempt may have come as far as the dataset.
        if attempt.repeats().is_some()
            && let Some(made) = app.store.dataset(project, attempt.dataset_id()?).await?
        {
            return Ok(DatasetOfRun::Known(Box::new(made)));
        }
        let checked = datasets::check::check(app, actor, "dataset.", new).await?;
        return Ok(DatasetOfRun::New(Box::new(checked)));
    }
    let found = match known {
        None => None,
        Some(id) => app.store.dataset(project, id).await?,
    };
    found
        .map(|found| DatasetOfRun::Known(Box::new(found)))
        .ok_or_else(|| Refusal::invalid_field("dataset_id", "there is no such dataset"))
}

/// A run whose request passed every check that needs nothing written.
pub(in crate::services) struct CheckedRun {
    name: String,
    pub(in crate::services) config: Config,
    wanted: DatasetOfRun,
    /// Its models of the catalogue and of the project's own, each with the field that names it.
    pub(in crate::services) models: Vec<(String, Offered)>,
    /// All clips of its dataset, in order of position.
    pub(in crate::services) clips: Vec<Clip>,
    /// Its lists of transcripts.
    pub(in crate::services) lists: Vec<CheckedTranscripts>,
    /// The most that it may cost, in millionths of a US dollar.
    max_micro_usd: Option<u64>,
    blind_review: bool,
}

/// Whether a run can be asked of vendors without credentials: to tell what it would
/// take, they are not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::services) enum Credentials {
    Needed,
    NotNeeded,
}

/// Checks a run, and reads what its dataset is made of.
pub(in crate::services) async fn check_run(
    app: &App,
    actor: &Actor,
    attempt: &Attempt,
    mut new: NewRun,
    credentials: Credentials,
) -> Result<CheckedRun, Refusal> {
    let mut errors = Errors::new();
    let name = errors.keep(validate::name("run_name", &new.run_name));
    let today = OffsetDateTime::from(attempt.now).date();
    let own = check::own_models(app, &actor.project, &new).await?;
    let models = check::models(app.vendors(), &own, &new, today, &mut errors);
    if credentials == Credentials::Needed {
        check::credentials(app, &actor.project, &models, &mut errors).await?;
    }
    let max_micro_usd = check::max_cost(new.max_cost_usd, &mut errors);
    let config = check::config(new.config.as_ref().map(|c| &c.0), &models, &mut errors);
    let lists = request::lists(new.transcripts.take(), models.len(), &mut errors);
    if models.is_empty() && !lists.is_empty() {
        check::asks_no_model(new.config.as_ref().map(|c| &c.0), &mut errors);
    }
    let blind_review = new.blind_review.unwrap_or_default();
    let inline = new.dataset.take().map(|dataset| dataset.0);
    let known = match (&new.dataset_id, &inline) {
        (Some(_), Some(_)) => {
            errors.push("dataset", "give dataset_id or dataset, not both");
            None
        }
        (None, None) => {
            errors.push("dataset_id", "is required (or dataset)");
            None
        }
        (Some(id), None) => errors.keep(in_body::<DatasetId>("dataset_id", id)),
        (None, Some(_)) => None,
    };
    finish(errors)?;
    let (Some(name), Some(config)) = (name, config) else {
        return Err(Refusal::internal("a run passed its checks without a name"));
    };
    let wanted = dataset(app, actor, attempt, known, inline).await?;
    let language = match &wanted {
        DatasetOfRun::Known(dataset) => &dataset.language,
        DatasetOfRun::New(checked) => &checked.language,
    };
    check::languages(&models, language)?;
    let clips = wanted.clips(app, attempt).await?;
    let lists = read::read(app, &actor.project, lists, &clips).await?;
    Ok(CheckedRun {
        name,
        config,
        wanted,
        models,
        clips,
        lists,
        max_micro_usd,
        blind_review,
    })
}

/// Accepts a run: everything is checked before anything is written. The work
/// is the same whatever the size of the dataset, but for a look at each of its clips;
/// units are cut afterwards.
pub async fn accept(
    app: &App,
    actor: &Actor,
    attempt: &Attempt,
    new: NewRun,
) -> Result<Run, Refusal> {
    let CheckedRun {
        name,
        config,
        wanted,
        models,
        clips,
        lists,
        max_micro_usd,
        blind_review,
    } = check_run(app, actor, attempt, new, Credentials::Needed).await?;
    let unsupported = check::unsupported(&models, &clips)?;
    let (dataset, made_here) = match wanted {
        DatasetOfRun::Known(dataset) => (*dataset, false),
        DatasetOfRun::New(checked) => {
            let made = datasets::create::create(app, actor, attempt, &checked, false).await;
            // Its leftovers are being cleared away: the next attempt must not
            // take the same ids.
            (attempt.settle(app, made).await?, true)
        }
    };
    let of_vendors = models.iter().zip(unsupported).map(|((_, offered), count)| {
        let (id, vendor) = (offered.model().id, offered.model().provider);
        RunModel {
            unsupported: count,
            ..RunModel::new(id.to_owned(), vendor.to_owned(), config.of(offered))
        }
    });
    let all = of_vendors
        .chain(lists.iter().map(CheckedTranscripts::model))
        .collect();
    let run = Run::accepted(Acceptance {
        id: attempt.run_id()?,
        name,
        dataset: &dataset,
        models: all,
        normalizer: config.normalizer.clone(),
        lossless_flac: (!models.is_empty())
            .then(|| config.lossless_flac.unwrap_or(app.config.lossless_flac)),
        blind_review,
        now: attempt.now,
        outbox_due: attempt.now + app.config.bounds.outbox * 2,
    });
    let run = match max_micro_usd {
        Some(max) => {
            let excess = check::may_exceed(app, &run.models, &clips, attempt.now);
            run.capped(max, excess)
        }
        None => run,
    };
    about_run(run.id);
    let written = match keep_ahead(app, attempt, &run, &lists).await {
        Ok(()) => write(app, attempt, &run).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(run) => Ok(run),
        Err(error) => {
            // With a claim the next attempt goes on with this dataset.
            let comes_again = attempt.claim().is_some() && error.kind.is_failure();
            if made_here && !comes_again {
                let gone = Dataset {
                    keep_files: true,
                    ..dataset
                };
                if let Err(error) = app
                    .store
                    .begin_delete_dataset(&gone, Timestamp::now(), app.config.bounds.index_lag)
                    .await
                {
                    tracing::warn!(dataset_id = %gone.id, %error, "the dataset of a refused run stays");
                }
            }
            Err(error)
        }
    }
}

async fn write(app: &App, attempt: &Attempt, run: &Run) -> Result<Run, Refusal> {
    let due = attempt.now + app.config.bounds.outbox;
    match app.store.accept_run(run, due, attempt.claim()).await {
        Ok(Accept::Accepted) => {
            cloudwatch::run_accepted(run);
            announce(app, run).await;
            Ok(run.clone())
        }
        Ok(Accept::DatasetGone) => Err(Refusal::invalid_field(
            "dataset_id",
            "there is no such dataset",
        )),
        // The answer may have been lost after the run was written.
        Err(error) => match app.store.run(&run.project, run.id).await {
            Ok(Some(run)) => Ok(run),
            _ => Err(error.into()),
        },
    }
}

/// Says that there is work. Nothing is lost when that fails: the outbox is
/// swept.
pub(in crate::services) async fn announce(app: &App, run: &Run) {
    let message = Message::RunAccepted {
        project: run.project.clone(),
        run: run.id,
    };
    if let Err(error) = app.queue.send_one(&message, Duration::ZERO).await {
        tracing::warn!(run_id = %run.id, %error, "a run waits for the sweeper");
    }
}
