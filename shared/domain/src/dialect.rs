//! The dialect of `OpenAI`'s transcription endpoint: in what the servers that speak it
//! differ.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a server of the dialect is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dialect {
    /// Path below the base URL.
    pub path: Cow<'static, str>,
    /// Path below the base URL of a free request that needs the key, to check it;
    /// `None` where there is none.
    pub check_path: Option<Cow<'static, str>>,
    /// How the key is shown.
    pub auth: Auth,
    /// Whether the form has a `model`.
    pub model: bool,
    /// The `response_format` that is asked for.
    pub response_format: ResponseFormat,
    /// Whether the form has a `temperature`: `0` where the run does not say one.
    pub temperature: bool,
}

impl Dialect {
    /// Name of the one that is spoken where none is named.
    pub const DEFAULT_NAME: &str = "openai";
    /// Name of the one whose base URL has a query.
    pub const AZURE_NAME: &str = "azure";

    /// As `OpenAI` speaks it.
    pub const OPENAI: Self = Self {
        path: Cow::Borrowed("/audio/transcriptions"),
        check_path: Some(Cow::Borrowed("/models")),
        auth: Auth::Bearer,
        model: true,
        response_format: ResponseFormat::Json,
        temperature: true,
    };
    /// Deployments of Azure: the model is in the path of the base URL, and the
    /// version of the API in its query.
    pub const AZURE: Self = Self {
        check_path: None,
        auth: Auth::ApiKey,
        model: false,
        ..Self::OPENAI
    };
    /// vLLM. Segments are asked for, which tell when its answer lost its end.
    pub const VLLM: Self = Self {
        response_format: ResponseFormat::Verbose,
        ..Self::OPENAI
    };
    /// speaches, once faster-whisper-server.
    pub const SPEACHES: Self = Self::VLLM;
    /// The server of whisper.cpp: one model, no key.
    pub const WHISPER_CPP: Self = Self {
        path: Cow::Borrowed("/inference"),
        check_path: None,
        model: false,
        ..Self::OPENAI
    };
    /// Mistral: always the same JSON.
    pub const MISTRAL: Self = Self {
        response_format: ResponseFormat::Unsaid,
        ..Self::OPENAI
    };

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            Self::DEFAULT_NAME => Self::OPENAI,
            Self::AZURE_NAME => Self::AZURE,
            "vllm" => Self::VLLM,
            "speaches" => Self::SPEACHES,
            "whisper.cpp" => Self::WHISPER_CPP,
            "mistral" => Self::MISTRAL,
            _ => return None,
        })
    }

    /// The names that [`named`](Self::named) knows.
    pub const NAMES: &[&str] = &[
        Self::DEFAULT_NAME,
        Self::AZURE_NAME,
        "vllm",
        "speaches",
        "whisper.cpp",
        "mistral",
    ];
}

impl Default for Dialect {
    fn default() -> Self {
        Self::OPENAI
    }
}

/// How a key is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DialectAuth)]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `api-key: KEY`.
    ApiKey,
    /// Not at all.
    None,
}

/// What a form says of its answer's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseFormat {
    /// `json`: the text.
    Json,
    /// `verbose_json`: the text, and its segments with their times.
    #[serde(rename = "verbose_json")]
    Verbose,
    /// Nothing: there is one format only.
    #[serde(rename = "omit")]
    Unsaid,
}

impl ResponseFormat {
    /// The value of the form's part; `None` for none.
    #[must_use]
    pub fn part(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("json"),
            Self::Verbose => Some("verbose_json"),
            Self::Unsaid => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_what_is_not_said_is_as_openai_has_it() {
        for name in Dialect::NAMES {
            assert!(Dialect::named(name).is_some(), "{name}");
        }
        assert_eq!(Dialect::named("other"), None);
        let own: Dialect =
            serde_json::from_str(r#"{"auth":"api_key","temperature":false}"#).unwrap();
        let want = Dialect {
            auth: Auth::ApiKey,
            temperature: false,
            ..Dialect::OPENAI
        };
        assert_eq!(own, want);
        assert!(serde_json::from_str::<Dialect>(r#"{"pth":"/x"}"#).is_err());
    }
}
