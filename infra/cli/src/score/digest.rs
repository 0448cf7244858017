//! What tells the references of a score from others.

use stt_eval_formats::markup::Markup;
use twox_hash::XxHash64;

use super::count::Scored;
use super::told::Asked;

fn name(markup: Markup) -> &'static str {
    match markup {
        Markup::None => "none",
        Markup::Braces => "braces",
        Markup::AsrEval => "asr_eval",
        Markup::Sctk => "sctk",
    }
}

/// A digest of what was said, in its order, and of how it is read: what is scored against
/// others can't be held against it. It tells apart what nobody has made alike on purpose, and
/// large lists are scored in little more time than it would take to hash them with care.
pub fn references(scored: &Scored, asked: Asked<'_>) -> String {
    let mut state = XxHash64::oneshot(0, asked.language.as_bytes());
    let mut before = None;
    for pair in &scored.pairs.samples {
        let markup = asked.markup.or(pair.markup()).unwrap_or(Markup::None);
        let read = (markup, asked.language_of(pair));
        if before != Some(read) {
            state = XxHash64::oneshot(state, name(read.0).as_bytes());
            state = XxHash64::oneshot(state, read.1.as_bytes());
            before = Some(read);
        }
        // Each is the seed of the next: their order and their ends count.
        state = XxHash64::oneshot(state, pair.reference.as_str().as_bytes());
    }
    format!("xxh64:{state:016x}")
}
