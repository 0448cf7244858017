//! What tells the references of a score from others.

use ring::digest::{Context, SHA256};
use stt_eval_formats::markup::Markup;

use super::count::Scored;
use super::told::Asked;

/// A digest of what was said, in its order, and of how it is read: what is scored against
/// others can't be held against it.
pub fn references(scored: &Scored, asked: Asked<'_>) -> String {
    let mut all = Context::new(&SHA256);
    for pair in &scored.pairs.samples {
        let markup = asked.markup.or(pair.markup()).unwrap_or(Markup::None);
        let markup: &[u8] = match markup {
            Markup::None => b"\0n",
            Markup::Braces => b"\0b",
            Markup::AsrEval => b"\0a",
            Markup::Sctk => b"\0s",
        };
        all.update(pair.reference.as_str().as_bytes());
        all.update(markup);
        all.update(asked.language_of(pair).as_bytes());
        all.update(b"\0");
    }
    format!("sha256:{}", hex::encode(all.finish()))
}
