//! Results that lie directly in a folder which has systems in its sub-folders: they are of a
//! system as well, and that is called as the folder itself.

use super::problem::{Code, Problem};
use super::transcripts::Transcripts;

/// Names the system of what lies directly in a folder; `shown` is the folder as it was named.
///
/// # Errors
/// A sub-folder is called so too: which of both a figure is of could not be told.
pub(super) fn called_as_its_folder(source: &mut Transcripts, shown: &str) -> Result<(), Problem> {
    let called = source.name.clone();
    let is_there = |system: &str| {
        let mut all = source.entries.iter();
        all.any(|one| one.hypotheses.has(system) || one.failures.has(system))
    };
    if called.is_empty() || !is_there("") {
        return Ok(());
    }
    if is_there(&called) {
        let message = format!(
            "{shown} has results of its own and those of a folder {called} in it: both would be \
             called {called}"
        );
        let hint = format!("rename {shown}/{called}, or move what lies directly in {shown}");
        return Err(Problem::new(Code::Ambiguous, message).hint(hint));
    }
    for entry in &mut source.entries {
        if let Some(text) = entry.hypotheses.remove("") {
            entry.hypotheses.insert(&called, &text);
        }
        if let Some(reason) = entry.failures.remove("") {
            entry.failures.insert(&called, &reason);
        }
    }
    for column in source.columns.iter_mut().filter(|one| one.is_empty()) {
        column.clone_from(&called);
    }
    Ok(())
}
