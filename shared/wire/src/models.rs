//! Models of a project's own.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use stt_eval_domain::Timestamp;
use stt_eval_domain::dialect::{Auth, ResponseFormat};
use utoipa::ToSchema;

use crate::object::nullable;
use crate::secret::SecretText;

/// A model of the project's own to be made: an endpoint that speaks the dialect of
/// `OpenAI`'s transcriptions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "whisper-large",
    "base_url": "https://speech.example.com/v1",
    "model": "openai/whisper-large-v3",
    "dialect": "vllm",
    "languages": ["en", "hi"]
}))]
pub struct NewModel {
    /// Name: runs call it `custom/<name>`.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    pub name: String,
    /// All of its URL before `/audio/transcriptions`: a public https address, or on the
    /// embedded cloud, where it allows that, one of the machine itself. Only that of the
    /// dialect `azure` may have a query, `api-version`.
    #[schema(max_length = 2000)]
    pub base_url: String,
    /// Name of the model there; 1 to 255 characters.
    pub model: String,
    /// Its key, if it wants one: 1 to 512 visible ASCII characters. It never comes back.
    #[schema(value_type = Option<String>, write_only, min_length = 1, max_length = 512, pattern = "^[!-~]+$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<SecretText>,
    /// How it is asked; `openai` if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<DialectChoice>,
    /// Codes of the languages it can be asked for (`GET /languages`); any if not said.
    #[schema(min_items = 1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub languages: Option<Vec<String>>,
    /// The formats of audio it takes: `flac`, `m4a`, `mp3`, `ogg`, `wav`, `webm`; all of
    /// them if not said.
    #[schema(min_items = 1)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formats: Option<Vec<String>>,
    /// Largest file in bytes; 26,200,000 if not said.
    #[schema(minimum = 1, maximum = 200_000_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Longest audio in seconds; 7,200 if not said.
    #[schema(minimum = 1, maximum = 7200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_seconds: Option<u64>,
    /// What an hour of audio costs. Nothing, if not said or 0: a call whose answer is
    /// lost is repeated then, up to three times.
    #[schema(minimum = 0, maximum = 100_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_per_audio_hour: Option<f64>,
    /// Currency of the price, `USD` or `INR`; `USD` if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Calls under way at a time; 4 if not said, and 1 for `whisper.cpp`.
    #[schema(minimum = 1, maximum = 64)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_once: Option<u64>,
}

/// A change of a model: what is not given stays, null puts back the default. Its address,
/// its model and its dialect are what it is, and do not change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelChange {
    /// New key; null for none.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, write_only, min_length = 1, max_length = 512, pattern = "^[!-~]+$")]
    pub api_key: Option<Option<SecretText>>,
    /// As in `POST /models`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<Vec<String>>, min_items = 1)]
    pub languages: Option<Option<Vec<String>>>,
    /// As in `POST /models`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<Vec<String>>, min_items = 1)]
    pub formats: Option<Option<Vec<String>>>,
    /// As in `POST /models`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 200_000_000)]
    pub max_bytes: Option<Option<u64>>,
    /// As in `POST /models`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 7200)]
    pub max_seconds: Option<Option<u64>>,
    /// As in `POST /models`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<f64>, minimum = 0, maximum = 100_000)]
    pub price_per_audio_hour: Option<Option<f64>>,
    /// As in `POST /models`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub currency: Option<Option<String>>,
    /// As in `POST /models`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 64)]
    pub at_once: Option<Option<u64>>,
}

/// How an endpoint is asked: the name of a server's dialect (`openai`, `azure`, `vllm`,
/// `speaches`, `whisper.cpp`, `mistral`), or its single switches.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum DialectChoice {
    /// By name.
    Named(String),
    /// By its switches.
    Switches(DialectSwitches),
}

impl<'de> Deserialize<'de> for DialectChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Choice;
        impl<'de> Visitor<'de> for Choice {
            type Value = DialectChoice;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a dialect or an object of its switches")
            }
            fn visit_str<E>(self, name: &str) -> Result<DialectChoice, E> {
                Ok(DialectChoice::Named(name.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DialectChoice, A::Error> {
                let switches = DialectSwitches::deserialize(MapAccessDeserializer::new(map))?;
                Ok(DialectChoice::Switches(switches))
            }
        }
        deserializer.deserialize_any(Choice)
    }
}

/// The switches of a dialect; what is not said is as `openai` has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DialectSwitches {
    /// Path below the base URL; `/audio/transcriptions` if not said.
    #[schema(pattern = "^/[A-Za-z0-9._~/-]{0,199}$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How the key is shown; `bearer` if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Whether the form has a `model`; true if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<bool>,
    /// The `response_format` that is asked for; `json` if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat>,
    /// Whether the form has a `temperature`; true if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<bool>,
}

/// A model of the project's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = OwnModelView)]
pub struct OwnModel {
    /// What `providers` of a run takes.
    #[schema(example = "custom/whisper-large")]
    pub id: String,
    /// Its name.
    #[schema(example = "whisper-large")]
    pub name: String,
    /// Where it is.
    pub base_url: String,
    /// Name of the model there.
    pub model: String,
    /// Whether it has a key, of which nothing is shown.
    pub has_api_key: bool,
    /// How it is asked.
    pub dialect: DialectChoice,
    /// Codes of the languages it can be asked for.
    pub languages: Vec<String>,
    /// The formats of audio it takes.
    pub formats: Vec<String>,
    /// Largest file in bytes.
    pub max_bytes: u64,
    /// Longest audio in seconds.
    pub max_seconds: u64,
    /// What an hour of audio costs; 0 for nothing.
    pub price_per_audio_hour: f64,
    /// Currency of the price.
    #[schema(example = "USD")]
    pub currency: String,
    /// Calls under way at a time.
    pub at_once: u64,
    /// When it was made.
    pub inserted_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
