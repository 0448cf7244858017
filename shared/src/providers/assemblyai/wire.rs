//! Requests and answers, as far as they are of use.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::providers::error::CallError;
use crate::providers::http::unreadable;

/// What a transcript is made of. The vendor's defaults rewrite numbers, leave fillers
/// out, and choose a language and a model.
#[derive(Debug, Serialize)]
pub(super) struct Create<'a> {
    pub(super) audio_url: &'a str,
    /// One: several are a list of which the vendor falls back without saying so.
    pub(super) speech_models: [&'a str; 1],
    pub(super) language_code: &'a str,
    pub(super) punctuate: bool,
    pub(super) format_text: bool,
    pub(super) disfluencies: bool,
    pub(super) filter_profanity: bool,
}

impl<'a> Create<'a> {
    pub(super) fn new(audio_url: &'a str, model: &'a str, language_code: &'a str) -> Self {
        Self {
            audio_url,
            speech_models: [model],
            language_code,
            punctuate: true,
            format_text: false,
            disfluencies: true,
            filter_profanity: false,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Uploaded {
    pub(super) upload_url: String,
}

/// A transcript, without what it says.
#[derive(Debug, Deserialize)]
pub(super) struct Transcript {
    pub(super) id: String,
    pub(super) status: String,
}

impl Transcript {
    /// Reads the transcript of an id. Another one is no answer.
    pub(super) fn read(body: &[u8], id: &str) -> Result<Self, CallError> {
        let read: Option<Self> = serde_json::from_slice(body).ok();
        let own = read.filter(|transcript| transcript.id == id);
        own.ok_or_else(|| unreadable("a transcript that is none, or another"))
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(&*self.status, "completed" | "error")
    }

    /// An error, unless it is over.
    pub(super) fn ended(&self) -> Result<(), CallError> {
        match self.is_over() {
            true => Ok(()),
            false => Err(unreadable("a transcript that was over is so no more")),
        }
    }
}

/// A page of the list, newest first.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    pub(super) transcripts: Vec<serde_json::Value>,
}

/// An entry of it.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) audio_url: String,
    pub(super) created: String,
}

impl Listed {
    /// When it was made, by the vendor's clock, whose zone may be left out.
    pub(super) fn created(&self) -> Option<OffsetDateTime> {
        let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
        read(&self.created).or_else(|| read(&format!("{}Z", self.created)))
    }
}
