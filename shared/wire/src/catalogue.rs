//! Models and languages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A model that runs can use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProviderView)]
pub struct Model {
    /// What `providers` of a run takes.
    #[schema(example = "gemini-2.5-pro")]
    pub id: String,
    /// What credentials are kept for.
    #[schema(example = "google")]
    pub provider: String,
    /// What its provider calls itself.
    #[serde(default)]
    #[schema(example = "Google")]
    pub provider_name: String,
    /// Name of the model at the provider.
    pub model: String,
    /// Name for people.
    pub display_name: String,
    /// Whether this project has credentials for it.
    pub has_credentials: bool,
    /// Codes of the languages it can be asked for (`GET /languages`).
    pub languages: Vec<String>,
    /// Limits of one item.
    pub limits: Limits,
    /// Formats, and how far the provider vouches for each.
    pub formats: Vec<Format>,
    /// Whether it is run as a batch.
    pub batch: bool,
    /// Estimated price of an hour of audio in US dollars, as it is run here.
    pub price_per_audio_hour_usd: f64,
    /// The day the price was read, `YYYY-MM-DD`.
    #[schema(format = Date, example = "2026-10-14")]
    pub price_read_on: Option<String>,
    /// Where the model is in its life: `stable`, `preview`,
    /// `closed_to_new_keys` or `routed`.
    pub lifecycle: String,
    /// The model that answers in its place, when it is `routed`.
    pub routed_to: Option<String>,
    /// Sampling temperature when a run does not say one.
    pub default_temperature: f64,
    /// What one should know before choosing it.
    pub notes: String,
    /// How items are asked for: `batch` or `jobs` (many at once, answered later),
    /// `calls` (one at a time, answered at once), `command` (a program of the machine that
    /// it runs on).
    #[schema(example = "batch")]
    pub mode: String,
    /// The audio that it takes.
    pub audio: Audio,
    /// The settings of a run that it takes: `prompt`, `temperature`.
    pub settings: Vec<String>,
    /// What it costs today, as its vendor says it.
    pub price: Option<Price>,
    /// The day from which it is not served any more, `YYYY-MM-DD`, where one is
    /// announced. From then on, in UTC and by this service's clock, no new run can use it.
    #[schema(format = Date, example = "2027-04-30")]
    pub retires_at: Option<String>,
    /// What a credential of its provider consists of: the fields of
    /// `PUT /credentials/{provider}`. None where none is needed.
    pub credential_fields: Vec<String>,
    /// Where its provider can work on what it is sent, beside its usual place: what `region`
    /// of a credential can be.
    #[serde(default)]
    pub regions: Vec<String>,
    /// What it is asked with: `key` (one that the project keeps), `role` (that of the
    /// deployment, which its operator switches on for all projects) or `nothing`.
    #[schema(example = "key")]
    pub asked_with: String,
}

/// The audio that a model takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AudioView)]
pub struct Audio {
    /// Names of the formats.
    pub formats: Vec<String>,
    /// Largest file in bytes.
    pub max_bytes: u64,
    /// Longest audio in seconds.
    pub max_seconds: u32,
}

/// A price, as its vendor says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PriceView)]
pub struct Price {
    /// What is paid for: `million_tokens` or `audio_hour`.
    #[schema(example = "audio_hour")]
    pub unit: String,
    /// Currency, by ISO 4217.
    #[schema(example = "USD")]
    pub currency: String,
    /// US dollars for one of the currency: 1 for dollars, for others what the operator of
    /// the deployment takes them for. It is no figure of the vendor's.
    pub in_usd: f64,
    /// Price of an hour of audio, of `audio_hour`.
    pub per_audio_hour: Option<f64>,
    /// Price of a million tokens of audio read, of `million_tokens`.
    pub audio_input: Option<f64>,
    /// Price of a million tokens of text read, of `million_tokens`.
    pub text_input: Option<f64>,
    /// Price of a million tokens written, of `million_tokens`.
    pub output: Option<f64>,
    /// A shorter item is billed as if it had this length in seconds.
    pub minimum_seconds: f64,
    /// Lengths are rounded up to a multiple of this many seconds; 0 for not at all.
    pub step_seconds: f64,
    /// What part of these is paid as it is run here: less than 1 where batches are cheaper.
    #[serde(default)]
    #[schema(example = 0.5)]
    pub share: f64,
    /// Tokens that a second of audio is read as by estimates, of `million_tokens`.
    #[serde(default)]
    pub audio_per_second: u64,
    /// Tokens that a second is written in by estimates, of `million_tokens`.
    #[serde(default)]
    pub output_per_second: u64,
    /// Tokens of the prompt of runs that bring none, at most; of `million_tokens`.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// The day the price was read, `YYYY-MM-DD`.
    #[schema(format = Date, example = "2026-11-26")]
    pub read_at: String,
}

/// Limits of one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = LimitsView)]
pub struct Limits {
    /// Longest audio in seconds.
    pub max_audio_seconds: u32,
    /// Largest file in bytes.
    pub max_file_bytes: u64,
    /// Most tokens it writes.
    pub max_output_tokens: u32,
}

/// A format of audio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = FormatView)]
pub struct Format {
    /// Name.
    #[schema(example = "wav")]
    pub name: String,
    /// Whether the provider documents it.
    pub documented: bool,
}

/// A language that samples can be in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = LanguageView)]
pub struct Language {
    /// BCP-47 primary subtag.
    #[schema(example = "hi")]
    pub code: String,
    /// English name.
    #[schema(example = "Hindi")]
    pub name: String,
    /// Its name in itself.
    #[schema(example = "हिन्दी")]
    pub native_name: String,
    /// Scripts it is written in, the usual one first.
    pub scripts: Vec<Script>,
    /// Catalogue ids of the models that can be asked for it.
    pub providers: Vec<String>,
}

/// A writing system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Script {
    /// ISO 15924 code.
    #[schema(example = "Deva")]
    pub code: String,
    /// English name.
    #[schema(example = "Devanagari")]
    pub name: String,
}
