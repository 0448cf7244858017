//! How a model is asked.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// The frozen configuration of a run for one model: of its settings, those that
/// the model takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Model name as the vendor knows it.
    pub model: String,
    /// Prompt template; `{language}` and `{script}` are filled in per sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Sampling temperature, 0 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Version of the prompt template, so that a run can be reproduced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_version: Option<String>,
    /// Where and how a model of one's own is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Box<Endpoint>>,
}
