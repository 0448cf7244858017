//! Models and languages.

use serde::Serialize;
use stt_eval_shared::domain::language::{Language, Script};
use stt_eval_shared::providers::catalogue::{Lifecycle, Model};
use time::Date;
use utoipa::ToSchema;

/// A model that runs can use.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderView {
    /// What `providers` of a run takes.
    #[schema(example = "gemini-2.5-pro")]
    pub id: &'static str,
    /// What credentials are kept for.
    #[schema(example = "google")]
    pub provider: &'static str,
    /// Name of the model at the provider.
    pub model: &'static str,
    /// Name for people.
    pub display_name: &'static str,
    /// Whether this project has credentials for it.
    pub has_credentials: bool,
    /// Codes of the languages it can be asked for (`GET /languages`).
    pub languages: Vec<&'static str>,
    /// Limits of one item.
    pub limits: LimitsView,
    /// Formats, and how far the provider vouches for each.
    pub formats: Vec<FormatView>,
    /// Whether it is run as a batch.
    pub batch: bool,
    /// Estimated price of an hour of audio in US dollars, as it is run here.
    pub price_per_audio_hour_usd: f64,
    /// The day the price was read, `YYYY-MM-DD`.
    #[schema(format = Date, example = "2026-10-14")]
    pub price_read_on: Option<String>,
    /// Where the model is in its life: `stable`, `preview`,
    /// `closed_to_new_keys` or `routed`.
    pub lifecycle: &'static str,
    /// The model that answers in its place, when it is `routed`.
    pub routed_to: Option<&'static str>,
    /// Sampling temperature when a run does not say one.
    pub default_temperature: f64,
    /// What one should know before choosing it.
    pub notes: &'static str,
}

/// Limits of one item.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsView {
    /// Longest audio in seconds.
    pub max_audio_seconds: u32,
    /// Largest file in bytes.
    pub max_file_bytes: u64,
    /// Most tokens it writes.
    pub max_output_tokens: u32,
}

/// A format of audio.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormatView {
    /// Name.
    #[schema(example = "wav")]
    pub name: &'static str,
    /// Whether the provider documents it.
    pub documented: bool,
}

impl ProviderView {
    /// What clients see of a model, on a day.
    #[must_use]
    pub fn new(model: &Model, today: Date, has_credentials: bool) -> Self {
        let (lifecycle, routed_to) = match model.lifecycle {
            Lifecycle::Stable => ("stable", None),
            Lifecycle::Preview => ("preview", None),
            Lifecycle::ClosedToNewKeys => ("closed_to_new_keys", None),
            Lifecycle::RoutedTo(other) => ("routed", Some(other)),
        };
        Self {
            id: model.id,
            provider: model.provider,
            model: model.model,
            display_name: model.display_name,
            has_credentials,
            languages: model
                .supported_languages()
                .into_iter()
                .map(|l| l.code)
                .collect(),
            limits: LimitsView {
                max_audio_seconds: model.max_audio_seconds,
                max_file_bytes: model.max_file_bytes,
                max_output_tokens: model.max_output_tokens,
            },
            formats: model
                .formats
                .iter()
                .map(|format| FormatView {
                    name: format.name,
                    documented: format.documented,
                })
                .collect(),
            batch: model.batch,
            price_per_audio_hour_usd: model.price_per_audio_hour_usd(today),
            price_read_on: model.price(today).map(|price| price.read_on.to_string()),
            lifecycle,
            routed_to,
            default_temperature: model.default_temperature,
            notes: model.notes,
        }
    }
}

/// A language that samples can be in.
#[derive(Debug, Serialize, ToSchema)]
pub struct LanguageView {
    /// BCP-47 primary subtag.
    #[schema(example = "hi")]
    pub code: &'static str,
    /// English name.
    #[schema(example = "Hindi")]
    pub name: &'static str,
    /// Its name in itself.
    #[schema(example = "हिन्दी")]
    pub native_name: &'static str,
    /// Scripts it is written in, the usual one first.
    pub scripts: Vec<Script>,
    /// Catalogue ids of the models that can be asked for it.
    pub providers: Vec<&'static str>,
}

impl LanguageView {
    /// What clients see of a language.
    #[must_use]
    pub fn new(language: &Language, models: &'static [Model]) -> Self {
        Self {
            code: language.code,
            name: language.name,
            native_name: language.native_name,
            scripts: language.scripts.to_vec(),
            providers: models
                .iter()
                .filter(|model| model.supports_language(language.code))
                .map(|model| model.id)
                .collect(),
        }
    }
}
