//! `diff`: how a run compares with another, model by model.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;
use stt_eval_formats::{counted, grouped};
use stt_eval_wire::paths;
use stt_eval_wire::run_comparison::{LeftOut, ModelComparison, PairedFigures, RunComparison};
use stt_eval_wire::runs::Run;
use stt_eval_wire::scores::ModelScore;

use super::lists::table;
use super::report::in_blocks;
use super::runs::find;
use crate::arguments::DiffArguments;
use crate::deployment::{Deployment, Request, as_commands};
use crate::failure::{Exit, Failure};
use crate::output::{ErrorOf, Output, SCHEMA};
use crate::score::{self, Ends, interval, percent, points, probability};

/// A comparison of large runs takes several requests.
const PATIENCE: Duration = Duration::from_secs(900);

/// The document: the answer of the deployment, and how the command ends.
#[derive(Serialize)]
struct Told {
    schema: u32,
    ok: bool,
    #[serde(flatten, serialize_with = "as_documents_do")]
    comparison: RunComparison,
    /// What was noticed of what was asked for.
    remarks: Vec<String>,
    error: Option<ErrorOf>,
}

/// The comparison as the deployment tells it, and models and runs as all documents have them:
/// `models: [{"model", "wer", "difference", …}]`, `run: {"id", "name", …}`.
fn as_documents_do<S: Serializer>(told: &RunComparison, to: S) -> Result<S::Ok, S::Error> {
    let mut told = serde_json::to_value(told).map_err(serde::ser::Error::custom)?;
    for run in ["run", "other"] {
        let name = told.get(run).and_then(|run| run.get("run_name")).cloned();
        if let (Some(Value::Object(run)), Some(name)) = (told.get_mut(run), name) {
            run.insert("name".to_owned(), name);
        }
    }
    for model in told
        .get_mut("models")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let Value::Object(model) = model else {
            continue;
        };
        if let Some(Value::Object(figures)) = model.get("figures").cloned() {
            for (name, figure) in figures {
                model.entry(name).or_insert(figure);
            }
        }
        if let Some(name) = model.get("provider").cloned() {
            model.insert("model".to_owned(), name);
        }
    }
    told.serialize(to)
}

/// `diff`. What can't be compared is 101, as for a gate.
pub async fn show(
    to: &Deployment,
    arguments: &DiffArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let run = find(to, &arguments.of.run).await?;
    let other = find(to, &arguments.other).await?;
    let ask = async |block_by: Option<&str>| -> Result<RunComparison, Failure> {
        let request = Request::get(paths::compare(run.id, other.id))
            .with_some("block_by", block_by)
            .with_some("normalizer", arguments.normalizer.as_ref())
            .patiently(PATIENCE.max(to.patience));
        to.ask(&request).await
    };
    let named = arguments.block_by.as_deref();
    let comparison = in_blocks(named, ask, RunComparison::is_one_block).await?;
    let error = (!comparison.comparable).then(|| {
        let reasons = comparison.reason.iter();
        let of_models = comparison
            .models
            .iter()
            .filter_map(|model| model.reason.as_ref());
        let reasons: Vec<String> = reasons
            .chain(of_models)
            .map(|reason| as_commands(&reason.message))
            .collect();
        let message = format!("the runs can't be compared: {}", reasons.join("; "));
        ErrorOf::new("not_comparable", message, None)
    });
    let document = Told {
        schema: SCHEMA,
        ok: error.is_none(),
        comparison,
        remarks: output.remarks(),
        error,
    };
    let silent: HashSet<&str> = [&run, &other].into_iter().flat_map(silent).collect();
    output.result(&document, || text(&document, &silent))?;
    Ok(match document.ok {
        true => Exit::Done,
        false => Exit::NotJudged,
    })
}

/// Models of a run whose references have no word: no rate is made of no words.
fn silent(run: &Run) -> impl Iterator<Item = &str> {
    let scores = run.score.iter().flatten();
    let is_silent = |score: &ModelScore| score::is_silent(Some((&score.all).into()));
    scores.filter_map(move |(model, score)| {
        let score = score.as_ref().filter(|score| is_silent(score));
        score.map(|_| model.as_str())
    })
}

fn text(told: &Told, silent: &HashSet<&str>) -> String {
    let comparison = &told.comparison;
    let name = |run: &stt_eval_wire::run_comparison::ComparedRun| {
        let under_way = if run.complete { "" } else { "  not complete" };
        format!("{}  “{}”{under_way}\n", run.id, run.run_name)
    };
    let mut out = format!(
        "run    {}other  {}",
        name(&comparison.run),
        name(&comparison.other)
    );
    if let Some(error) = &told.error {
        out += &format!("{}\n", error.message());
    }
    if !comparison.models.is_empty() {
        let heading = [
            "model",
            "run",
            "other",
            "difference (points)",
            "95 %",
            "p",
            "samples",
        ];
        let rows = comparison.models.iter();
        let is_silent = |model: &ModelComparison| silent.contains(model.provider.as_str());
        out += &table(heading, rows.map(|model| row(model, is_silent(model))));
    }
    for model in &comparison.models {
        out += &match (&model.figures, silent.contains(model.provider.as_str())) {
            (Some(figures), true) => on_silence(model, figures),
            _ => sentence(model, comparison.block_by.as_deref()),
        };
    }
    for (models, place) in [
        (&comparison.only_in_run, "the run"),
        (&comparison.only_in_other, "the other run"),
    ] {
        if !models.is_empty() {
            out += &format!("only in {place}: {}\n", models.join(", "));
        }
    }
    if let Some(normaliser) = &comparison.normalizer {
        out += &format!("Scored with {normaliser}.\n");
    }
    out
}

/// What a model wrote where nothing is said: its rates are counts then.
fn on_silence(model: &ModelComparison, figures: &PairedFigures) -> String {
    let wrote = [figures.wer, figures.other_wer];
    let [run, other] = wrote.map(|words| counted(words.round() as usize, "word", "words"));
    format!(
        "{}: every reference is silent: no rate is made of no words; it wrote {run} on them in \
         the run, and {other} in the other one.{}\n",
        model.provider,
        left_out(&model.left_out)
    )
}

fn row(model: &ModelComparison, is_silent: bool) -> [String; 7] {
    let none = || "–".to_owned();
    let figures = model.figures.as_ref().filter(|_| !is_silent);
    let ends = figures.and_then(|figures| {
        Some(Ends {
            low: figures.low?,
            high: figures.high?,
        })
    });
    [
        model.provider.clone(),
        figures.map_or_else(none, |figures| percent(figures.wer)),
        figures.map_or_else(none, |figures| percent(figures.other_wer)),
        figures.map_or_else(none, |figures| signed(figures.difference)),
        interval(ends),
        figures.map_or_else(none, |figures| {
            // Its heading says what it is.
            let p = probability(figures.p_adjusted);
            p.strip_prefix("p ").unwrap_or(&p).to_owned()
        }),
        grouped(model.samples as u64),
    ]
}

/// Points with their sign.
fn signed(difference: f64) -> String {
    let sign = if difference > 0.0 { "+" } else { "" };
    format!("{sign}{}", points(difference))
}

fn sentence(model: &ModelComparison, block_by: Option<&str>) -> String {
    let name = &model.provider;
    let mut out = match (&model.figures, &model.reason) {
        (Some(figures), _) => {
            let blocks = block_by.map_or(String::new(), |field| format!(", in blocks by {field}"));
            let verdict = match (figures.distinguishable, figures.difference < 0.0) {
                (true, true) => "is better in the run than in the other one",
                (true, false) => "is worse in the run than in the other one",
                (false, _) => "can't be told apart in the two runs",
            };
            format!("{name} {verdict}{blocks}.")
        }
        (None, Some(reason)) => format!("{name}: not compared: {}.", as_commands(&reason.message)),
        (None, None) => format!("{name}: not compared."),
    };
    for (count, there) in [
        (model.missing_in_run, "other run"),
        (model.missing_in_other, "run"),
    ] {
        if count > 0 {
            let samples = counted(
                usize::try_from(count).unwrap_or(usize::MAX),
                "sample",
                "samples",
            );
            out += &format!(
                " {samples} transcribed in the {there} alone: elsewhere all words count as missing."
            );
        }
    }
    out += &left_out(&model.left_out);
    out.push('\n');
    out
}

fn left_out(left_out: &LeftOut) -> String {
    let parts = [
        (left_out.other_reference, "held against another reference"),
        (left_out.only_in_run, "counting in the run alone"),
        (left_out.only_in_other, "counting in the other alone"),
        (left_out.in_neither, "counting in neither"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    match parts.as_slice() {
        [] => String::new(),
        parts => format!(" Left out: {}.", parts.join(", ")),
    }
}
