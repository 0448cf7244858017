//! The run, made once: the same command finds the one that it made before.

use std::time::Duration;

use stt_eval_domain::{DatasetId, RunId, Timestamp};
use stt_eval_wire::paths;
use stt_eval_wire::runs::{NewRun, Run};

use super::imported::{self, Imported};
use super::make::{LOOKED_THROUGH, Making, OfModels, is_gone, is_of_another, odd_id};
use crate::deployment::Request;
use crate::failure::{Exit, Failure};
use crate::journal::{Step, digest};

/// Steps of runs in the journal.
const RUNS: &str = "runs";
/// The normaliser that a run has where none is named.
pub const USUAL: &str = "indic-v1";
/// The key of a request is known for at least a day.
const KEY_KNOWN: Duration = Duration::from_secs(20 * 3_600);
/// Clocks may differ by this much.
const CLOCKS: Duration = Duration::from_secs(600);

fn sorted(models: &[String]) -> Vec<String> {
    let mut models = models.to_vec();
    models.sort();
    models
}

impl Making<'_> {
    /// What tells this run apart from others over the same dataset, by models in this order.
    fn digest(&self, models: &[String], normalizer: Option<&str>) -> Result<String, Failure> {
        let of_models = OfModels::of(self.arguments);
        let asked = (
            &self.plan.fingerprint,
            models,
            of_models.prompt,
            normalizer,
            of_models.max_cost,
        );
        // Journals know runs that say nothing of it from before there was the option.
        let asked = match of_models.lossless_flac {
            None => serde_json::to_vec(&asked),
            Some(lossless_flac) => serde_json::to_vec(&(asked, lossless_flac)),
        };
        let asked =
            asked.map_err(|error| Failure::new(Exit::Failed, "request", error.to_string()))?;
        let asked = digest(&asked);
        Ok(match imported::digest_of(self.plan)? {
            None => asked,
            Some(heard) => digest(format!("{asked} {heard}").as_bytes()),
        })
    }

    /// All models of the run, in the order of their names.
    fn models(&self) -> Vec<String> {
        let imported = self.plan.imported.iter().map(Imported::model);
        let all = self.arguments.models.iter().cloned().chain(imported);
        sorted(&all.collect::<Vec<_>>())
    }

    /// Names of the run in journals, its own first. Models are a set, and a run can be scored
    /// with any normaliser: neither their order nor that makes another run. Journals know
    /// older runs by both.
    fn run_names(&self) -> Result<Vec<String>, Failure> {
        let models = &self.arguments.models;
        let asked = self.arguments.normalizer.as_deref();
        let mut names = Vec::new();
        for normalizer in [None, asked, Some(USUAL)] {
            for models in [&sorted(models), models] {
                let name = self.digest(models, normalizer)?;
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    /// The name that the journal knows the run by, or its own.
    fn run_name(&self) -> Result<String, Failure> {
        let mut names = self.run_names()?;
        // One that was made with the normaliser that is asked for goes before others.
        let models = &self.arguments.models;
        let asked = self.arguments.normalizer.as_deref();
        let first = self.digest(&sorted(models), asked)?;
        let own = names.first().cloned().unwrap_or_default();
        names.insert(0, first);
        for name in names {
            if self.journal.begun(RUNS, &name)?.is_some() {
                return Ok(name);
            }
        }
        Ok(own)
    }

    /// The run that the same command made before.
    ///
    /// # Errors
    /// The journal can't be read, the deployment not reached.
    pub async fn before(&self) -> Result<Option<Run>, Failure> {
        loop {
            let name = self.run_name()?;
            let Some(Step { id: Some(id), .. }) = self.journal.begun(RUNS, &name)? else {
                return Ok(None);
            };
            let id: RunId = id.parse().map_err(|_| odd_id())?;
            match self.to.ask::<Run>(&Request::get(paths::run(id))).await {
                Ok(run) => return Ok(Some(run)),
                // Journals may know another one.
                Err(failure) if is_gone(&failure) => self.journal.forget(RUNS, &name)?,
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Lets the next run be a new one.
    ///
    /// # Errors
    /// The journal can't be written.
    pub fn forget_run(&self) -> Result<(), Failure> {
        for name in self.run_names()? {
            self.journal.forget(RUNS, &name)?;
        }
        Ok(())
    }

    /// Makes the run.
    ///
    /// # Errors
    /// What is refused, or can't be reached.
    pub async fn run(&self, new: &NewRun, dataset: DatasetId) -> Result<Run, Failure> {
        let name = self.run_name()?;
        let step = self.journal.begin(RUNS, &name)?;
        if let Some(run) = self.begun_long_ago(dataset, &step).await? {
            self.journal.made(RUNS, &name, &step, run.id.to_string())?;
            return Ok(run);
        }
        let request = Request::post(paths::runs(), new)?.once(&step.key);
        let (run, step) = match self.to.ask::<Run>(&request).await {
            // What the key made was deleted since.
            Err(failure) if is_gone(&failure) => {
                self.journal.forget(RUNS, &name)?;
                let step = self.journal.begin(RUNS, &name)?;
                let again = Request::post(paths::runs(), new)?.once(&step.key);
                (self.to.ask::<Run>(&again).await?, step)
            }
            // A command that was killed made it, to be scored otherwise.
            Err(failure) if is_of_another(&failure) => match self.alike(dataset, &step).await? {
                Some(run) => (run, step),
                None => return Err(failure),
            },
            other => (other?, step),
        };
        self.journal.made(RUNS, &name, &step, run.id.to_string())?;
        Ok(run)
    }

    /// A run that a command made before it was killed, when the deployment may have
    /// forgotten the key of its request: sent again, that would make a second one.
    async fn begun_long_ago(
        &self,
        dataset: DatasetId,
        step: &Step,
    ) -> Result<Option<Run>, Failure> {
        if Timestamp::now().since(step.at) < KEY_KNOWN {
            return Ok(None);
        }
        self.alike(dataset, step).await
    }

    /// A run that can be what a step made.
    async fn alike(&self, dataset: DatasetId, step: &Step) -> Result<Option<Run>, Failure> {
        let request = Request::get(paths::runs()).with("dataset_id", dataset);
        let all: Vec<Run> = self.to.list(&request, LOOKED_THROUGH).await?;
        let name = self.name();
        let models = self.models();
        let is_it = |run: &Run| {
            run.run_name == name
                && sorted(&run.providers) == models
                && run.inserted_at + CLOCKS >= step.at
        };
        Ok(all.into_iter().find(is_it))
    }
}
