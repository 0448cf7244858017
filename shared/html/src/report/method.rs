//! How a report was made, so that it can be made again, and be quoted.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::comparison::WarningCode;
use stt_eval_wire::report::{Cost, Report, Step};

use super::steps;
use crate::figures::{count, counted, dollars, minute};
use crate::invisible::visible;
use crate::texts::Text;

struct Fact {
    name: &'static str,
    value: String,
}

/// Facts, as a list and as one text to copy.
#[derive(Template)]
#[template(path = "report/method.html")]
pub struct Method {
    facts: Vec<Fact>,
}

impl HtmlSafe for Method {}

fn versions(report: &Report) -> String {
    let of_model = |model: &stt_eval_wire::report::ModelReport| {
        let versions = if model.model_versions.is_empty() {
            "version not told".to_owned()
        } else {
            model.model_versions.join(", ")
        };
        let spent = match model.cost {
            // It was not asked for anything that it did.
            Cost {
                usd: 0.0,
                audio_hours: 0.0,
                ..
            } => "nothing spent".to_owned(),
            Cost {
                usd: 0.0,
                usd_per_audio_hour: None,
                ..
            } => "cost not known".to_owned(),
            Cost { usd: 0.0, .. } => "nothing spent".to_owned(),
            Cost { usd, .. } => format!("{} spent", dollars(usd)),
        };
        let price = match &model.cost.price_read_at {
            Some(day) => format!(" by its price as read on {}", visible(day)),
            None => String::new(),
        };
        let temperature = model.temperature;
        let temperature = temperature.map_or_else(String::new, |t| format!("temperature {t}; "));
        format!(
            "{} ({}; {temperature}{spent}{price})",
            visible(&model.provider),
            visible(&versions),
        )
    };
    let models: Vec<String> = report.providers.iter().map(of_model).collect();
    models.join("; ")
}

fn references(report: &Report) -> String {
    let of = &report.references;
    let parts = [
        (of.dataset, "given with the dataset"),
        (of.edited, "typed or changed later"),
        (of.consensus, "begun as what models agreed on"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(clips, what)| format!("{} {what}", count(clips)))
        .collect();
    let is_scored = report.providers.iter().any(|model| model.score.is_some());
    match (parts.is_empty(), of.with_variants) {
        (true, _) if !is_scored => "not counted before something is scored".to_owned(),
        (true, _) => "there are none".to_owned(),
        (false, 0) => parts.join(", "),
        (false, with) => format!(
            "{}; {} of them with another wording from a model\u{2019}s output",
            parts.join(", "),
            count(with)
        ),
    }
}

/// What texts went through.
fn scorer(report: &Report) -> String {
    let scoring = &report.scoring;
    format!(
        "normaliser {}, scorer {}",
        visible(&scoring.normalizer),
        visible(&scoring.scorer_version)
    )
}

/// How rates, intervals and verdicts are made.
fn measured(report: &Report) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |name, value| facts.push(Fact { name, value });
    // One step after the other, from the texts as they are on.
    let steps = report.providers.iter().map(|model| &*model.waterfall);
    let steps = steps.max_by_key(|steps| steps.len()).unwrap_or_default();
    if let [_, steps @ ..] = steps
        && !steps.is_empty()
    {
        let named = |step: &Step| visible(&steps::named(step)).into_owned();
        let named: Vec<String> = steps.iter().map(named).collect();
        fact("Steps of the normaliser", named.join(", "));
    }
    fact(
        "Word error rate",
        "errors of all clips by words of all references (pooled, no mean of clips); a clip \
         that a model fails at counts as all words missing, one that it can\u{2019}t be asked for, \
         or that the service failed at, is left out"
            .to_owned(),
    );
    if let Some(comparison) = &report.comparison {
        let by = match &report.block_by {
            Some(field) => format!("clips of one “{}” are a block", visible(field)),
            None => "each clip is a block".to_owned(),
        };
        let intervals = match comparison.replicates {
            0 => "none were drawn".to_owned(),
            _ => format!(
                "95 %, studentised bootstrap over blocks ({by}): {}, {} resamples, seed {}",
                counted(comparison.blocks as u64, "block", "blocks"),
                comparison.replicates,
                comparison.seed
            ),
        };
        fact("Intervals", intervals);
        fact(
            "Verdicts",
            format!(
                "paired permutation test, {} permutations, {} adjusted for (Holm), 5 %",
                comparison.permutations,
                counted(comparison.comparisons as u64, "comparison", "comparisons"),
            ),
        );
    }
    facts
}

impl Method {
    /// The section of a report of texts: what was read stands first.
    #[must_use]
    pub fn of_texts(report: &Report, read: &[(&'static str, String)]) -> Self {
        let fact = |(name, value): &(&'static str, String)| Fact {
            name,
            value: visible(value).into_owned(),
        };
        let mut facts: Vec<Fact> = read.iter().map(fact).collect();
        facts.push(Fact {
            name: "Scoring",
            value: scorer(report),
        });
        facts.extend(measured(report));
        Self { facts }
    }

    /// The section of a report.
    #[must_use]
    pub fn new(report: &Report) -> Self {
        let mut facts = Vec::new();
        let mut fact = |name, value| facts.push(Fact { name, value });
        fact(
            "Run",
            format!("{} ({})", visible(&report.run_name), report.run_id),
        );
        fact(
            "Dataset",
            format!(
                "{} ({}), scoring begun at {}",
                visible(&report.dataset_name),
                report.dataset_id,
                minute(&report.scoring.inserted_at.to_string())
            ),
        );
        fact(
            "Clips",
            format!(
                "{}, {} read, {} transcribed by every model and with a reference",
                counted(report.sample_count.into(), "clip", "clips"),
                report.samples_read,
                report.common_samples
            ),
        );
        fact("Where references came from", references(report));
        let from_models = report.warnings.iter().filter(|warning| {
            use WarningCode::{ReferencesFromModels, VariantsFromModels};
            matches!(warning.code, ReferencesFromModels | VariantsFromModels)
        });
        for warning in from_models {
            fact("References", visible(&warning.message).into_owned());
        }
        fact(
            "Scoring",
            format!("no. {}, {}", report.scoring.id, scorer(report)),
        );
        facts.extend(measured(report));
        facts.push(Fact {
            name: "Models",
            value: versions(report),
        });
        Self { facts }
    }
}
