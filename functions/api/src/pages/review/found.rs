//! A clip of a run, as pages of a review are asked for it.

use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{RunId, SampleId};

use super::slots::Slots;
use crate::http::query::Pairs;
use crate::pages::session::Visit;
use crate::refusal::{Kind, Refusal};
use crate::services::results::clip::{self, Clip};
use crate::services::runs;

/// A clip, with its transcriptions under letters.
pub struct Found {
    /// The run.
    pub run: Run,
    /// The clip.
    pub clip: Clip,
    /// Which transcription stands under which letter.
    pub slots: Slots,
    /// Address of its page.
    pub path: String,
}

impl Found {
    /// The same with the letters of a form that was sent.
    ///
    /// # Errors
    /// When another transcription came in since it was made: letters do not stand for the
    /// same any more.
    pub fn of_form(self, visit: &Visit, form: &Pairs) -> Result<Self, Refusal> {
        let sample = SampleId::new(self.run.dataset, self.clip.position);
        let tag = form.text("slots").unwrap_or_default();
        let slots = Slots::of_form(&visit.caller, sample, &self.clip, tag);
        let slots = slots.ok_or_else(|| {
            Refusal::new(
                Kind::Changed,
                "the clip has got another transcription since this page was made; look at it again",
            )
        })?;
        Ok(Self { slots, ..self })
    }
}

/// Finds one by the ids of an address.
///
/// # Errors
/// When there is none, or the visitor may not judge.
pub async fn find(app: &App, visit: &Visit, (id, sample): (&str, &str)) -> Result<Found, Refusal> {
    visit.needs(Role::Reviewer)?;
    let no_such = || Refusal::no_such("clip");
    let id: RunId = id.parse().map_err(|_| no_such())?;
    let sample: SampleId = sample.parse().map_err(|_| no_such())?;
    let actor = &visit.caller.actor;
    let run = runs::find(app, &actor.project, id).await?;
    if sample != SampleId::new(run.dataset, sample.position()) {
        return Err(no_such());
    }
    let clip = clip::clip(app, &actor.project, &run, sample.position()).await?;
    Ok(Found {
        slots: Slots::of(&visit.caller, sample, &clip),
        path: format!("/runs/{id}/review/{sample}"),
        run,
        clip,
    })
}
