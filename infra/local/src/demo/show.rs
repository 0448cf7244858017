//! What the demo prints.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value;

use crate::cloud::Traffic;
use crate::options::Providers;

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn percent(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn number(value: &Value) -> String {
    if value.is_null() {
        "–".to_owned()
    } else {
        value.to_string()
    }
}

/// One line for each model of a run.
pub(super) fn models(run: &Value) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "model", "WER", "CER", "S", "D", "I", "words", "coverage", "failed", "cost",
    ]);
    for provider in run["providers"].as_array().into_iter().flatten() {
        let name = text(provider);
        let score = &run["score"][name];
        let words = ["hits", "substitutions", "deletions"]
            .iter()
            .filter_map(|part| score[*part].as_u64())
            .sum::<u64>();
        table.add_row([
            name.to_owned(),
            percent(&score["wer"]),
            percent(&score["cer"]),
            number(&score["substitutions"]),
            number(&score["deletions"]),
            number(&score["insertions"]),
            words.to_string(),
            percent(&score["coverage"]),
            number(&score["failed"]),
            score["cost_usd"]
                .as_f64()
                .map_or_else(|| "–".to_owned(), |usd| format!("${usd:.6}")),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Fewer samples than this are shown as what they are: too few to choose by,
/// also where chance alone does not explain them.
const FEW_SAMPLES: u64 = 100;

/// Which model is better, as far as that can be told.
pub(super) fn verdict(report: &Value) -> String {
    let comparison = &report["comparison"];
    let leaders: Vec<&str> = report["providers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|provider| provider["rank"]["group"] == 1)
        .map(|provider| text(&provider["provider"]))
        .collect();
    let samples = &comparison["samples"];
    let few = samples.as_u64().is_some_and(|count| count < FEW_SAMPLES);
    let mut lines = match &leaders[..] {
        [] => "Nothing to compare.".to_owned(),
        [best] if few => format!(
            "On these {samples} clips {best} made fewer errors than every other, more than chance \
             explains;\n{samples} clips are too few to name a winner."
        ),
        [best] => format!("{best} is best: told apart from every other on {samples} clips."),
        several => format!(
            "No winner: on {samples} clips, {} can't be told apart.",
            several.join(" and ")
        ),
    };
    let chance = |value: &Value| match value.as_f64() {
        Some(p) if p >= 0.001 => format!("{p:.3}"),
        _ => "below 0.001".to_owned(),
    };
    for pair in comparison["pairs"].as_array().into_iter().flatten() {
        let points = |value: &Value| {
            value
                .as_f64()
                .map_or_else(|| "–".to_owned(), |share| format!("{:.1}", share * 100.0))
        };
        // Writing to a string can't fail.
        let _ = write!(
            lines,
            "\n  {} less {}: {} points of WER (95 % interval {} to {}), p {}, adjusted {}",
            text(&pair["a"]),
            text(&pair["b"]),
            points(&pair["difference"]),
            points(&pair["low"]),
            points(&pair["high"]),
            chance(&pair["p_value"]),
            chance(&pair["p_adjusted"]),
        );
    }
    for warning in report["warnings"].as_array().into_iter().flatten() {
        let _ = write!(lines, "\n  Note: {}.", text(&warning["message"]));
    }
    lines
}

/// A scored result with the words that differ marked.
pub(super) fn result(result: &Value) -> String {
    let mut line = format!(
        "  {:>7}  {}  {}\n           ",
        percent(&result["score"]["wer"]),
        text(&result["provider"]),
        text(&result["sample_id"]),
    );
    for word in result["alignment"].as_array().into_iter().flatten() {
        let part = |side: &str| match &word[side] {
            Value::String(text) => text.clone(),
            spanned => text(&spanned["text"]).to_owned(),
        };
        let (said, heard) = (part("reference"), part("hypothesis"));
        // Writing to a string can't fail.
        let _ = match text(&word["op"]) {
            "equal" => write!(line, "{said} "),
            "delete" => write!(line, "[-{said}-] "),
            "insert" => write!(line, "{{+{heard}+}} "),
            _ => write!(line, "[-{said}-]{{+{heard}+}} "),
        };
    }
    line.trim_end().to_owned()
}

/// A result without a transcription.
pub(super) fn failure(result: &Value) -> String {
    format!(
        "   failed  {}  {}\n           {}",
        text(&result["provider"]),
        text(&result["sample_id"]),
        text(&result["error_message"]),
    )
}

/// How to get a recogniser that really listens.
pub(super) fn how_to_listen(why_not: &str) -> String {
    format!(
        "Nothing here listened by itself ({why_not}). With Debian's packages ffmpeg and\n\
         pocketsphinx-en-us a recogniser of this machine joins in, and costs nothing."
    )
}

/// Where the transcriptions came from.
pub(super) fn provenance(providers: &Providers) -> String {
    match providers {
        Providers::Simulated => "The provider was SIMULATED: the transcriptions are recordings \
             written by hand for these clips,\nnot answers of a model. With GEMINI_API_KEY set, \
             the real one is asked."
            .to_owned(),
        Providers::At(url) => format!("The provider was what answers at {url}."),
        Providers::Real => "The provider was real: Google Gemini.".to_owned(),
    }
}

/// Requests to each service for the whole flow.
pub(super) fn requests(
    counts: &BTreeMap<(&'static str, String), Traffic>,
    samples: usize,
) -> String {
    let mut services: BTreeMap<&str, (u64, String)> = BTreeMap::new();
    for ((service, operation), traffic) in counts {
        let (total, operations) = services.entry(service).or_default();
        *total += traffic.requests;
        let _ = write!(operations, " {operation} {}", traffic.requests);
    }
    let mut lines = String::from("Requests (all of the flow, polling included)");
    for (service, (total, operations)) in services {
        let each = total as f64 / samples.max(1) as f64;
        let _ = write!(
            lines,
            "\n  {service}: {total}, {each:.1} per sample:{operations}"
        );
    }
    lines
}
