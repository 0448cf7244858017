//! Parts of a report: the same figures of the samples that share a value of a field.

use stt_eval_formats::grouped;
use stt_eval_wire::report::{Group, GroupKind, Groups};

use super::lists::table;
use super::report::Modelled;
use crate::score::{CountsOf, Ends, shown, shown_interval};

/// Samples below which no rate of a part is told: the pages of a deployment have none either.
const TOO_FEW: u64 = 10;

/// What the samples of a part share.
fn shared(group: &Group) -> String {
    match (&group.value, group.kind) {
        (Some(value), _) if value.trim().is_empty() => "empty".to_owned(),
        (Some(value), _) => value.split_whitespace().collect::<Vec<_>>().join(" "),
        (None, GroupKind::Missing) => "not given".to_owned(),
        (None, GroupKind::Other | GroupKind::Value) => "all others".to_owned(),
    }
}

/// A table for each part, below its value: no terminal agrees on the width of such a text.
pub fn text(groups: &Groups, models: &[Modelled]) -> String {
    let mut out = String::new();
    let mut any_small = false;
    for group in &groups.groups {
        let row = |model: &Modelled| {
            let name = &model.model;
            let summary = group.providers.get(name).and_then(Option::as_ref);
            let samples = summary.map_or(0, |summary| summary.all.samples);
            let all = summary.map(|summary| &summary.all);
            let all = all.filter(|_| samples >= TOO_FEW);
            let ends = group.wer_intervals.get(name).and_then(Option::as_ref);
            let ends = ends.filter(|_| all.is_some()).map(|ends| Ends {
                low: ends.low,
                high: ends.high,
            });
            any_small |= samples < TOO_FEW;
            let words = all.map(CountsOf::from);
            [
                name.clone(),
                shown(all.map(|all| all.wer), words),
                shown_interval(ends, words),
                shown(all.map(|all| all.cer), words),
                grouped(samples),
            ]
        };
        out += &format!("{}: {}\n", groups.field, shared(group));
        let heading = ["model", "WER", "95 %", "CER", "samples"];
        out += &table(heading, models.iter().map(row));
    }
    if any_small {
        out += &format!("Of fewer than {TOO_FEW} samples no rate is told.\n");
    }
    out
}
