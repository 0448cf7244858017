//! What failed, as GitHub shows it beside a job: `::error::` lines, under its Actions alone.

use super::verdict::{Status, Verdict};
use crate::events;
use crate::output::to_stderr;

/// A message of a workflow command: what would end its line is written otherwise.
fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Whether there is somebody who reads annotations, and nobody who reads events instead.
fn are_read() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") && !events::are_wanted()
}

/// Tells an error.
pub fn error(text: &str) {
    if are_read() {
        to_stderr(&format!("::error title=stt-eval::{}", message(text)));
    }
}

/// Tells every condition that did not pass; a warning where the job is to go on.
pub fn annotate(verdicts: &[Verdict], zero: bool) {
    let kind = if zero { "warning" } else { "error" };
    let told = verdicts.iter().filter(|one| one.status != Status::Passed);
    for one in told.filter(|_| are_read()) {
        let what = match one.status {
            Status::NotJudged => "not judged: ",
            _ => "",
        };
        let text = message(&one.message);
        to_stderr(&format!("::{kind} title=stt-eval gate::{what}{text}"));
    }
}
