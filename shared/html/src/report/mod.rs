//! The report of a run: a sentence first, then what it stands on.
//!
//! A model is never told to be the best where the comparisons do not say so: rates,
//! ranks and marks are those of the report, and nothing is compared anew here.
//!
//! Texts that were compared without a run ([`of_texts`]) have the same report, without what
//! only recordings, prices and reviewers tell, and with the worst of them shown.

mod agreement;
mod confusions;
mod cost;
mod flags;
mod method;
mod models;
mod order;
mod pairs;
mod silent;
mod slices;
mod spread;
mod steps;
mod texts;
pub mod verdict;
mod waterfall;
mod worst;

use askama::Template;
use stt_eval_wire::report::Report;

pub use self::order::{NoSuchOrder, Order};
pub use self::texts::{Condition, Outcome, Texts};
pub use self::worst::{Heard, Misheard};

use self::agreement::Agreement;
use self::confusions::Confusions;
use self::cost::Cost;
use self::method::Method;
use self::models::Models;
use self::pairs::Pairs;
use self::silent::{no_finding, without_rates};
use self::slices::Parting;
use self::spread::Spread;
use self::texts::Judged;
pub(crate) use self::verdict::together;
use self::verdict::{Verdict, verdict};
use self::waterfall::Waterfall;
use self::worst::Worst;
use crate::RenderError;
use crate::buttons::by_buttons;
use crate::figures::{counted, percent};
use crate::invisible::visible;
use crate::layout::Frame;
use crate::sentence::plain;
use crate::texts::Text;

/// Where else a report leads to.
#[derive(Debug, Clone, Copy)]
pub struct Links<'a> {
    /// Address of the page of the run.
    pub run: &'a str,
    /// Address of this page, without a query.
    pub page: &'a str,
    /// What the page was asked for beside the order, as a query that ends in `&`.
    pub query: &'a str,
    /// Address of the report as one file.
    pub file: &'a str,
    /// Fields of the clips that they can be parted by.
    pub fields: &'a [String],
    /// The one that they are parted by.
    pub group_by: Option<&'a str>,
    /// The one whose clips are drawn together for intervals.
    pub block_by: Option<&'a str>,
    /// What else the page was asked for.
    pub kept: &'a [(&'static str, String)],
}

/// A link to a section.
struct Anchor {
    id: &'static str,
    name: Text,
}

#[derive(Template)]
#[template(path = "report/page.html")]
struct Page<'a> {
    frame: Frame<'a>,
    run_name: String,
    links: Option<Links<'a>>,
    is_provisional: bool,
    progress: String,
    verdict: Verdict,
    /// What stands in place of a finding.
    no_finding: Text,
    gate: Vec<Judged>,
    warnings: Vec<String>,
    anchors: Vec<Anchor>,
    models: Option<Models>,
    pairs: Option<Pairs>,
    worst: Option<Worst>,
    waterfall: Option<Waterfall>,
    /// Whether parts of the clips are told of where there are none, too.
    is_parted: bool,
    partings: Vec<Parting>,
    spread: Option<Spread>,
    cost: Option<Cost>,
    agreement: Option<Agreement>,
    confusions: Option<Confusions>,
    method: Method,
}

fn progress(report: &Report) -> String {
    let done = report
        .providers
        .iter()
        .map(|model| u64::from(model.completed + model.failed));
    let (done, models) = (done.sum::<u64>(), report.providers.len() as u64);
    let all = u64::from(report.sample_count) * models;
    let of = format!(
        "{} of {}",
        percent(done as f64 / all.max(1) as f64),
        counted(all, "transcription", "transcriptions")
    );
    let status = report.status.as_str();
    if report.status.is_active() {
        format!(
            "The run is {status}: figures are of what has come in so far ({of}) and will change."
        )
    } else {
        format!("The run is {status}: figures are of what had come in ({of}).")
    }
}

impl<'a> Page<'a> {
    fn new(report: &Report, frame: Frame<'a>, links: Option<Links<'a>>, order: Order) -> Self {
        let report = &*without_rates(report);
        let verdict = verdict(report);
        let finding = plain(&verdict.finding);
        let is_scored = report.providers.iter().any(|model| model.score.is_some());
        let sort = links.map(|links| format!("{}?{}sort=", links.page, links.query));
        let models = is_scored.then(|| Models::new(report, finding, order, sort));
        let pairs = Pairs::new(report);
        let waterfall = Waterfall::new(report);
        let partings = Parting::all(report);
        let spread = Spread::new(report);
        let confusions = Confusions::new(report);
        let agreement = Agreement::new(report);
        Self {
            frame,
            run_name: visible(&report.run_name).into_owned(),
            links,
            is_provisional: !report.complete,
            progress: progress(report),
            verdict,
            no_finding: no_finding(report),
            warnings: report
                .warnings
                .iter()
                .map(|warning| by_buttons(&visible(&warning.message)))
                .collect(),
            anchors: Vec::new(),
            gate: Vec::new(),
            worst: None,
            is_parted: true,
            models,
            pairs,
            waterfall,
            partings,
            spread,
            cost: Some(Cost::new(report)),
            agreement,
            confusions,
            method: Method::new(report),
        }
    }

    /// The page, with links to its sections.
    fn written(mut self) -> Result<String, RenderError> {
        let there = [
            ("gate", Text::Gate, !self.gate.is_empty()),
            ("models", Text::Models, self.models.is_some()),
            ("pairs", Text::Pairs, true),
            ("forgiven", Text::Forgiven, self.waterfall.is_some()),
            ("differs", Text::Differs, self.is_parted),
            ("spread", Text::Spread, self.spread.is_some()),
            ("cost", Text::Cost, self.cost.is_some()),
            ("agreement", Text::Agreement, self.agreement.is_some()),
            ("words", Text::Words, self.confusions.is_some()),
            ("worst", Text::Worst, self.worst.is_some()),
            ("method", Text::Method, true),
        ];
        let anchors = there.into_iter().filter(|(.., is_there)| *is_there);
        self.anchors = anchors.map(|(id, name, _)| Anchor { id, name }).collect();
        self.render()
    }
}

/// The report as a page of the site.
///
/// # Errors
/// See [`RenderError`].
pub fn page(
    report: &Report,
    frame: Frame<'_>,
    links: Links<'_>,
    order: Order,
) -> Result<String, RenderError> {
    Page::new(report, frame, Some(links), order).written()
}

/// The report as one file that can be sent around: nothing is loaded, nothing runs.
///
/// # Errors
/// See [`RenderError`].
pub fn file(report: &Report) -> Result<String, RenderError> {
    let title = visible(&report.run_name);
    Page::new(report, Frame::of_file(&title), None, Order::default()).written()
}

/// The report of texts as one file that can be sent around: nothing is loaded, nothing runs.
///
/// # Errors
/// See [`RenderError`].
pub fn of_texts(texts: &Texts<'_>) -> Result<String, RenderError> {
    let title = visible(&texts.report.run_name);
    let frame = Frame::of_file(&title);
    let mut page = Page::new(texts.report, frame, None, Order::default());
    let gate = texts.gate.iter().map(|condition| Judged {
        outcome: condition.outcome,
        message: visible(condition.message).into_owned(),
    });
    page.gate = gate.collect();
    page.worst = Worst::new(texts.worst);
    page.models = page.models.map(Models::without_cost);
    page.cost = None;
    page.is_parted = !page.partings.is_empty();
    page.method = Method::of_texts(texts.report, texts.read);
    page.written()
}
