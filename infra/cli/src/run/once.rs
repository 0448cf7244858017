//! The run, made once: the same command finds the one that it made before.

use std::time::Duration;

use stt_eval_domain::{DatasetId, RunId, Timestamp};
use stt_eval_wire::paths;
use stt_eval_wire::runs::{NewRun, Run};

use super::imported::{self, Imported};
use super::make::{LOOKED_THROUGH, Making, OfModels, is_gone, is_of_another, odd_id};
use crate::arguments::RunArguments;
use crate::deployment::Request;
use crate::failure::{Exit, Failure};
use crate::journal::{Step, digest};
use crate::money::limit;
use crate::read::goes_on;

/// Steps of runs in the journal.
const RUNS: &str = "runs";
/// The normaliser that a run has where none is named.
pub const USUAL: &str = "indic-v1";
/// The key of a request is known for at least a day.
const KEY_KNOWN: Duration = Duration::from_secs(20 * 3_600);
/// Behind a request that was begun so long ago there is nothing any more that could still make
/// something: no deployment works on one for longer.
const WORKED_ON: Duration = Duration::from_secs(120);
/// Clocks may differ by this much.
const CLOCKS: Duration = Duration::from_secs(600);

fn sorted(models: &[String]) -> Vec<String> {
    let mut models = models.to_vec();
    models.sort();
    models
}

/// What tells a run apart from others over the same dataset, as journals have it: models, a
/// normaliser, the most that it may cost.
type Known<'a> = (Vec<String>, Option<&'a str>, Option<f64>);

/// What a run is known by from now on. Models are a set, a run can be scored with any normaliser,
/// and what it may cost is a limit to it: none of that makes another run.
fn known_as(models: &[String]) -> Known<'static> {
    (sorted(models), None, None)
}

/// All that journals may know a run by, in the order it is looked for. They know older runs by
/// the order of models, a normaliser and what it may cost; one that was made by just this command
/// goes before others.
fn known_by<'a>(
    models: &[String],
    normalizer: Option<&'a str>,
    max_cost: Option<f64>,
) -> Vec<Known<'a>> {
    let mut all: Vec<Known<'a>> = Vec::new();
    let mut add = |one: Known<'a>| {
        if !all.contains(&one) {
            all.push(one);
        }
    };
    for max_cost in [max_cost, None] {
        add((sorted(models), normalizer, max_cost));
        for normalizer in [None, normalizer, Some(USUAL)] {
            add((sorted(models), normalizer, max_cost));
            add((models.to_vec(), normalizer, max_cost));
        }
    }
    all
}

/// What is told of the run that the same command made before with another `--max-cost`: its own
/// holds.
pub fn keeps_its_cap(run: &Run, arguments: &RunArguments) -> Option<String> {
    let asked = OfModels::of(arguments).max_cost;
    let is_same = match (run.max_cost_usd, asked) {
        (Some(own), Some(asked)) => (own - asked).abs() < 1e-6,
        (own, asked) => own == asked,
    };
    // What is asked again is asked when all else is done.
    let failed = run.counts.failed > 0 && !goes_on(run);
    if is_same || (asked.is_none() && !failed) {
        return None;
    }
    let Some(own) = run.max_cost_usd else {
        let id = run.id;
        return Some(format!(
            "{id} was made before without --max-cost, and that of this command changes nothing"
        ));
    };
    let mut told = format!(
        "{} was made before with --max-cost {}, which stays",
        run.id,
        limit(own)
    );
    if failed && asked.is_none_or(|asked| asked > own) {
        let more = asked.map_or_else(|| "USD".to_owned(), |asked| asked.to_string());
        told += &format!(
            "; stt-eval retry {} --max-cost {more} asks again what failed or was not sent",
            run.id
        );
    }
    Some(told)
}

/// The name in journals of a run over some content. Journals outlive releases: what is digested
/// must stay as it is.
fn journal_name(
    fingerprint: &str,
    (models, normalizer, max_cost): &Known<'_>,
    of_models: OfModels<'_>,
) -> Result<String, Failure> {
    let asked = (fingerprint, models, of_models.prompt, normalizer, max_cost);
    // Journals know runs that say nothing of it from before there was the option.
    let asked = match of_models.lossless_flac {
        None => serde_json::to_vec(&asked),
        Some(lossless_flac) => serde_json::to_vec(&(asked, lossless_flac)),
    };
    let asked = asked.map_err(|error| Failure::new(Exit::Failed, "request", error.to_string()))?;
    Ok(digest(&asked))
}

impl Making<'_> {
    /// A name in journals.
    fn digest(&self, known: &Known<'_>) -> Result<String, Failure> {
        let of_models = OfModels::of(self.arguments);
        let asked = journal_name(&self.plan.fingerprint, known, of_models)?;
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

    /// Names of the run in journals.
    fn run_names(&self) -> Result<Vec<String>, Failure> {
        let models = &self.arguments.models;
        let normalizer = self.arguments.normalizer.as_deref();
        let max_cost = OfModels::of(self.arguments).max_cost;
        let known = known_by(models, normalizer, max_cost);
        known.iter().map(|one| self.digest(one)).collect()
    }

    /// The name that the journal knows the run by, or its own.
    fn run_name(&self) -> Result<String, Failure> {
        for name in self.run_names()? {
            if self.journal.begun(RUNS, &name)?.is_some() {
                return Ok(name);
            }
        }
        self.digest(&known_as(&self.arguments.models))
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
        let mut step = self.journal.begin(RUNS, &name)?;
        let age = Timestamp::now().since(step.at);
        // A command was killed before it knew what it had made. The deployment may have forgotten
        // the key of its request: sent again, that would make a second one. Who wants a new one
        // does not want that one, unless it goes on.
        if age >= KEY_KNOWN || (self.arguments.new && age >= WORKED_ON) {
            if let Some(run) = self.taken_up(dataset, &step).await? {
                self.journal.made(RUNS, &name, &step, run.id.to_string())?;
                return Ok(run);
            }
            if self.arguments.new {
                step = self.begun_anew(&name)?;
            }
        }
        let run = match self.made_by(&step, new).await {
            // What the key made was deleted since.
            Err(failure) if is_gone(&failure) => {
                step = self.begun_anew(&name)?;
                self.made_by(&step, new).await?
            }
            // A command that was killed made it, to be scored otherwise or with another limit to
            // what it may cost; or it failed, and nothing was made.
            Err(failure) if is_of_another(&failure) => match self.taken_up(dataset, &step).await? {
                Some(run) => run,
                None if self.arguments.new || age >= WORKED_ON => {
                    step = self.begun_anew(&name)?;
                    self.made_by(&step, new).await?
                }
                None => {
                    return Err(failure.hint(
                        "the same command as before goes on with it; in two minutes this one \
                         begins anew, with --new now",
                    ));
                }
            },
            made => made?,
        };
        self.journal.made(RUNS, &name, &step, run.id.to_string())?;
        Ok(run)
    }

    /// What the request of a step makes.
    async fn made_by(&self, step: &Step, new: &NewRun) -> Result<Run, Failure> {
        let request = Request::post(paths::runs(), new)?.once(&step.key);
        self.to.ask(&request).await
    }

    /// The step with another key: of the one before nothing is wanted any more.
    fn begun_anew(&self, name: &str) -> Result<Step, Failure> {
        self.journal.forget(RUNS, name)?;
        self.journal.begin(RUNS, name)
    }

    /// A run that a command made before it was killed, if it is what is wanted now.
    async fn taken_up(&self, dataset: DatasetId, step: &Step) -> Result<Option<Run>, Failure> {
        let made = self.alike(dataset, step).await?;
        Ok(made.filter(|run| goes_on(run) || !self.arguments.new))
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct Asked {
        #[command(flatten)]
        run: RunArguments,
    }

    fn asked(more: &[&str]) -> RunArguments {
        let all = [&["run", "set", "-p", "m"], more].concat();
        Asked::try_parse_from(all).unwrap().run
    }

    #[test]
    fn what_older_releases_have_made_is_found() {
        let models = ["b", "a"].map(str::to_owned);
        let known = known_by(&models, Some("raw-v1"), Some(5.0));
        // By just this command first, then by what is the same run.
        assert_eq!(known[0], (sorted(&models), Some("raw-v1"), Some(5.0)));
        for models in [models.to_vec(), sorted(&models)] {
            for normalizer in [None, Some("raw-v1"), Some(USUAL)] {
                for max_cost in [None, Some(5.0)] {
                    let one = (models.clone(), normalizer, max_cost);
                    let times = known.iter().filter(|known| **known == one).count();
                    assert_eq!(times, 1, "{one:?}");
                }
            }
        }
        // Whatever it may cost, it is one run.
        for max_cost in [None, Some(6.0)] {
            let other = known_by(&models, None, max_cost);
            assert!(other.contains(&known_as(&models)), "{max_cost:?}");
        }
        // The very names that are in journals.
        let prompt = "p".to_owned();
        let none = OfModels::default();
        let with_all = OfModels {
            prompt: Some(&prompt),
            max_cost: None,
            lossless_flac: Some(true),
        };
        for (models, normalizer, max_cost, of_models, name) in [
            (
                models.to_vec(),
                Some(USUAL),
                Some(5.0),
                none,
                "d8f8ff7acc207a0d7e760ce077346db2ce5af24d3ff7bdd884e1d7bf2b755504",
            ),
            (
                sorted(&models),
                None,
                Some(0.25),
                with_all,
                "e164fece8a3d9a664a0a288ec849de87fcdc4a8d1f669f38c04d415746af74d4",
            ),
            (
                sorted(&models),
                None,
                None,
                none,
                "e668f66cdb43bc3a9265b229bbb44f410f1040e6f75f419ff24642ce1ca20755",
            ),
        ] {
            let known = (models, normalizer, max_cost);
            assert_eq!(
                journal_name("f", &known, of_models).unwrap(),
                name,
                "{known:?}"
            );
        }
    }

    #[test]
    fn a_run_keeps_what_it_may_cost() {
        let run = |status: &str, failed: u32, max: Option<f64>| -> Run {
            serde_json::from_value(json!({
                "id": "run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "run_name": "r",
                "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "dataset_name": "d",
                "type": "stt", "language": "hi", "providers": ["m"], "status": status,
                "total_items": 9,
                "counts": {"pending": 0, "completed": 9 - failed, "failed": failed},
                "score": null, "error_message": null, "warnings": [], "round": 1,
                "asked_again": 0, "scorings": [], "max_cost_usd": max,
                "inserted_at": "2026-11-29T10:00:00.000Z",
                "updated_at": "2026-11-29T10:00:00.000Z",
                "finished_at": "2026-11-29T10:00:00.000Z"
            }))
            .unwrap()
        };
        let id = "run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        let stays = format!("{id} was made before with --max-cost $5.00, which stays");
        let again = |more: &str| {
            format!(
                "{stays}; stt-eval retry {id} --max-cost {more} asks again what failed or was \
                 not sent"
            )
        };
        let six = &["--max-cost", "6"][..];
        for (failed, max, more, told) in [
            (0, Some(5.0), six, Some(stays.clone())),
            (3, Some(5.0), six, Some(again("6"))),
            (3, Some(5.0), &[], Some(again("USD"))),
            (3, Some(5.0), &["--max-cost", "4"], Some(stays.clone())),
            (3, Some(6.0), six, None),
            (0, Some(5.0), &[], None),
            (3, None, &[], None),
            (
                0,
                None,
                six,
                Some(format!(
                    "{id} was made before without --max-cost, and that of this command changes nothing"
                )),
            ),
        ] {
            assert_eq!(
                keeps_its_cap(&run("completed", failed, max), &asked(more)),
                told,
                "{more:?}"
            );
        }
        // As long as it goes on nothing can be asked again.
        let going_on = run("processing", 3, Some(5.0));
        assert_eq!(keeps_its_cap(&going_on, &asked(six)), Some(stays));
        assert_eq!(keeps_its_cap(&going_on, &asked(&[])), None);
    }
}
