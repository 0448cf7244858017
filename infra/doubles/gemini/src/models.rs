//! The models that take audio and are on Batch, as the documentation lists them.

use serde_json::{Value, json};

use crate::wire::ApiError;

/// Model, and the version that answers it (deprecated ones are re-routed).
const MODELS: &[(&str, &str)] = &[
    ("gemini-3.8-flash", "gemini-3.8-flash"),
    ("gemini-3.7-flash", "gemini-3.8-flash"),
    ("gemini-3.6-flash", "gemini-3.6-flash"),
    ("gemini-3.5-flash", "gemini-3.6-flash"),
    ("gemini-3.5-flash-lite", "gemini-3.5-flash-lite"),
    ("gemini-3.1-flash-lite", "gemini-3.1-flash-lite"),
    ("gemini-3.1-pro-preview", "gemini-3.1-pro-preview"),
    ("gemini-2.5-flash", "gemini-2.5-flash"),
    ("gemini-2.5-pro", "gemini-2.5-pro"),
];

/// The `modelVersion` of a model, if the model is known.
pub(crate) fn version_of(model: &str) -> Option<&'static str> {
    MODELS
        .iter()
        .find(|(id, _)| *id == model)
        .map(|(_, version)| *version)
}

/// The refusal of an unknown model or method.
pub(crate) fn unsupported(model: &str, version: &str, method: &str) -> ApiError {
    ApiError::new(
        404,
        format!(
            "models/{model} is not found for API version {version}, or is not supported for \
             {method}. Call ListModels to see the list of available models and their supported \
             methods."
        ),
    )
}

fn resource(id: &str) -> Value {
    json!({
        "name": format!("models/{id}"),
        "version": id.trim_start_matches("gemini-"),
        "displayName": id.replace('-', " "),
        "description": "Answered by gemini-sim from recordings",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "batchGenerateContent"],
    })
}

/// `GET /{v}/models/{id}`.
pub(crate) fn get(id: &str, version: &str) -> Result<Value, ApiError> {
    match version_of(id) {
        Some(_) => Ok(resource(id)),
        None => Err(unsupported(id, version, "getModel")),
    }
}

/// `GET /{v}/models`: one page holds them all unless a smaller one is asked for.
pub(crate) fn list(size: usize, token: Option<&str>) -> Result<Value, ApiError> {
    let start = match token {
        None => 0,
        Some(token) => MODELS
            .iter()
            .position(|(id, _)| *id == token)
            .ok_or_else(|| ApiError::invalid("Invalid page token."))?,
    };
    let end = MODELS.len().min(start.saturating_add(size));
    let models: Vec<Value> = MODELS[start..end]
        .iter()
        .map(|(id, _)| resource(id))
        .collect();
    let mut page = json!({ "models": models });
    if let Some((next, _)) = MODELS.get(end) {
        page["nextPageToken"] = json!(next);
    }
    Ok(page)
}
