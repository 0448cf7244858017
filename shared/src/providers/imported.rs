//! Raw output of transcripts that were made elsewhere: lines of our own, as there is
//! no vendor whose they could be.

use serde::{Deserialize, Serialize};

use super::lines::{ItemOutcome, Measured, OutputLine, ReadsLines};
use crate::domain::ResultId;
use crate::domain::imported::{Transcript, failure};
use crate::domain::usage::Usage;
use crate::domain::word_times::WordTimes;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: String,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost_micro_usd: Option<u64>,
}

/// The line of an item, with its line break.
///
/// # Errors
/// Never for what can be said; that of the serialiser.
pub fn line(key: ResultId, transcript: Transcript) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(&Line {
        key: key.to_string(),
        text: transcript.text,
        error: transcript.error,
        latency_ms: transcript.latency_ms,
        cost_micro_usd: transcript.cost_micro_usd,
    })?;
    line.push(b'\n');
    Ok(line)
}

/// Reads these lines.
#[derive(Debug, Clone, Copy)]
pub struct Lines;

impl ReadsLines for Lines {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        if line.iter().all(u8::is_ascii_whitespace) {
            return OutputLine::Blank;
        }
        match serde_json::from_slice::<Line>(line) {
            Ok(line) => OutputLine::Item {
                key: line.key,
                outcome: match line.error {
                    None => ItemOutcome::Transcribed {
                        text: line.text,
                        word_times: WordTimes::default(),
                        model_version: None,
                        usage: Usage::default(),
                    },
                    Some(reason) => failed(&reason),
                },
            },
            Err(error) => OutputLine::Malformed {
                // The category alone: the message may quote the line.
                reason: format!("{:?}", error.classify()),
            },
        }
    }

    fn measured(&self, line: &[u8]) -> Measured {
        match serde_json::from_slice::<Line>(line) {
            Ok(line) => Measured {
                latency_ms: line.latency_ms,
                // What was not told was not paid for here either.
                cost_micro_usd: Some(line.cost_micro_usd.unwrap_or(0)),
            },
            Err(_) => Measured::default(),
        }
    }
}

/// Asked again it would say the same.
fn failed(reason: &str) -> ItemOutcome {
    let (code, message) = failure(reason);
    ItemOutcome::Failed {
        code: code.into(),
        message,
        retryable: false,
        usage: Usage::default(),
        model_version: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunId;

    #[test]
    fn what_is_written_is_read() {
        let key = ResultId::new(RunId::mint(1, [1; 10]), 2, 42);
        for (text, latency_ms, cost_micro_usd) in [
            ("", None, None),
            ("a\nb \u{2028} \"க\"", Some(0), Some(0)),
            ("x", Some(u32::MAX), Some(1_000_000_000)),
        ] {
            let transcript = Transcript {
                position: 42,
                text: text.into(),
                error: None,
                latency_ms,
                cost_micro_usd,
            };
            let line = line(key, transcript).unwrap();
            assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            let measured = Lines.measured(&line);
            assert_eq!(measured.latency_ms, latency_ms);
            assert_eq!(measured.cost_micro_usd, cost_micro_usd.or(Some(0)));
            let outcome = ItemOutcome::Transcribed {
                text: text.into(),
                word_times: WordTimes::default(),
                model_version: None,
                usage: Usage::default(),
            };
            let key = key.to_string();
            let item = OutputLine::Item { key, outcome };
            assert_eq!(Lines.read_line(&line), item);
        }
        let transcript = Transcript {
            position: 42,
            text: String::new(),
            error: Some("timeout".to_owned()),
            latency_ms: None,
            cost_micro_usd: None,
        };
        let failed = Lines.read_line(&line(key, transcript).unwrap());
        assert!(
            matches!(&failed, OutputLine::Item { outcome: ItemOutcome::Failed { code, retryable: false, .. }, .. }
                if code == "transcript_failed"),
            "{failed:?}"
        );
        assert_eq!(Lines.read_line(b" "), OutputLine::Blank);
        let broken = Lines.read_line(b"{\"key\":\"a\"}");
        assert!(matches!(broken, OutputLine::Malformed { .. }));
    }
}
