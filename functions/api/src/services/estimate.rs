//! What a run would take: hours, dollars, time, and what a model can't take. Writes
//! nothing.

use std::collections::BTreeSet;

use stt_eval_shared::App;
use stt_eval_shared::domain::imported::VENDOR;
use stt_eval_shared::domain::run::{Run, RunStatus};
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::{ModelConfig, Offered, Unsupported};
use stt_eval_shared::store::runs::RunFilter;
use stt_eval_shared::store::samples::Clip;
use stt_eval_shared::wire::estimate::{Estimate, ModelEstimate};
use stt_eval_shared::wire::runs::NewRun;
use time::OffsetDateTime;

use super::runs::check::refuses;
use super::runs::{Credentials, check_run};
use crate::actor::Actor;
use crate::refusal::Refusal;
use crate::services::attempt::Attempt;

/// Runs that are looked at for how long such runs take.
const RECENT: usize = 20;

/// Estimates a run. All is checked as for a new run but for credentials, and a model
/// that can take no clip is told instead of refused.
///
/// # Errors
/// What would be refused of a new run.
pub async fn estimate(app: &App, actor: &Actor, new: NewRun) -> Result<Estimate, Refusal> {
    let now = Timestamp::now();
    let nothing_made = Attempt::new(actor.project.clone(), None, now);
    let checked = check_run(app, actor, &nothing_made, new, Credentials::NotNeeded).await?;
    let recent = recent(app, &actor.project).await?;
    let clips = &checked.clips;
    let mut models: Vec<ModelEstimate> = Vec::new();
    for (_, offered) in &checked.models {
        let config = checked.config.of(offered);
        models.push(of_model(app, (offered, &config), clips, now, &recent));
    }
    for list in &checked.lists {
        let model = list.model().model;
        models.push(ModelEstimate {
            model,
            items: clips.len() as u64,
            unsupported: 0,
            unsupported_why: String::new(),
            audio_hours: hours(clips.iter()),
            cost_usd: 0.0,
            usual_seconds: None,
            given_up_after_seconds: None,
            price_read_at: None,
        });
    }
    Ok(Estimate {
        audio_hours: hours(clips.iter()),
        cost_usd: total(&models),
        models,
    })
}

/// What all models cost, in whole millionths as each of them: a sum of fractions would be one that
/// no cap can be.
fn total(models: &[ModelEstimate]) -> f64 {
    let micro = models.iter().map(|model| (model.cost_usd * 1e6).round());
    summed(micro) / 1e6
}

fn hours<'a>(clips: impl Iterator<Item = &'a Clip>) -> f64 {
    summed(clips.map(|clip| clip.duration_seconds)) / 3600.0
}

/// The sum, 0 of nothing: that of the standard library is -0 then, which JSON shows.
fn summed(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |sum, number| sum + number)
}

/// Millionths as dollars. What a cap goes by is summed, so that a cap of the estimate lets all
/// of it through.
#[expect(clippy::cast_precision_loss, reason = "a cap has far fewer digits")]
fn usd(micro: u64) -> f64 {
    micro as f64 / 1e6
}

fn of_model(
    app: &App,
    (offered, config): (&Offered, &ModelConfig),
    clips: &[Clip],
    now: Timestamp,
    recent: &[Run],
) -> ModelEstimate {
    let model = &offered.model();
    let consult = app.consulted(model.provider);
    let today = OffsetDateTime::from(now).date();
    let mut why = BTreeSet::new();
    let mut taken: Vec<&Clip> = Vec::with_capacity(clips.len());
    for clip in clips {
        match refuses(model, clip) {
            None => taken.push(clip),
            Some(Unsupported::Language) => {
                why.insert(format!("the model can't be asked for {}", clip.language));
            }
            Some(other) => {
                why.insert(other.to_string());
            }
        }
    }
    let cost = taken.iter().map(|clip| {
        let clip = (&*clip.language, clip.duration_seconds);
        model.estimate_micro_usd(consult, config, clip, now)
    });
    ModelEstimate {
        model: model.id.to_owned(),
        items: clips.len() as u64,
        unsupported: (clips.len() - taken.len()) as u64,
        unsupported_why: reasons(&why),
        audio_hours: hours(taken.iter().copied()),
        cost_usd: usd(cost.sum()),
        usual_seconds: usual(recent, model.id),
        given_up_after_seconds: app
            .vendor(model.provider)
            .map(|vendor| vendor.timing.deadline.as_secs()),
        price_read_at: model.price(today).map(|price| price.read_on.to_string()),
    }
}

/// Some reasons in one line.
fn reasons(why: &BTreeSet<String>) -> String {
    const TOLD: usize = 4;
    let told: Vec<&str> = why.iter().take(TOLD).map(String::as_str).collect();
    let more = if why.len() > TOLD { "; …" } else { "" };
    format!("{}{more}", told.join("; "))
}

/// Recent runs of the project.
async fn recent(app: &App, project: &ProjectId) -> Result<Vec<Run>, Refusal> {
    let all = RunFilter::default();
    let (page, _) = app.store.list_runs(project, all, None, RECENT).await?;
    Ok(page.items)
}

/// How long runs with a model took, from acceptance to end: the median. Those that
/// went on after their end are left out.
fn usual(recent: &[Run], model: &str) -> Option<u64> {
    let plain = |run: &&Run| {
        run.status == RunStatus::Completed
            && run.asked_round() == 1
            && run.models.iter().any(|known| known.model == model)
            && run.models.iter().all(|known| known.vendor != VENDOR)
    };
    let mut seconds: Vec<u64> = recent
        .iter()
        .filter(plain)
        .filter_map(|run| Some(run.finished_at?.since(run.inserted_at).as_secs()))
        .collect();
    seconds.sort_unstable();
    seconds.get(seconds.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::services::results::selection::tests::run;

    #[test]
    fn runs_in_one_piece_tell_how_long_it_takes() {
        let took = |seconds| {
            let mut run = run();
            run.status = RunStatus::Completed;
            run.finished_at = Some(run.inserted_at + Duration::from_secs(seconds));
            run
        };
        assert_eq!(usual(&[], "m"), None);
        assert_eq!(usual(&[run(), took(9)], "other"), None);
        assert_eq!(usual(&[took(9), run(), took(3), took(5)], "m"), Some(5));
        let mut retried = took(1);
        retried.round = 2;
        assert_eq!(usual(&[retried, took(9)], "m"), Some(9));
    }

    #[test]
    fn a_cap_can_be_what_is_estimated() {
        let model = |cost_usd| ModelEstimate {
            model: "m".into(),
            items: 1,
            unsupported: 0,
            unsupported_why: String::new(),
            audio_hours: 0.0,
            cost_usd,
            usual_seconds: None,
            given_up_after_seconds: None,
            price_read_at: None,
        };
        // 0.30000000000000004, if the fractions are summed.
        let told = total(&[model(0.1), model(0.2)]).to_string();
        assert_eq!(told, "0.3");
        assert_eq!(total(&[]).to_string(), "0");
        assert_eq!(hours([].iter()).to_string(), "0");
    }
}
