//! `run`: from a folder to a verdict.
//!
//! Everything is judged here before anything is sent. What is sent is written down, so
//! that the same command goes on after a kill and makes nothing twice.

mod baseline;
mod demo;
mod estimate;
mod heard_before;
mod idle;
mod imported;
mod joined;
mod languages;
mod make;
mod once;
mod plan;
mod samples;
mod scored;
mod stopping;
mod upload;
mod verdict;
mod watch;
mod wishes;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use serde_json::json;
use stt_eval_formats::{counted, grouped};
use stt_eval_wire::catalogue::Model;
use stt_eval_wire::estimate::Estimate;
use stt_eval_wire::paths;
use stt_eval_wire::runs::Run;

use crate::arguments::{RunArguments, Shared};
use crate::check::{self, Depth, Looked};
use crate::deployment::{Deployment, Request, as_commands, wait_for};
use crate::failure::{Exit, Failure};
use crate::gate::{self, Condition};
use crate::journal::Journal;
use crate::money::{about, limit};
use crate::normalise::normaliser;
use crate::output::{ErrorOf, Output};
use crate::read::{can_be_saved, deployment, goes_on};
use crate::terminal::{agrees, can_ask, unasked};
use crate::times;

use demo::Demo;
pub use demo::MODELS as DEMO_MODELS;
use estimate::{WITHIN, within_cap};
use make::Making;
use plan::{Plan, plan};
use stopping::Stopping;
use verdict::{Document, tell};

/// Differences below this many dollars are not asked about.
const PENNY: f64 = 0.01;

/// How long uploads that have begun are waited for, once they are stopped.
const GRACE: Duration = Duration::from_secs(5);

/// Where a run is made.
enum Place {
    /// By a deployment.
    Deployment(Box<Deployment>),
    /// By this program, on simulated models.
    Demo(PathBuf),
}

/// Runs the command.
pub fn run(arguments: &RunArguments, shared: &Shared, output: &Output) -> Result<Exit, Failure> {
    for remark in idle::remarks(arguments) {
        output.remark(&remark);
    }
    if arguments.dry_run {
        let conditions = gate::conditions(&arguments.gate).unwrap_or_default();
        let depth = Depth::Recordings;
        let of_groups = gate::fields(&conditions);
        return check::tell(
            (&arguments.source, depth),
            &arguments.reading,
            &of_groups,
            output,
        );
    }
    let imported = imported::of_columns(&arguments.reading.hyp)?;
    if arguments.models.is_empty() && imported.is_empty() {
        return Err(Failure::usage("no model is named").hint(
            "-p MODEL, or `model` under [run] in stt-eval.toml; stt-eval models lists them; \
             --hyp COLUMN takes transcripts that the source has",
        ));
    }
    imported::are_few(&imported, &arguments.models)?;
    wishes::can_be_met(arguments)?;
    let mut named = BTreeSet::new();
    if let Some(twice) = arguments.models.iter().find(|model| !named.insert(*model)) {
        return Err(Failure::usage(format!("-p {twice} is there twice")));
    }
    if arguments.sample_seed.is_some() && arguments.limit.is_none() {
        return Err(
            Failure::usage("--sample-seed chooses which N of --limit N are taken")
                .hint("add --limit N"),
        );
    }
    let mut conditions = gate::conditions(&arguments.gate)?;
    for remark in gate::remarks(&arguments.gate, &conditions) {
        output.remark(&remark);
    }
    for condition in &mut conditions {
        if let Some(named) = &mut condition.model
            && !arguments.models.contains(named)
        {
            if let Some(one) = imported.iter().find(|one| one.is_called(named)) {
                *named = one.model();
                continue;
            }
            let message = format!("condition \"{}\": no -p {named} is asked", condition.text);
            return Err(Failure::usage(message));
        }
    }
    // A column may have been named by it and as a model.
    let conditions = gate::once(conditions);
    if let Some(name) = &arguments.normalizer {
        normaliser(name)?;
    }
    can_be_saved(&arguments.export)?;
    gate::can_be_written(&arguments.gate)?;
    // What is not there is told before anything is read.
    let place = match arguments.demo {
        true if shared.profile.is_some() => {
            return Err(
                Failure::usage("--demo makes a deployment of its own").hint("leave --profile out")
            );
        }
        true => Place::Demo(demo::program()?),
        false => Place::Deployment(Box::new(deployment(shared)?)),
    };
    let source = (arguments.source.as_path(), Depth::ToSend);
    let looked = check::look(source, &arguments.reading, &gate::fields(&conditions))?;
    let words = looked.text(output);
    output.step("source", looked.facts(), words.trim_end());
    let noticed = looked.judged.remarks.iter();
    noticed.for_each(|remark| output.keep(remark));
    leave_out(&looked, arguments, output)?;
    imported::offered(&looked, arguments, output);
    let plan = plan(&looked, arguments, &conditions, imported)?;
    plan.has_groups(&conditions, arguments)?;
    let _unpacked = looked.unpacked();
    let (machine, to, journal) = match place {
        Place::Demo(program) => {
            let machine = Demo::start(&program)?;
            let to = Deployment::new(machine.target(), shared.patience())?;
            let journal = Journal::within(machine.folder().join("journal"))?;
            (Some(machine), to, journal)
        }
        Place::Deployment(to) => {
            let journal = Journal::open(&to.target.url)?;
            (None, *to, journal)
        }
    };
    let stopping = Stopping::default();
    let making = Making {
        to: &to,
        journal: &journal,
        arguments,
        plan: &plan,
        output,
        stopping: &stopping,
    };
    let under_way: RefCell<Option<String>> = RefCell::new(None);
    wait_for(async {
        if let Some(machine) = &machine {
            machine.teach(&plan, &arguments.models).await?;
        }
        let mut work = pin!(go(&making, shared, &conditions, &under_way));
        let pressed = tokio::select! {
            done = &mut work => return done,
            pressed = tokio::signal::ctrl_c() => pressed,
        };
        if machine.is_some() {
            return Err(demo::stopped(pressed));
        }
        let uploads = stopping.begin();
        if uploads > 0 && pressed.is_ok() {
            output.note(&format!(
                "stopping; {} under way may end first, in {} s at most (Ctrl-C again does not \
                 wait)",
                counted(uploads, "upload", "uploads"),
                GRACE.as_secs()
            ));
            tokio::select! {
                _ = &mut work => {}
                () = tokio::time::sleep(GRACE) => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(stopped(pressed, &under_way))
    })
}

/// Ctrl-C: nothing is lost, and a run goes on.
fn stopped(pressed: std::io::Result<()>, under_way: &RefCell<Option<String>>) -> Failure {
    if let Err(error) = pressed {
        return Failure::new(Exit::Failed, "machine", error.to_string());
    }
    let (message, hint) = match under_way.borrow().as_ref() {
        Some(run) => (
            format!("stopped waiting; {run} goes on"),
            format!("the same command, or stt-eval status {run}, takes it up again"),
        ),
        None => (
            "stopped; what was uploaded is kept".to_owned(),
            "the same command goes on".to_owned(),
        ),
    };
    Failure::new(Exit::Interrupted, "interrupted", message).hint(hint)
}

/// Whether what can't be used may be left out.
fn leave_out(looked: &Looked, arguments: &RunArguments, output: &Output) -> Result<(), Failure> {
    // A row that can't be read is no utterance, and would be missed all the same.
    let unread = check::unread(&looked.judged);
    let all = looked.summary.utterances + unread;
    let broken = all - looked.summary.usable;
    if broken == 0 || arguments.skip_broken || looked.summary.usable == 0 {
        return Ok(());
    }
    let all = counted(all, "utterance", "utterances");
    let told = format!("{} of {all} can't be used", grouped(broken as u64));
    let left = grouped(looked.summary.usable as u64);
    if can_ask(output) && agrees(&format!("{told}. Go on with {left}?"))? {
        return Ok(());
    }
    let mut failure = Failure::new(Exit::Findings, "findings", told)
        .hint("stt-eval check tells all; --skip-broken leaves them out");
    if output.json {
        // In words they were told above.
        failure.rows = check::rows(&looked.judged);
    }
    Err(failure)
}

async fn go(
    making: &Making<'_>,
    shared: &Shared,
    conditions: &[Condition],
    under_way: &RefCell<Option<String>>,
) -> Result<Exit, Failure> {
    let Making {
        to,
        journal,
        arguments,
        plan,
        output,
        ..
    } = *making;
    // A baseline that is none is told before anything is paid.
    let regresses = conditions.iter().any(Condition::is_regression);
    let baseline = match &arguments.gate.baseline {
        Some(named) if regresses => Some(baseline::find_named(making, named).await?),
        _ => None,
    };
    let before = making.before().await?;
    if let Some(named) = &baseline {
        baseline::fits(named, making, conditions, before.as_ref()).await?;
    }
    let mut made_before = "";
    let run = match before {
        Some(run) if goes_on(&run) || !arguments.new => {
            output.event("made_before", json!({"run": run.id.to_string()}));
            made_before = "  (made before)";
            run
        }
        before => {
            if before.is_some() {
                making.forget_run()?;
            }
            let agreed = agree(to, plan, arguments, shared, output).await?;
            let used = making.dataset().await?;
            let (dataset, samples) = (used.id, used.samples);
            let name = &used.name;
            let facts = json!({"dataset": dataset.to_string(), "name": name, "samples": samples});
            let clips = counted(samples, "sample", "samples");
            let words = format!("Dataset    {dataset}  “{name}”  {clips}");
            output.step("dataset", facts, &words);
            let new = making.new_run(dataset, imported::lists(making, &used).await?);
            let request = Request::post(paths::estimate(), &new)?.repeatable();
            let estimate: Estimate = to.ask(&request).await?;
            if !arguments.demo {
                within_cap(
                    estimate.cost_usd,
                    arguments.max_cost,
                    "the estimate of the deployment",
                )?;
                still_agreed(agreed, &estimate, shared, output)?;
            }
            making.run(&new, dataset).await?
        }
    };
    // A command that was killed may have made it as well, without knowing.
    if let Some(told) = once::keeps_its_cap(&run, arguments) {
        output.remark(&told);
    }
    *under_way.borrow_mut() = Some(run.id.to_string());
    journal.remember_latest(&run.id.to_string())?;
    let url = format!("{}/runs/{}", to.target.url, run.id);
    let facts = json!({"run": run.id.to_string(), "url": url});
    let words = format!("Run        {}  {url}{made_before}", run.id);
    output.step("run", facts, &words);
    for warning in &run.warnings {
        let advice = as_commands(&warning.message);
        output.remark(&advice);
    }
    if arguments.detach {
        let document = Document::of_unfinished(to, &run, None, output);
        output.result(&document, || format!("{}\n", run.id))?;
        return Ok(Exit::Done);
    }
    if goes_on(&run) && !arguments.demo {
        output.note(&format!(
            "           Ctrl-C leaves it running; stt-eval status {} takes it up again",
            run.id
        ));
    }
    let run = watch::watch(to, run, arguments.timeout, output).await?;
    if goes_on(&run) {
        return still_running(to, &run, output);
    }
    tell(to, &run, arguments, (conditions, baseline), output).await
}

fn still_running(to: &Deployment, run: &Run, output: &Output) -> Result<Exit, Failure> {
    let hint = format!("the same command, or stt-eval status {}", run.id);
    let error = ErrorOf::new("still_running", "the run goes on", Some(hint));
    let document = Document::of_unfinished(to, run, Some(error), output);
    output.result(&document, || format!("{} goes on\n", run.id))?;
    Ok(Exit::Running)
}

/// Tells what the run costs by the prices of the catalogue, and asks whether it may; gives
/// the dollars that were agreed to.
async fn agree(
    to: &Deployment,
    plan: &Plan,
    arguments: &RunArguments,
    shared: &Shared,
    output: &Output,
) -> Result<f64, Failure> {
    let catalogue: Vec<Model> = to.ask_list(paths::providers()).await?;
    let mut cost = 0.0;
    let mut asked = Vec::with_capacity(arguments.models.len());
    for name in &arguments.models {
        let Some(model) = catalogue.iter().find(|model| model.id == *name) else {
            let message = format!("there is no model {name:?}");
            return Err(Failure::usage(message).hint("stt-eval models lists them"));
        };
        if !model.has_credentials && model.asked_with == "role" {
            let message = format!(
                "{name}: {} is asked with the role of the deployment, which is not switched on",
                model.provider
            );
            return Err(Failure::new(Exit::Failed, "no_credentials", message)
                .hint("the operator of the deployment switches it on: infra/DEPLOY.md"));
        }
        if !model.has_credentials && !model.credential_fields.is_empty() {
            let message = format!("{name}: no key of {} is kept", model.provider);
            return Err(Failure::new(Exit::Failed, "no_credentials", message)
                .hint(format!("stt-eval credentials set {}", model.provider)));
        }
        asked.push(model);
    }
    wishes::are_taken(arguments, &asked)?;
    for model in asked {
        let name = &model.id;
        let takes_prompt = model.settings.iter().any(|setting| setting == "prompt");
        if arguments.prompt.is_some() && !takes_prompt {
            output.remark(&format!(
                "--prompt is not asked of {name}, which takes none"
            ));
        }
        cost += estimate::of_model(plan, model, arguments.prompt.as_deref());
    }
    // With --reuse what is in the source is not sent.
    if !arguments.reuse {
        languages::fit(to, plan, arguments, &catalogue).await?;
    }
    imported::tell(plan, output);
    if arguments.models.is_empty() {
        // Nothing is asked that costs anything.
        return Ok(cost);
    }
    let cap = arguments
        .max_cost
        .map_or(String::new(), |cap| format!("; at most {}", limit(cap)));
    let line = format!(
        "Estimate   {} × {}, {} each: {}{cap}",
        grouped(plan.clips.len() as u64),
        counted(arguments.models.len(), "model", "models"),
        times::length(plan.hours() * 3_600.0),
        about(cost)
    );
    let facts = json!({
        "samples": plan.clips.len(), "models": arguments.models.len(),
        "audio_seconds": plan.hours() * 3_600.0, "cost_usd": cost, "max_cost_usd": arguments.max_cost,
    });
    output.step("estimate", facts, &line);
    if !arguments.demo {
        // Of prompts an upper bound is known, and what is in the source is not sent with
        // --reuse: where it is close, the deployment's own estimate decides.
        let cap = arguments.max_cost.filter(|_| !arguments.reuse);
        if cap.is_some_and(|cap| cost > cap * WITHIN) {
            within_cap(cost, cap, "the estimate")?;
        }
        confirmed("Upload and transcribe?", shared, output)?;
    }
    Ok(cost)
}

/// Asks again when the deployment's own estimate is much above what was agreed to.
fn still_agreed(
    agreed: f64,
    estimate: &Estimate,
    shared: &Shared,
    output: &Output,
) -> Result<(), Failure> {
    for model in estimate.models.iter().filter(|model| model.unsupported > 0) {
        output.remark(&format!(
            "{} can't take {} of {} clips",
            model.model, model.unsupported, model.items
        ));
    }
    if estimate.cost_usd <= agreed * WITHIN + PENNY {
        return Ok(());
    }
    output.note(&format!(
        "Estimate   by the deployment: {}",
        about(estimate.cost_usd)
    ));
    confirmed("That is more. Transcribe?", shared, output)
}

fn confirmed(question: &str, shared: &Shared, output: &Output) -> Result<(), Failure> {
    if shared.yes {
        return Ok(());
    }
    if !can_ask(output) {
        let message = format!("a run costs money, and {}", unasked(output));
        return Err(Failure::usage(message).hint("--yes agrees to the estimate"));
    }
    if agrees(question)? {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, "declined", "nothing was begun"))
}
