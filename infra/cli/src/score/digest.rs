//! What tells the references of a score from others.

use stt_eval_formats::markup::Markup;
use twox_hash::XxHash3_64;

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

/// Odd, so that no state is lost by it; its bits are those of the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// One more text behind those that `state` tells: their order and their ends count. Each is
/// hashed for itself, so that none waits for the one before.
fn with(state: u64, text: &str) -> u64 {
    let own = XxHash3_64::oneshot(text.as_bytes());
    (state.rotate_left(29) ^ own).wrapping_mul(SPREAD)
}

/// A digest of what was said, in its order, and of how it is read: what is scored against
/// others can't be held against it. It tells apart what nobody has made alike on purpose, and
/// large lists are scored in little more time than it would take to hash them with care.
pub fn references(scored: &Scored, asked: Asked<'_>) -> String {
    let mut state = with(0, asked.language);
    let mut before = None;
    for pair in &scored.pairs.samples {
        let markup = asked.markup.or(pair.markup()).unwrap_or(Markup::None);
        let read = (markup, asked.language_of(pair));
        if before != Some(read) {
            state = with(with(state, name(read.0)), read.1);
            before = Some(read);
        }
        state = with(state, pair.reference.as_str());
    }
    format!("xxh3:{state:016x}")
}
