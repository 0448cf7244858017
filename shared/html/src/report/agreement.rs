//! How far reviewers agree, where several judged the same transcriptions.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::report::{self, Report};

use crate::figures::{count, counted, percent};
use crate::texts::Text;

struct Row {
    name: Text,
    value: String,
    hint: String,
}

/// Counts, rates where there are enough of them, and what they say.
#[derive(Template)]
#[template(path = "report/agreement.html")]
pub struct Agreement {
    finding: String,
    rows: Vec<Row>,
    /// One that punishes good models, beside which the others must be read.
    alpha: Option<String>,
}

impl HtmlSafe for Agreement {}

/// A coefficient: with a true minus, two digits.
fn coefficient(value: f64) -> String {
    format!("{value:.2}").replace('-', "\u{2212}")
}

fn finding(of: &report::Agreement) -> String {
    let judged = counted(of.items, "transcription", "transcriptions");
    match of.agreement {
        Some(rate) => format!(
            "{judged} were judged by two or more reviewers, who found the same in {} of cases.",
            percent(rate)
        ),
        None => format!(
            "Judged by two or more reviewers: {judged}. From {} on it is told how far they agree.",
            of.needed
        ),
    }
}

impl Agreement {
    /// The section of a report. `None` where no transcription was judged by two.
    #[must_use]
    pub fn new(report: &Report) -> Option<Self> {
        let of = report.agreement.as_ref()?;
        let mut rows = Vec::new();
        let mut row = |name, value, hint| rows.push(Row { name, value, hint });
        let split = of.items.saturating_sub(of.all_right + of.all_wrong);
        row(Text::AllFoundRight, count(of.all_right), String::new());
        row(Text::AllFoundWrong, count(of.all_wrong), String::new());
        row(Text::FoundDifferently, count(split), String::new());
        if let Some(rate) = of.agreement {
            row(Text::FoundTheSame, percent(rate), String::new());
        }
        if let Some(rate) = of.agreement_on_wrong {
            row(Text::FoundWrongToo, percent(rate), String::new());
        }
        if let Some(ac1) = of.ac1 {
            let ends = of.ac1_low.zip(of.ac1_high);
            let hint = ends.map_or_else(String::new, |(low, high)| {
                format!("{} to {}", coefficient(low), coefficient(high))
            });
            row(Text::GwetsAc1, coefficient(ac1), hint);
        }
        Some(Self {
            finding: finding(of),
            rows,
            alpha: of.alpha.map(coefficient),
        })
    }
}
