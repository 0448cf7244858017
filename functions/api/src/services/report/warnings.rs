//! What to know before a report's figures are trusted.

use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::run::{Run, RunModel};
use stt_eval_shared::scoring::uncertainty::Comparison;
use stt_eval_shared::wire::compared::{few_blocks, fewer_shared};
use stt_eval_shared::wire::comparison::{Coverage, Warning, WarningCode};

use super::assemble::with_results;
use super::origins::Origins;
use super::scan::ModelScan;
use crate::services::runs::Changed;

/// How many of a model's items have a transcription.
pub fn coverage(found: &ModelScan) -> Coverage {
    let all = found.transcribed + found.failed_by_model + found.failed_by_service;
    Coverage {
        share: (all > 0).then(|| found.transcribed as f64 / all as f64),
        transcribed: found.transcribed,
        failed_by_model: found.failed_by_model,
        failed_by_service: found.failed_by_service,
    }
}

/// The most frequent codes of failures, for a sentence.
fn codes(found: &ModelScan) -> String {
    const SHOWN: usize = 3;
    let mut codes: Vec<(&String, &u64)> = found.failures.iter().collect();
    codes.sort_unstable_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let more = if codes.len() > SHOWN { ", …" } else { "" };
    let codes: Vec<String> = codes
        .iter()
        .take(SHOWN)
        .map(|(code, count)| format!("{code} {count}"))
        .collect();
    format!("{}{more}", codes.join(", "))
}

/// How to ask again for what failed. Of transcripts made elsewhere nobody is asked.
fn retry(run: &Run, name: &str) -> String {
    let is_imported = |model: &RunModel| model.model == name && model.imported.is_some();
    if run.models.iter().any(is_imported) {
        return String::new();
    }
    let when = if run.status.is_active() {
        "once the run has ended, "
    } else {
        ""
    };
    format!(
        ", and {when}POST /runs/{}/retry asks for failed clips again",
        run.id
    )
}

fn of_model(run: &Run, name: &str, found: &ModelScan) -> Vec<Warning> {
    let coverage = coverage(found);
    let all = coverage.transcribed + coverage.failed_by_model + coverage.failed_by_service;
    // Where all failed in one way that the sentence says already, its code says nothing more.
    let codes = |said: &str| match found.failures.keys().all(|code| code == said) {
        true => String::new(),
        false => format!(" (all failures: {})", codes(found)),
    };
    let warning = |code, count, message| Warning {
        code,
        model: Some(name.to_owned()),
        count,
        message,
    };
    let mut warnings = Vec::new();
    if coverage.failed_by_service > 0 {
        let count = coverage.failed_by_service;
        let never = FailureCode::UnsupportedByModel.as_str();
        let (what, retry) = match found.failures.get(never) {
            // Asked again it would be the same.
            Some(never) if *never >= count => (
                format!("{name} can't take {count} of {all} clips"),
                String::new(),
            ),
            _ => (
                format!("{count} of {all} clips of {name} failed for no fault of the model"),
                retry(run, name),
            ),
        };
        let message = format!(
            "{what}; they are left out of its score and of the comparison{retry}{}",
            codes(never)
        );
        warnings.push(warning(WarningCode::ServiceFailures, count, message));
    }
    if coverage.failed_by_model > 0 {
        let count = coverage.failed_by_model;
        let missing = FailureCode::MissingTranscript.as_str();
        let what = match found.failures.get(missing) {
            // Of a table that somebody made, a row may have been forgotten.
            Some(missing) if *missing >= count => {
                format!("no transcript of {name} was given for {count} of {all} clips")
            }
            _ => format!("{name} failed at {count} of {all} clips by itself"),
        };
        let message = format!(
            "{what}; they count as if it had left out every word{}",
            codes(missing)
        );
        warnings.push(warning(WarningCode::ModelFailures, count, message));
    }
    if all > 0 && found.kept.is_empty() && coverage.failed_by_service > 0 {
        let message =
            format!("{name} had its chance at no clip with a reference and is not compared");
        warnings.push(warning(WarningCode::NotCompared, all, message));
    }
    warnings
}

fn temperatures(run: &Run) -> Option<Warning> {
    let mut of: Vec<(f64, &str)> = run
        .models
        .iter()
        .filter_map(|model| Some((model.config.temperature?, &*model.model)))
        .collect();
    of.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)));
    let differ = of.first()?.0 < of.last()?.0;
    let of: Vec<String> = of.iter().map(|(at, name)| format!("{name} {at}")).collect();
    differ.then(|| Warning {
        code: WarningCode::TemperaturesDiffer,
        model: None,
        count: of.len() as u64,
        message: format!(
            "models were asked at different temperatures ({}); above 0, asking again gives other \
             answers, and no interval tells how much the figures vary by that",
            of.join(", ")
        ),
    })
}

/// Clips that count in no figure, as nobody said what is heard on them.
fn no_reference(run: &Run, models: &[ModelScan]) -> Option<Warning> {
    let count = models.iter().map(|found| found.without_reference).max()?;
    let all = run.sample_count;
    (count > 0).then(|| Warning {
        code: WarningCode::NoReference,
        model: None,
        count,
        message: format!(
            "{count} of {all} {} no reference: what was transcribed of them counts in no figure \
             but the share transcribed, cost and time",
            if count == 1 {
                "clips has"
            } else {
                "clips have"
            }
        ),
    })
}

/// Where nothing is said on any clip, no rate is made of the words that models wrote.
fn no_words(names: &[String], models: &[ModelScan]) -> Option<Warning> {
    let kept = || models.iter().flat_map(|found| &found.kept);
    let is_silent = kept().next().is_some() && kept().all(|kept| kept.words().reference == 0);
    let wrote = |found: &ModelScan| {
        found
            .kept
            .iter()
            .map(|kept| kept.words().errors)
            .sum::<u64>()
    };
    let of = names.iter().zip(models);
    let of: Vec<String> = of
        .map(|(name, found)| format!("{name} {}", wrote(found)))
        .collect();
    is_silent.then(|| Warning {
        code: WarningCode::NoWords,
        model: None,
        count: models.iter().map(wrote).sum(),
        message: format!(
            "every reference is silent, and no error rate is made of no words; words that models \
             wrote there: {}",
            of.join(", ")
        ),
    })
}

/// References were changed, the last at a time, and the figures are of those before.
pub fn changed(at: Timestamp, of: Changed) -> Warning {
    let at = at.to_string();
    let what = match (of.clips, of.or_more) {
        (0, _) => "references of the dataset were".to_owned(),
        (1, false) => "1 reference of the dataset was".to_owned(),
        (clips, false) => format!("{clips} references of the dataset were"),
        (clips, true) => format!("at least {clips} references of the dataset were"),
    };
    // To the minute, as pages tell times.
    let minute = at.get(..16).unwrap_or(&at).replace('T', " ");
    Warning {
        code: WarningCode::ReferencesChanged,
        model: None,
        count: of.clips,
        message: format!(
            "{what} changed since this was scored (last at {minute} UTC); score \
             the run again to count them"
        ),
    }
}

/// All that there is to know.
pub fn of(
    run: &Run,
    names: &[String],
    models: &[ModelScan],
    comparison: Option<&Comparison>,
    origins: &Origins,
) -> Vec<Warning> {
    let each = names.iter().zip(models);
    let mut warnings: Vec<Warning> = each
        .flat_map(|(name, found)| of_model(run, name, found))
        .collect();
    if let Some(comparison) = comparison {
        let compared = with_results(models);
        let most = models.iter().map(|found| found.kept.len()).max();
        for (index, (name, found)) in names.iter().zip(models).enumerate() {
            let (own, most) = (found.kept.len(), most.unwrap_or_default());
            if own > 0 && !compared.contains(&index) {
                warnings.push(Warning {
                    code: WarningCode::NotCompared,
                    model: Some(name.clone()),
                    count: own as u64,
                    message: format!(
                        "{name} had its chance at {own} of {most} clips and is not compared: all \
                         others would be compared on these few"
                    ),
                });
            }
        }
        let of = compared.iter().filter_map(|index| models.get(*index));
        let most = of.map(|found| found.kept.len()).max();
        warnings.extend(most.and_then(|most| fewer_shared(comparison, most)));
        warnings.extend(few_blocks(comparison));
    }
    warnings.extend(no_reference(run, models));
    warnings.extend(no_words(names, models));
    warnings.extend(temperatures(run));
    warnings.extend(origins.warnings(run.sample_count));
    warnings
}
