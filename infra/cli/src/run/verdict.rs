//! The end of a run: figures, comparisons, and the gate on them.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use stt_eval_domain::failure::{FailureCode, failed_by};
use stt_eval_domain::result::ResultStatus;
use stt_eval_formats::markup::Markup;
use stt_eval_formats::{About, Format, Hypothesis, Id, Pair, Pairs};
use stt_eval_scoring::FailedBy;
use stt_eval_wire::comparison::Interval;
use stt_eval_wire::datasets::Sample;
use stt_eval_wire::paths;
use stt_eval_wire::report::Report;
use stt_eval_wire::results::Result as Made;
use stt_eval_wire::runs::{Run, RunStatus};

use super::baseline::Named;
use super::{samples, scored};
use crate::arguments::{GateArguments, RunArguments};
use crate::deployment::{Deployment, Request};
use crate::failure::{Exit, Failure};
use crate::gate::{self, Baseline, Condition, Verdict};
use crate::money::dollars;
use crate::normalise::normaliser;
use crate::output::{ErrorOf, Output, SCHEMA};
use crate::read::{Modelled, Saved, models, pairs_text, references, remarks, saved};
use crate::score::{Compared, Ends, NOBODY, Scored, Told, compare, count};
use crate::times::lasted;

/// A run in documents.
#[derive(Debug, Serialize)]
pub struct RunOf {
    id: String,
    name: String,
    status: RunStatus,
    dataset_id: String,
    /// Its page.
    url: String,
    total: u64,
    failed: u64,
}

impl RunOf {
    /// Of a run.
    pub fn new(to: &Deployment, run: &Run) -> Self {
        Self {
            id: run.id.to_string(),
            name: run.run_name.clone(),
            status: run.status,
            dataset_id: run.dataset_id.to_string(),
            url: format!("{}/runs/{}", to.target.url, run.id),
            total: run.total_items,
            failed: run.counts.failed,
        }
    }
}

/// The document of `run`.
#[derive(Debug, Serialize)]
pub struct Document {
    schema: u32,
    ok: bool,
    run: RunOf,
    normalizer: Option<String>,
    scorer: Option<String>,
    references: Option<String>,
    models: Vec<Modelled>,
    comparisons: Vec<Compared>,
    gates: Vec<Verdict>,
    /// Files that the run was saved as.
    exports: Vec<Saved>,
    /// What was noticed of the source, of both sides and of the run.
    remarks: Vec<String>,
    /// No model was asked: what stands here was made up.
    simulated: bool,
    error: Option<ErrorOf>,
}

impl Document {
    /// A run that is not waited for, or not any longer.
    pub fn of_unfinished(
        to: &Deployment,
        run: &Run,
        error: Option<ErrorOf>,
        output: &Output,
    ) -> Self {
        Self {
            schema: SCHEMA,
            ok: error.is_none(),
            run: RunOf::new(to, run),
            normalizer: None,
            scorer: None,
            references: None,
            models: Vec::new(),
            comparisons: Vec::new(),
            gates: Vec::new(),
            exports: Vec::new(),
            remarks: output.remarks(),
            simulated: false,
            error,
        }
    }
}

/// Speakers of samples, as far as they are known; none where nobody is. A sample of nobody
/// is a block of its own, as the deployment's reports have it.
async fn about(
    to: &Deployment,
    run: &Run,
    fields: &[String],
) -> Result<HashMap<String, OfSample>, Failure> {
    let mut all = HashMap::new();
    let mut any = false;
    let keep = |sample: Sample| {
        let speaker = samples::field(&sample, "speaker");
        any |= speaker.is_some();
        let speaker = speaker.unwrap_or_else(|| format!("{NOBODY}{}", sample.id));
        let of = fields
            .iter()
            .filter_map(|name| Some((name.clone(), samples::field(&sample, name)?)));
        let fields = of.collect();
        let speaker = Some(speaker);
        all.insert(sample.id.to_string(), OfSample { speaker, fields });
    };
    samples::each(to, run.dataset_id, keep).await?;
    if !any {
        all.values_mut().for_each(|one| one.speaker = None);
    }
    Ok(all)
}

/// What is known of a sample beside its texts.
#[derive(Default)]
struct OfSample {
    speaker: Option<String>,
    fields: BTreeMap<String, String>,
}

/// What a model made of a sample, as the gate counts it: a failure of the model is an
/// empty text, one of the service is in no figure.
fn heard(one: &Made) -> Hypothesis {
    match (one.status, &one.transcription) {
        (ResultStatus::Completed, Some(text)) => Hypothesis::Text(text.as_str().into()),
        _ => match one.error_code.as_deref() {
            Some(code) if matches!(failed_by(code), FailedBy::Model) => Hypothesis::Missing,
            code => Hypothesis::Failed(code.unwrap_or("pending").to_owned()),
        },
    }
}

/// A run as its results have it, counted here by the rules of `score`.
///
/// # Errors
/// What is refused or can't be reached, and references that mean nothing.
async fn counted(
    to: &Deployment,
    run: &Run,
    normalizer: &str,
    (full, fields): (bool, &[String]),
) -> Result<Scored, Failure> {
    let results: Vec<Made> = to
        .list(&Request::get(paths::results(run.id)), usize::MAX)
        .await?;
    let mut samples_there = about(to, run, fields).await?;
    let mut samples: BTreeMap<String, (Pair, Vec<Hypothesis>)> = BTreeMap::new();
    for one in &results {
        let Some(reference) = &one.ground_truth else {
            continue;
        };
        let Some(place) = run
            .providers
            .iter()
            .position(|model| *model == one.provider)
        else {
            continue;
        };
        let id = one.sample_id.to_string();
        let entry = samples.entry(id.clone()).or_insert_with(|| {
            let OfSample { speaker, fields } = samples_there.remove(&id).unwrap_or_default();
            let about = About {
                markup: Some(Markup::Braces),
                language: Some(one.language.clone()),
                speaker,
                fields: fields.into_iter().collect(),
            };
            let id = Id::Named(id.into_boxed_str());
            let pair = Pair::new(id, reference.as_str().into(), about);
            let none = Hypothesis::Failed("pending".to_owned());
            (pair, vec![none; run.providers.len()])
        });
        if let Some(slot) = entry.1.get_mut(place) {
            *slot = heard(one);
        }
    }
    let mut heard = vec![Vec::with_capacity(samples.len()); run.providers.len()];
    let mut pairs = Vec::with_capacity(samples.len());
    for (pair, of_models) in samples.into_values() {
        pairs.push(pair);
        for (all, one) in heard.iter_mut().zip(of_models) {
            all.push(one);
        }
    }
    let pairs = Pairs {
        references: Format::Service,
        hypotheses: Format::Service,
        systems: run.providers.clone(),
        samples: pairs,
        heard,
        missing: Vec::new(),
        remarks: Vec::new(),
    };
    Ok(count(pairs, &normaliser(normalizer)?, "und", None, full)?)
}

/// What regressions are measured against, or why they can't be judged. `now` is what the run is
/// counted as.
async fn baseline(
    to: &Deployment,
    (run, now): (&Run, &Scored),
    named: Named,
    normalizer: &str,
    asked: (bool, &[String]),
) -> Result<Result<Baseline, String>, Failure> {
    match named {
        Named::Saved(saved) => Ok(Ok(saved)),
        Named::Heard(heard) => {
            let made = heard.scored(to, run, now, normalizer, asked.0).await;
            match made {
                // It was what it should be when the run began, and that is paid for.
                Err(failure) if failure.exit != Exit::Failed => Ok(Err(failure.message)),
                told => told.map(Ok),
            }
        }
        Named::Run(before) if before.id == run.id => {
            let why = "the same command finds the run that it made before, and that is the \
                       baseline itself: --new makes another one to hold against it";
            Ok(Err(why.to_owned()))
        }
        Named::Run(before) => {
            let scored = counted(to, &before, normalizer, asked).await?;
            Ok(Ok(Baseline::Texts {
                scored: Box::new(scored),
                of_models: true,
            }))
        }
    }
}

/// Why a gate can't be judged at all.
fn unfit(run: &Run, report: &Report) -> Option<String> {
    match run.status {
        RunStatus::Completed if report.complete => None,
        RunStatus::Completed => Some("not all results of the run are read yet".to_owned()),
        RunStatus::Cancelled => Some("the run was cancelled".to_owned()),
        RunStatus::Failed => Some("nothing in the run succeeded".to_owned()),
        RunStatus::Pending | RunStatus::Processing => Some("the run goes on".to_owned()),
    }
}

fn ends(told: Option<&Interval>) -> Option<Ends> {
    told.map(|told| Ends {
        low: told.low,
        high: told.high,
    })
}

fn not_judged(conditions: &[Condition], run: &Run, reason: &str) -> Vec<Verdict> {
    let of = |condition: &Condition| {
        let named = condition.model.clone();
        let models = named.map_or_else(|| run.providers.clone(), |model| vec![model]);
        let one = |model: String| Verdict {
            message: format!("{model}: {}: can't be judged: {reason}", condition.text),
            ..Verdict::open(condition, model)
        };
        models.into_iter().map(one).collect::<Vec<_>>()
    };
    conditions.iter().flat_map(of).collect()
}

/// What was counted, with what the report tells of each model: there is one interval of a
/// figure.
fn told_as(report: &Report, models: &[Modelled], mut scored: Scored) -> Scored {
    for system in &mut scored.systems {
        let model = models.iter().find(|model| model.model == system.name);
        system.cost_usd = model.map(|model| model.cost_usd);
        system.latency_p95_ms = model.and_then(|model| model.latency_p95_ms).map(f64::from);
        let mut all = report.providers.iter();
        let told = all.find(|one| one.provider == system.name);
        system.told = told.map(|told| Told {
            words: ends(told.wer_interval.as_ref()),
            characters: ends(told.cer_interval.as_ref()),
        });
    }
    scored
}

/// Tells the end of a run.
///
/// # Errors
/// What is refused, or can't be reached.
pub async fn tell(
    to: &Deployment,
    run: &Run,
    arguments: &RunArguments,
    (conditions, named): (&[Condition], Option<Named>),
    output: &Output,
) -> Result<Exit, Failure> {
    // A run is told by its id: `latest` is another one tomorrow.
    let asked = &match &named {
        Some(Named::Run(before)) => GateArguments {
            baseline: Some(before.id.to_string().into()),
            ..arguments.gate.clone()
        },
        _ => arguments.gate.clone(),
    };
    let report = scored::report(to, run, arguments, output).await?;
    let (models, comparisons) = models(&report);
    let normalizer = report.scoring.normalizer.clone();
    let references = references(&report);
    let mut unsaved = None;
    let is_written = asked.junit.is_some() || asked.summary.is_some();
    let reason = unfit(run, &report).filter(|_| !conditions.is_empty());
    let is_judged = reason.is_none() && !conditions.is_empty();
    let full = conditions.iter().any(Condition::needs_all);
    let fields = gate::fields(conditions);
    let scored = match is_judged || is_written {
        true => Some(told_as(
            &report,
            &models,
            counted(to, run, &normalizer, (full, &fields)).await?,
        )),
        false => None,
    };
    let verdicts = match (&scored, reason) {
        (_, Some(reason)) => not_judged(conditions, run, &reason),
        (Some(scored), None) if is_judged => {
            let before = match named {
                Some(named) => {
                    let asked = (full, fields.as_slice());
                    Some(baseline(to, (run, scored), named, &normalizer, asked).await?)
                }
                None => None,
            };
            let (before, why) = match before {
                Some(Err(why)) => (None, Some(why)),
                Some(Ok(before)) => (Some(before), None),
                None => (None, None),
            };
            let is_apart = |one: &Condition| why.is_some() && one.is_regression();
            let (apart, conditions): (Vec<Condition>, Vec<Condition>) =
                conditions.iter().cloned().partition(is_apart);
            let scoring = gate::Scoring {
                normaliser: &normalizer,
                scorer: &report.scoring.scorer_version,
                references: references.as_deref().unwrap_or_default(),
            };
            let mut judged = gate::judge(asked, scoring, &conditions, scored, before.as_ref())?;
            judged.extend(not_judged(&apart, run, why.as_deref().unwrap_or_default()));
            judged
        }
        _ => Vec::new(),
    };
    if let Some(scored) = scored.filter(|_| is_written) {
        let (mut systems, _) = compare(&scored, 0);
        for system in &mut systems {
            let model = models.iter().find(|model| model.model == system.name);
            system.wer_interval = model.and_then(|model| model.wer_interval);
        }
        unsaved = gate::write(asked, &verdicts, &systems, &comparisons, &scored).err();
    }
    gate::annotate(&verdicts, asked.exit_zero);
    let mut exports = Vec::new();
    for file in &arguments.export {
        match saved(to, run, file, output).await {
            Ok(file) => exports.push(file),
            Err(failure) => unsaved = unsaved.or(Some(failure)),
        }
    }
    // Words have them below the figures.
    let warnings = remarks(&report);
    warnings.iter().for_each(|warning| output.keep(warning));
    let ended = end(to, run, &report, &verdicts, asked.exit_zero);
    let (exit, error) = gate::unsaved(ended, unsaved, output);
    let document = Document {
        schema: SCHEMA,
        ok: exit == Exit::Done,
        run: RunOf::new(to, run),
        normalizer: Some(normalizer),
        scorer: Some(report.scoring.scorer_version.clone()),
        references,
        models,
        comparisons,
        gates: verdicts,
        exports,
        remarks: output.remarks(),
        simulated: arguments.demo,
        error,
    };
    output.result(&document, || {
        let mut out = finished(run, &document.models);
        out += &pairs_text(
            &document.models,
            &document.comparisons,
            document.normalizer.as_deref().unwrap_or_default(),
        );
        for warning in &warnings {
            out += &format!("note: {warning}\n");
        }
        out += &gate::text(&document.gates, output);
        for file in &document.exports {
            out += &file.text();
        }
        out
    })?;
    if !output.json && exit == Exit::Failed {
        document.error.iter().for_each(ErrorOf::tell);
    }
    Ok(exit)
}

/// How long a run took and what it cost, once it has come to its end.
fn finished(run: &Run, models: &[Modelled]) -> String {
    let ended = run
        .finished_at
        .filter(|_| run.status == RunStatus::Completed);
    ended.map_or_else(String::new, |ended| {
        let cost: f64 = models.iter().map(|model| model.cost_usd).sum();
        let took = lasted(ended.since(run.inserted_at));
        format!("Finished in {took}, {}\n", dollars(cost))
    })
}

/// How the command ends.
fn end(
    to: &Deployment,
    run: &Run,
    report: &Report,
    verdicts: &[Verdict],
    zero: bool,
) -> (Exit, Option<ErrorOf>) {
    if !verdicts.is_empty() {
        let exit = gate::exit(verdicts, zero);
        return (exit, gate::error(exit));
    }
    let failed = |code: &str, message: &str| {
        let hint = match is_unknown_to_stand_in(to, report) {
            true => "simulated models know the recordings of their own demo only; stt-eval run \
                     --demo SOURCE makes some that know yours"
                .to_owned(),
            false => format!("stt-eval results {} --status failed", run.id),
        };
        (Exit::Failed, Some(ErrorOf::new(code, message, Some(hint))))
    };
    match run.status {
        RunStatus::Failed => failed("run_failed", "nothing in the run succeeded"),
        RunStatus::Cancelled => {
            let hint = "--new makes a new run over the same dataset".to_owned();
            let message = "the run was cancelled";
            let error = ErrorOf::new("run_cancelled", message, Some(hint));
            (Exit::Failed, Some(error))
        }
        _ => (Exit::Done, None),
    }
}

/// Whether nothing but "input unavailable" came of a run on this machine: so a stand-in for
/// Gemini answers what it was not told of (`serve --gemini sim`), and a vendor does not.
fn is_unknown_to_stand_in(to: &Deployment, report: &Report) -> bool {
    let url = reqwest::Url::parse(&to.target.url).ok();
    let host = url.as_ref().and_then(reqwest::Url::host_str);
    let is_here = host.is_some_and(|host| host == "localhost" || host.starts_with("127."));
    let codes = report
        .providers
        .iter()
        .flat_map(|model| model.failures.keys());
    let mut codes = codes.peekable();
    let any = codes.peek().is_some();
    is_here && any && codes.all(|code| code == FailureCode::InputUnavailable.as_str())
}
