//! `report`: the figures of a run, and how its models compare.

use std::time::Duration;

use serde::Serialize;
use stt_eval_domain::RunId;
use stt_eval_wire::paths;
use stt_eval_wire::report::{ModelReport, Report, SPEAKER};

use super::Document;
use super::groups;
use super::lists::{name, table};
use super::runs::find;
use crate::arguments::ReportArguments;
use crate::deployment::{Deployment, Request, as_commands};
use crate::failure::{Exit, Failure};
use crate::money::dollars;
use crate::output::Output;
use crate::saved;
use crate::score::{self, Compared, CountsOf, Ends, is_silent, percent, shown, shown_interval};

/// A report of a large run takes several requests.
const PATIENCE: Duration = Duration::from_secs(900);

/// A model in documents.
#[derive(Debug, Serialize)]
pub struct Modelled {
    /// Its id.
    pub model: String,
    /// Samples that count.
    pub samples: u64,
    /// Word error rate; null while nothing is scored.
    pub wer: Option<f64>,
    /// Its 95 % interval.
    pub wer_interval: Option<Ends>,
    /// Words.
    pub words: Option<CountsOf>,
    /// Character error rate.
    pub cer: Option<f64>,
    /// Word error rate of the untouched texts.
    pub raw_wer: Option<f64>,
    /// Items with a transcription.
    pub completed: u32,
    /// Items without.
    pub failed: u32,
    /// Failed by the model: all their words count as missing.
    pub failed_by_model: u64,
    /// Failed by the service: in no figure.
    pub failed_by_service: u64,
    /// US dollars.
    pub cost_usd: f64,
    /// 95 of 100 answers took no longer.
    pub latency_p95_ms: Option<u32>,
}

/// Asks for figures in blocks: by the field that is named, else by speaker, where speakers are
/// known and there are several. So every command tells the same of a run.
///
/// # Errors
/// What is refused, or can't be reached.
pub async fn in_blocks<T>(
    named: Option<&str>,
    ask: impl AsyncFn(Option<&str>) -> Result<T, Failure>,
    is_one_block: impl Fn(&T) -> bool,
) -> Result<T, Failure> {
    if named.is_some() {
        return ask(named).await;
    }
    match ask(Some(SPEAKER)).await {
        Ok(told) if !is_one_block(&told) => Ok(told),
        Err(failure) if failure.rows.iter().all(|row| row.field != "block_by") => Err(failure),
        _ => ask(None).await,
    }
}

/// The report of a run as it stands: of the scoring that counts, or of the one with a normaliser.
///
/// # Errors
/// What is refused, or can't be reached.
pub async fn figures(
    to: &Deployment,
    run: RunId,
    normalizer: Option<&str>,
    block_by: Option<&str>,
    group_by: Option<&str>,
) -> Result<Report, Failure> {
    let ask = async |block_by: Option<&str>| -> Result<Report, Failure> {
        let request = Request::get(paths::report(run))
            .with_some("normalizer", normalizer)
            .with_some("block_by", block_by)
            .with_some("group_by", group_by)
            .patiently(PATIENCE.max(to.patience));
        to.ask(&request).await
    };
    in_blocks(block_by, ask, Report::is_one_block).await
}

/// What tells the references of a run from others: a digest of what they say. `None` where
/// there are none, or the deployment is of a release that does not tell.
pub fn references(report: &Report) -> Option<String> {
    let digest = &report.references.digest;
    (!digest.is_empty()).then(|| format!("sha256:{digest}"))
}

fn modelled(model: &ModelReport) -> Modelled {
    let all = model.score.as_ref().map(|score| &score.all);
    Modelled {
        model: model.provider.clone(),
        samples: all.map_or(0, |all| all.samples),
        wer: all.map(|all| all.wer),
        wer_interval: model.wer_interval.as_ref().map(|ends| Ends {
            low: ends.low,
            high: ends.high,
        }),
        words: all.map(CountsOf::from),
        cer: all.map(|all| all.cer),
        raw_wer: all.map(|all| all.raw_wer),
        completed: model.completed,
        failed: model.failed,
        failed_by_model: model.coverage.failed_by_model,
        failed_by_service: model.coverage.failed_by_service,
        cost_usd: model.cost.usd,
        latency_p95_ms: model.latency.map(|latency| latency.p95_ms),
    }
}

/// Models as documents have them, and every pair of them.
pub fn models(report: &Report) -> (Vec<Modelled>, Vec<Compared>) {
    let mut models: Vec<Modelled> = report.providers.iter().map(modelled).collect();
    // Best first; those without a figure stand last.
    models.sort_by(|a, b| {
        let rate = |one: &Modelled| one.wer.unwrap_or(f64::INFINITY);
        rate(a).total_cmp(&rate(b))
    });
    let by_speaker = report.block_by.as_deref() == Some(SPEAKER);
    let pairs = report.comparison.iter().flat_map(|comparison| {
        let compared = |pair: &stt_eval_wire::comparison::Pair| Compared {
            a: pair.a.clone(),
            b: pair.b.clone(),
            difference: pair.difference,
            low: pair.low,
            high: pair.high,
            p: pair.p_value,
            p_adjusted: pair.p_adjusted,
            distinguishable: pair.distinguishable,
            samples: comparison.samples,
            by_speaker,
        };
        comparison.pairs.iter().map(compared).collect::<Vec<_>>()
    });
    let pairs = pairs.collect();
    (models, pairs)
}

/// The table of models, and a sentence for each pair.
pub fn pairs_text(models: &[Modelled], pairs: &[Compared], normaliser: &str) -> String {
    let none = || "–".to_owned();
    let rows = models.iter().map(|model| {
        [
            model.model.clone(),
            shown(model.wer, model.words),
            shown_interval(model.wer_interval, model.words),
            shown(model.cer, model.words),
            model.words.map_or_else(none, |words| {
                format!(
                    "{} / {} / {}",
                    words.substitutions, words.deletions, words.insertions
                )
            }),
            model.failed.to_string(),
            dollars(model.cost_usd),
        ]
    });
    let heading = ["model", "WER", "95 %", "CER", "S / D / I", "failed", "cost"];
    let mut out = table(heading, rows);
    out += &score::of_pairs(pairs, models.iter().map(|one| (&*one.model, one.words)));
    let heard: Vec<String> = models
        .iter()
        .filter(|model| !is_silent(model.words))
        .filter_map(|model| model.raw_wer.map(percent))
        .collect();
    out += &match heard.is_empty() {
        true => format!("Scored with {normaliser}.\n"),
        false => format!(
            "Scored with {normaliser} (untouched: {}).\n",
            heard.join(" / ")
        ),
    };
    out
}

/// Whether a warning tells of silent references, which the table has said.
fn is_of_silence(message: &str) -> bool {
    message.starts_with("every reference is silent")
}

/// What a report warns of, in the words of this program.
pub fn remarks(report: &Report) -> Vec<String> {
    let warnings = report.warnings.iter();
    let told = warnings.filter(|one| !is_of_silence(&one.message));
    told.map(|one| as_commands(&one.message)).collect()
}

#[derive(Serialize)]
struct Told<'a> {
    run: RunOf,
    normalizer: &'a str,
    scorer: &'a str,
    references: Option<String>,
    models: Vec<Modelled>,
    comparisons: Vec<Compared>,
    /// What it warns of.
    remarks: Vec<String>,
    report: &'a Report,
}

#[derive(Serialize)]
struct RunOf {
    id: String,
    name: String,
    status: String,
}

/// `report`.
pub async fn show(
    to: &Deployment,
    arguments: &ReportArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    if let Some(path) = &arguments.html {
        saved::can_be_written("--html", path, output)?;
    }
    let run = find(to, &arguments.of.run).await?;
    let block_by = arguments.block_by.as_deref();
    let report = figures(to, run.id, None, block_by, arguments.group_by.as_deref()).await?;
    if let Some(path) = &arguments.html {
        let page = stt_eval_html::report::file(&report)
            .map_err(|error| Failure::new(Exit::Failed, "page", error.to_string()))?;
        if saved::page(path, &page, output)? {
            return Ok(Exit::Done);
        }
    }
    let (models, comparisons) = models(&report);
    let document = Document::of(Told {
        run: RunOf {
            id: run.id.to_string(),
            name: run.run_name.clone(),
            status: name(report.status),
        },
        normalizer: &report.scoring.normalizer,
        scorer: &report.scoring.scorer_version,
        references: references(&report),
        models,
        comparisons,
        remarks: remarks(&report),
        report: &report,
    });
    output.result(&document, || {
        let told = &document.content;
        let mut out = format!(
            "{}  “{}”  {}\n",
            told.run.id, told.run.name, told.run.status
        );
        out += &pairs_text(&told.models, &told.comparisons, told.normalizer);
        if let Some(groups) = &told.report.groups {
            out += &groups::text(groups, &told.models);
        }
        for warning in &told.remarks {
            out += &format!("note: {warning}\n");
        }
        out
    })?;
    Ok(Exit::Done)
}
