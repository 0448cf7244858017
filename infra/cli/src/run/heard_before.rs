//! Hypotheses of an earlier day as the baseline of a run: brought together with its samples as
//! `score` brings a list and its references together.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use stt_eval_domain::DatasetId;
use stt_eval_formats::files::InMemory;
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::{Hypothesis, Id, Pairs, Source, pairs};
use stt_eval_wire::runs::Run;

use super::plan::Clip;
use super::samples;
use crate::arguments::RunArguments;
use crate::deployment::Deployment;
use crate::disk::{Named, alone};
use crate::failure::{Exit, Failure};
use crate::gate::Baseline;
use crate::normalise::normaliser;
use crate::score::{Scored, count};

/// A list of hypotheses, or a folder of results.
pub struct HeardBefore {
    path: PathBuf,
    /// Columns that are asked for in the source; a list of an earlier day may have them too.
    columns: Vec<String>,
    /// The system that is named.
    system: Option<String>,
    /// Names of its systems.
    pub systems: Vec<String>,
}

/// A sample, as a list tells of it.
struct Said {
    /// Its utterance.
    id: String,
    reference: String,
}

impl HeardBefore {
    /// Reads a list and brings it together with the utterances that are to be run, so that one
    /// that belongs to others is refused before anything is paid. With what is to be told of it.
    ///
    /// # Errors
    /// It can't be read, or does not belong to them.
    pub fn find(
        path: &Path,
        arguments: &RunArguments,
        clips: &[Clip],
    ) -> Result<(Self, Vec<String>), Failure> {
        let said = clips.iter().filter_map(|clip| {
            Some(Said {
                id: clip.said.metadata.get("utterance")?.clone(),
                reference: clip.said.ground_truth.clone()?,
            })
        });
        let said: Vec<Said> = said.collect();
        let mut found = Self {
            path: path.to_owned(),
            columns: arguments.reading.hyp.clone(),
            system: arguments.gate.baseline_model.clone(),
            systems: Vec::new(),
        };
        let paired = found.beside(&said)?;
        found.systems = paired.systems;
        Ok((found, paired.remarks))
    }

    /// The texts of each system for these samples, in their order.
    fn beside(&self, said: &[Said]) -> Result<Pairs, Failure> {
        if said.is_empty() {
            return Err(Failure::usage(
                "--baseline: no utterance has a reference, so nothing can have got worse",
            ));
        }
        let mut references = Vec::new();
        for one in said {
            let row = json!({"id": one.id, "text": one.reference});
            references.extend_from_slice(row.to_string().as_bytes());
            references.push(b'\n');
        }
        let references = InMemory::new([(REFERENCES, references)]);
        let right = Source {
            files: &references,
            file: Some(REFERENCES),
            name: REFERENCES,
        };
        let heard: Named = alone(&self.path)?;
        let heard = Source {
            files: heard.files.as_ref(),
            file: heard.file.as_deref(),
            name: &heard.name,
        };
        let read = |hypotheses: &[String]| {
            let wanted = ReadOptions {
                hypotheses: hypotheses.to_vec(),
                ..ReadOptions::default()
            };
            pairs(&right, std::slice::from_ref(&heard), &wanted)
        };
        let told = Baseline::of_columns(self.system.as_deref(), &self.columns, read);
        let paired = told.map_err(|problem| {
            let failure = Failure::from(problem);
            Failure {
                message: format!("--baseline: {}", failure.message),
                exit: Exit::Usage,
                ..failure
            }
        })?;
        // A reference for each sample: so the places of both lists are the same.
        if paired.samples.len() != said.len() {
            let message = format!(
                "--baseline: {} gives {} samples for {}",
                self.path.display(),
                paired.samples.len(),
                said.len()
            );
            return Err(Failure::usage(message));
        }
        Ok(paired)
    }

    /// What regressions of a run are measured against: `now` is what it is counted as.
    ///
    /// # Errors
    /// The list is gone or another one; what is refused, or can't be reached.
    pub async fn scored(
        &self,
        to: &Deployment,
        run: &Run,
        now: &Scored,
        normalizer: &str,
        all: bool,
    ) -> Result<Baseline, Failure> {
        let (places, said) = said_in(to, run.dataset_id, now).await?;
        let paired = self.beside(&said)?;
        let heard = paired.heard.into_iter().map(|heard| {
            let mut of_run = vec![Hypothesis::Missing; now.pairs.samples.len()];
            for (place, one) in places.iter().zip(heard) {
                if let Some(slot) = of_run.get_mut(*place) {
                    *slot = one;
                }
            }
            of_run
        });
        let heard = heard.collect();
        let pairs = Pairs {
            hypotheses: paired.hypotheses,
            systems: paired.systems,
            heard,
            ..now.pairs.clone()
        };
        let scored = count(pairs, &normaliser(normalizer)?, "und", None, all)?;
        Ok(Baseline::Texts {
            scored: Box::new(scored),
            of_models: false,
        })
    }
}

/// What the samples are called in messages.
const REFERENCES: &str = "the source";

/// The samples of a run that are counted, in the order of their dataset, and the place of each
/// among what was counted.
async fn said_in(
    to: &Deployment,
    dataset: DatasetId,
    now: &Scored,
) -> Result<(Vec<usize>, Vec<Said>), Failure> {
    let mut counted: HashMap<&str, usize> = HashMap::new();
    for (place, pair) in now.pairs.samples.iter().enumerate() {
        if let Id::Named(id) = &pair.id {
            counted.insert(id, place);
        }
    }
    let mut places = Vec::new();
    let mut said = Vec::new();
    samples::each(to, dataset, |sample| {
        let place = counted.get(sample.id.to_string().as_str());
        let pair = place.and_then(|place| Some((*place, now.pairs.samples.get(*place)?)));
        let Some((place, pair)) = pair else {
            return;
        };
        places.push(place);
        said.push(Said {
            id: samples::field(&sample, "utterance").unwrap_or(sample.filename),
            reference: pair.reference.as_str().to_owned(),
        });
    })
    .await?;
    Ok((places, said))
}
