//! One clip to be judged: what was said, what each model heard, and a form.
//!
//! While it is not known which model is which, transcriptions are called by letters, and
//! nothing of a page tells a model: no name, no id, no rate, no cost.

use askama::Template;
use stt_eval_wire::results::{Reason, Result as Heard, Review, Verdict, WordTime};
use stt_eval_wire::scores::Op;

use crate::RenderError;
use crate::clock;
use crate::figures::{count, counted};
use crate::grid::Grid;
use crate::invisible::visible;
use crate::layout::Frame;
use crate::results::Choice;
use crate::texts::Text;
use crate::texts::datasets::Say;
use crate::texts::variant::Both;
use crate::words::{Words, flag, note, rate, reference, transcription};

/// Reasons that are told of each transcription; the others are of the clip.
const OF_TRANSCRIPTION: [Reason; 8] = [
    Reason::Name,
    Reason::NumberOrDate,
    Reason::CodeMixed,
    Reason::SpellingVariant,
    Reason::WordForm,
    Reason::MeaningChanged,
    Reason::InventedText,
    Reason::MissingText,
];

/// Reasons that are told of the clip.
const OF_CLIP: [Reason; 2] = [Reason::ReferenceWrong, Reason::AudioUnusable];

/// What a reason is called.
#[must_use]
pub fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::Name => "Name",
        Reason::NumberOrDate => "Number or date",
        Reason::CodeMixed => "Word of another language",
        Reason::SpellingVariant => "Only the spelling differs",
        Reason::WordForm => "Form of a word",
        Reason::MeaningChanged => "Meaning changed",
        Reason::InventedText => "Text made up",
        Reason::MissingText => "Text missing",
        Reason::ReferenceWrong => "The reference is wrong",
        Reason::AudioUnusable => "The recording can’t be understood",
    }
}

fn verdict_name(verdict: Verdict) -> Text {
    match verdict {
        Verdict::Right => Text::Right,
        Verdict::Wrong => Text::Wrong,
        Verdict::CannotTell => Text::CannotTell,
    }
}

/// What a form says of one transcription.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// Verdict.
    pub verdict: Option<Verdict>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Remark.
    pub comment: String,
}

/// One transcription, under its letter.
pub struct Slot<'a> {
    /// The letter.
    pub letter: char,
    /// The result.
    pub heard: &'a Heard,
    /// What the form says of it at first.
    pub said: Said,
    /// The state of the reviewer's own review, which the form sends back.
    pub seen: String,
    /// What stands, where the form says something else.
    pub stands: Option<&'a Review>,
    /// What others say; empty until it may be known.
    pub others: &'a [Review],
}

/// What happened before a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The clip was judged in another window.
    Elsewhere,
    /// Something was saved.
    Saved,
    /// The same, but for so many transcriptions of the clip that have no verdict.
    PassedOver(u64),
    /// The same, of what contradicted itself.
    Settled,
    /// Something was taken back.
    Undone,
    /// What was to be taken back was judged anew since.
    NotUndone,
}

/// What is the same of every page of a review.
pub struct Around<'a> {
    /// Name of the run.
    pub run_name: &'a str,
    /// Address of the run's page.
    pub run: &'a str,
    /// Orders to choose from; the value of the chosen one is sent back by the form.
    pub queues: Vec<Choice>,
    /// Whether models are hidden.
    pub blind: bool,
    /// Whether the run wants that: then it can't be chosen.
    pub always_blind: bool,
    /// What was done and can be undone, newest last, as addresses and forms carry it.
    pub did: &'a str,
}

impl Around<'_> {
    fn queue(&self) -> &str {
        let chosen = self.queues.iter().find(|queue| queue.chosen);
        chosen.map_or("", |queue| &*queue.value)
    }
}

/// What comes behind a clip in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Clips of the queue.
    pub clips: u64,
    /// Whether there may be more of them, which were not counted.
    pub or_more: bool,
    /// Other clips, of which there is no transcription.
    pub untold: u64,
}

/// A clip to be judged.
pub struct Clip<'a> {
    /// What is the same of every page.
    pub around: Around<'a>,
    /// Address of the clip's page.
    pub path: &'a str,
    /// Its number, from 1.
    pub number: u64,
    /// How many there are.
    pub total: u64,
    /// What of the queue comes behind it, where that is known.
    pub left: Option<Left>,
    /// Its transcriptions; those that there are.
    pub slots: Vec<Slot<'a>>,
    /// How many models have no transcription of it.
    pub without: u64,
    /// Whether it may be known which model is which.
    pub revealed: bool,
    /// Which transcriptions stand under which letters, which the form sends back.
    pub slots_tag: &'a str,
    /// What the reference says now, where it was changed since this was scored.
    pub says_now: Option<&'a str>,
    /// The name of the reviewer, and the project: what they say waits for them where they are
    /// signed out.
    pub by: (&'a str, &'a str),
    /// Whether the reviewer may change references, and does not only propose.
    pub may_edit: bool,
    /// Where the next clip is found.
    pub next: &'a str,
    /// What happened before.
    pub notice: Option<Notice>,
}

struct Button {
    verdict: Verdict,
    pressed: bool,
}

impl Button {
    fn name(&self) -> Text {
        verdict_name(self.verdict)
    }

    fn value(&self) -> &'static str {
        self.verdict.name()
    }

    /// The key that scripts take for it, unless the reviewer chose another.
    fn key(&self) -> char {
        match self.verdict {
            Verdict::Right => 'Y',
            Verdict::Wrong => 'N',
            Verdict::CannotTell => 'U',
        }
    }
}

struct Check {
    field: String,
    name: &'static str,
    set: bool,
    /// Whether what is wrong for this alone counts as right.
    forgiven: bool,
}

struct Row {
    letter: char,
    model: Option<String>,
    facts: Vec<String>,
    words: Option<Words>,
    differs: bool,
    note: String,
    verdict: &'static str,
    counts_right: bool,
    buttons: [Button; 3],
    boxes: Vec<Check>,
    comment: String,
    open: bool,
    seen: String,
    stands: Option<String>,
    others: Vec<String>,
}

/// What a review says, in one line.
fn told(review: &Review) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(review.verdict.map(|v| verdict_name(v).to_string()));
    parts.extend(review.reasons.iter().map(|r| reason_name(*r).to_owned()));
    parts.extend(review.comment.as_deref().map(|c| visible(c).into_owned()));
    let proposed = review.proposed_reference.as_deref();
    parts.extend(proposed.map(|text| format!("{} {}", Both::Proposes, visible(text))));
    parts.join(" · ")
}

/// What a review says, and whose it is.
pub(crate) fn of_reviewer(review: &Review) -> String {
    let name = review.reviewer.name.as_deref().unwrap_or("API");
    format!("{}: {}", visible(name), told(review))
}

fn row(slot: Slot<'_>, times: &[WordTime], revealed: bool) -> Row {
    let heard = slot.heard;
    let score = heard.score.as_ref().filter(|_| revealed);
    let mut facts: Vec<String> = score.iter().map(|score| rate(heard, score.wer)).collect();
    facts.extend(score.iter().flat_map(|score| &score.flags).map(flag));
    let set = |reason: &Reason| slot.said.reasons.contains(reason);
    let boxes = OF_TRANSCRIPTION.iter().map(|reason| Check {
        field: format!("{}.{}", slot.letter, reason.name()),
        name: reason_name(*reason),
        set: set(reason),
        forgiven: *reason == Reason::SpellingVariant,
    });
    let boxes: Vec<Check> = boxes.collect();
    let button = |verdict| Button {
        verdict,
        pressed: slot.said.verdict == Some(verdict),
    };
    Row {
        letter: slot.letter,
        model: revealed.then(|| visible(&heard.provider).into_owned()),
        facts,
        words: transcription(heard).map(|words| words.timed(times)),
        differs: heard
            .alignment
            .iter()
            .flatten()
            .flatten()
            .any(|word| word.op != Op::Equal),
        note: note(heard),
        verdict: slot.said.verdict.map_or("", Verdict::name),
        counts_right: slot.said.verdict == Some(Verdict::Wrong)
            && slot.said.reasons == [Reason::SpellingVariant],
        buttons: [Verdict::Right, Verdict::Wrong, Verdict::CannotTell].map(button),
        open: boxes.iter().any(|one| one.set) || !slot.said.comment.is_empty(),
        boxes,
        // Shown as it will be sent: what turns a text stands there as a label.
        comment: visible(&slot.said.comment).into_owned(),
        seen: slot.seen,
        stands: slot.stands.map(told),
        others: slot.others.iter().map(of_reviewer).collect(),
    }
}

#[derive(Template)]
#[template(path = "review/clip.html")]
struct Page<'a> {
    frame: Frame<'a>,
    around: Around<'a>,
    run_name: String,
    path: &'a str,
    heading: String,
    left: Option<String>,
    audio: String,
    reference: Option<Words>,
    grid: Option<Grid>,
    /// Whether a word can be pressed to play from it.
    plays_words: bool,
    rows: Vec<Row>,
    without: Option<String>,
    of_clip: Vec<Check>,
    slots_tag: &'a str,
    by: (&'a str, &'a str),
    says_now: Option<String>,
    may_edit: bool,
    next: &'a str,
    notice: Option<String>,
}

impl Page<'_> {
    fn sample(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

fn notice(notice: Notice) -> String {
    let text = match notice {
        Notice::Elsewhere => Text::Elsewhere,
        Notice::Saved | Notice::PassedOver(_) => Text::Saved,
        Notice::Settled => Text::Settled,
        Notice::Undone => Text::Undone,
        Notice::NotUndone => Text::NotUndone,
    };
    match notice {
        Notice::PassedOver(passed_over) => {
            let passed_over = counted(passed_over, "transcription", "transcriptions");
            format!("{text} {} {passed_over}.", Text::PassedOver)
        }
        _ => text.to_string(),
    }
}

/// What is left of a queue, in words.
fn told_left(left: Left, is_judged: bool) -> String {
    let clips = count(left.clips);
    let clips = match left.clips {
        _ if left.or_more => format!("at least {clips} left in this queue"),
        0 if is_judged => Text::NoneLeft.to_string(),
        0 => Text::LastOfQueue.to_string(),
        _ => format!("{clips} left in this queue"),
    };
    match counted(left.untold, "other clip has", "other clips have") {
        _ if left.untold == 0 => clips,
        others => format!("{clips}; {others} no transcription"),
    }
}

/// The page of a clip.
///
/// # Errors
/// See [`RenderError`].
pub fn clip(frame: Frame<'_>, of: Clip<'_>) -> Result<String, RenderError> {
    let first = of.slots.first().map(|slot| slot.heard);
    let set = |reason: &Reason| of.slots.iter().any(|s| s.said.reasons.contains(reason));
    let of_clip = OF_CLIP.iter().map(|reason| Check {
        field: reason.name().to_owned(),
        name: reason_name(*reason),
        set: set(reason),
        forgiven: false,
    });
    let heard = || of.slots.iter().map(|slot| slot.heard);
    let has_verdict = |slot: &Slot<'_>| !slot.seen.is_empty() && slot.said.verdict.is_some();
    let is_judged = of.slots.iter().all(has_verdict);
    let said_at = clock::of_reference(heard());
    let may_show = of.revealed || clock::are_alike(heard());
    let times: Vec<Vec<WordTime>> = heard()
        .map(|heard| clock::of_transcription(heard, &said_at, may_show))
        .collect();
    let timed = of.slots.iter().zip(&times);
    let timed = timed.map(|(slot, times)| (slot.letter, slot.heard, &**times));
    let page = Page {
        frame,
        run_name: visible(of.around.run_name).into_owned(),
        path: of.path,
        heading: format!("Clip {} of {}", count(of.number), count(of.total)),
        left: of.left.map(|left| told_left(left, is_judged)),
        audio: first.map_or(String::new(), |heard| format!("/audio/{}", heard.file_id)),
        reference: first.and_then(reference).map(|words| words.timed(&said_at)),
        grid: Grid::of(timed, &said_at),
        plays_words: times.iter().any(|times| !times.is_empty()),
        of_clip: of_clip.collect(),
        rows: of
            .slots
            .into_iter()
            .zip(&times)
            .map(|(slot, times)| row(slot, times, of.revealed))
            .collect(),
        without: (of.without > 0).then(|| {
            let models = counted(of.without, "model has", "models have");
            format!("{models} no transcription of this clip.")
        }),
        slots_tag: of.slots_tag,
        by: of.by,
        says_now: of.says_now.map(|text| visible(text).into_owned()),
        may_edit: of.may_edit,
        next: of.next,
        notice: of.notice.map(notice),
        around: of.around,
    };
    page.render()
}

#[derive(Template)]
#[template(path = "review/end.html")]
struct End<'a> {
    frame: Frame<'a>,
    around: Around<'a>,
    run_name: String,
    notice: Option<String>,
    rest: Rest,
    /// Where what was done last can be taken back, by a form; empty where nothing was.
    undo: String,
}

/// What there is to come back to at the end of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Clips that were skipped.
    Skipped,
    /// Nothing of the order.
    Nothing,
    /// Nothing of the run: the reviewer has judged all.
    NothingAtAll,
    /// Nothing of the run yet.
    NothingYet,
    /// Nothing of the run, and nothing will come.
    NothingThere,
}

/// The page behind the last clip of an order. `undo` is where the last thing that was done is
/// taken back.
///
/// # Errors
/// See [`RenderError`].
pub fn end(
    frame: Frame<'_>,
    around: Around<'_>,
    told: Option<Notice>,
    rest: Rest,
    undo: Option<String>,
) -> Result<String, RenderError> {
    let page = End {
        rest,
        undo: undo.unwrap_or_default(),
        frame,
        run_name: visible(around.run_name).into_owned(),
        around,
        notice: told.map(notice),
    };
    page.render()
}
