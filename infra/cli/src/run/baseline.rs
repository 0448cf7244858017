//! What a run is to be held against: found, and looked at before anything is paid.

use std::path::Path;

use stt_eval_wire::runs::Run;

use super::heard_before::HeardBefore;
use super::imported::Imported;
use super::make::Making;
use crate::failure::Failure;
use crate::gate::{Baseline, Condition, place_of};
use crate::read::find;

/// A baseline, as it is named: a saved document, hypotheses, or a run.
pub enum Named {
    /// A document.
    Saved(Baseline),
    /// Hypotheses for the same references.
    Heard(HeardBefore),
    /// A run; its results are counted when they are held against others.
    Run(Box<Run>),
}

impl Named {
    /// Names of its systems.
    fn systems(&self) -> Vec<&str> {
        match self {
            Self::Saved(saved) => saved.names(),
            Self::Heard(heard) => heard.systems.iter().map(String::as_str).collect(),
            Self::Run(run) => run.providers.iter().map(String::as_str).collect(),
        }
    }

    /// Whether there is something to hold a model against.
    fn has(&self, model: &str, named: Option<&str>) -> bool {
        match self {
            Self::Saved(saved) => saved.system(model, named).is_some(),
            Self::Heard(_) => place_of(&self.systems(), false, model, named).is_some(),
            Self::Run(_) => place_of(&self.systems(), true, model, named).is_some(),
        }
    }
}

/// Finds the baseline that is named.
///
/// # Errors
/// There is no such run, document or list, or a list of other utterances.
pub async fn find_named(making: &Making<'_>, named: &Path) -> Result<Named, Failure> {
    if named.is_file()
        && let Some(saved) = Baseline::saved(named)?
    {
        return Ok(Named::Saved(saved));
    }
    if named.is_file() || named.is_dir() {
        if is_source(making, named) {
            making.output.remark(&format!(
                "--baseline {} is what is judged itself: nothing can have got worse",
                named.display()
            ));
        }
        let (heard, remarks) = HeardBefore::find(named, making.arguments, &making.plan.clips)?;
        for remark in remarks {
            making.output.remark(&format!("--baseline: {remark}"));
        }
        return Ok(Named::Heard(heard));
    }
    let found = find(making.to, &named.to_string_lossy()).await;
    let run = found.map_err(|failure| match failure.code {
        "not_found" => Failure::usage(format!("--baseline: {}", failure.message)).hint(
            "it takes a document of --json, a file of hypotheses, or a run; stt-eval runs lists \
             runs",
        ),
        _ => failure,
    })?;
    Ok(Named::Run(Box::new(run)))
}

/// Whether transcripts of the source are held against themselves.
fn is_source(making: &Making<'_>, named: &Path) -> bool {
    let arguments = making.arguments;
    let is_asked = !arguments.reading.hyp.is_empty() && arguments.gate.baseline_model.is_none();
    let place = |path: &Path| path.canonicalize().ok();
    let (source, named) = (place(&arguments.source), place(named));
    let folder = named.as_deref().and_then(Path::parent);
    let is_it = named.is_some() && (source == named || source.as_deref() == folder);
    is_asked && is_it && folder.is_some()
}

/// Refuses a baseline that nothing could be judged by after all was paid for: it lacks a system
/// that a condition asks for, or is over another dataset.
///
/// # Errors
/// It is one, or the deployment can't be reached.
pub async fn fits(
    named: &Named,
    making: &Making<'_>,
    conditions: &[Condition],
    before: Option<&Run>,
) -> Result<(), Failure> {
    let gate = &making.arguments.gate;
    let called = gate.baseline.as_deref().unwrap_or(Path::new("latest"));
    let called = called.display();
    let asked = making.arguments.models.iter().cloned();
    let imported = making.plan.imported.iter().map(Imported::model);
    let all: Vec<String> = asked.chain(imported).collect();
    let regressions = conditions.iter().filter(|one| one.is_regression());
    let mut models = regressions.flat_map(|one| match &one.model {
        Some(model) => vec![model],
        None => all.iter().collect(),
    });
    let system = gate.baseline_model.as_deref();
    if let Some(model) = models.find(|model| !named.has(model, system)) {
        let there = named.systems().join(", ");
        let failure = match system {
            Some(system) => {
                let message = format!("--baseline-model: {called} has no system {system}");
                Failure::usage(message).hint(format!("it has {there}"))
            }
            None => Failure::usage(format!("--baseline: {called} has no system {model}")).hint(
                format!("--baseline-model NAME, or model= in the condition; it has {there}"),
            ),
        };
        return Err(failure);
    }
    let Named::Run(run) = named else {
        return Ok(());
    };
    let dataset = match before {
        Some(before) => Some(before.dataset_id),
        None => making.dataset_there().await?,
    };
    if dataset == Some(run.dataset_id) {
        return Ok(());
    }
    let message = format!("--baseline: {called} is over another dataset");
    Err(Failure::usage(message).hint("a run is held against one over the same dataset"))
}
