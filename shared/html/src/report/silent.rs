//! What nothing is said on: no rate is made of no words.

use std::borrow::Cow;

use stt_eval_wire::comparison::WarningCode;
use stt_eval_wire::report::{Report, Summary};

use super::slices::words;
use crate::texts::Text;

fn is_silent(score: Option<&Summary>) -> bool {
    score.is_some_and(|score| words(score) == 0)
}

/// The report without rates that are counts: of models, and of parts, whose references have
/// no word.
pub(super) fn without_rates(report: &Report) -> Cow<'_, Report> {
    let models = report.providers.iter().map(|model| model.score.as_ref());
    let groups = report.groups.iter().flat_map(|by| &by.groups);
    let parts = report.languages.iter().chain(groups);
    let parts = parts.flat_map(|part| part.providers.values().map(Option::as_ref));
    if !models.chain(parts).any(is_silent) {
        return Cow::Borrowed(report);
    }
    let mut report = report.clone();
    for model in &mut report.providers {
        if is_silent(model.score.as_ref()) {
            (model.score, model.common, model.rank) = (None, None, None);
            (model.wer_interval, model.cer_interval) = (None, None);
            model.waterfall.clear();
            // It is compared where all of them are, and nothing is said there.
            report.comparison = None;
        }
    }
    let groups = report.groups.iter_mut().flat_map(|by| &mut by.groups);
    for part in report.languages.iter_mut().chain(groups) {
        for (name, score) in &mut part.providers {
            if is_silent(score.as_ref()) {
                *score = None;
                part.wer_intervals.remove(name);
            }
        }
    }
    Cow::Owned(report)
}

/// Why there is no finding.
pub(super) fn no_finding(report: &Report) -> Text {
    let is_told = |code| report.warnings.iter().any(|warning| warning.code == code);
    if is_told(WarningCode::NoWords) {
        Text::OnlySilence
    } else if report.complete && is_told(WarningCode::NoReference) {
        Text::NoClipHasAReference
    } else {
        Text::NothingScored
    }
}
