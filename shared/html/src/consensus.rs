//! References that are proposed for clips without one, from what models agree on: looked
//! through in one step, and accepted.

use askama::Template;
use stt_eval_wire::consensus::{Heard, Proposal};
use stt_eval_wire::scores::AlignedWord;

use crate::RenderError;
use crate::figures::{count, counted, duration, percent};
use crate::invisible::visible;
use crate::language::called;
use crate::layout::Frame;
use crate::texts::Text;
use crate::texts::consensus::Agreed;
use crate::texts::datasets::Say;
use crate::texts::variant::Both;
use crate::words::{Words, compared, unmarked};

/// What became of proposals that were accepted just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// Clips that have the reference now.
    pub saved: u64,
    /// Clips that were left alone.
    pub left_alone: u64,
}

/// A clip with what is proposed for it.
#[derive(Debug, Clone, Copy)]
pub struct Proposed<'a> {
    /// The proposal.
    pub proposal: &'a Proposal,
    /// The words of each transcription beside those of the proposal, where they are known.
    pub aligned: &'a [Option<Vec<AlignedWord>>],
}

/// What the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Name of the run.
    pub run_name: &'a str,
    /// Address of the run.
    pub run: &'a str,
    /// The clips.
    pub clips: &'a [Proposed<'a>],
    /// Clips in between for which nothing can be proposed.
    pub without: u64,
    /// The position that the page begins at.
    pub from: u16,
    /// The position that the next page begins at.
    pub next: Option<u16>,
    /// Whether the visitor may accept proposals.
    pub may_edit: bool,
    /// What was saved just now.
    pub saved: Option<Saved>,
}

struct Other {
    model: String,
    words: Words,
    is_empty: bool,
}

struct Clip {
    id: String,
    etag: String,
    heading: String,
    file: String,
    audio: String,
    facts: String,
    is_sure: bool,
    agreement: String,
    model: String,
    words: Option<Words>,
    others: Vec<Other>,
    by_hand: String,
}

/// How far the models agree, in words.
fn agreement(of: &Proposal) -> String {
    let models = counted(of.transcriptions.len() as u64, "model", "models");
    if of.sure {
        return format!("All {models} say the same.");
    }
    let says = if of.same == 1 { "says" } else { "say" };
    format!(
        "{} of {models} {says} this; two of them share {} of their words.",
        count(of.same as u64),
        percent(of.agreement),
    )
}

fn other(of: &Proposal, heard: &Heard, aligned: Option<&Vec<AlignedWord>>) -> Other {
    let aligned = aligned.map(Vec::as_slice);
    Other {
        model: visible(&heard.provider).into_owned(),
        words: compared(
            &of.ground_truth,
            &heard.transcription,
            aligned,
            &of.language,
        ),
        is_empty: heard.transcription.is_empty(),
    }
}

fn clip(of: &Proposed<'_>) -> Clip {
    let proposal = of.proposal;
    let chosen = proposal.transcriptions.iter();
    let mut chosen = chosen.filter(|heard| heard.provider == proposal.provider);
    let text = chosen.next().map_or("", |heard| &*heard.transcription);
    let others = if proposal.sure {
        &[]
    } else {
        &*proposal.transcriptions
    };
    let others = others.iter().enumerate().map(|(at, heard)| {
        let aligned = of.aligned.get(at).and_then(Option::as_ref);
        other(proposal, heard, aligned)
    });
    Clip {
        id: proposal.sample_id.to_string(),
        etag: proposal.etag.clone(),
        heading: format!(
            "Clip {}",
            count(u64::from(proposal.sample_id.position()) + 1)
        ),
        file: visible(&proposal.filename).into_owned(),
        audio: format!("/audio/{}", proposal.file_id),
        facts: format!(
            "{} · {}",
            duration(proposal.duration_seconds),
            called(&proposal.language)
        ),
        is_sure: proposal.sure,
        agreement: agreement(proposal),
        model: visible(&proposal.provider).into_owned(),
        words: (!text.is_empty()).then(|| unmarked(text, &proposal.language)),
        others: others.collect(),
        by_hand: format!("/samples/{}", proposal.sample_id),
    }
}

/// What was saved, in words.
fn told(saved: Saved) -> String {
    if saved.saved + saved.left_alone == 0 {
        return Agreed::NothingTicked.to_string();
    }
    let left = match saved.left_alone {
        0 => String::new(),
        clips => format!(
            " {} left alone, because a reference stands there by now or something else is \
             proposed; what is proposed now is below.",
            counted(clips, "clip was", "clips were")
        ),
    };
    let done = counted(saved.saved, "reference was", "references were");
    format!("{done} saved.{left}")
}

#[derive(Template)]
#[template(path = "runs/consensus.html")]
struct Page<'a> {
    frame: Frame<'a>,
    of: Shown<'a>,
    run_name: String,
    clips: Vec<Clip>,
    without: String,
    saved: String,
}

impl Page<'_> {
    fn has_saved(&self) -> bool {
        self.of.saved.is_some_and(|saved| saved.saved > 0)
    }
}

/// The page.
///
/// # Errors
/// See [`RenderError`].
pub fn page(frame: Frame<'_>, of: Shown<'_>) -> Result<String, RenderError> {
    let without = match of.without {
        0 => String::new(),
        clips => format!(
            "{} no reference and fewer than two transcriptions in this run, or too long ones: \
             nothing is proposed there.",
            counted(clips, "clip more has", "clips more have")
        ),
    };
    let page = Page {
        frame,
        run_name: visible(of.run_name).into_owned(),
        clips: of.clips.iter().map(clip).collect(),
        without,
        saved: of.saved.map_or_else(String::new, told),
        of,
    };
    page.render()
}
