//! The result as Markdown, for pages of CI.

use super::verdict::{Status, Verdict};
use crate::score::{Compared, SystemOf, of_pairs, shown, shown_interval};

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
        let words = system.counted();
        out += &format!(
            "| {} | {} | {} | {} | {} |\n",
            cell(&system.name),
            shown(system.wer, words),
            shown_interval(system.wer_interval, words),
            shown(system.cer, words),
            system.samples
        );
    }
    out.push('\n');
    let sentences = of_pairs(
        comparisons,
        systems.iter().map(|one| (&*one.name, one.counted())),
    );
    for sentence in sentences.lines() {
        out += &format!("{}\n\n", cell(sentence));
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
