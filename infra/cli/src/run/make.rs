//! Making the dataset, once, and what is sent of the run.

use std::time::{Duration, Instant};

use serde::Serialize;
use stt_eval_domain::DatasetId;
use stt_eval_domain::validate;
use stt_eval_wire::datasets::{Dataset, NewDataset, NewMetadata, NewSample};
use stt_eval_wire::object::Object;
use stt_eval_wire::paths::{self, IDEMPOTENCY_HEADER};
use stt_eval_wire::runs::{NewRun, NewRunConfig};
use stt_eval_wire::transcripts::NewTranscripts;

use super::idle;
use super::plan::{Bytes, Plan, Upload};
use super::stopping::Stopping;
use super::upload::{Manner, upload};
use crate::arguments::{Keywords, RunArguments};
use crate::deployment::{Deployment, Request};
use crate::failure::{Exit, Failure};
use crate::fields::shown;
use crate::journal::{Journal, Step, digest};
use crate::output::Output;

/// Steps of datasets in the journal.
const DATASETS: &str = "datasets";
/// Largest list of samples or transcripts in a request; its limit is 1 MiB.
pub const INLINE_BYTES: usize = 900_000;
/// Most samples in a request.
pub const INLINE: usize = stt_eval_domain::dataset::MAX_INLINE_SAMPLES;
/// Datasets and runs that are looked through for a name.
pub const LOOKED_THROUGH: usize = 10_000;

/// What is made, and where it is written down.
pub struct Making<'a> {
    /// The deployment.
    pub to: &'a Deployment,
    /// The journal of it.
    pub journal: &'a Journal,
    /// What was asked.
    pub arguments: &'a RunArguments,
    /// What is sent.
    pub plan: &'a Plan,
    /// How to tell things.
    pub output: &'a Output,
    /// Whether uploads are to come to their end.
    pub stopping: &'a Stopping,
}

/// What is asked of models, and of nothing where no model is asked.
#[derive(Clone, Copy, Default)]
pub struct OfModels<'a> {
    /// The prompt.
    pub prompt: Option<&'a String>,
    /// What it may cost.
    pub max_cost: Option<f64>,
    /// Whether WAV goes out as FLAC.
    pub lossless_flac: Option<bool>,
}

impl<'a> OfModels<'a> {
    /// Of what a run was asked with.
    pub fn of(arguments: &'a RunArguments) -> Self {
        match arguments.models.is_empty() {
            true => Self::default(),
            false => Self {
                prompt: arguments.prompt.as_ref(),
                max_cost: arguments.max_cost,
                lossless_flac: arguments.lossless_flac,
            },
        }
    }
}

/// A dataset that a run is made over.
pub struct UsedDataset {
    /// Its id.
    pub id: DatasetId,
    /// Its name, which may tell of another source of the same content.
    pub name: String,
    /// How many samples it has.
    pub samples: usize,
    /// Whether they are what is in the source, in its order.
    pub is_own: bool,
}

/// Longest wait for what another process of the same command makes.
const OTHERS: Duration = Duration::from_secs(20);
/// Between two looks whether it is there.
const LOOK: Duration = Duration::from_millis(200);

/// What the journal says is no id.
pub fn odd_id() -> Failure {
    Failure::new(Exit::Failed, "journal", "an id in the journal is none")
}

/// Values as lines of JSON.
///
/// # Errors
/// One can't be written.
pub fn json_lines<T: Serialize>(all: &[T]) -> Result<Vec<u8>, Failure> {
    let told = |error: serde_json::Error| Failure::new(Exit::Failed, "request", error.to_string());
    let mut lines = Vec::new();
    for one in all {
        serde_json::to_writer(&mut lines, one).map_err(told)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Whether it is not there, or not any longer.
pub fn is_gone(failure: &Failure) -> bool {
    failure.code == "not_found"
}

/// Whether its key was used for another request, such as with files of another process.
pub fn is_of_another(failure: &Failure) -> bool {
    let is_key = |field: &str| field.eq_ignore_ascii_case(IDEMPOTENCY_HEADER);
    failure.rows.iter().any(|row| is_key(&row.field))
}

impl<'a> Making<'a> {
    /// Name of dataset and run. The one that is made up tells the content, so that what
    /// has it is the same.
    pub fn name(&self) -> String {
        // As the deployment keeps it: it is looked for by its name.
        let kept = |name: &str| validate::name("--name", name).unwrap_or_else(|_| name.to_owned());
        if let Some(name) = &self.arguments.name {
            return kept(name);
        }
        let source = std::path::absolute(&self.arguments.source).ok();
        let source = source.as_deref().unwrap_or(&self.arguments.source);
        let stem = source.file_stem().unwrap_or_default().to_string_lossy();
        let stem: String = shown(&stem).chars().take(200).collect();
        let content: String = self.plan.fingerprint.chars().take(8).collect();
        kept(&format!("{stem} {content}"))
    }

    /// The dataset that was made of the same content before.
    async fn dataset_before(&self) -> Result<Option<Dataset>, Failure> {
        let name = &self.plan.fingerprint;
        let Some(Step { id: Some(id), .. }) = self.journal.begun(DATASETS, name)? else {
            return Ok(None);
        };
        let id: DatasetId = id.parse().map_err(|_| odd_id())?;
        match self
            .to
            .ask::<Dataset>(&Request::get(paths::dataset(id)))
            .await
        {
            Ok(there) => Ok(Some(there)),
            Err(failure) if is_gone(&failure) => {
                self.journal.forget(DATASETS, name)?;
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Uploads what is missing and makes the dataset, unless it is there.
    ///
    /// # Errors
    /// What is refused, or can't be reached.
    pub async fn dataset(&self) -> Result<UsedDataset, Failure> {
        let samples = self.plan.clips.len();
        let own = |id, name| UsedDataset {
            id,
            name,
            samples,
            is_own: true,
        };
        if let Some(there) = self.dataset_before().await? {
            return Ok(own(there.id, there.name));
        }
        let named = self.named().await?;
        if self.arguments.reuse
            && let Some(there) = &named
        {
            let id = there.id;
            self.output.remark(&format!(
                "{id} is run as it is; what is in {} is not sent{}",
                self.arguments.source.display(),
                idle::beside_reuse(self.arguments)
            ));
            return Ok(UsedDataset {
                id,
                name: there.name.clone(),
                samples: there.dataset_metadata.sample_count as usize,
                is_own: false,
            });
        }
        if let Some(there) = named
            && let Some(id) = self.same_or_taken(&there)?
        {
            return Ok(own(id, self.name()));
        }
        Ok(own(self.new_or_same().await?, self.name()))
    }

    /// The dataset that the run would be over, if it is there already.
    ///
    /// # Errors
    /// The deployment can't be reached.
    pub async fn dataset_there(&self) -> Result<Option<DatasetId>, Failure> {
        let there = match self.dataset_before().await? {
            Some(there) => Some(there),
            None => self.named().await?,
        };
        Ok(there.map(|there| there.id))
    }

    /// What a name that is taken means before anything is sent: the dataset is the same, or
    /// it is refused; `None` where a command that was killed may have made it itself.
    fn same_or_taken(&self, there: &Dataset) -> Result<Option<DatasetId>, Failure> {
        let name = &self.plan.fingerprint;
        if self.is_same(there) {
            let step = self.journal.begin(DATASETS, name)?;
            let id = there.id;
            self.journal.made(DATASETS, name, &step, id.to_string())?;
            return Ok(Some(id));
        }
        match self.journal.begun(DATASETS, name)? {
            Some(_) => Ok(None),
            None => Err(self.taken(Exit::Failed, "conflict")),
        }
    }

    const fn manner(&self, at_once: usize) -> Manner<'a> {
        (at_once, self.stopping, self.output)
    }

    async fn new_or_same(&self) -> Result<DatasetId, Failure> {
        let uploads: Vec<&Upload> = self.plan.clips.iter().map(|clip| &clip.upload).collect();
        let at_once = usize::from(self.arguments.at_once);
        let files = upload(self.to, self.journal, &uploads, self.manner(at_once)).await?;
        let new = self.new_dataset(&files).await?;
        let name = &self.plan.fingerprint;
        let step = self.journal.begin(DATASETS, name)?;
        let made = self.made_dataset(&new, &step).await;
        let (id, step) = match made {
            // What the key made was deleted since.
            Err(failure) if is_gone(&failure) => {
                self.journal.forget(DATASETS, name)?;
                let step = self.journal.begin(DATASETS, name)?;
                (self.made_dataset(&new, &step).await?, step)
            }
            Err(failure) if failure.code == "conflict" => match self.named().await? {
                Some(there) if self.is_same(&there) => (there.id, step),
                Some(_) => {
                    // Nothing was made by its key: the next command asks before it sends.
                    self.journal.forget(DATASETS, name)?;
                    return Err(self.taken(failure.exit, failure.code));
                }
                None => return Err(failure),
            },
            Err(failure) if is_of_another(&failure) => return self.made_by_another().await,
            other => (other?, step),
        };
        self.journal.made(DATASETS, name, &step, id.to_string())?;
        Ok(id)
    }

    /// What the same command, which runs at the same time, makes by the same key.
    async fn made_by_another(&self) -> Result<DatasetId, Failure> {
        let until = Instant::now() + OTHERS;
        while Instant::now() < until {
            if let Some(there) = self.dataset_before().await? {
                return Ok(there.id);
            }
            tokio::time::sleep(LOOK).await;
        }
        self.journal.forget(DATASETS, &self.plan.fingerprint)?;
        let message = "the same command began to make this dataset, and did not end it";
        Err(Failure::new(Exit::Failed, "conflict", message).hint("the same command again goes on"))
    }

    async fn made_dataset(&self, new: &NewDataset, step: &Step) -> Result<DatasetId, Failure> {
        let request = Request::post(paths::datasets(), new)?.once(&step.key);
        let made: Dataset = self.to.ask(&request).await?;
        Ok(made.id)
    }

    /// Whether a dataset with the name is the same: the name that is made up tells the
    /// content, and one that was given tells nothing.
    fn is_same(&self, there: &Dataset) -> bool {
        let count = there.dataset_metadata.sample_count as usize;
        self.arguments.name.is_none() && count == self.plan.clips.len()
    }

    /// The dataset that has the name.
    async fn named(&self) -> Result<Option<Dataset>, Failure> {
        let name = self.name();
        let all: Vec<Dataset> = self
            .to
            .list(&Request::get(paths::datasets()), LOOKED_THROUGH)
            .await?;
        Ok(all.into_iter().find(|dataset| dataset.name == name))
    }

    /// That the name of the dataset is taken.
    fn taken(&self, exit: Exit, code: &'static str) -> Failure {
        let name = self.name();
        let message = format!("dataset “{name}” exists with other content");
        Failure::new(exit, code, message)
            .hint("--name NAME gives this one another name; --reuse runs the one that is there")
    }

    /// The request: with its samples, or with a manifest where they are too many.
    async fn new_dataset(&self, files: &[String]) -> Result<NewDataset, Failure> {
        let mut new = NewDataset {
            name: self.name(),
            language: self.plan.language.clone(),
            ..NewDataset::default()
        };
        let keywords = Keywords::all(&self.arguments.keyword);
        if !keywords.is_empty() {
            new.keywords = Some(keywords.into_iter().map(str::to_owned).collect());
        }
        let samples: Vec<Object<NewSample>> = self
            .plan
            .clips
            .iter()
            .zip(files)
            .map(|(clip, file)| {
                let fields: NewMetadata = clip
                    .said
                    .metadata
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone().into()))
                    .collect();
                Object(NewSample {
                    file_id: file.clone(),
                    ground_truth: clip.said.ground_truth.clone(),
                    language: clip.said.language.clone(),
                    metadata: Some(fields),
                })
            })
            .collect();
        let lines = json_lines(&samples)?;
        if samples.len() <= INLINE && lines.len() <= INLINE_BYTES {
            new.samples = Some(samples);
            return Ok(new);
        }
        new.manifest_file_id = self.manifest(lines).await?;
        Ok(new)
    }

    /// Uploads lines of JSON, and gives the id of their file.
    ///
    /// # Errors
    /// What is refused, or can't be reached.
    pub async fn manifest(&self, lines: Vec<u8>) -> Result<Option<String>, Failure> {
        let manifest = Upload {
            filename: "stt-eval.jsonl".to_owned(),
            content_type: "application/jsonl",
            size: lines.len() as u64,
            sha256: digest(&lines),
            nth: 0,
            bytes: Bytes::Memory(lines),
        };
        let ids = upload(self.to, self.journal, &[&manifest], self.manner(1)).await?;
        Ok(ids.into_iter().next())
    }

    /// The request of the run, with transcripts that were made elsewhere.
    pub fn new_run(
        &self,
        dataset: DatasetId,
        transcripts: Option<Vec<Object<NewTranscripts>>>,
    ) -> NewRun {
        let arguments = self.arguments;
        let of_models = OfModels::of(arguments);
        let config = NewRunConfig {
            prompt: of_models.prompt.cloned(),
            temperature: None,
            normalizer: arguments.normalizer.clone(),
            lossless_flac: of_models.lossless_flac,
        };
        let is_given = config != NewRunConfig::default();
        NewRun {
            run_name: self.name(),
            dataset_id: Some(dataset.to_string()),
            providers: (!arguments.models.is_empty()).then(|| arguments.models.clone()),
            transcripts,
            max_cost_usd: of_models.max_cost,
            config: is_given.then_some(Object(config)),
            ..NewRun::default()
        }
    }
}
