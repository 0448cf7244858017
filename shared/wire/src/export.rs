//! Results of a run as a file.

use serde::{Deserialize, Serialize};
use stt_eval_domain::Timestamp;
use utoipa::ToSchema;

/// What a run can be exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A table for spreadsheets: a line for each sample, columns for each model.
    Csv,
    /// The same with everything that is known, a JSON object a line.
    Jsonl,
    /// A manifest of `NeMo`, with `pred_text_<model>`.
    Nemo,
    /// A ZIP archive for `sclite`: `ref.trn` and `hyp.<model>.trn`, as they were scored.
    Trn,
    /// The report as one page.
    Html,
    /// A ZIP archive as `datasets` of Hugging Face reads it: the recordings, and `metadata.csv`
    /// with what is said in them.
    Audiofolder,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Csv,
        Self::Jsonl,
        Self::Nemo,
        Self::Trn,
        Self::Html,
        Self::Audiofolder,
    ];

    /// As it is written in requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Nemo => "nemo",
            Self::Trn => "trn",
            Self::Html => "html",
            Self::Audiofolder => "audiofolder",
        }
    }

    /// How the name of such a file ends.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Nemo => "nemo.json",
            Self::Trn => "trn.zip",
            Self::Html => "html",
            Self::Audiofolder => "audio.zip",
        }
    }

    /// Its type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl | Self::Nemo => "application/jsonl",
            Self::Trn | Self::Audiofolder => "application/zip",
            Self::Html => "text/html; charset=utf-8",
        }
    }
}

/// An export that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExportView)]
pub struct Export {
    /// Where it can be fetched, without a key.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// Its length.
    pub bytes: u64,
}

/// An export that is being made: the next request goes on with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ExportUnderWayView)]
pub struct ExportUnderWay {
    /// How far it is, for people.
    pub message: String,
}

/// The answer to `GET /runs/{id}/export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Exported {
    /// It is there (200).
    Made(Export),
    /// It is being made (202).
    UnderWay(ExportUnderWay),
}
