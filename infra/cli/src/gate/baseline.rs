//! What regressions are measured against.

use std::path::Path;

use serde_json::Value;
use stt_eval_domain::imported::model_id;
use stt_eval_scoring::normalise::Normaliser;

use crate::arguments::ScoreArguments;
use crate::failure::{Exit, Failure};
use crate::normalise::normaliser;
use crate::score::{self, Scored};

/// A baseline.
pub enum Baseline {
    /// Hypotheses, scored against the same references.
    Texts {
        /// Their counts.
        scored: Box<Scored>,
        /// Whether systems are models, which have names of their own: only the same one is a
        /// baseline of another. What a file of hypotheses is called says nothing.
        of_models: bool,
    },
    /// A saved document: figures without samples.
    Figures {
        /// Its normaliser.
        normaliser: String,
        /// The version of its scorer.
        scorer: String,
        /// The digest of its references; none in documents of before there was one.
        references: String,
        /// Of each system.
        systems: Vec<SystemFigures>,
        /// Whether it is of a run.
        of_models: bool,
    },
}

/// Figures of a system in a saved document.
pub struct SystemFigures {
    /// Its name.
    pub name: String,
    /// Samples that count.
    pub samples: usize,
    /// Word error rate.
    pub wer: f64,
    /// Character error rate.
    pub cer: f64,
    /// Samples without a hypothesis: not known which, so what both have can't be told.
    pub without: usize,
}

impl Baseline {
    /// What is told where the file that is judged is its own baseline: an artefact that was
    /// written over, mostly.
    pub fn is_itself(arguments: &ScoreArguments) -> Option<String> {
        let file = |path: &Path| path.canonicalize().ok().filter(|path| path.is_file());
        let named = arguments.gate.baseline.as_deref()?;
        let own = file(named).filter(|_| arguments.gate.baseline_model.is_none())?;
        // Without hypotheses of their own the references have them beside.
        let beside = arguments.hypotheses.is_empty();
        let beside = beside.then_some(&arguments.references);
        let mut judged = arguments.hypotheses.iter().chain(beside);
        judged.any(|one| file(one).as_ref() == Some(&own)).then(|| {
            format!(
                "--baseline {} is what is judged itself: nothing can have got worse",
                named.display()
            )
        })
    }

    /// Reads what was named, and tells what was joined, left out or taken for something in it.
    pub fn read(
        arguments: &ScoreArguments,
        all: bool,
    ) -> Result<Option<(Self, Vec<String>)>, Failure> {
        let Some(path) = &arguments.gate.baseline else {
            return Ok(None);
        };
        if let Some(figures) = Self::saved(path)? {
            return Ok(Some((figures, Vec::new())));
        }
        let normaliser: Normaliser = normaliser(&arguments.normalizer)?;
        let read = |hypotheses: &[String]| {
            let wanted = stt_eval_formats::transcripts::ReadOptions {
                hypotheses: hypotheses.to_vec(),
                ..score::wanted(arguments, Vec::new())
            };
            score::read(&arguments.references, std::slice::from_ref(path), &wanted)
        };
        let pairs = Self::of_columns(
            arguments.gate.baseline_model.as_deref(),
            &arguments.hyp,
            read,
        )?;
        let remarks = pairs.remarks.clone();
        let markup = arguments.markup.map(Into::into);
        let scored = score::count(pairs, &normaliser, &arguments.language, markup, all)?;
        let texts = Self::Texts {
            scored: Box::new(scored),
            of_models: false,
        };
        Ok(Some((texts, remarks)))
    }

    /// Reads a list with the columns that may be meant: the system that is named, the columns that
    /// are asked for (the table of an earlier release has the same), or those that it has.
    pub fn of_columns<T, E>(
        named: Option<&str>,
        asked: &[String],
        read: impl Fn(&[String]) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(named) = named
            && let Ok(made) = read(&[named.to_owned()])
        {
            return Ok(made);
        }
        match read(asked) {
            Err(_) if !asked.is_empty() => read(&[]),
            told => told,
        }
    }

    /// A saved document, if the file is one.
    ///
    /// # Errors
    /// It can't be read, or is of another version.
    pub fn saved(path: &Path) -> Result<Option<Self>, Failure> {
        saved(path)
    }

    /// Whether it is a saved document.
    pub fn is_saved(&self) -> bool {
        matches!(self, Self::Figures { .. })
    }

    /// Place of the system to compare with: the one that was named, the one of the same
    /// name, or the only one.
    pub fn system(&self, model: &str, named: Option<&str>) -> Option<usize> {
        let (Self::Texts { of_models, .. } | Self::Figures { of_models, .. }) = self;
        place_of(&self.names(), *of_models, model, named)
    }

    /// Names of its systems.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Texts { scored, .. } => {
                scored.systems.iter().map(|one| one.name.as_str()).collect()
            }
            Self::Figures { systems, .. } => systems.iter().map(|one| one.name.as_str()).collect(),
        }
    }

    /// What it is called beside a system: as it was named, and its own system where that is
    /// another one.
    pub fn called(&self, place: usize, model: &str, named: Option<&Path>) -> String {
        let named = named.unwrap_or(Path::new("the baseline"));
        let own = self.names().get(place).copied().unwrap_or_default();
        let is_told = own == model || named.file_stem().is_some_and(|stem| stem == own);
        let file = named.display();
        match is_told {
            true => file.to_string(),
            false => format!("{file} ({own})"),
        }
    }
}

/// Place of a system in a baseline of these: `of_models` where they have names of their own.
pub fn place_of(
    names: &[&str],
    of_models: bool,
    model: &str,
    named: Option<&str>,
) -> Option<usize> {
    let place = |wanted: &str| names.iter().position(|name| *name == wanted);
    match named {
        // Transcripts made elsewhere are also called as their column is.
        Some(named) => place(named).or_else(|| place(&model_id(named))),
        None => {
            // A column of transcripts, which are a model of the run.
            let column = || names.iter().position(|name| model_id(name) == model);
            let same = place(model).or_else(column);
            same.or((names.len() == 1 && !of_models).then_some(0))
        }
    }
}

/// By how much a rate may differ from its counts.
const ROUNDED: f64 = 1e-6;

/// What can't be, of figures of a document that somebody may have changed.
fn impossible(systems: &[Value]) -> Option<String> {
    let count = |counts: &Value, name: &str| counts.get(name).and_then(Value::as_f64);
    systems.iter().find_map(|system| {
        let name = system
            .get("name")
            .or_else(|| system.get("model"))?
            .as_str()?;
        [("wer", "words"), ("cer", "characters")]
            .into_iter()
            .find_map(|(rate, counts)| {
                let told = system.get(rate)?.as_f64()?;
                if told < 0.0 {
                    return Some(format!(
                        "its {rate} of {name} is {told}: no rate is below 0"
                    ));
                }
                let counts = system.get(counts).filter(|counts| counts.is_object())?;
                let errors = count(counts, "substitutions")?
                    + count(counts, "deletions")?
                    + count(counts, "insertions")?;
                let reference = count(counts, "hits")? + errors - count(counts, "insertions")?;
                let counted = if reference > 0.0 {
                    errors / reference
                } else {
                    errors
                };
                ((told - counted).abs() > ROUNDED).then(|| {
                    format!("its {rate} of {name} is {told}, and its counts say {counted:.6}")
                })
            })
    })
}

/// A document of `score` or `run`, if the file is one.
fn saved(path: &Path) -> Result<Option<Baseline>, Failure> {
    let is_json = path.extension().is_some_and(|end| end == "json");
    if !is_json || !path.is_file() {
        return Ok(None);
    }
    let failed = |reason: String| {
        Failure::new(
            Exit::Usage,
            "unreadable",
            format!("{}: {reason}", path.display()),
        )
    };
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let Ok(document) = serde_json::from_slice::<Value>(&bytes) else {
        return Ok(None);
    };
    let schema = document.get("schema").and_then(Value::as_u64);
    let list = |name: &str| document.get(name).and_then(Value::as_array);
    let of_models = list("systems").is_none();
    let systems = list("systems").or_else(|| list("models"));
    let (Some(schema), Some(systems)) = (schema, systems) else {
        return Ok(None);
    };
    if schema != 1 {
        return Err(failed(format!(
            "is a document of schema {schema}; this program knows 1"
        )));
    }
    // Those of some system; which one is not told.
    let missing = list("missing").map_or(0, Vec::len);
    let one = |system: &Value| {
        let name = system.get("name").or_else(|| system.get("model"))?;
        let count = |name: &str| usize::try_from(system.get(name)?.as_u64()?).ok();
        Some(SystemFigures {
            name: name.as_str()?.to_owned(),
            samples: count("samples")?,
            wer: system.get("wer")?.as_f64()?,
            cer: system.get("cer")?.as_f64()?,
            without: missing + count("failed").unwrap_or_default(),
        })
    };
    // Of a system that failed altogether there is nothing to compare with.
    let is_counted = |system: &&Value| system.get("samples").and_then(Value::as_u64) != Some(0);
    let systems: Option<Vec<_>> = systems.iter().filter(is_counted).map(one).collect();
    if let Some(reason) = list("systems")
        .or_else(|| list("models"))
        .and_then(|all| impossible(all))
    {
        return Err(failed(reason));
    }
    let systems = systems.ok_or_else(|| failed("is a document without figures".to_owned()))?;
    let text = |name: &str| {
        let text = document.get(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    Ok(Some(Baseline::Figures {
        normaliser: text("normalizer"),
        scorer: text("scorer"),
        references: text("references"),
        of_models,
        systems,
    }))
}
