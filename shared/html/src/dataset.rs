//! One dataset: its clips with what is said in them, its runs, and what can be changed.

use askama::Template;
use stt_eval_wire::datasets::{Dataset, How, Sample};
use stt_eval_wire::runs::{Run, RunStatus};

use crate::RenderError;
use crate::datasets::path;
use crate::earlier::{Earlier, KeyNames, earlier};
use crate::figures::{count, counted, duration, length};
use crate::invisible::visible;
use crate::language::{all_called, called};
use crate::layout::Frame;
use crate::texts::Text;
use crate::texts::consensus::Agreed;
use crate::texts::datasets::Say;
use crate::words::{Words, literal, unmarked};

/// Longest reference, in bytes, that is edited in its list: a longer one would stand
/// there twice, and has a page of its own.
const MAX_IN_PLACE: usize = 4_000;

/// A reference as it is edited.
struct Edited {
    path: String,
    /// What the labels of its fields refer to.
    id: String,
    number: String,
    /// The version that was read.
    etag: u32,
    cursor: String,
    text: String,
    silent: bool,
    language: String,
    direction: crate::language::Direction,
    problem: String,
    /// Whether it is what was written, and not what stands.
    refused: bool,
    /// The clip to go on with once it is saved; empty for none.
    next: String,
    /// Whether it is there to be typed in from the first.
    is_open: bool,
}

struct Clip {
    id: String,
    heading: String,
    file: String,
    audio: String,
    language: String,
    seconds: String,
    version: String,
    /// Where its earlier wordings are.
    history: Option<String>,
    words: Option<Words>,
    is_silent: bool,
    edited: Option<Edited>,
    /// Where it can be edited, when that is not here.
    elsewhere: Option<String>,
}

fn number(sample: &Sample) -> String {
    count(u64::from(sample.id.position()) + 1)
}

/// Which version of its reference stands, and whether models had a part in it.
fn version(sample: &Sample) -> String {
    let taken = |how| {
        sample
            .from_models
            .iter()
            .filter(move |from| from.how == how)
    };
    let began = match taken(How::Consensus).next() {
        Some(_) => " · began as what models agreed on",
        None => "",
    };
    let variants = match taken(How::Variant).count() as u64 {
        0 => String::new(),
        wordings => format!(
            " · {} from models",
            counted(wordings, "wording", "wordings")
        ),
    };
    let version = count(sample.reference_version.into());
    format!("version {version}{began}{variants}")
}

fn sample_path(sample: &Sample) -> String {
    format!("/samples/{}", sample.id)
}

fn edited(sample: &Sample, cursor: &str) -> Edited {
    let text = sample.ground_truth.clone();
    Edited {
        path: sample_path(sample),
        id: sample.id.to_string(),
        number: number(sample),
        etag: sample.reference_version,
        cursor: cursor.to_owned(),
        silent: text.as_deref() == Some(""),
        text: text.unwrap_or_default(),
        language: sample.language.clone(),
        direction: crate::language::Direction::of(&sample.language),
        problem: String::new(),
        refused: false,
        next: String::new(),
        is_open: false,
    }
}

fn clip(sample: &Sample, may_edit: bool, cursor: &str) -> Clip {
    let said = sample.ground_truth.as_deref();
    let is_short = said.is_none_or(|text| text.len() <= MAX_IN_PLACE);
    Clip {
        id: sample.id.to_string(),
        heading: format!("Clip {}", number(sample)),
        file: visible(&sample.filename).into_owned(),
        audio: format!("/audio/{}", sample.file_id),
        language: called(&sample.language).into_owned(),
        seconds: duration(sample.duration_seconds),
        version: version(sample),
        history: (sample.reference_version > 1).then(|| sample_path(sample)),
        words: said
            .filter(|text| !text.is_empty())
            .map(|text| unmarked(&literal(text), &sample.language)),
        is_silent: said == Some(""),
        edited: (may_edit && is_short).then(|| edited(sample, cursor)),
        elsewhere: (may_edit && !is_short).then(|| sample_path(sample)),
    }
}

/// Clips of a page. Who saves a reference goes on with the next clip of it that has none.
fn clips(of: &Shown<'_>) -> Vec<Clip> {
    let clip = |sample| clip(sample, of.may_edit, of.cursor);
    let mut clips: Vec<Clip> = of.samples.iter().map(clip).collect();
    let mut next = String::new();
    for one in clips.iter_mut().rev() {
        if let Some(form) = &mut one.edited {
            form.next.clone_from(&next);
            form.is_open = of.edit == Some(&*form.id);
        }
        if one.words.is_none() && !one.is_silent {
            next.clone_from(&one.id);
        }
    }
    clips
}

/// A run of the dataset, in a line.
struct Row {
    path: String,
    name: String,
    status: Text,
    models: String,
    day: String,
}

fn row(run: &Run) -> Row {
    let mut day = run.inserted_at.to_string();
    day.truncate(10);
    Row {
        path: crate::runs::path(run),
        name: visible(&run.run_name).into_owned(),
        status: match run.status {
            RunStatus::Pending => Text::Pending,
            RunStatus::Processing => Text::Processing,
            RunStatus::Completed => Text::Completed,
            RunStatus::Failed => Text::Failed,
            RunStatus::Cancelled => Text::Cancelled,
        },
        models: counted(run.providers.len() as u64, "model", "models"),
        day,
    }
}

/// What a page of a dataset shows.
pub struct Shown<'a> {
    /// The dataset.
    pub dataset: &'a Dataset,
    /// A page of its samples.
    pub samples: &'a [Sample],
    /// The cursor of this page; empty for the first one.
    pub cursor: &'a str,
    /// Address of the page after this one.
    pub more: Option<&'a str>,
    /// The clip whose reference is to be typed.
    pub edit: Option<&'a str>,
    /// Its newest runs.
    pub runs: &'a [Run],
    /// How many runs it has in all.
    pub run_count: u64,
    /// Whether the visitor may change it.
    pub may_edit: bool,
    /// The project, where it was made just now: then a browser forgets what it remembers
    /// of the uploads.
    pub saved_in: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "datasets/dataset.html")]
struct Page<'a> {
    frame: Frame<'a>,
    path: String,
    id: String,
    name: String,
    description: String,
    facts: String,
    keywords: String,
    clips: Vec<Clip>,
    more: Option<&'a str>,
    is_first: bool,
    runs: Vec<Row>,
    run_count: String,
    is_cut: bool,
    may_edit: bool,
    without_reference: String,
    /// The run whose models propose references.
    proposing: Option<String>,
    saved_in: Option<&'a str>,
}

/// One line of numbers about a dataset.
fn facts(dataset: &Dataset) -> String {
    let of = &dataset.dataset_metadata;
    let mut day = dataset.inserted_at.to_string();
    day.truncate(10);
    format!(
        "{} · {}, {} with a reference · {} · made {day}",
        all_called(dataset),
        counted(of.sample_count.into(), "clip", "clips"),
        count(of.has_ground_truth_count.into()),
        length(of.total_duration_seconds),
    )
}

/// How many clips have no reference, in words; empty where each has one.
fn without_reference(dataset: &Dataset) -> String {
    let of = &dataset.dataset_metadata;
    match of.sample_count.saturating_sub(of.has_ground_truth_count) {
        0 => String::new(),
        clips => counted(
            clips.into(),
            "clip has no reference.",
            "clips have no reference.",
        ),
    }
}

/// Whether a run has ended with models that can agree.
fn can_propose(run: &Run) -> bool {
    !run.status.is_active() && run.providers.len() > 1 && run.counts.completed > 0
}

/// The page of a dataset.
///
/// # Errors
/// See [`RenderError`].
pub fn page(frame: Frame<'_>, of: Shown<'_>) -> Result<String, RenderError> {
    let dataset = of.dataset;
    let page = Page {
        frame,
        path: path(dataset),
        id: dataset.id.to_string(),
        name: visible(&dataset.name).into_owned(),
        description: visible(dataset.description.as_deref().unwrap_or_default()).into_owned(),
        facts: facts(dataset),
        keywords: visible(&dataset.keywords.join(", ")).into_owned(),
        clips: clips(&of),
        more: of.more,
        is_first: of.cursor.is_empty(),
        runs: of.runs.iter().map(row).collect(),
        run_count: counted(of.run_count, "run", "runs"),
        is_cut: of.run_count > of.runs.len() as u64,
        may_edit: of.may_edit,
        without_reference: without_reference(dataset),
        proposing: of
            .runs
            .iter()
            .find(|run| can_propose(run))
            .map(|run| format!("{}/consensus", crate::runs::path(run))),
        saved_in: of.saved_in,
    };
    page.render()
}

/// What somebody wrote as a reference, and why it does not stand.
pub struct Draft<'a> {
    /// The text.
    pub text: &'a str,
    /// Whether it was said that nothing is said.
    pub silent: bool,
    /// What is wrong with it; without that, another text came to stand there meanwhile.
    pub problem: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "datasets/sample.html")]
struct SamplePage<'a> {
    frame: Frame<'a>,
    dataset_path: String,
    dataset: String,
    clip: Clip,
    edited: Option<Edited>,
    earlier: Option<Earlier>,
    is_conflict: bool,
}

/// The page of one clip; with a draft, what somebody wrote and what stands are both on it.
/// Earlier wordings are told with the names of the keys that they were written with.
///
/// # Errors
/// See [`RenderError`].
pub fn sample(
    frame: Frame<'_>,
    dataset: &str,
    sample: &Sample,
    cursor: &str,
    may_edit: bool,
    draft: Option<&Draft<'_>>,
    keys: &KeyNames,
) -> Result<String, RenderError> {
    let mut form = may_edit.then(|| edited(sample, cursor));
    if let (Some(form), Some(draft)) = (&mut form, draft) {
        draft.text.clone_into(&mut form.text);
        form.silent = draft.silent;
        form.refused = true;
        form.problem = visible(draft.problem.unwrap_or_default()).into_owned();
    }
    let clip = clip(sample, false, cursor);
    let heading = clip.heading.clone();
    let page = SamplePage {
        frame: frame.part(&heading),
        dataset_path: format!("/datasets/{}", sample.dataset_id),
        dataset: visible(dataset).into_owned(),
        clip,
        edited: form,
        earlier: earlier(sample, keys),
        is_conflict: draft.is_some_and(|draft| draft.problem.is_none()),
    };
    page.render()
}

#[derive(Template)]
#[template(path = "datasets/delete.html")]
struct Delete<'a> {
    frame: Frame<'a>,
    path: String,
    name: String,
    facts: String,
    runs: String,
    under_way: String,
}

/// Asks whether a dataset is really to be deleted, with its runs, of which some may be under
/// way.
///
/// # Errors
/// See [`RenderError`].
pub fn delete(
    frame: Frame<'_>,
    dataset: &Dataset,
    runs: u64,
    under_way: u64,
) -> Result<String, RenderError> {
    let page = Delete {
        frame,
        path: path(dataset),
        name: visible(&dataset.name).into_owned(),
        facts: facts(dataset),
        runs: counted(runs, "run", "runs"),
        under_way: match under_way {
            0 => String::new(),
            runs => counted(
                runs,
                "run is under way, and is cancelled.",
                "runs are under way, and are cancelled.",
            ),
        },
    };
    page.render()
}
