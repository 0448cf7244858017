//! What a page of a review is asked for, and what its form says.

use std::fmt;

use stt_eval_html::results::Choice;
use stt_eval_html::review::{Notice, Said};
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::review::{Queue, Reason, Verdict};
use stt_eval_shared::domain::run::Run;

use crate::http::query::Pairs;
use crate::refusal::Refusal;
use crate::services::results::reviews::{Change, in_order, remark};

/// Most things that can be undone.
const MOST_DONE: usize = 20;

/// Reasons that are told of a clip, and hold for all its transcriptions.
const OF_CLIP: [Reason; 2] = [Reason::ReferenceWrong, Reason::AudioUnusable];

const VERDICTS: [(&str, Verdict); 3] = [
    ("right", Verdict::Right),
    ("wrong", Verdict::Wrong),
    ("cannot_tell", Verdict::CannotTell),
];

fn queue_name(queue: Queue) -> &'static str {
    match queue {
        Queue::Clips => "By clip",
        Queue::Worst => "Worst first",
        Queue::Disagreement => "Where models disagree most",
        Queue::Flags => "Suspicious ones",
        Queue::Unreviewed => "Share the work: one in ten twice",
        Queue::Second => "Reviewed by others",
        Queue::Split => "Where reviewers disagree",
        Queue::Random => "At random",
    }
}

/// Something that was done with a clip: what a reviewer said of it at that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// The clip.
    pub position: u16,
    /// When.
    pub at: Timestamp,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.position, self.at.millis())
    }
}

impl Act {
    fn parse(text: &str) -> Option<Self> {
        let (position, at) = text.split_once('.')?;
        Some(Self {
            position: position.parse().ok()?,
            at: Timestamp::from_millis(at.parse().ok()?),
        })
    }
}

/// What a form wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// To stay with the clip.
    Stay,
    /// To go on to the next.
    Next,
    /// To go on without saving.
    Skip,
}

impl Go {
    /// Of the button of a form. A verdict's button stays.
    pub fn of(form: &Pairs) -> Self {
        match form.text("go") {
            Some("next") => Self::Next,
            Some("skip") => Self::Skip,
            _ => Self::Stay,
        }
    }
}

/// What a page is asked for, by its address or its form.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The order.
    pub queue: Queue,
    /// Whether models are hidden.
    pub blind: bool,
    /// Whether that is the run's own will, whatever is asked for.
    pub always_blind: bool,
    /// The clip behind which to go on.
    pub after: Option<u16>,
    done: Vec<Act>,
    told: String,
}

impl Asked {
    /// Of an address or a form.
    pub fn of(pairs: &Pairs) -> Self {
        let wanted = pairs.text("queue").unwrap_or_default();
        let queue = Queue::ALL.into_iter().find(|queue| queue.name() == wanted);
        let is_chosen = pairs.text("chosen").is_some();
        let done = pairs.text("did").unwrap_or_default().split(',');
        let mut done: Vec<Act> = done.filter_map(Act::parse).collect();
        done.drain(..done.len().saturating_sub(MOST_DONE));
        Self {
            queue: queue.unwrap_or(Queue::Clips),
            // A box that is not ticked is not sent.
            blind: pairs.text("blind").map_or(!is_chosen, |blind| blind != "0"),
            always_blind: false,
            after: pairs.text("after").and_then(|after| after.parse().ok()),
            done,
            told: pairs.text("told").unwrap_or_default().to_owned(),
        }
    }

    /// The same of a run, which may want models hidden.
    pub fn of_run(pairs: &Pairs, run: &Run) -> Self {
        let asked = Self::of(pairs);
        Self {
            blind: asked.blind || run.blind_review,
            always_blind: run.blind_review,
            ..asked
        }
    }

    /// What a page is to tell.
    pub fn notice(&self) -> Option<Notice> {
        match &*self.told {
            "saved" => Some(Notice::Saved),
            "settled" => Some(Notice::Settled),
            "undone" => Some(Notice::Undone),
            "not_undone" => Some(Notice::NotUndone),
            other => {
                let passed_over = other.strip_prefix("saved.")?.parse().ok()?;
                Some(Notice::PassedOver(passed_over))
            }
        }
    }

    /// Notes what was done with a clip, and gives the newest of it: `stands` is when what stands
    /// there was said, and what can be taken back to before it.
    pub fn has_done(&mut self, position: u16, stands: &[Timestamp]) -> Option<Act> {
        self.done
            .retain(|done| done.position != position || stands.contains(&done.at));
        let at = stands.iter().copied().max()?;
        let act = Act { position, at };
        self.done.retain(|done| *done != act);
        self.done.push(act);
        let more = self.done.len().saturating_sub(MOST_DONE);
        self.done.drain(..more);
        Some(act)
    }

    /// The clip that something was done with last.
    pub fn last_done(&self) -> Option<u16> {
        Some(self.done.last()?.position)
    }

    /// Takes the last thing that was done off the list.
    pub fn takes_back(&mut self) -> Option<Act> {
        self.done.pop()
    }

    /// What was done, as addresses and forms carry it.
    pub fn did(&self) -> String {
        let done: Vec<String> = self.done.iter().map(Act::to_string).collect();
        done.join(",")
    }

    /// The part of an address that stays from page to page.
    pub fn query(&self) -> String {
        format!("{}&did={}", self.query_without_did(), self.did())
    }

    /// The same without what was done.
    pub fn query_without_did(&self) -> String {
        let blind = u8::from(self.blind);
        format!("queue={}&blind={blind}", self.queue.name())
    }

    /// Orders to choose from.
    pub fn queues(&self) -> Vec<Choice> {
        let queues = Queue::ALL.into_iter().map(|queue| Choice {
            value: queue.name().to_owned(),
            name: queue_name(queue).to_owned(),
            chosen: queue == self.queue,
        });
        queues.collect()
    }
}

/// What a page is to tell, as addresses carry it.
pub fn told(notice: Notice) -> String {
    match notice {
        Notice::Elsewhere => String::new(),
        Notice::Saved => "&told=saved".to_owned(),
        Notice::PassedOver(count) => format!("&told=saved.{count}"),
        Notice::Settled => "&told=settled".to_owned(),
        Notice::Undone => "&told=undone".to_owned(),
        Notice::NotUndone => "&told=not_undone".to_owned(),
    }
}

fn field<'a>(form: &'a Pairs, letter: char, name: &str) -> Option<&'a str> {
    form.text(&format!("{letter}.{name}"))
}

/// Whether a reason goes with “right”.
fn goes_with_right(reason: Reason) -> bool {
    matches!(reason, Reason::SpellingVariant | Reason::ReferenceWrong)
}

/// Whether a form contradicts itself, so that [`said`] chooses.
#[must_use]
pub fn is_odd(form: &Pairs, letter: char) -> bool {
    let verdict = field(form, letter, "judge").or_else(|| field(form, letter, "verdict"));
    let mut reasons = Reason::ALL
        .into_iter()
        .filter(|reason| !goes_with_right(*reason));
    verdict == Some("right") && reasons.any(|reason| is_set(form, letter, reason))
}

fn is_set(form: &Pairs, letter: char, reason: Reason) -> bool {
    if OF_CLIP.contains(&reason) {
        form.text(reason.name()).is_some()
    } else {
        field(form, letter, reason.name()).is_some()
    }
}

/// What a form says of the transcription under a letter, its button first. Where it
/// contradicts itself, the button was pressed last: “right” goes with no reason but the
/// spelling. Without a button it is a reason that was ticked last, and it is not right.
///
/// # Errors
/// When it says what can't be.
pub fn said(form: &Pairs, letter: char) -> Result<Said, Refusal> {
    let button = field(form, letter, "judge");
    let judge = button.or_else(|| field(form, letter, "verdict"));
    let verdict = judge.filter(|text| !text.is_empty()).map(|text| {
        let known = VERDICTS.into_iter().find(|(name, _)| *name == text);
        known
            .map(|(_, verdict)| verdict)
            .ok_or_else(|| Refusal::invalid_field("verdict", "must be right, wrong or cannot_tell"))
    });
    let mut verdict = verdict.transpose()?;
    let set = Reason::ALL.into_iter();
    let mut reasons: Vec<Reason> = set.filter(|reason| is_set(form, letter, *reason)).collect();
    // Of a clip that was found right in one transcription the recording is understood.
    if ('A'..='Z').any(|other| field(form, other, "judge") == Some("right")) {
        reasons.retain(|reason| *reason != Reason::AudioUnusable);
    }
    if button == Some("right") {
        reasons.retain(|reason| goes_with_right(*reason));
    } else if verdict == Some(Verdict::Right)
        && reasons.iter().any(|reason| !goes_with_right(*reason))
    {
        verdict = (!reasons.contains(&Reason::AudioUnusable)).then_some(Verdict::Wrong);
    }
    if reasons.contains(&Reason::AudioUnusable) {
        verdict = verdict.or(Some(Verdict::CannotTell));
    }
    // Browsers send the ends of lines as two characters.
    let comment = field(form, letter, "comment").unwrap_or_default();
    Ok(Said {
        verdict,
        reasons: in_order(&reasons),
        comment: comment.replace("\r\n", "\n"),
    })
}

/// The state of the own review that a form was made of.
///
/// # Errors
/// When it is none.
pub fn seen(form: &Pairs, letter: char) -> Result<Option<Timestamp>, Refusal> {
    let seen = field(form, letter, "seen").filter(|seen| !seen.is_empty());
    let seen = seen.map(|seen| seen.parse().map(Timestamp::from_millis));
    seen.transpose()
        .map_err(|_| Refusal::malformed("the form is not one of these pages"))
}

/// The change that a form asks for.
///
/// # Errors
/// When a remark is too long.
pub fn change(
    said: Said,
    asked: &Asked,
    form: &Pairs,
    is_blind: bool,
    letter: char,
) -> Result<Change, Refusal> {
    let comment = remark(&format!("{letter}.comment"), said.comment.trim())?;
    let listened = form.text("listened").and_then(|text| text.parse().ok());
    Ok(Change {
        verdict: Some(said.verdict),
        comment: Some((!comment.is_empty()).then_some(comment)),
        reasons: Some(said.reasons),
        // What is proposed stays: it is said on a page of its own.
        proposed: None,
        listened: Some(listened.map(|percent: u8| percent.min(100))),
        blind: Some(is_blind),
        queue: Some(Some(asked.queue)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_carried_and_taken_back_newest_first() {
        let mut asked = Asked::of(&Pairs::any("queue=worst&did=3.100,x,4.200,70000.1&after=4"));
        assert_eq!(
            (asked.queue, asked.blind, asked.after),
            (Queue::Worst, true, Some(4))
        );
        assert_eq!(asked.query(), "queue=worst&blind=1&did=3.100,4.200");
        let at = Timestamp::from_millis;
        let act = |position, millis| Act {
            position,
            at: at(millis),
        };
        assert_eq!(asked.has_done(3, &[at(300)]), Some(act(3, 300)));
        assert_eq!(asked.did(), "4.200,3.300");
        // Another transcription of the clip: what was said of the first stands, and can be
        // undone too.
        asked.has_done(3, &[at(300), at(400)]);
        assert_eq!(asked.did(), "4.200,3.300,3.400");
        // The first once more: of one the last thing can be undone.
        asked.has_done(3, &[at(500), at(400)]);
        assert_eq!(asked.did(), "4.200,3.400,3.500");
        assert_eq!(asked.has_done(5, &[]), None);
        assert_eq!(asked.takes_back(), Some(act(3, 500)));
        assert_eq!(asked.takes_back(), Some(act(3, 400)));
        assert_eq!(asked.takes_back(), Some(act(4, 200)));
        assert_eq!(asked.takes_back(), None);
        for position in 0..30 {
            asked.has_done(position, &[at(1)]);
        }
        assert_eq!(asked.did().split(',').count(), MOST_DONE);
        for notice in [
            Notice::Saved,
            Notice::PassedOver(2),
            Notice::Settled,
            Notice::Undone,
            Notice::NotUndone,
        ] {
            let asked = Asked::of(&Pairs::any(&told(notice)));
            assert_eq!(asked.notice(), Some(notice));
        }
        assert_eq!(Asked::of(&Pairs::any("told=saved.x")).notice(), None);
        let chosen = Asked::of(&Pairs::any("queue=nonsense&chosen=1"));
        assert_eq!((chosen.queue, chosen.blind), (Queue::Clips, false));
    }

    #[test]
    fn a_form_says_what_its_buttons_and_boxes_say() {
        let form = Pairs::any(
            "A.verdict=right&A.judge=wrong&A.name=1&A.comment=a%0D%0Ab&A.seen=7&B.verdict=&\
             audio_unusable=1&C.verdict=maybe&C.seen=x",
        );
        let a = said(&form, 'A').unwrap();
        assert_eq!(a.verdict, Some(Verdict::Wrong));
        assert_eq!(a.reasons, [Reason::Name, Reason::AudioUnusable]);
        assert_eq!(a.comment, "a\nb");
        assert_eq!(seen(&form, 'A').unwrap(), Some(Timestamp::from_millis(7)));
        let b = said(&form, 'B').unwrap();
        assert_eq!(b.verdict, Some(Verdict::CannotTell));
        assert_eq!(seen(&form, 'B').unwrap(), None);
        assert!(said(&form, 'C').is_err() && seen(&form, 'C').is_err());
    }

    #[test]
    fn right_goes_with_no_reason_but_the_spelling_and_what_was_done_last_counts() {
        let all = "A.name=1&A.spelling_variant=1&audio_unusable=1&reference_wrong=1";
        let kept = vec![Reason::SpellingVariant, Reason::ReferenceWrong];
        for (form, verdict, reasons) in [
            (format!("A.judge=right&{all}"), Verdict::Right, kept.clone()),
            (
                format!("A.verdict=right&B.judge=right&{all}"),
                Verdict::Wrong,
                vec![
                    Reason::Name,
                    Reason::SpellingVariant,
                    Reason::ReferenceWrong,
                ],
            ),
            (
                "A.verdict=right&audio_unusable=1".to_owned(),
                Verdict::CannotTell,
                vec![Reason::AudioUnusable],
            ),
        ] {
            let form = Pairs::any(&form);
            let said = said(&form, 'A').unwrap();
            assert_eq!((said.verdict, said.reasons), (Some(verdict), reasons));
            assert!(is_odd(&form, 'A') && !is_odd(&form, 'C'));
        }
        let form = "A.verdict=right&A.spelling_variant=1&reference_wrong=1";
        let form = Pairs::any(form);
        let said = said(&form, 'A').unwrap();
        assert_eq!((said.verdict, said.reasons), (Some(Verdict::Right), kept));
        assert!(!is_odd(&form, 'A'));
    }
}
