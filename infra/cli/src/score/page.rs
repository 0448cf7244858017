//! `--html`: a score as one page that can be sent around, in the look of a run's report.

use std::path::Path;

use stt_eval_formats::{Hypothesis, Id, counted};
use stt_eval_html::report::{self as html, Condition, Heard, Misheard, Outcome, Texts};
use stt_eval_scoring::{Counts, Scorer};
use stt_eval_wire::scored::aligned_word;

use super::count::{Scored, System};
use super::told::{Asked, report};
use super::unscored::Unscored;
use crate::arguments::ScoreArguments;
use crate::failure::{Exit, Failure};
use crate::gate::{Status, Verdict};

/// Texts that are shown word by word.
const SHOWN: usize = 20;
/// Longer texts are not shown: a page is for people.
const LONGEST: usize = 100_000;

/// Samples with the highest error rates over some systems, the worst first, as `results --worst` has
/// them; of equal rates those with more errors.
pub fn worst(scored: &Scored, systems: &[System], most: usize) -> Vec<usize> {
    let counted = |index: usize| {
        let of = systems
            .iter()
            .filter_map(|system| system.samples.get(index));
        let counting = of.filter(|one| !one.is_failed());
        let mut all = Counts::default();
        counting.for_each(|one| all.add(&one.words()));
        (all.error_rate(), all.errors(), index)
    };
    let all = (0..scored.pairs.samples.len()).map(counted);
    let mut wrong: Vec<(f64, u64, usize)> = all.filter(|(_, errors, _)| *errors > 0).collect();
    wrong.sort_by(|a, b| {
        let rates = b.0.total_cmp(&a.0);
        rates.then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2))
    });
    wrong.into_iter().take(most).map(|one| one.2).collect()
}

fn misheard<'a>(
    scored: &'a Scored,
    index: usize,
    marked: &'a str,
    asked: Asked<'a>,
) -> Result<Option<Misheard<'a>>, Failure> {
    let Some(pair) = scored.pairs.samples.get(index) else {
        return Ok(None);
    };
    let language = asked.language_of(pair);
    let mut scorer = Scorer::new(asked.normaliser.clone(), language);
    scorer
        .set_reference(marked)
        .map_err(|error| Unscored::of(pair, error))?;
    let mut heard = Vec::with_capacity(scored.systems.len());
    for (system, texts) in scored.systems.iter().zip(&scored.pairs.heard) {
        let counted = system.samples.get(index).filter(|one| !one.is_failed());
        let counts = counted.map(|one| one.words());
        let (text, note) = match texts.get(index) {
            Some(Hypothesis::Text(text)) if text.len() > LONGEST => (None, "too long to be shown"),
            Some(Hypothesis::Text(text)) => (Some(text.as_str()), ""),
            Some(Hypothesis::Failed(reason)) => (None, reason.as_str()),
            Some(Hypothesis::Missing) | None => (None, "no hypothesis; it counts as an empty one"),
        };
        let aligned = text.map(|text| scorer.align_words(text)).transpose();
        let aligned = aligned.map_err(|error| Unscored::of(pair, error))?;
        heard.push(Heard {
            model: &system.name,
            text,
            alignment: aligned.map(|words| words.into_iter().map(aligned_word).collect()),
            errors: counts.map(|counts| (counts.errors(), counts.reference())),
            note,
        });
    }
    let is_shown = pair.reference.len() <= LONGEST;
    Ok(is_shown.then(|| Misheard {
        id: match &pair.id {
            Id::Line(line) => format!("line {line}"),
            Id::Named(name) => name.to_string(),
        },
        language,
        reference: &pair.reference,
        marked,
        heard,
    }))
}

fn name(path: &Path) -> String {
    if path == Path::new("-") {
        return "standard input".to_owned();
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// What was read.
fn read(scored: &Scored, arguments: &ScoreArguments) -> Vec<(&'static str, String)> {
    let pairs = &scored.pairs;
    let systems: Vec<&str> = pairs.systems.iter().map(String::as_str).collect();
    let mut facts = vec![
        (
            "References",
            format!(
                "{} ({}), {}",
                name(&arguments.references),
                pairs.references.title(),
                counted(pairs.samples.len(), "text", "texts")
            ),
        ),
        (
            "Hypotheses",
            format!("{} ({})", systems.join(", "), pairs.hypotheses.title()),
        ),
    ];
    if arguments.language != "und" {
        facts.push(("Language of what names none", arguments.language.clone()));
    }
    let remarks = pairs.remarks.iter();
    facts.extend(remarks.map(|remark| ("Remark", remark.clone())));
    let version = concat!("stt-eval ", env!("CARGO_PKG_VERSION"), ", score");
    facts.push(("Made by", version.to_owned()));
    facts
}

/// The page.
///
/// # Errors
/// Texts that can't be scored.
pub fn page(
    scored: &Scored,
    verdicts: &[Verdict],
    arguments: &ScoreArguments,
    asked: Asked<'_>,
) -> Result<String, Failure> {
    let report = report(scored, &name(&arguments.references), asked)?;
    let worst = worst(scored, &scored.systems, SHOWN);
    let mut marked = Vec::with_capacity(worst.len());
    for pair in worst
        .iter()
        .filter_map(|index| scored.pairs.samples.get(*index))
    {
        marked.push(asked.marked(pair)?);
    }
    let mut shown = Vec::with_capacity(worst.len());
    for (index, marked) in worst.iter().zip(&marked) {
        shown.extend(misheard(scored, *index, marked, asked)?);
    }
    let conditions = verdicts.iter().map(|verdict| Condition {
        outcome: match verdict.status {
            Status::Passed => Outcome::Passed,
            Status::Failed => Outcome::Failed,
            Status::NotJudged => Outcome::NotJudged,
        },
        message: &verdict.message,
    });
    let texts = Texts {
        report: &report,
        gate: &conditions.collect::<Vec<_>>(),
        worst: &shown,
        read: &read(scored, arguments),
    };
    html::of_texts(&texts).map_err(|error| Failure::new(Exit::Failed, "page", error.to_string()))
}
