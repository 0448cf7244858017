//! Two runs over one dataset, side by side: a sentence first, then what it stands on.
//!
//! Nothing is told to be better than the comparison says; what can't be compared is told
//! with the reason and with what to do.

use askama::Template;
use stt_eval_wire::compared::tell_nothing;
use stt_eval_wire::report::SPEAKER;
use stt_eval_wire::run_comparison::{
    ComparedRun, LeftOut, ModelComparison, NotComparable, NotComparableCode, PairedFigures,
    RunComparison,
};
use stt_eval_wire::runs::Run;

use crate::RenderError;
use crate::buttons::by_buttons;
use crate::charts::forest::{Axis, Forest, Value};
use crate::figures::{count, counted, percent, points, points_interval, probability, these};
use crate::invisible::visible;
use crate::layout::Frame;
use crate::progress::{path, status};
use crate::sentence::{Phrase, Sentence, named, names, plain, words};
use crate::texts::Text;
use crate::texts::compare::Compare;

/// A run that can be compared with.
struct Choice {
    id: String,
    text: String,
    chosen: bool,
}

struct Row {
    model: String,
    figures: Option<Figures>,
    why: String,
    clips: String,
    left_out: String,
}

/// Figures of a model, as text.
struct Figures {
    wer: String,
    other_wer: String,
    difference: String,
    interval: String,
    p: String,
    said: Compare,
}

struct Fact {
    name: Compare,
    value: String,
}

/// What a comparison comes to.
struct Found {
    finding: Vec<Sentence>,
    hint: String,
    is_provisional: bool,
    rows: Vec<Row>,
    other: String,
    other_path: String,
    forest: Option<Forest>,
    few_blocks: bool,
    alone: Vec<Sentence>,
    facts: Vec<Fact>,
}

#[derive(Template)]
#[template(path = "runs/compare.html")]
struct Page<'a> {
    frame: Frame<'a>,
    run: String,
    run_path: String,
    choices: Vec<Choice>,
    more_runs: bool,
    /// The dataset, for those who may start a run over it.
    start: Option<String>,
    block_by: Option<&'a str>,
    normalizer: &'a str,
    /// The address of the same in other blocks, and what they are.
    otherwise: Option<(String, Compare)>,
    /// Addresses and names of runs that are to be scored again.
    outdated: Vec<(String, String)>,
    found: Option<Found>,
}

/// What a page of comparisons is about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The run.
    pub run: &'a Run,
    /// Whether the visitor may start runs.
    pub may_start: bool,
    /// Other runs over its dataset, the newest first.
    pub others: &'a [Run],
    /// Whether there are more of them than are listed.
    pub more_runs: bool,
    /// Field that makes blocks as it was asked for, empty for clip by clip. Kept when
    /// another run is chosen.
    pub block_by: Option<&'a str>,
    /// Those of the two that were scored before references of the dataset were changed.
    pub outdated: &'a [Run],
    /// Normaliser of both scorings, empty for that of the run. Kept as well.
    pub normalizer: &'a str,
}

/// What the two runs are called in a sentence: by their names, where these tell them apart.
fn called(found: &RunComparison) -> [Phrase; 2] {
    if found.run.run_name == found.other.run_name {
        return [words("this run"), words("the other run")];
    }
    [&found.run, &found.other].map(|run| named(&run.run_name))
}

/// A verdict on one model: what stands in the table, and which sentence it joins.
fn said(figures: &PairedFigures) -> Compare {
    if !figures.distinguishable {
        Compare::CannotTellApart
    } else if figures.difference < 0.0 {
        Compare::FewerHere
    } else {
        Compare::FewerThere
    }
}

fn figures_of(found: &RunComparison) -> impl Iterator<Item = (&ModelComparison, &PairedFigures)> {
    let models = found.models.iter();
    models.filter_map(|model| Some((model, model.figures.as_ref()?)))
}

/// What is found of the models of a verdict: "a and b make fewer errors in X than in Y".
fn sentence(found: &RunComparison, verdict: Compare) -> Option<Sentence> {
    let of = figures_of(found).filter(|(_, figures)| said(figures) == verdict);
    let of: Vec<&ModelComparison> = of.map(|(model, _)| model).collect();
    if of.is_empty() {
        return None;
    }
    let [run, other] = called(found);
    let mut sentence = Sentence::new();
    if verdict == Compare::CannotTellApart {
        // The runs, not the models.
        sentence.push(words("By "));
    }
    names(
        &mut sentence,
        of.iter().map(|model| model.provider.as_str()),
    );
    let one = of.len() == 1;
    let clips = match of.as_slice() {
        [only] => these(only.samples as u64, "clip", "clips"),
        _ => "the clips that both have".to_owned(),
    };
    if verdict == Compare::CannotTellApart {
        sentence.extend([words(", "), run, words(" and "), other]);
        sentence.push(words(format!(
            " can’t be told apart: on {clips}, chance may explain the difference."
        )));
        return Some(sentence);
    }
    let (better, worse) = match verdict {
        Compare::FewerHere => (run, other),
        _ => (other, run),
    };
    sentence.push(words(format!(
        " {} fewer errors in ",
        if one { "makes" } else { "make" }
    )));
    sentence.extend([better, words(" than in "), worse]);
    sentence.push(words(format!(
        ": on {clips}, chance does not explain the difference."
    )));
    Some(sentence)
}

/// What one run transcribed and the other did not: a difference that may be of that alone.
fn missing(found: &RunComparison, model: &ModelComparison) -> Vec<Sentence> {
    let [run, other] = called(found);
    let told = [
        (model.missing_in_other, run.clone(), other.clone()),
        (model.missing_in_run, other, run),
    ];
    let told = told.into_iter().filter(|(clips, ..)| *clips > 0);
    told.map(|(clips, there, here)| {
        let have = counted(clips, "clip has", "clips have");
        vec![
            words(format!("{have} a transcription by ")),
            named(&model.provider),
            words(" only in "),
            there,
            words(": in "),
            here,
            words(" all words of these count as missing."),
        ]
    })
    .collect()
}

/// Why nothing can be compared, in plain words.
fn why(reason: &NotComparable) -> Compare {
    match reason.code {
        NotComparableCode::OtherDataset => Compare::OtherDataset,
        NotComparableCode::OtherNormalizer => Compare::OtherNormalizer,
        NotComparableCode::OtherScorer => Compare::OtherScorer,
        NotComparableCode::NoCommonModel => Compare::NoCommonModel,
        NotComparableCode::NoCommonSample => Compare::NoCommonSample,
        NotComparableCode::OtherReferences => Compare::OtherReferences,
    }
}

fn left_out(left: &LeftOut) -> String {
    let parts = [
        (left.other_reference, "against another reference"),
        (left.only_in_run, "only in this run"),
        (left.only_in_other, "only in the other"),
        (left.in_neither, "in neither"),
    ];
    let parts = parts.into_iter().filter(|(clips, _)| *clips > 0);
    let parts: Vec<String> = parts
        .map(|(clips, what)| format!("{} {what}", count(clips)))
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!("left out: {}", parts.join(", "))
    }
}

fn row(of: &ModelComparison) -> Row {
    let figures = of.figures.as_ref().map(|figures| Figures {
        wer: percent(figures.wer),
        other_wer: percent(figures.other_wer),
        difference: points(figures.difference),
        interval: figures
            .low
            .zip(figures.high)
            .map(|(low, high)| points_interval(low, high))
            .unwrap_or_default(),
        p: probability(figures.p_adjusted),
        said: said(figures),
    });
    Row {
        model: visible(&of.provider).into_owned(),
        figures,
        why: of.reason.as_ref().map_or_else(String::new, |reason| {
            format!("{} {}", why(reason), by_buttons(&visible(&reason.message)))
        }),
        clips: count(of.samples as u64),
        left_out: left_out(&of.left_out),
    }
}

fn forest(found: &RunComparison, finding: String) -> Option<Forest> {
    let values = figures_of(found).map(|(model, figures)| Value {
        name: visible(&model.provider).into_owned(),
        text: format!(
            "{} {}",
            points(figures.difference),
            if figures.distinguishable {
                "✓"
            } else {
                "≈"
            }
        ),
        value: figures.difference,
        interval: figures.low.zip(figures.high),
        certain: figures.distinguishable,
    });
    let values: Vec<Value> = values.collect();
    let title = Compare::Forest.to_string();
    (!values.is_empty()).then(|| Forest::new(title, finding, values, Axis::Difference))
}

fn alone(models: &[String], what: &str) -> Option<Sentence> {
    if models.is_empty() {
        return None;
    }
    let mut sentence = vec![words(format!("{what} "))];
    names(&mut sentence, models.iter().map(String::as_str));
    sentence.push(words("."));
    Some(sentence)
}

/// How many blocks there are; models may have heard different clips.
fn blocks(found: &RunComparison) -> Option<String> {
    let all = || figures_of(found).map(|(_, figures)| figures.blocks as u64);
    let (least, most) = all().min().zip(all().max())?;
    let most_told = counted(most, "block", "blocks");
    Some(if least == most {
        most_told
    } else {
        format!("{} to {most_told}", count(least))
    })
}

/// What counts as one, and whether too few of them do for any difference to be shown.
fn hint(found: &RunComparison) -> String {
    let blocks = blocks(found);
    let together = found.block_by.as_deref().map(|field| {
        let together = crate::report::together(field);
        match &blocks {
            Some(blocks) => format!("{together}: {blocks} in all."),
            None => format!("{together}."),
        }
    });
    let tests = figures_of(found).count();
    let too_few = |(_, figures): (_, &PairedFigures)| tell_nothing(figures.blocks, tests);
    let none_told = blocks.filter(|_| figures_of(found).all(too_few));
    let none_told = none_told.map(|blocks| {
        let more = match found.block_by.as_deref() {
            None => "clips",
            Some(SPEAKER) => "speakers",
            Some(_) => "blocks",
        };
        format!("With {blocks} no difference can be shown, however large: that takes more {more}.")
    });
    let told: Vec<String> = together.into_iter().chain(none_told).collect();
    told.join(" ")
}

/// What there is to be told beyond the sentence on why runs can't be compared.
fn hint_of(reason: &NotComparable, runs: [&ComparedRun; 2]) -> String {
    // The sentence says it all.
    let is_told = [
        NotComparableCode::OtherDataset,
        NotComparableCode::NoCommonModel,
    ];
    if is_told.contains(&reason.code) {
        return String::new();
    }
    // A run is known by its name.
    let message = by_buttons(&reason.message);
    let told = runs.into_iter().fold(message, |told, run| {
        told.replace(&run.id.to_string(), &format!("“{}”", run.run_name))
    });
    visible(&told).into_owned()
}

/// How it was measured; empty where nothing was.
fn facts(found: &RunComparison) -> Vec<Fact> {
    let mut facts = Vec::new();
    let tests = figures_of(found).count() as u64;
    if tests == 0 {
        return facts;
    }
    let mut fact = |name, value| facts.push(Fact { name, value });
    let scoring = |run: &ComparedRun| {
        let number = run.scoring.map(|number| format!(", scoring no. {number}"));
        format!(
            "{} ({}{})",
            visible(&run.run_name),
            run.id,
            number.unwrap_or_default()
        )
    };
    fact(Compare::ThisRun, scoring(&found.run));
    fact(Compare::OtherRun, scoring(&found.other));
    if let Some(normalizer) = &found.normalizer {
        fact(Compare::Normaliser, visible(normalizer).into_owned());
    }
    let by = match &found.block_by {
        Some(field) => format!("clips of one “{}” are a block", visible(field)),
        None => "each clip is a block".to_owned(),
    };
    let by = match blocks(found) {
        Some(blocks) => format!("{by}: {blocks}"),
        None => by,
    };
    fact(
        Compare::Test,
        format!(
            "paired permutation over blocks ({by}), {} permutations, seed {}; p is adjusted for {} \
             (Holm), 5 %; intervals are 95 %, by {} resamples, not adjusted",
            found.permutations,
            found.seed,
            counted(tests, "model", "models"),
            found.replicates,
        ),
    );
    facts
}

impl Found {
    fn of(found: &RunComparison) -> Self {
        let sentences = [
            Compare::FewerHere,
            Compare::FewerThere,
            Compare::CannotTellApart,
        ];
        let sentences = sentences
            .into_iter()
            .filter_map(|verdict| sentence(found, verdict));
        let mut finding: Vec<Sentence> = sentences.collect();
        let hint = if let Some(reason) = &found.reason {
            finding.push(vec![words(why(reason).to_string())]);
            hint_of(reason, [&found.run, &found.other])
        } else {
            self::hint(found)
        };
        finding.extend(found.models.iter().flat_map(|model| missing(found, model)));
        if finding.is_empty() {
            finding.push(vec![words(Compare::NoneCompared.to_string())]);
        }
        let told: Vec<String> = finding.iter().map(|sentence| plain(sentence)).collect();
        let alone = [
            alone(&found.only_in_run, "Only in this run:"),
            alone(&found.only_in_other, "Only in the other run:"),
        ];
        Self {
            hint,
            is_provisional: !(found.run.complete && found.other.complete),
            rows: found.models.iter().map(row).collect(),
            other: visible(&found.other.run_name).into_owned(),
            other_path: format!("/runs/{}", found.other.id),
            forest: forest(found, told.join(" ")),
            few_blocks: figures_of(found).any(|(_, figures)| !figures.reliable),
            alone: alone.into_iter().flatten().collect(),
            facts: facts(found),
            finding,
        }
    }
}

/// The address of a comparison in other blocks: of each clip, or as is usual.
fn otherwise(asked: &Asked<'_>, found: &RunComparison) -> Option<(String, Compare)> {
    let (block_by, what) = match (&found.block_by, asked.block_by) {
        (Some(_), _) => ("&block_by=", Compare::ClipByClip),
        (None, Some("")) => ("", Compare::AsUsual),
        (None, _) => return None,
    };
    // A normaliser is a word, with steps behind it.
    let normalizer = match asked.normalizer {
        "" => String::new(),
        name => format!("&normalizer={}", name.replace('+', "%2B")),
    };
    let other = found.other.id;
    Some((format!("?with={other}{normalizer}{block_by}"), what))
}

/// A form to choose the other run, and how it compares once it is chosen.
///
/// # Errors
/// See [`RenderError`].
pub fn page(
    frame: Frame<'_>,
    asked: Asked<'_>,
    found: Option<&RunComparison>,
) -> Result<String, RenderError> {
    let choice = |run: &Run| {
        let at = run.inserted_at.to_string();
        let at = at.get(..16).unwrap_or(&at).replace('T', " ");
        Choice {
            id: run.id.to_string(),
            // In a choice nothing but characters keeps a name's direction to itself.
            text: format!(
                "\u{2068}{}\u{2069} · {at} · {}",
                visible(&run.run_name),
                status(run.status)
            ),
            chosen: found.is_some_and(|found| found.other.id == run.id),
        }
    };
    let mut choices: Vec<Choice> = asked.others.iter().map(choice).collect();
    // A run that was named in the address may be none of those listed.
    if let Some(found) = found.filter(|_| !choices.iter().any(|choice| choice.chosen)) {
        choices.insert(
            0,
            Choice {
                id: found.other.id.to_string(),
                text: visible(&found.other.run_name).into_owned(),
                chosen: true,
            },
        );
    }
    let page = Page {
        frame,
        run: visible(&asked.run.run_name).into_owned(),
        run_path: path(asked.run),
        choices,
        more_runs: asked.more_runs,
        start: asked.may_start.then(|| asked.run.dataset_id.to_string()),
        block_by: asked.block_by,
        normalizer: asked.normalizer,
        outdated: asked
            .outdated
            .iter()
            .map(|run| (path(run), visible(&run.run_name).into_owned()))
            .collect(),
        otherwise: found.and_then(|found| otherwise(&asked, found)),
        found: found.map(Found::of),
    };
    page.render()
}
