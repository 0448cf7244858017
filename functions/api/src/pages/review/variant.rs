//! "Both are right": what a model heard as a second wording of the reference. Editors
//! save it, reviewers propose it to them.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use stt_eval_html::layout::Section;
use stt_eval_html::variant::{self as html, Elsewhere, Rate, Remark, Variant};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::SampleId;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::reference_origin::{How, Taken};
use stt_eval_shared::domain::review::Reason;
use stt_eval_shared::store::results::Entry;

use super::found::{Found, find};
use crate::http::error::{Answer, status};
use crate::http::id::PathTexts;
use crate::http::query::Pairs;
use crate::pages::answer::{redirect, written};
use crate::pages::form::{Form, LongForm};
use crate::pages::session::Visit;
use crate::refusal::{Kind, Refusal};
use crate::services::results::clip::own;
use crate::services::results::reviews::{self, Change, Expected};
use crate::services::results::{anew, variant};
use crate::services::samples;

/// What is done with a second wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Save,
    Propose,
}

impl Does {
    const fn role(self) -> Role {
        match self {
            Self::Save => Role::Editor,
            Self::Propose => Role::Reviewer,
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Save => "variant",
            Self::Propose => "propose",
        }
    }
}

/// A clip, the transcription that is meant, and the reference as it stands now.
struct Meant {
    does: Does,
    found: Found,
    letter: char,
    entry: usize,
    sample: Sample,
}

/// Finds what an address or a form means.
async fn meant(
    app: &App,
    visit: &Visit,
    place: (&str, &str),
    (does, asked): (Does, &Pairs),
) -> Result<Meant, Refusal> {
    visit.needs(does.role())?;
    let found = find(app, visit, place).await?.of_form(visit, asked)?;
    let wanted = asked.text("of").and_then(|of| of.chars().next());
    let slot = found
        .slots
        .ids(&found.clip)
        .find(|(letter, _)| Some(*letter) == wanted);
    let (letter, id) = slot.ok_or_else(|| Refusal::no_such("transcription"))?;
    let entries = found.clip.completed.iter();
    let entry = entries
        .map(|entry| entry.outcome.id)
        .position(|of| of == id);
    let sample = SampleId::new(found.run.dataset, found.clip.position);
    let (_, sample) = samples::find(app, &visit.caller.actor.project, sample).await?;
    Ok(Meant {
        entry: entry.ok_or_else(|| Refusal::no_such("transcription"))?,
        does,
        found,
        letter,
        sample,
    })
}

impl Meant {
    fn entry(&self) -> Result<&Entry, Refusal> {
        let entry = self.found.clip.completed.get(self.entry);
        entry.ok_or_else(|| Refusal::no_such("transcription"))
    }

    /// Whose words the reference is about to take.
    fn taken(&self) -> Result<Taken, Refusal> {
        let run = &self.found.run;
        let model = run
            .models
            .get(usize::from(self.entry()?.outcome.id.model()));
        Ok(Taken {
            how: How::Variant,
            run: run.id,
            model: model.map_or_else(String::new, |model| model.model.clone()),
        })
    }

    /// Rates of the clip's transcriptions as they were scored, and by what stands now.
    /// Not before the reviewer has judged, where models are hidden.
    fn rates(&self, visit: &Visit, blind: bool) -> Result<Vec<Rate>, Refusal> {
        let Meant { found, sample, .. } = self;
        let who = visit.caller.actor.reviewer();
        let Some(reference) = sample.ground_truth.as_deref() else {
            return Ok(Vec::new());
        };
        if blind && !found.clip.is_judged(&who) {
            return Ok(Vec::new());
        }
        let rate = |(letter, id)| {
            let entry = found
                .clip
                .completed
                .iter()
                .find(|entry| entry.outcome.id == id)?;
            let outcome = &entry.outcome;
            let now = match anew::wer(&found.run, reference, outcome) {
                Ok(now) => now,
                Err(error) => {
                    tracing::warn!(result_id = %id, %error, "a result could not be scored anew");
                    None
                }
            };
            Some(Rate {
                letter,
                scored: outcome.score.as_ref().map(|score| score.wer),
                now,
            })
        };
        Ok(found.slots.ids(&found.clip).filter_map(rate).collect())
    }

    /// What reviewers propose, and say who found that it is another spelling. Where models
    /// are hidden only what is the visitor's own, until the visitor has judged.
    fn remarks(&self, visit: &Visit, blind: bool) -> Result<Vec<Remark>, Refusal> {
        let who = visit.caller.actor.reviewer();
        let own_alone = blind && !self.found.clip.is_judged(&who);
        let review = self.entry()?.review.as_ref();
        let mut opinions = review.map(|review| review.opinions()).unwrap_or_default();
        opinions.retain(|opinion| !own_alone || opinion.reviewer == who);
        let is_meant = |reasons: &[Reason]| reasons.contains(&Reason::SpellingVariant);
        let remarks = opinions.into_iter().filter_map(|opinion| {
            let comment = opinion.comment.filter(|_| is_meant(&opinion.reasons));
            (comment.is_some() || opinion.proposed.is_some()).then(|| Remark {
                name: opinion.reviewer.name.unwrap_or_default(),
                text: comment,
                proposed: opinion.proposed,
            })
        });
        Ok(remarks.collect())
    }

    /// The address of the page once something is saved.
    fn saved_at(&self, form: &Pairs) -> String {
        format!(
            "{}/{}?of={}&slots={}&blind={}&saved",
            self.found.path,
            self.does.path(),
            self.letter,
            self.found.slots.tag(),
            u8::from(form.text("blind") != Some("0")),
        )
    }

    /// The page; `draft` is what was written and is not saved, and why.
    fn page(
        &self,
        visit: &Visit,
        asked: &Pairs,
        draft: Option<(&str, Option<&str>)>,
    ) -> Result<Response, Refusal> {
        let outcome = &self.entry()?.outcome;
        let reference = self.sample.ground_truth.as_deref();
        let proposed =
            reference.and_then(|reference| variant::of(&self.found.run, reference, outcome));
        let blind =
            asked.text("blind").is_none_or(|blind| blind != "0") || self.found.run.blind_review;
        let rates = self.rates(visit, blind)?;
        let remarks = self.remarks(visit, blind)?;
        let number = |name| asked.text(name).and_then(|text| text.parse().ok());
        let elsewhere = number("changed").map(|changed| Elsewhere {
            changed,
            left_alone: number("left").unwrap_or_default(),
            next: number("next"),
        });
        let path = format!("{}/{}", self.found.path, self.does.path());
        let who = visit.caller.actor.reviewer();
        let own = own(self.entry()?, &who).and_then(|own| own.proposed);
        let of = Variant {
            run_name: &self.found.run.name,
            run: &format!("/runs/{}", self.found.run.id),
            clip: &self.found.path,
            path: &path,
            number: u64::from(self.found.clip.position) + 1,
            letter: self.letter,
            slots_tag: self.found.slots.tag(),
            blind,
            language: &outcome.language,
            reference,
            heard: outcome.transcription.as_deref().unwrap_or_default(),
            version: self.sample.reference_version,
            proposes: self.does == Does::Propose,
            proposed: draft
                .map(|(text, _)| text)
                .or(own.as_deref())
                .or(proposed.as_deref()),
            problem: draft.and_then(|(_, problem)| problem),
            is_conflict: draft.is_some_and(|(_, problem)| problem.is_none()),
            saved: asked.text("saved").is_some(),
            is_stale: outcome.reference_version != self.sample.reference_version,
            rates: &rates,
            remarks: &remarks,
            everywhere: asked.text("everywhere").is_some(),
            elsewhere,
        };
        let frame = visit
            .frame(&self.found.run.name, Section::Runs)
            .part("Both are right");
        written(html::page(frame, of))
    }
}

/// Shows what a second wording would be, to be looked at and changed.
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    PathTexts(id, sample): PathTexts,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let meant = meant(&app, &visit, (&id, &sample), (Does::Save, &query)).await?;
    meant.page(&visit, &query, None)
}

/// Shows a reviewer the same, to be proposed.
pub async fn show_proposal(
    State(app): State<App>,
    visit: Visit,
    PathTexts(id, sample): PathTexts,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let meant = meant(&app, &visit, (&id, &sample), (Does::Propose, &query)).await?;
    meant.page(&visit, &query, None)
}

/// Keeps what a reviewer proposes with what they say of the transcription. References stay
/// as they are.
pub async fn propose(
    State(app): State<App>,
    visit: Visit,
    PathTexts(id, sample): PathTexts,
    Form(form): LongForm,
) -> Answer {
    let meant = meant(&app, &visit, (&id, &sample), (Does::Propose, &form)).await?;
    let text = written_text(&form);
    let saved = async {
        let actor = &visit.caller.actor;
        let entry = meant.entry()?;
        let said = own(entry, &actor.reviewer()).map(|own| own.reasons);
        let mut reasons = said.unwrap_or_default();
        // What is proposed is found by it, as remarks on spellings are.
        reasons.push(Reason::SpellingVariant);
        let change = Change {
            proposed: Some(Some(reviews::proposal("ground_truth", &text)?)),
            reasons: Some(reviews::in_order(&reasons)),
            ..Change::default()
        };
        let result = entry.outcome.id;
        reviews::save_one(&app, actor, result, Expected::Any, change).await
    };
    match saved.await {
        Ok(_) => Ok(redirect(&meant.saved_at(&form))),
        Err(refusal) if refusal.kind == Kind::Invalid => {
            let mut page = meant.page(&visit, &form, Some((&text, Some(&refusal.message))))?;
            *page.status_mut() = status(refusal.kind);
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}

/// The reference that a form has.
fn written_text(form: &Pairs) -> String {
    let text = form.text("ground_truth").unwrap_or_default();
    text.replace("\r\n", "\n")
}

/// Saves a reference with it, if the reference is still the one that was read.
///
/// Where that is asked for, other references that say the same take the same. A form with
/// `from` goes on with those, and saves nothing else.
pub async fn save(
    State(app): State<App>,
    visit: Visit,
    PathTexts(id, sample): PathTexts,
    Form(form): LongForm,
) -> Answer {
    let mut meant = meant(&app, &visit, (&id, &sample), (Does::Save, &form)).await?;
    let from = form.parsed::<u16>("from", "a position of a clip")?;
    if from.is_none()
        && let Some(refused) = one(&app, &visit, &mut meant, &form).await?
    {
        return Ok(refused);
    }
    let mut to = meant.saved_at(&form);
    if from.is_some() || form.text("everywhere").is_some() {
        let of = (&meant.sample, &meant.entry()?.outcome);
        let (actor, taken) = (&visit.caller.actor, meant.taken()?);
        let became = variant::elsewhere(&app, actor, of, &taken, from.unwrap_or(0)).await?;
        to.push_str(&format!(
            "&changed={}&left={}",
            became.changed, became.left_alone
        ));
        if let Some(next) = became.next {
            to.push_str(&format!("&next={next}"));
        }
    }
    Ok(redirect(&to))
}

/// Saves the reference of the clip itself. Gives the page that tells why it was not.
async fn one(
    app: &App,
    visit: &Visit,
    meant: &mut Meant,
    form: &Pairs,
) -> Result<Option<Response>, Refusal> {
    let seen = form.parsed::<u32>("etag", "the version of the reference that was read")?;
    let seen = seen.ok_or_else(|| Refusal::invalid_field("etag", "must be given"))?;
    let text = written_text(form);
    let saved = async {
        if text.is_empty() {
            return Err(Refusal::invalid_field("ground_truth", "must not be empty"));
        }
        let change = samples::check_taken(text.clone(), meant.taken()?)?;
        let actor = &visit.caller.actor;
        samples::update_seen(app, actor, meant.sample.id, &change, Some(seen)).await
    };
    match saved.await {
        Ok(sample) => {
            // A model's own words have become what models are measured by.
            let result = meant.entry()?.outcome.id;
            tracing::info!(sample_id = %sample.id, result_id = %result, "a reference takes what a model heard");
            meant.sample = sample;
            Ok(None)
        }
        Err(refusal) if matches!(refusal.kind, Kind::Changed | Kind::Invalid) => {
            let problem = (refusal.kind == Kind::Invalid).then_some(&*refusal.message);
            let mut page = meant.page(visit, form, Some((&text, problem)))?;
            *page.status_mut() = status(refusal.kind);
            Ok(Some(page))
        }
        Err(refusal) => Err(refusal),
    }
}
