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
    // Models are compared where all of them are. With one that has heard silence alone nothing is
    // said there, and the ranks of the others would be made of nothing as well.
    let is_compared = |name: &str| {
        let comparison = report.comparison.as_ref();
        comparison.is_some_and(|of| of.providers.contains_key(name))
    };
    let mut silent = report
        .providers
        .iter()
        .filter(|model| is_silent(model.score.as_ref()));
    if silent.any(|model| is_compared(&model.provider)) {
        report.comparison = None;
        for model in &mut report.providers {
            model.rank = None;
        }
    }
    for model in &mut report.providers {
        if is_silent(model.score.as_ref()) {
            (model.score, model.common) = (None, None);
            (model.wer_interval, model.cer_interval) = (None, None);
            model.waterfall.clear();
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
