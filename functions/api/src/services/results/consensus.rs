//! References for clips that have none, from what the models of a run agree on. They are
//! proposed, looked at by people, and saved as any other change of a reference; where one
//! stands, nothing is proposed and nothing saved.

use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::reference_origin::{How, Taken};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::Span;
use stt_eval_shared::domain::validate::Errors;
use stt_eval_shared::domain::{ProjectId, SampleId};
use stt_eval_shared::scoring::consensus::{Consensus, consensus};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::reference::escape;
use stt_eval_shared::store::results::Entry;
use stt_eval_shared::wire;
use stt_eval_shared::wire::consensus::{Acceptances, Heard};

use super::clip::{self, Clip};
use crate::actor::Actor;
use crate::refusal::{Kind, Refusal, finish};
use crate::services::samples;

/// Most proposals that are accepted at once: each is a transaction of its own.
const MAX_ACCEPTED: usize = 50;
/// Most clips looked at for one page.
const MOST_READ: usize = 1_000;
/// Clips that are read at once.
const WINDOW: u16 = 50;
/// Most bytes of a clip's transcriptions: each is compared with each.
const MAX_COMPARED_BYTES: usize = 400_000;
/// Bytes of transcriptions after which a page ends.
const MAX_PAGE_BYTES: usize = 600_000;

/// A reference that is proposed.
#[derive(Debug)]
pub struct Proposal {
    /// The clip, which has no reference.
    pub sample: Sample,
    /// What its models heard, at least two, in the order of the run.
    pub heard: Vec<Entry>,
    /// Which of them stands for all.
    pub consensus: Consensus,
    /// The reference as it would be saved.
    pub text: String,
}

/// Proposals in the order of clips.
#[derive(Debug)]
pub struct ProposalPage {
    /// The proposals.
    pub proposals: Vec<Proposal>,
    /// Clips without a reference for which nothing can be proposed.
    pub without: usize,
    /// The position from which the next page goes on.
    pub next: Option<u16>,
}

/// What was said of an entry, which is completed.
fn words(entry: &Entry) -> &str {
    entry.outcome.transcription.as_deref().unwrap_or_default()
}

/// Whether a clip's transcriptions are too long to be held against each other.
pub(super) fn too_long(clip: &Clip) -> bool {
    let bytes: usize = clip.completed.iter().map(|entry| words(entry).len()).sum();
    bytes > MAX_COMPARED_BYTES
}

/// Why nothing can be proposed for a clip.
fn too_little(clip: &Clip) -> Option<&'static str> {
    if clip.completed.len() < 2 {
        Some("it has fewer than two transcriptions in this run, and one alone agrees with nothing")
    } else if too_long(clip) {
        Some("its transcriptions are too long to be held against each other")
    } else {
        None
    }
}

impl Proposal {
    /// What is proposed for a clip that has no reference.
    fn of(run: &Run, sample: Sample, clip: Clip) -> Result<Self, &'static str> {
        if let Some(why) = too_little(&clip) {
            return Err(why);
        }
        let normaliser = Normaliser::by_name(run.current_normalizer()).unwrap_or_default();
        let heard: Vec<&str> = clip.completed.iter().map(words).collect();
        let turn = usize::from(clip.position);
        let found = consensus(&heard, &sample.language, &normaliser, turn);
        let consensus = found.ok_or("nothing can be proposed for it")?;
        let text = heard.get(consensus.chosen).map(|text| escape(text));
        Ok(Self {
            text: text.unwrap_or_default(),
            sample,
            heard: clip.completed,
            consensus,
        })
    }

    /// The model whose words are proposed.
    #[must_use]
    pub fn model<'a>(&self, run: &'a Run) -> &'a str {
        let chosen = self.heard.get(self.consensus.chosen);
        chosen.map_or("", |entry| model(run, entry))
    }

    /// Changes with all that is accepted with it.
    #[must_use]
    pub fn etag(&self, run: &Run) -> String {
        let sample = &self.sample;
        let text = serde_json::json!([
            "proposal/1",
            sample.id,
            sample.reference_version,
            self.model(run),
            self.text,
        ]);
        let mut tag = sha256_hex(text.to_string().as_bytes());
        tag.truncate(16);
        tag
    }

    /// What clients see of it.
    #[must_use]
    pub fn shown(self, run: &Run) -> wire::consensus::Proposal {
        let heard = self.heard.iter().map(|entry| Heard {
            provider: model(run, entry).to_owned(),
            transcription: words(entry).to_owned(),
        });
        wire::consensus::Proposal {
            transcriptions: heard.collect(),
            provider: self.model(run).to_owned(),
            etag: self.etag(run),
            sure: self.consensus.is_sure(),
            same: self.consensus.same,
            agreement: self.consensus.agreement,
            ground_truth: self.text,
            sample_id: self.sample.id,
            file_id: self.sample.file_id,
            filename: self.sample.filename,
            duration_seconds: self.sample.duration_seconds,
            language: self.sample.language,
        }
    }
}

/// The model of an entry.
fn model<'a>(run: &'a Run, entry: &Entry) -> &'a str {
    let model = run.models.get(usize::from(entry.outcome.id.model()));
    model.map_or("", |model| &model.model)
}

async fn clips_without_reference(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (start, end): (u16, u16),
) -> Result<Vec<(Sample, Clip)>, Refusal> {
    let spans = [Span { start, end }];
    let mut samples = app.store.samples_in(project, run.dataset, &spans).await?;
    samples.retain(|sample| sample.ground_truth.is_none());
    if samples.is_empty() {
        return Ok(Vec::new());
    }
    let clips = clip::between(app, project, run, (start, end)).await?;
    let mut clips: Vec<Option<Clip>> = clips.into_iter().map(Some).collect();
    let of = |sample: Sample| {
        let at = usize::from(sample.id.position().saturating_sub(start));
        let clip = clips.get_mut(at).and_then(Option::take)?;
        Some((sample, clip))
    };
    Ok(samples.into_iter().filter_map(of).collect())
}

/// What is proposed for clips from a position on.
///
/// # Errors
/// When they can't be read.
pub async fn page(
    app: &App,
    project: &ProjectId,
    run: &Run,
    from: u16,
    limit: usize,
) -> Result<ProposalPage, Refusal> {
    let count = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
    let (mut proposals, mut without) = (Vec::new(), 0);
    let (mut at, mut read, mut bytes) = (from, 0, 0);
    while at < count && read < MOST_READ {
        let end = at.saturating_add(WINDOW).min(count);
        for (sample, clip) in clips_without_reference(app, project, run, (at, end)).await? {
            let position = clip.position;
            if proposals.len() == limit || bytes > MAX_PAGE_BYTES {
                let next = Some(position);
                return Ok(ProposalPage {
                    proposals,
                    without,
                    next,
                });
            }
            match Proposal::of(run, sample, clip) {
                Ok(proposal) => {
                    let heard = proposal.heard.iter();
                    bytes += heard.map(|entry| words(entry).len()).sum::<usize>();
                    proposals.push(proposal);
                }
                Err(_) => without += 1,
            }
            // Others on this thread have a turn too.
            tokio::task::yield_now().await;
        }
        read += usize::from(end - at);
        at = end;
    }
    Ok(ProposalPage {
        proposals,
        without,
        next: (at < count).then_some(at),
    })
}

/// Checks which proposals are accepted.
///
/// # Errors
/// When there are too many or none, or one is of no clip of the run.
pub fn check(run: &Run, given: Acceptances) -> Result<Vec<(SampleId, String)>, Refusal> {
    let mut errors = Errors::new();
    if !(1..=MAX_ACCEPTED).contains(&given.accept.len()) {
        let message = format!(
            "must have 1 to {MAX_ACCEPTED} items, has {}",
            given.accept.len()
        );
        errors.push("accept", message);
    }
    let mut accepted: Vec<(SampleId, String)> = Vec::new();
    for (at, given) in given.accept.into_iter().take(MAX_ACCEPTED).enumerate() {
        let field = format!("accept[{at}].sample_id");
        let is_of_run = |id: &SampleId| {
            id.dataset() == run.dataset && u32::from(id.position()) < run.sample_count
        };
        match given.0.sample_id.parse().ok().filter(is_of_run) {
            None => errors.push(field, "is no clip of this run"),
            Some(id) if accepted.iter().any(|(other, _)| *other == id) => {
                errors.push(field, "is given twice");
            }
            Some(id) => accepted.push((id, given.0.etag)),
        }
    }
    finish(errors)?;
    Ok(accepted)
}

/// Saves a proposal as it stands now, if it is the one that was looked at.
async fn accept_one(
    app: &App,
    actor: &Actor,
    run: &Run,
    (id, etag): (SampleId, &str),
) -> Result<(), Refusal> {
    let changed = |message: &str| Refusal::new(Kind::Changed, message.to_owned());
    let (_, sample) = samples::find(app, &actor.project, id).await?;
    let clip = clip::clip(app, &actor.project, run, id.position()).await?;
    let (reference, version) = (sample.ground_truth.clone(), sample.reference_version);
    let from = sample.from_models.last().cloned();
    let proposal = Proposal::of(run, sample, clip).map_err(changed)?;
    let taken = Taken {
        how: How::Consensus,
        run: run.id,
        model: proposal.model(run).to_owned(),
    };
    if let Some(reference) = reference {
        // Sent twice, it stands there already.
        let is_this = reference == proposal.text && from == Some(taken.in_version(version));
        return if is_this {
            Ok(())
        } else {
            Err(changed("it has a reference by now, which stays"))
        };
    }
    if proposal.etag(run) != etag {
        return Err(changed(
            "what is proposed has changed since it was looked at; look at it again",
        ));
    }
    let change = samples::check_taken(proposal.text, taken)?;
    samples::update_seen(app, actor, id, &change, Some(version)).await?;
    Ok(())
}

/// Saves proposals that were accepted, one by one; gives what became of each. What is
/// left alone is told with the reason.
///
/// # Errors
/// When something can't be read or written; sent again, what was saved stays.
pub async fn accept(
    app: &App,
    actor: &Actor,
    run: &Run,
    accepted: &[(SampleId, String)],
) -> Result<Vec<(SampleId, Result<(), String>)>, Refusal> {
    let mut done = Vec::with_capacity(accepted.len());
    for (id, etag) in accepted {
        let became = match accept_one(app, actor, run, (*id, etag)).await {
            Ok(()) => Ok(()),
            Err(refusal) => match refusal.kind {
                Kind::Changed | Kind::Conflict | Kind::Invalid => Err(told(refusal)),
                _ => return Err(refusal),
            },
        };
        done.push((*id, became));
    }
    Ok(done)
}

/// A refusal in one sentence, with the first field that it names.
fn told(refusal: Refusal) -> String {
    let field = refusal.fields.into_iter().next();
    field.map_or(refusal.message, |field| field.message)
}
