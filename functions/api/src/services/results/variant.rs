//! A second wording that is right as well: what it would be for a clip of a run, and for the
//! other clips of its dataset.

use stt_eval_shared::App;
use stt_eval_shared::domain::SampleId;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::reference_origin::Taken;
use stt_eval_shared::domain::result::Outcome;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::Span;
use stt_eval_shared::scoring::align_words;
use stt_eval_shared::scoring::alternative::{Alternatives, added, with_alternative};
use stt_eval_shared::scoring::normalise::Normaliser;

use crate::actor::Actor;
use crate::refusal::{Kind, Refusal};
use crate::services::samples;

/// Most clips looked at for other references with the same words.
const MOST_READ: u16 = 2_000;
/// Most of them that are changed at once: each is a transaction of its own.
const MOST_CHANGED: u64 = 100;
/// Clips that are read at once.
const WINDOW: u16 = 200;

/// A reference that takes what a model heard as well; `None` where none can be proposed.
#[must_use]
pub fn of(run: &Run, reference: &str, outcome: &Outcome) -> Option<String> {
    let heard = outcome.transcription.as_deref()?;
    let normaliser = Normaliser::by_name(run.current_normalizer())?;
    // What is too long or too different to be aligned has no words that could be told.
    let steps = align_words(reference, heard, &outcome.language, &normaliser).ok()?;
    with_alternative(reference, heard, &steps)
}

/// What became of the same words in the references of other clips.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// References that take both now.
    pub changed: u64,
    /// References that stay as they are: they were changed by others meanwhile, or would
    /// not fit any more.
    pub left_alone: u64,
    /// The position from which clips were not looked at yet.
    pub next: Option<u16>,
}

/// A reference with the alternatives wherever it says the first of them.
fn with_all(groups: &[Alternatives], reference: &str) -> Option<String> {
    groups.iter().fold(None, |text, group| {
        let other = group.put_into(text.as_deref().unwrap_or(reference));
        other.or(text)
    })
}

/// Puts what a second wording has added to a clip's reference into those of the other
/// clips of its dataset, from a position on: as many as one request can.
///
/// # Errors
/// When something can't be read or written; sent again, what was saved stays.
pub async fn elsewhere(
    app: &App,
    actor: &Actor,
    (sample, outcome): (&Sample, &Outcome),
    taken: &Taken,
    from: u16,
) -> Result<Elsewhere, Refusal> {
    let (before, after) = (&outcome.ground_truth, &sample.ground_truth);
    let heard = outcome.transcription.as_deref().unwrap_or_default();
    let before = before.as_deref().unwrap_or_default();
    let groups = added(before, after.as_deref().unwrap_or_default(), heard);
    let dataset = app
        .store
        .dataset(&actor.project, sample.id.dataset())
        .await?;
    let dataset = dataset.ok_or_else(|| Refusal::no_such("dataset"))?;
    let count = u16::try_from(dataset.sample_count).unwrap_or(u16::MAX);
    let mut became = Elsewhere::default();
    if groups.is_empty() {
        return Ok(became);
    }
    let (mut at, last) = (from, count.min(from.saturating_add(MOST_READ)));
    while at < last {
        let end = at.saturating_add(WINDOW).min(last);
        let spans = [Span { start: at, end }];
        let others = app
            .store
            .samples_in(&actor.project, dataset.id, &spans)
            .await?;
        for other in others.iter().filter(|other| other.id != sample.id) {
            let reference = other.ground_truth.as_deref();
            let Some(text) = reference.and_then(|reference| with_all(&groups, reference)) else {
                continue;
            };
            if became.changed + became.left_alone == MOST_CHANGED {
                became.next = Some(other.id.position());
                return Ok(became);
            }
            match put(app, actor, (other.id, other.reference_version), text, taken).await {
                Ok(()) => became.changed += 1,
                Err(refusal) => match refusal.kind {
                    Kind::Changed | Kind::Conflict | Kind::Invalid => became.left_alone += 1,
                    _ => return Err(refusal),
                },
            }
        }
        at = end;
    }
    became.next = (at < count).then_some(at);
    Ok(became)
}

async fn put(
    app: &App,
    actor: &Actor,
    (id, seen): (SampleId, u32),
    text: String,
    taken: &Taken,
) -> Result<(), Refusal> {
    let change = samples::check_taken(text, taken.clone())?;
    samples::update_seen(app, actor, id, &change, Some(seen)).await?;
    Ok(())
}
