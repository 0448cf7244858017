//! What changes of a run while it is looked at: how far it is, what it waits for, and
//! what can be done. Part of its page, and by itself what scripts put in its place.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_domain::endpoint;
use stt_eval_domain::imported::is_imported;
use stt_eval_wire::report::ScoringStatus;
use stt_eval_wire::runs::{Run, RunStatus, Timestamp, Waiting, WaitingReason};
use stt_eval_wire::scores::Figures;

use crate::RenderError;
use crate::figures::{count, counted, dollars, duration, percent};
use crate::invisible::visible;
use crate::progress::{Actions, Progress, path, progress, status, untranscribed};
use crate::summary::Problem;
use crate::texts::Text;
use crate::texts::compare::Compare;
use crate::texts::consensus::Agreed;
use crate::texts::following::Following;

/// What is waited for, with what is to be done.
struct Wait {
    model: String,
    /// Where its key is kept.
    settings: String,
    items: String,
    why: String,
    next: String,
    needs_a_person: bool,
    is_key: bool,
    act: Option<Following>,
}

struct Model {
    name: String,
    wer: String,
    transcribed: String,
    failed: String,
    /// Of what nobody asked the model for; empty for nothing.
    not_asked: String,
}

/// What of a form that adds transcripts is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListField {
    /// The name of their model.
    Name,
    /// Their table.
    Table,
    /// Neither: they can't be added as things are.
    Form,
}

/// Transcripts made elsewhere that were sent, and why they were not taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct NotTaken<'a> {
    /// The name that was typed for their model.
    pub name: &'a str,
    /// What is wrong, sentence by sentence.
    pub problems: &'a [(ListField, String)],
    /// Their table, which is still there, and how many of its lines could be left out so
    /// that the others are taken.
    pub could_leave_out: Option<(&'a str, usize)>,
}

impl NotTaken<'_> {
    /// What is wrong, as it is told at the top of the page.
    pub(crate) fn summary(&self) -> Vec<Problem> {
        let problem = |(field, message): &(ListField, String)| {
            let (anchor, label) = match field {
                ListField::Name => ("list-name", Following::ListName),
                ListField::Table => ("list-table", Following::ListTable),
                ListField::Form => ("list-wrong", Following::AddList),
            };
            Problem {
                anchor,
                label: label.to_string(),
                message: visible(message).into_owned(),
            }
        };
        self.problems.iter().map(problem).collect()
    }
}

/// A run as it is at a moment.
#[derive(Template)]
#[template(path = "runs/live.html")]
pub(crate) struct Live {
    path: String,
    state: &'static str,
    said: String,
    progress: Progress,
    age: String,
    cap: String,
    /// What it may cost at most, to be changed with a retry; empty where that is not bounded.
    most: String,
    error: String,
    /// Models that are simulated and have failed; empty for none.
    simulated: String,
    waiting: Vec<Wait>,
    warnings: Vec<String>,
    models: Vec<Model>,
    without_reference: String,
    /// That references were changed; empty where they were not.
    changed: String,
    actions: Actions,
    /// Clips that no model was asked for when it was cancelled are left.
    is_left: bool,
    is_scored_again: bool,
    list_name: String,
    is_list_refused: bool,
    list_name_wrong: Vec<String>,
    list_table_wrong: Vec<String>,
    list_wrong: Vec<String>,
    /// The table that is still there; empty without one.
    list_kept: String,
    /// How many of its lines could be left out: what is ticked is ticked of these.
    list_lines: usize,
    /// The same in words.
    list_left_out: String,
    /// It is still changing: it is under way, being stopped or being scored again.
    pub(crate) is_followed: bool,
}

/// A span of time in whole minutes at least, so that what says it does not change with
/// every second.
#[expect(clippy::cast_precision_loss, reason = "it is told in minutes")]
fn span(from: Timestamp, to: Timestamp) -> String {
    match to.since(from).as_secs() {
        0..60 => "less than a minute".to_owned(),
        seconds => duration(seconds as f64),
    }
}

/// A moment to the minute, in UTC.
fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    let day_and_time = text.get(..16).unwrap_or(&text).replace('T', " ");
    format!("{day_and_time} UTC")
}

/// Whether it may have begun once more after an end, by a retry or for transcripts that
/// joined it: how long it was at work is not known then.
fn went_on(run: &Run) -> bool {
    let by_itself = u16::from(run.asked_again > 0);
    run.round > 1 + by_itself || run.providers.iter().any(|model| is_imported(model))
}

fn age(run: &Run, now: Timestamp) -> String {
    let begun = minute(run.inserted_at);
    match run.finished_at {
        Some(end) if !run.status.is_active() => {
            let after = match went_on(run) {
                true => String::new(),
                false => format!(", after {}", span(run.inserted_at, end)),
            };
            format!("Started {begun}; ended {}{after}.", minute(end))
        }
        _ => format!("Started {begun}, {} ago.", span(run.inserted_at, now)),
    }
}

/// A sentence that begins as sentences do and ends with a point.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let text = format!("{first}{}", chars.as_str());
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{text}{end}")
}

fn wait(run: &Run, waiting: &Waiting, now: Timestamp) -> Wait {
    let config = run.config.as_ref();
    let vendor = config.and_then(|config| config.providers.get(&waiting.provider));
    let is_key = waiting.waiting_reason == WaitingReason::ProviderKeyRefused;
    let needs_a_person = waiting.waiting_reason.needs_a_person();
    let next = waiting.next_attempt_at.filter(|next| *next > now);
    Wait {
        model: visible(&waiting.provider).into_owned(),
        settings: match vendor.map(|of| &*of.provider) {
            Some(endpoint::VENDOR) => "own".to_owned(),
            vendor => visible(vendor.unwrap_or_default()).into_owned(),
        },
        items: counted(waiting.items, "clip waits", "clips wait"),
        why: sentence(&visible(&waiting.message)),
        next: next.map_or_else(String::new, |next| {
            format!("Tried again in {}.", span(now, next))
        }),
        needs_a_person,
        is_key,
        act: match waiting.waiting_reason {
            WaitingReason::ProviderOutOfCredit => Some(Following::TopUp),
            WaitingReason::ProviderKeyRefused => Some(Following::ReplaceKey),
            _ => None,
        },
    }
}

fn model(run: &Run, name: &str) -> Model {
    let score = run.score.as_ref().and_then(|scores| scores.get(name));
    // Of no words there is no rate.
    let score = score.and_then(Option::as_ref);
    let has_words = |all: &Figures| all.hits + all.substitutions + all.deletions > 0;
    let score = score.filter(|score| has_words(&score.all));
    let counts = run.model_counts.get(name).copied().unwrap_or_default();
    let left = untranscribed(run, name);
    Model {
        name: visible(name).into_owned(),
        wer: score.map_or_else(|| "–".to_owned(), |score| percent(score.all.wer)),
        transcribed: count(counts.completed),
        failed: count(left.failed),
        not_asked: left.not_asked(),
    }
}

/// That references were changed: of so many clips, or of more.
fn changed((clips, or_more): (u64, bool)) -> String {
    let of = match (clips, or_more) {
        (0, _) => return "References were changed since this was scored.".to_owned(),
        (1, false) => "The reference of 1 clip was".to_owned(),
        (_, false) => format!("The references of {} clips were", count(clips)),
        (_, true) => format!("The references of at least {} clips were", count(clips)),
    };
    format!("{of} changed since this was scored.")
}

/// Models of the vendor that is simulated for which most clips have failed: one of many has
/// another reason.
fn simulated(run: &Run, vendor: Option<&str>) -> String {
    let has_failed = |name: &str| {
        let counts = run.model_counts.get(name);
        counts.is_some_and(|counts| counts.failed > counts.completed)
    };
    let asked = run.config.iter().flat_map(|config| &config.providers);
    let models: Vec<_> = asked
        .filter(|(name, of)| Some(&*of.provider) == vendor && has_failed(name))
        .map(|(name, _)| visible(name))
        .collect();
    models.join(", ")
}

impl Live {
    pub(crate) fn of(run: &Run, actions: Actions, now: Timestamp) -> Self {
        let progress = progress(run);
        let waiting = run.waiting.iter().flatten();
        let warnings = run.warnings.iter();
        let is_scored_again = run
            .scorings
            .iter()
            .any(|scoring| scoring.status == ScoringStatus::Pending);
        Self {
            path: path(run),
            state: match run.status {
                RunStatus::Pending => "pending",
                RunStatus::Processing => "processing",
                RunStatus::Completed => "completed",
                RunStatus::Failed => "failed",
                RunStatus::Cancelled => "cancelled",
            },
            said: format!("{}: {}", status(run.status), progress.text),
            progress,
            age: age(run, now),
            cap: run.max_cost_usd.map_or_else(String::new, |max| {
                format!("{} {}", Following::Spent, dollars(max))
            }),
            most: run
                .max_cost_usd
                .map_or_else(String::new, |max| max.to_string()),
            error: visible(run.error_message.as_deref().unwrap_or_default()).into_owned(),
            simulated: simulated(run, actions.stand_in),
            waiting: waiting.map(|waiting| wait(run, waiting, now)).collect(),
            warnings: warnings
                .map(|warning| {
                    visible(&warning.message)
                        .replace("max_cost_usd", &Following::MostItMayCost.to_string())
                })
                .collect(),
            without_reference: match actions.propose {
                0 => String::new(),
                clips => counted(clips, "clip has no reference.", "clips have no reference."),
            },
            models: run.providers.iter().map(|name| model(run, name)).collect(),
            changed: actions.changed.map_or_else(String::new, changed),
            actions,
            is_left: run.counts.pending > 0,
            is_scored_again,
            list_name: String::new(),
            list_kept: String::new(),
            list_lines: 0,
            list_left_out: String::new(),
            is_list_refused: false,
            list_name_wrong: Vec::new(),
            list_table_wrong: Vec::new(),
            list_wrong: Vec::new(),
            is_followed: run.status.is_active() || actions.stopping || is_scored_again,
        }
    }
}

impl Live {
    /// The same with transcripts that were not taken, so that they can be sent again.
    pub(crate) fn with(mut self, list: NotTaken<'_>) -> Self {
        self.is_list_refused = !list.problems.is_empty();
        // What came anew would take the form with it, and what was typed.
        self.is_followed &= !self.is_list_refused;
        for (field, message) in list.problems {
            let wrong = match field {
                ListField::Name => &mut self.list_name_wrong,
                ListField::Table => &mut self.list_table_wrong,
                ListField::Form => &mut self.list_wrong,
            };
            wrong.push(visible(message).into_owned());
        }
        self.list_name = visible(list.name).into_owned();
        if let Some((table, lines)) = list.could_leave_out {
            table.clone_into(&mut self.list_kept);
            self.list_lines = lines;
            self.list_left_out = format!(
                "Leave out {} that this dataset does not have",
                counted(lines as u64, "line of a clip", "lines of clips")
            );
        }
        self
    }
}

/// It is a template itself, whose texts are escaped already.
impl HtmlSafe for Live {}

/// What changes of a run's page, by itself.
///
/// # Errors
/// See [`RenderError`].
pub fn fragment(run: &Run, actions: Actions, now: Timestamp) -> Result<String, RenderError> {
    Live::of(run, actions, now).render()
}
