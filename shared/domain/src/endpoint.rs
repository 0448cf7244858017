//! A model of one's own: an endpoint that speaks `OpenAI`'s transcription dialect.
//!
//! A project names it and keeps its key; runs name it `custom/<name>`. What a run needs
//! of it is frozen on the run, so that a later change of the model does not change what
//! the run was; but for the key, which is looked up for each unit.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::dialect::Dialect;

/// The vendor that all of them have, and what their ids begin with.
pub const VENDOR: &str = "custom";

/// Most of them in a project.
pub const MAX_ENDPOINTS: usize = 100;

/// The id of the one of this name: what `providers` of a run take, and what its key is
/// kept for.
#[must_use]
pub fn id(name: &str) -> String {
    format!("{VENDOR}/{name}")
}

/// Whether an id is that of a model of one's own.
#[must_use]
pub fn is_own(id: &str) -> bool {
    id.split_once('/')
        .is_some_and(|(vendor, _)| vendor == VENDOR)
}

/// An endpoint, without its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// What the project calls it.
    pub name: String,
    /// Where it is: all of the URL before `/audio/transcriptions`, in the normal form of
    /// URLs.
    pub base_url: String,
    /// Name of the model there.
    pub model: String,
    /// How it is asked.
    pub dialect: Dialect,
    /// Name of that dialect; `None` for one of single switches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect_name: Option<String>,
    /// Codes of the languages it can be asked for; `None` for any of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<String>>,
    /// Names of the formats it takes; `None` for all of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formats: Option<Vec<String>>,
    /// Largest file in bytes.
    pub max_bytes: u64,
    /// Longest audio in seconds.
    pub max_seconds: u32,
    /// What it costs; `None` for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<EndpointPrice>,
    /// Calls under way at a time.
    pub at_once: u16,
}

/// What an endpoint costs, as its project says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointPrice {
    /// Price of an hour of audio.
    pub per_audio_hour: f64,
    /// Its currency, by ISO 4217.
    pub currency: String,
    /// When the project said so.
    pub told_at: Timestamp,
}

impl Endpoint {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> String {
        id(&self.name)
    }

    /// Whether asking it costs nothing.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.price
            .as_ref()
            .is_none_or(|price| price.per_audio_hour <= 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart_by_what_stands_before_the_first_slash() {
        assert_eq!(id("a"), "custom/a");
        assert!(is_own("custom/a") && is_own("custom/"));
        for other in ["custom", "customs/a", "openai/custom", "local/custom/a", ""] {
            assert!(!is_own(other), "{other}");
        }
    }

    #[test]
    fn what_was_frozen_on_a_run_is_read_again() {
        let text = r#"{"name":"n","base_url":"https://h/v1","model":"m",
            "dialect":{"path":"/audio/transcriptions","check_path":"/models","auth":"bearer",
            "model":true,"response_format":"json","temperature":true},
            "max_bytes":1,"max_seconds":2,"at_once":3}"#;
        let read: Endpoint = serde_json::from_str(text).unwrap();
        assert_eq!(read.dialect, Dialect::OPENAI);
        assert!(read.is_free());
        let again = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Endpoint>(&again).unwrap(), read);
        let priced = |per_audio_hour| Endpoint {
            price: Some(EndpointPrice {
                per_audio_hour,
                currency: "USD".to_owned(),
                told_at: Timestamp::default(),
            }),
            ..read.clone()
        };
        assert!(priced(0.0).is_free() && !priced(0.1).is_free());
    }
}
