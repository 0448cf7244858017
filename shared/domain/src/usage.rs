//! What an item took at its provider.

use serde::{Deserialize, Serialize};

/// Usage and cost of one item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Usage {
    /// Tokens of audio read.
    pub audio_input_tokens: u64,
    /// Tokens of text read.
    pub text_input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Tokens of reasoning, billed as output.
    pub thinking_tokens: u64,
    /// Of the tokens read, those that the provider had in its cache.
    #[serde(default)]
    pub cached_input_tokens: u64,
    /// Length of the audio by the provider's account, in seconds, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_seconds: Option<f64>,
    /// End of the last piece in which the provider heard something, in seconds from
    /// the beginning, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_until_seconds: Option<f64>,
}

/// An upper estimate of a text's tokens.
///
/// English has some four characters to a token, the scripts of India and Arabic more than
/// one; a script that the vocabulary does not have is written in bytes.
#[must_use]
pub fn tokens_at_most(text: &str) -> u64 {
    let (mut ascii, mut others) = (0u64, 0u64);
    for c in text.chars() {
        match c {
            '\0'..='\x7f' => ascii += 1,
            '\u{80}'..='\u{24f}' | '\u{600}'..='\u{6ff}' | '\u{900}'..='\u{dff}' => others += 1,
            _ => others += c.len_utf8() as u64,
        }
    }
    ascii.div_ceil(3) + others
}
