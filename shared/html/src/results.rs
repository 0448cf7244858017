//! What models heard, clip by clip, beside what was said.

use askama::Template;
use stt_eval_domain::{ResultId, SampleId};
use stt_eval_wire::results::{Result as Heard, Review};

use crate::RenderError;
use crate::figures::{count, counted, length};
use crate::invisible::visible;
use crate::layout::Frame;
use crate::review::of_reviewer;
pub use crate::review::reason_name;
use crate::texts::Text;
use crate::texts::datasets::Say;
use crate::words::{Words, flag, note, rate, reference, transcription};

struct Version {
    model: String,
    rate: String,
    flags: Vec<String>,
    words: Option<Words>,
    note: String,
    judged: Option<Text>,
    /// What reviewers have said beyond a verdict.
    said: Vec<String>,
    proposed: bool,
}

struct Clip {
    heading: String,
    /// Name and length of its recording, where they are known.
    recording: Option<(String, String)>,
    /// Where it is judged, by those who may.
    review: Option<String>,
    /// Where its reference is edited, if another one is proposed.
    edit: Option<String>,
    audio: String,
    reference: Option<Words>,
    versions: Vec<Version>,
}

/// One thing that can be chosen.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub name: String,
    /// Whether it is what the page shows now.
    pub chosen: bool,
}

/// The recording of a clip.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The clip.
    pub sample: SampleId,
    /// Name of its file.
    pub name: String,
    /// Its length in seconds.
    pub seconds: f64,
}

/// A page of results, and what it is of.
pub struct Results<'a> {
    /// Name of the run.
    pub run_name: &'a str,
    /// Address of the run's page.
    pub run: &'a str,
    /// Models to choose from.
    pub models: Vec<Choice>,
    /// States to choose from.
    pub states: Vec<Choice>,
    /// What reviewers may have said of them, to choose from.
    pub reasons: Vec<Choice>,
    /// Orders to choose from.
    pub orders: Vec<Choice>,
    /// The results, those of a clip beside each other where they are in order of clips.
    pub results: &'a [Heard],
    /// What reviewers say of them.
    pub said: &'a [(ResultId, Vec<Review>)],
    /// Recordings of their clips.
    pub recordings: &'a [Recording],
    /// Whether the visitor may judge.
    pub may_review: bool,
    /// Whether the visitor may change references.
    pub may_edit: bool,
    /// How many there are in all, where that is known.
    pub total: Option<u64>,
    /// Whether clips that the visitor has not judged are left out.
    pub hides: bool,
    /// Whether the order has a place for what was scored alone.
    pub scored_alone: bool,
    /// Address of the page that follows.
    pub more: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "results.html")]
struct Page<'a> {
    frame: Frame<'a>,
    run_name: String,
    run: &'a str,
    models: Vec<Choice>,
    states: Vec<Choice>,
    reasons: Vec<Choice>,
    orders: Vec<Choice>,
    clips: Vec<Clip>,
    total: Option<String>,
    hides: bool,
    scored_alone: bool,
    more: Option<&'a str>,
}

fn version(heard: &Heard, said: &[Review]) -> Version {
    // A verdict by itself is told by what most find, unless reviewers differ.
    let first = said.first().and_then(|first| first.verdict);
    let differ = said.iter().any(|of| of.verdict != first);
    let more =
        |of: &&Review| differ || !of.reasons.is_empty() || of.comment.is_some() || proposes(of);
    let score = heard.score.as_ref();
    Version {
        model: visible(&heard.provider).into_owned(),
        rate: score
            .map(|score| rate(heard, score.wer))
            .unwrap_or_default(),
        flags: score
            .iter()
            .flat_map(|score| &score.flags)
            .map(flag)
            .collect(),
        words: transcription(heard),
        note: note(heard),
        judged: heard.is_correct.map(|right| {
            if right {
                Text::JudgedRight
            } else {
                Text::JudgedWrong
            }
        }),
        said: said.iter().filter(more).map(of_reviewer).collect(),
        proposed: said.iter().any(proposes),
    }
}

fn proposes(of: &Review) -> bool {
    of.proposed_reference.is_some()
}

/// Results of one clip and one wording of its reference side by side.
fn clips(of: &Results<'_>) -> Vec<Clip> {
    let said = |heard: &Heard| {
        let own = of.said.iter().find(|(id, _)| *id == heard.id);
        own.map_or(&[][..], |(_, said)| said.as_slice())
    };
    let same = |a: &Heard, b: &Heard| {
        a.sample_id == b.sample_id && a.reference_version == b.reference_version
    };
    let clip = |together: &[Heard]| {
        let first = together.first()?;
        let versions = together.iter().map(|heard| version(heard, said(heard)));
        let versions: Vec<Version> = versions.collect();
        let is_proposed = versions.iter().any(|version| version.proposed);
        let mut recordings = of.recordings.iter();
        let recording = recordings.find(|known| known.sample == first.sample_id);
        // Of what nobody transcribed there is nothing to judge.
        let has_versions = together.iter().any(|heard| heard.transcription.is_some());
        let review = of.may_review && has_versions;
        Some(Clip {
            edit: (of.may_edit && is_proposed).then(|| format!("/samples/{}", first.sample_id)),
            heading: format!("Clip {}", count(u64::from(first.sample_id.position()) + 1)),
            recording: recording.map(|known| {
                let name = visible(&known.name).into_owned();
                (name, length(known.seconds))
            }),
            review: review.then(|| format!("{}/review/{}", of.run, first.sample_id)),
            audio: format!("/audio/{}", first.file_id),
            reference: reference(first),
            versions,
        })
    };
    of.results.chunk_by(same).filter_map(clip).collect()
}

/// The page.
///
/// # Errors
/// See [`RenderError`].
pub fn page(frame: Frame<'_>, of: Results<'_>) -> Result<String, RenderError> {
    let clips = clips(&of);
    let page = Page {
        frame,
        run_name: visible(of.run_name).into_owned(),
        run: of.run,
        models: of.models,
        states: of.states,
        reasons: of.reasons,
        orders: of.orders,
        clips,
        total: of.total.map(|total| counted(total, "result", "results")),
        hides: of.hides,
        scored_alone: of.scored_alone,
        more: of.more,
    };
    page.render()
}
