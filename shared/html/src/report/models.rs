//! The headline: every model with its rates and how far they can be trusted.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::report::{Human, ModelReport, Report};

use super::flags::{Explained, explained};
use super::order::Order;
use super::slices::TOO_FEW;
use super::verdict::{in_common, over, pair, ranked, wer};
use crate::charts::forest::{Axis, Forest, Value};
use crate::figures::{count, counted, dollars, interval, percent, points, points_interval};
use crate::invisible::visible;
use crate::texts::Text;
use crate::words::flag as called;

/// A rate and its interval, as text.
struct Rate {
    rate: String,
    interval: String,
}

struct Row {
    name: String,
    rank: String,
    is_tied: bool,
    ends_group: bool,
    wer: Option<Rate>,
    /// The rate over all clips of the model, where others have other ones.
    own: String,
    to_best: String,
    to_best_interval: String,
    cer: Option<Rate>,
    perfect: String,
    coverage: String,
    human: String,
    human_of: String,
    cost: String,
    flags: Vec<String>,
}

/// A column that the table can be sorted by.
struct Column {
    order: Order,
    name: &'static str,
    hint: String,
    is_number: bool,
}

impl Column {
    fn is_sorted(&self, order: &Order) -> bool {
        self.order == *order
    }
}

/// The table of models and the two panels beside it.
#[derive(Template)]
#[template(path = "report/models.html")]
pub struct Models {
    columns: Vec<Column>,
    order: Order,
    /// Start of the links that sort; `None` where there is nothing to link to.
    sort: Option<String>,
    rows: Vec<Row>,
    rates: Option<Forest>,
    differences: Option<Forest>,
    has_human: bool,
    has_cost: bool,
    flags: Vec<Explained>,
    queues: String,
    /// What word error rates are over, where that is not all clips.
    over: Option<String>,
}

impl HtmlSafe for Models {}

/// Orders in which clips are reviewed, as people know them.
const QUEUES: [(&str, &str); 9] = [
    ("random", "at random"),
    ("clips", "in the order of clips"),
    ("worst", "worst first"),
    ("disagreement", "where models disagree"),
    ("flags", "suspicious ones"),
    ("unreviewed", "sharing the work"),
    ("second", "reviewed by others"),
    ("split", "where reviewers disagree"),
    ("unknown", "in an order that was not told"),
];

/// In which order verdicts were found, and what that means for the shares.
fn queues(report: &Report) -> String {
    let of = |(name, said): &(&str, &str)| {
        let verdicts = *report.verdicts.get(*name)?;
        Some(format!("{} {said}", count(verdicts)))
    };
    let told: Vec<String> = QUEUES.iter().filter_map(of).collect();
    let is_random = report.verdicts.keys().all(|name| name == "random");
    match (told.is_empty(), is_random) {
        (true, _) => String::new(),
        (false, true) => "All of them were met at random, so they speak for all clips.".to_owned(),
        (false, false) => format!(
            "Verdicts by the order in which they were met: {}. Only those at random speak for all \
             clips; the other orders choose.",
            told.join(", ")
        ),
    }
}

const DASH: &str = "–";

fn rank(model: &ModelReport) -> (String, bool) {
    match model.rank {
        None => (DASH.to_owned(), false),
        Some(rank) if rank.best == rank.worst => (rank.best.to_string(), false),
        Some(rank) => (format!("{}–{}", rank.best, rank.worst), true),
    }
}

/// The difference of a model to the lowest rate.
struct ToBest {
    difference: f64,
    interval: Option<(f64, f64)>,
    distinguishable: bool,
}

fn to_best(report: &Report, best: &str, model: &str) -> Option<ToBest> {
    let (pair, best_is_a) = pair(report, best, model)?;
    let sign = if best_is_a { -1.0 } else { 1.0 };
    let interval = pair.low.zip(pair.high).map(|(low, high)| {
        if best_is_a {
            (-high, -low)
        } else {
            (low, high)
        }
    });
    Some(ToBest {
        difference: pair.difference * sign,
        interval,
        distinguishable: pair.distinguishable,
    })
}

/// What people found of a model, and of how many. Of few it is counts: no rate is told.
fn judged(human: &Human) -> (String, String) {
    let (right, all) = (
        u64::from(human.correct),
        u64::from(human.correct) + u64::from(human.incorrect),
    );
    match human.accuracy {
        None => (DASH.to_owned(), String::new()),
        Some(_) if all < TOO_FEW => (format!("{} of {}", count(right), count(all)), String::new()),
        Some(accuracy) => {
            let ends = human.low.zip(human.high);
            let ends = ends.map(|(low, high)| format!(", {}", interval(low, high)));
            let of = format!("of {}{}", count(all), ends.unwrap_or_default());
            (percent(accuracy), of)
        }
    }
}

fn row(report: &Report, model: &ModelReport, best: Option<&str>) -> Row {
    let share = |value: Option<f64>| value.map_or_else(|| DASH.to_owned(), percent);
    let rate = |rate: f64, of: Option<&stt_eval_wire::comparison::Interval>| Rate {
        rate: percent(rate),
        interval: of.map(|of| interval(of.low, of.high)).unwrap_or_default(),
    };
    let score = model.score.as_ref();
    let (rank, is_tied) = rank(model);
    let difference = best
        .filter(|best| *best != model.provider)
        .and_then(|best| to_best(report, best, &model.provider));
    let is_best = best == Some(&*model.provider);
    let (human, human_of) = judged(&model.human);
    Row {
        name: visible(&model.provider).into_owned(),
        rank,
        is_tied,
        ends_group: false,
        wer: wer(report, model).map(|(of_all, ends)| rate(of_all, ends)),
        own: match score.filter(|_| in_common(report).is_some()) {
            Some(score) => format!(
                "{} on {} of its own",
                percent(score.all.wer),
                counted(score.all.samples, "clip", "clips")
            ),
            None => String::new(),
        },
        to_best: match &difference {
            Some(to_best) => points(to_best.difference),
            None if is_best => "lowest".to_owned(),
            None => DASH.to_owned(),
        },
        to_best_interval: difference
            .and_then(|to_best| to_best.interval)
            .map(|(low, high)| points_interval(low, high))
            .unwrap_or_default(),
        cer: score.map(|score| rate(score.all.cer, model.cer_interval.as_ref())),
        perfect: share(score.and_then(|score| score.all.perfect_share)),
        coverage: share(model.coverage.share),
        human,
        human_of,
        cost: model
            .cost
            .usd_per_audio_hour
            .map_or_else(|| DASH.to_owned(), dollars),
        flags: model
            .flags
            .iter()
            .filter(|(_, times)| **times > 0)
            .map(|(flag, times)| format!("{} {}", called(flag), count(*times)))
            .collect(),
    }
}

/// The left panel: rates, for their size.
fn rates(report: &Report, models: &[&ModelReport]) -> Option<Forest> {
    let values: Vec<Value> = models
        .iter()
        .filter_map(|model| {
            let (rate, ends) = wer(report, model)?;
            Some(Value {
                name: visible(&model.provider).into_owned(),
                text: percent(rate),
                value: rate,
                interval: ends.map(|ends| (ends.low, ends.high)),
                certain: true,
            })
        })
        .collect();
    let rate = |value: &Value| value.value;
    let lowest = values.iter().map(rate).reduce(f64::min)?;
    let highest = values.iter().map(rate).reduce(f64::max)?;
    let finding = format!(
        "Word error rates lie between {} and {}.",
        percent(lowest),
        percent(highest)
    );
    let title = Text::ForestWer.to_string();
    Some(Forest::new(title, finding, values, Axis::Rate))
}

/// The right panel: differences to the lowest, for decisions.
fn differences(
    report: &Report,
    best: &str,
    models: &[&ModelReport],
    finding: String,
) -> Option<Forest> {
    let values: Vec<Value> = models
        .iter()
        .filter(|model| model.provider != best)
        .filter_map(|model| {
            let to_best = to_best(report, best, &model.provider)?;
            let certain = to_best.distinguishable;
            Some(Value {
                name: visible(&model.provider).into_owned(),
                text: format!(
                    "{} {}",
                    points(to_best.difference),
                    if certain { "✓" } else { "≈" }
                ),
                value: to_best.difference,
                interval: to_best.interval,
                certain,
            })
        })
        .collect();
    let title = Text::ForestDifference.to_string();
    (!values.is_empty()).then(|| Forest::new(title, finding, values, Axis::Difference))
}

fn columns(has_human: bool, over: Option<&str>) -> Vec<Column> {
    let column = |order, name, hint: &str, is_number| Column {
        order,
        name,
        hint: hint.to_owned(),
        is_number,
    };
    let lower = Text::LowerIsBetter.to_string();
    let of = |better: &str, clips: Option<&str>| match clips {
        Some(clips) => format!("{better}; {clips}"),
        None => better.to_owned(),
    };
    let own = over.map(|_| "over its own clips");
    let mut columns = vec![
        column(Order::Rank, "Rank", "", false),
        column(Order::Model, "Model", "", false),
        column(Order::Wer, "WER", &of(&lower, over), true),
        column(
            Order::Difference,
            "To the lowest",
            "percentage points",
            true,
        ),
        column(Order::Cer, "CER", &of(&lower, own), true),
        column(
            Order::Perfect,
            "Perfect clips",
            &of("higher is better", own),
            true,
        ),
        column(Order::Coverage, "Transcribed", "of all clips", true),
    ];
    if has_human {
        columns.push(column(Order::Human, "Judged right", "by people", true));
    }
    columns.push(column(Order::Cost, "US$ an hour", &lower, true));
    columns
}

impl Models {
    /// The section of a report, sorted; `sort` is where links that sort begin.
    #[must_use]
    pub fn new(report: &Report, finding: String, order: Order, sort: Option<String>) -> Self {
        let ranked = ranked(report);
        let best = ranked.first().map(|model| model.provider.clone());
        let best = best.as_deref();
        let mut models: Vec<&ModelReport> = ranked;
        let unranked = report.providers.iter().filter(|model| model.rank.is_none());
        models.extend(unranked);
        let by_rank = models.clone();
        order.sort(report, &mut models, |model| {
            let best = best?;
            if best == model.provider {
                // It is what the others are compared with, and stands before an equal one.
                return Some(f64::NEG_INFINITY);
            }
            to_best(report, best, &model.provider).map(|to_best| to_best.difference)
        });
        let group = |model: Option<&&ModelReport>| model.and_then(|m| m.rank).map(|r| r.group);
        let rows = models.iter().enumerate().map(|(index, model)| {
            let (here, next) = (group(Some(model)), group(models.get(index + 1)));
            Row {
                ends_group: order == Order::Rank && next.is_some() && here != next,
                ..row(report, model, best)
            }
        });
        let over = over(report);
        let has_human = report.providers.iter().any(|m| m.human.accuracy.is_some());
        Self {
            rows: rows.collect(),
            columns: columns(has_human, over.as_deref()),
            order,
            sort,
            rates: rates(report, &by_rank),
            differences: best.and_then(|best| differences(report, best, &by_rank, finding)),
            has_human,
            has_cost: true,
            flags: explained(&report.providers),
            queues: queues(report),
            over,
        }
    }

    /// The same of texts, which nobody paid for.
    #[must_use]
    pub fn without_cost(mut self) -> Self {
        self.has_cost = false;
        self.columns.retain(|column| column.order != Order::Cost);
        self
    }
}
