//! Transcripts that were made elsewhere: a model of a run for which no vendor is
//! asked.
//!
//! They lie in the bucket before the run knows of them, in blocks of
//! [`BLOCK`] positions under a name made of what they say; so the same transcripts
//! have the same name, and others can't come in their place. From there they go the
//! way of all raw output.

mod table;

use serde::{Deserialize, Serialize};

use super::failure::{FailureCode, Whose};
use super::unit::MAX_UNIT_SAMPLES;
use super::validate::{self, FieldError};

pub use table::{ClipRef, Row, parse};

/// What stands in the place of a vendor's name, and begins the ids of such models.
pub const VENDOR: &str = "imported";
/// Most transcripts of a list inside a request.
pub const MAX_INLINE: usize = 1_000;
/// Longest transcript in characters.
pub const MAX_TRANSCRIPT_CHARS: usize = 100_000;
/// Longest reason, in characters, why there is no transcript.
pub const MAX_ERROR_CHARS: usize = 500;
/// Longest time that may be told of one transcript: a day.
pub const MAX_LATENCY_MS: f64 = 86_400_000.0;
/// Highest cost in US dollars that may be told of one transcript.
pub const MAX_COST_USD: f64 = 1_000.0;
/// Positions of a block: those of the largest unit.
pub const BLOCK: u16 = MAX_UNIT_SAMPLES as u16;

/// Where the transcripts of a model are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// SHA-256 of what they say, hex: part of the names of their blocks.
    pub digest: String,
    /// How many there are, those that failed among them; of the other samples of the
    /// dataset nothing is said.
    pub transcripts: u32,
}

/// A transcript of one sample, as it lies in its block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// Position of the sample in the dataset.
    pub position: u16,
    /// What was heard; empty for nothing.
    pub text: String,
    /// Why the service that made the others has made none of this sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
    /// What it cost, in millionths of a US dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micro_usd: Option<u64>,
}

/// Whether the transcripts of a model, by its id, were made elsewhere: nothing was asked of
/// it here.
#[must_use]
pub fn is_imported(model: &str) -> bool {
    model
        .split_once('/')
        .is_some_and(|(vendor, _)| vendor == VENDOR)
}

/// Id of the model that transcripts of this name become.
#[must_use]
pub fn model_id(name: &str) -> String {
    format!("{VENDOR}/{name}")
}

/// Checks a transcript.
pub fn text(field: &str, text: &str) -> Result<String, FieldError> {
    validate::text(field, text, MAX_TRANSCRIPT_CHARS)
}

/// Checks why a service has made no transcript.
pub fn error(field: &str, reason: &str) -> Result<String, FieldError> {
    let reason = validate::text(field, reason.trim(), MAX_ERROR_CHARS)?;
    if reason.is_empty() {
        let message = "must not be empty: a reason such as \"timeout\"";
        return Err(FieldError::new(field, message));
    }
    Ok(reason)
}

/// The reason that a cell beside a transcript tells why there is none.
///
/// Where there is one it counts, whatever else is said. Tables also have cells that say that nothing went wrong, and
/// rates of errors, also in per cent: of numbers only codes of HTTP are reasons.
#[must_use]
pub fn reason<'a>(cell: &'a str, heard: Option<&str>) -> Option<&'a str> {
    const NOTHING: [&str; 25] = [
        "",
        "-",
        "\u{2013}",
        "\u{2014}",
        "[]",
        "{}",
        "complete",
        "completed",
        "done",
        "false",
        "finished",
        "n",
        "n/a",
        "nil",
        "no",
        "no error",
        "no errors",
        "none",
        "null",
        "ok",
        "pass",
        "passed",
        "succeeded",
        "success",
        "successful",
    ];
    let cell = cell.trim();
    let is_heard = heard.is_some_and(|heard| !heard.trim().is_empty());
    let says_nothing = NOTHING.iter().any(|one| cell.eq_ignore_ascii_case(one));
    let (number, is_share) = match cell.strip_suffix('%') {
        Some(share) => (share.trim_end(), true),
        None => (cell, false),
    };
    let number = number.replace(',', ".").parse::<f64>();
    let is_rate = number.is_ok_and(|number| is_share || !(400.0..600.0).contains(&number));
    (!is_heard && !says_nothing && !is_rate).then_some(cell)
}

/// What a reason counts as, and in words. A code of ours that is the model's own failure
/// stays what it is, as our exports write them; everything else is the failure of its service.
#[must_use]
pub fn failure(reason: &str) -> (FailureCode, String) {
    match FailureCode::of(reason) {
        Some(code) if code.whose() == Whose::Model => (code, code.message().to_owned()),
        _ => {
            let code = FailureCode::TranscriptFailed;
            (code, format!("{}: {reason}", code.message()))
        }
    }
}

/// Whether a reason counts as the failure of the service, and not as one of the model.
#[must_use]
pub fn is_of_service(reason: &str) -> bool {
    failure(reason).0 == FailureCode::TranscriptFailed
}

/// Checks how long a transcript took; to the millisecond.
pub fn latency_ms(field: &str, given: f64) -> Result<u32, FieldError> {
    if (0.0..=MAX_LATENCY_MS).contains(&given) {
        return Ok(given.round() as u32);
    }
    let message = format!("must be from 0 to {MAX_LATENCY_MS} milliseconds");
    Err(FieldError::new(field, message))
}

/// Checks what a transcript cost in US dollars; to the millionth.
pub fn cost_micro_usd(field: &str, given: f64) -> Result<u64, FieldError> {
    if (0.0..=MAX_COST_USD).contains(&given) {
        return Ok((given * 1e6).round() as u64);
    }
    let message = format!("must be from 0 to {MAX_COST_USD} US dollars");
    Err(FieldError::new(field, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_where_there_is_no_transcript() {
        for cell in ["timeout", " HTTP 503 ", "503", "max_tokens", "\u{2014} (?)"] {
            assert_eq!(reason(cell, None), Some(cell.trim()));
            assert_eq!(reason(cell, Some(" ")), Some(cell.trim()));
            assert_eq!(reason(cell, Some("half")), None);
        }
        let nothing = [
            "", " ", "None", "FALSE", "ok", "-", "\u{2014}", "N/A", "No error", "{}",
        ];
        let rates = [
            "0", "1.0", "0,25", "NaN", "inf", "200", "100 %", "100%", "12.5%", "450 %",
        ];
        for cell in nothing.into_iter().chain(rates) {
            assert_eq!(reason(cell, None), None, "{cell}");
        }
    }

    #[test]
    fn a_reason_is_the_services_unless_it_is_a_failure_of_models() {
        for (reason, code) in [
            ("max_tokens", FailureCode::MaxTokens),
            ("timeout", FailureCode::TranscriptFailed),
            ("provider_quota", FailureCode::TranscriptFailed),
        ] {
            assert_eq!(failure(reason).0, code, "{reason}");
            assert!(!failure(reason).1.is_empty());
        }
    }

    #[test]
    fn figures_are_bounded() {
        assert_eq!(latency_ms("l", 812.6).unwrap(), 813);
        assert_eq!(cost_micro_usd("c", 0.000_123_4).unwrap(), 123);
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(latency_ms("l", bad).unwrap_err().field, "l");
            assert_eq!(cost_micro_usd("c", bad).unwrap_err().field, "c");
        }
        assert!(text("t", "").is_ok() && text("t", "a\0").is_err());
        assert_eq!(error("e", " timeout ").unwrap(), "timeout");
        for bad in [" ", "a\0", &"x".repeat(MAX_ERROR_CHARS + 1)] {
            assert_eq!(error("e", bad).unwrap_err().field, "e");
        }
        assert!(text("t", &"x".repeat(MAX_TRANSCRIPT_CHARS + 1)).is_err());
    }
}
