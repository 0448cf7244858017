//! Parts of the clips: by language, and by a field of their metadata.

use std::borrow::Cow;

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::report::{Group, GroupKind, Report, Summary};

use super::verdict::ranked;
use crate::charts::outline;
use crate::charts::slices::{MOST, Rate, Slice, Slices};
use crate::figures::{count, counted, interval, percent};
use crate::invisible::visible;
use crate::language::called;
use crate::texts::Text;

/// Clips below which no rate of a part is told.
pub(super) const TOO_FEW: u64 = 10;
/// Clips below which it is told with a warning (after the practice of NCHS).
const FEW: u64 = 30;

struct Cell {
    rate: String,
    interval: String,
    is_of_few: bool,
    note: String,
}

struct Row {
    name: String,
    size: String,
    cells: Vec<Cell>,
}

struct Column {
    name: String,
    outline: Option<&'static str>,
}

/// Parts of too few clips for a rate of any model, in a line of their own.
struct Folded {
    /// What they are: "8 languages of fewer than 10 clips each".
    what: String,
    /// Each with its clips.
    parts: Vec<(String, String)>,
    more: usize,
}

/// Most of them that are named.
const NAMED: usize = 12;

/// What parts are parts by.
#[derive(Clone, Copy)]
struct By {
    id: &'static str,
    /// What one is called, and several are.
    noun: (&'static str, &'static str),
    name: fn(&Group) -> String,
}

const LANGUAGES: By = By {
    id: "languages",
    noun: ("language", "languages"),
    name: language,
};
const GROUPS: By = By {
    id: "groups",
    noun: ("group", "groups"),
    name,
};

/// A way to part the clips, as a table and a chart.
#[derive(Template)]
#[template(path = "report/slices.html")]
pub struct Parting {
    id: &'static str,
    heading: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    chart: Option<Slices>,
    left_out: usize,
    folded: Option<Folded>,
}

impl HtmlSafe for Parting {}

fn name(group: &Group) -> String {
    match (&group.value, group.kind) {
        (Some(value), _) if value.trim().is_empty() => "empty".to_owned(),
        (Some(value), _) => visible(value).into_owned(),
        (None, GroupKind::Missing) => "not given".to_owned(),
        (None, GroupKind::Other | GroupKind::Value) => "all others".to_owned(),
    }
}

/// Words of the references that figures are of.
pub(super) fn words(summary: &Summary) -> u64 {
    summary.all.hits + summary.all.substitutions + summary.all.deletions
}

/// The largest number of clips, and of words, that a model has of a part.
fn size(group: &Group) -> (u64, u64) {
    let summaries = || group.providers.values().flatten();
    let samples = summaries().map(|summary| summary.all.samples).max();
    (
        samples.unwrap_or(0),
        summaries().map(words).max().unwrap_or(0),
    )
}

fn cell(group: &Group, model: &str) -> Cell {
    let summary = group.providers.get(model).and_then(Option::as_ref);
    let ends = group.wer_intervals.get(model).and_then(Option::as_ref);
    let samples = summary.map_or(0, |summary| summary.all.samples);
    let told = summary.filter(|_| samples >= TOO_FEW);
    Cell {
        rate: told.map_or_else(|| "–".to_owned(), |summary| percent(summary.all.wer)),
        interval: told
            .and(ends)
            .map(|ends| interval(ends.low, ends.high))
            .unwrap_or_default(),
        is_of_few: samples < FEW,
        note: match samples {
            0 => String::new(),
            few if few < TOO_FEW => Text::TooFew.to_string(),
            some if some < FEW => Text::FewClips.to_string(),
            _ => String::new(),
        },
    }
}

fn slice(group: &Group, name: String, models: &[&str]) -> Slice {
    let (clips, _) = size(group);
    let rate = |(series, model): (usize, &&str)| {
        let summary = group.providers.get(*model)?.as_ref()?;
        let ends = group.wer_intervals.get(*model).and_then(Option::as_ref);
        (summary.all.samples >= TOO_FEW).then(|| Rate {
            series,
            value: summary.all.wer,
            interval: ends.map(|ends| (ends.low, ends.high)),
            is_of_few: summary.all.samples < FEW,
        })
    };
    Slice {
        name,
        size: counted(clips, "clip", "clips"),
        rates: models.iter().enumerate().filter_map(rate).collect(),
        instead: Text::TooFew.to_string(),
    }
}

/// Where the best model has most and fewest errors, of parts that have clips enough. The two
/// ends of several parts differ by chance too, which the legend says.
fn finding(groups: &[&Group], name: fn(&Group) -> String, models: &[&str]) -> String {
    let of_part = |model: &str, group: &&Group| {
        let summary = group.providers.get(model)?.as_ref()?;
        (summary.all.samples >= FEW).then(|| (summary.all.wer, name(group)))
    };
    let told = models.first().and_then(|model| {
        let mut parts: Vec<(f64, String)> = groups
            .iter()
            .filter_map(|group| of_part(model, group))
            .collect();
        parts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        match parts.as_slice() {
            [(least, at_least), .., (most, at_most)] => Some(format!(
                "{} has a WER from {} ({at_least}) to {} ({at_most}) in parts of {FEW} clips and more.",
                visible(model),
                percent(*least),
                percent(*most),
            )),
            _ => None,
        }
    });
    told.unwrap_or_else(|| format!("Fewer than two parts have {FEW} clips: none is told apart."))
}

/// Those of the parts that are in a line of their own: a single one says as much in a row.
fn folded(groups: &[&Group], by: By) -> Option<Folded> {
    let (one, several) = by.noun;
    (groups.len() > 1).then(|| Folded {
        what: format!(
            "{} of fewer than {TOO_FEW} clips each",
            counted(groups.len() as u64, one, several)
        ),
        parts: groups
            .iter()
            .take(NAMED)
            .map(|group| {
                let (clips, _) = size(group);
                ((by.name)(group), counted(clips, "clip", "clips"))
            })
            .collect(),
        more: groups.len().saturating_sub(NAMED),
    })
}

/// What a part is called by the languages of its clips.
fn language(group: &Group) -> String {
    let tag = group.value.as_deref().map(called);
    tag.map_or_else(|| name(group), Cow::into_owned)
}

impl Parting {
    fn new(by: By, heading: String, groups: &[Group], report: &Report) -> Option<Self> {
        if groups.is_empty() {
            return None;
        }
        let mut groups: Vec<&Group> = groups.iter().collect();
        groups.sort_unstable_by(|a, b| {
            let by_size = size(b).cmp(&size(a));
            by_size.then_with(|| a.value.cmp(&b.value))
        });
        // The largest are first.
        let enough = groups.partition_point(|group| size(group).0 >= TOO_FEW);
        let folded = folded(&groups[enough..], by);
        if folded.is_some() {
            groups.truncate(enough);
        }
        let mut models: Vec<&str> = ranked(report).iter().map(|m| &*m.provider).collect();
        let unranked = report.providers.iter().filter(|m| m.rank.is_none());
        models.extend(unranked.map(|m| &*m.provider));
        let drawn = models.get(..MOST).unwrap_or(&models);
        let chart = groups
            .iter()
            .map(|group| slice(group, (by.name)(group), drawn))
            .collect();
        let finding = finding(&groups, by.name, &models);
        let column = |(series, model): (usize, &&str)| Column {
            name: visible(model).into_owned(),
            outline: (series < drawn.len()).then(|| outline(series)),
        };
        let rows = groups.iter().map(|group| {
            let (clips, words) = size(group);
            Row {
                name: (by.name)(group),
                size: format!(
                    "{} · {}",
                    counted(clips, "clip", "clips"),
                    counted(words, "word", "words")
                ),
                cells: models.iter().map(|model| cell(group, model)).collect(),
            }
        });
        Some(Self {
            id: by.id,
            chart: Slices::new(heading.clone(), finding, chart),
            heading,
            columns: models.iter().enumerate().map(column).collect(),
            rows: rows.collect(),
            left_out: models.len() - drawn.len(),
            folded,
        })
    }

    /// The parts of a report: by language where there are several, and by the field
    /// that was asked for.
    #[must_use]
    pub fn all(report: &Report) -> Vec<Self> {
        let languages = match &*report.languages {
            [_] => &[],
            several => several,
        };
        let by_language = Self::new(LANGUAGES, "By language".to_owned(), languages, report);
        let by_field = report.groups.as_ref().and_then(|groups| {
            let heading = format!("By {}", visible(&groups.field));
            Self::new(GROUPS, heading, &groups.groups, report)
        });
        by_language.into_iter().chain(by_field).collect()
    }

    fn left_out(&self) -> String {
        format!(
            "The chart leaves out {} with higher rates.",
            count(self.left_out as u64)
        )
    }
}
