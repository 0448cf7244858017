//! The result as Markdown, for pages of CI.

use super::verdict::{Status, Verdict};
use crate::score::{Compared, SystemOf, points, rate, sentence};

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out += "&lt;",
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The text.
pub fn markdown(verdicts: &[Verdict], systems: &[SystemOf], comparisons: &[Compared]) -> String {
    let mut out = "### stt-eval\n\n| system | WER | 95 % | CER | samples |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for system in systems {
        let ends = system.wer_interval.map_or_else(
            || "–".to_owned(),
            |ends| format!("{} … {}", points(ends.low), points(ends.high)),
        );
        out += &format!(
            "| {} | {} | {ends} | {} | {} |\n",
            cell(&system.name),
            rate(system.wer),
            rate(system.cer),
            system.samples
        );
    }
    out.push('\n');
    for pair in comparisons {
        out += &format!("{}\n\n", cell(&sentence(pair)));
    }
    for verdict in verdicts {
        let mark = match verdict.status {
            Status::Passed => "✔",
            Status::Failed => "✘",
            Status::NotJudged => "?",
        };
        out += &format!("- {mark} {}\n", cell(&verdict.message));
    }
    out
}
