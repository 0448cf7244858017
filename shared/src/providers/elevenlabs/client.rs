//! Requests and answers.

use async_trait::async_trait;

use reqwest::header::HeaderName;
use reqwest::multipart::Form;
use serde::Deserialize;
use serde_json::Value;

use super::super::answer;
use super::super::calls::{CallAnswer, CallItem, Calls};
use super::super::consult::Consult;
use super::super::credential::Credential;
use super::super::error::{CallError, Rejection};
use super::super::http::{Http, Sending, Told, check_key, key_header};
use super::super::lines::{ItemOutcome, Measured, OutputLine, ReadsLines};
use super::super::regions::Regions;
use super::super::spoken::{self, Spoken, number};
use crate::domain::failure::FailureCode;
use crate::domain::transcribe::ModelConfig;
use crate::domain::usage::Usage;

const API_KEY: HeaderName = HeaderName::from_static("xi-api-key");

pub(super) struct Scribe {
    regions: Regions,
    http: Http,
}

impl Scribe {
    pub(super) fn new(regions: Regions) -> Self {
        Self {
            regions,
            http: Http::default(),
        }
    }
}

/// All but the file.
fn form(item: &CallItem<'_>, config: &ModelConfig) -> Form {
    let temperature = config.temperature.unwrap_or_default();
    Form::new()
        .text("model_id", config.model.clone())
        .text("language_code", item.language_code.to_owned())
        // On by default: it writes sounds, such as (laughter), into the text.
        .text("tag_audio_events", "false")
        .text("diarize", "false")
        // Of the text it changes nothing.
        .text("timestamps_granularity", "word")
        .text("temperature", temperature.to_string())
        // With it the same audio gives the same text, as far as they can.
        .text("seed", "0")
}

/// What the vendor's own words say more than the status.
fn meaning(_: u16, told: &Told) -> Option<Rejection> {
    if told.has(&["quota_exceeded", "insufficient_credits"]) {
        // With status 401, which otherwise is a wrong key.
        return Some(Rejection::OutOfCredit);
    }
    told.has(&[
        "too_many_concurrent_requests",
        "system_busy",
        "rate_limit_exceeded",
    ])
    .then_some(Rejection::Quota { retry_after: None })
}

#[async_trait]
impl Consult for Scribe {
    async fn check_credential(&self, credential: &Credential) -> Result<(), CallError> {
        let asked = self.regions.asked(credential)?;
        let url = asked.base.join("/v1/models", &[])?;
        let key = [(API_KEY, key_header("", &asked.key)?)];
        check_key(&self.http, &url, &key, &asked.key, meaning).await
    }
}

#[async_trait]
impl Calls for Scribe {
    async fn call(
        &self,
        credential: &Credential,
        item: &CallItem<'_>,
        config: &ModelConfig,
    ) -> Result<CallAnswer, CallError> {
        let asked = self.regions.asked(credential)?;
        let url = asked.base.join("/v1/speech-to-text", &[])?;
        let key = key_header("", &asked.key)?;
        let (file, sending) = Sending::part(item.audio, item.file_name, item.mime_type).await?;
        let form = form(item, config).part("file", file);
        let request = self
            .http
            .fresh()?
            .post(url)
            .header(API_KEY, key)
            .multipart(form);
        answer::paid(item.key, request, &sending, &asked.key, meaning).await
    }
}

/// An answer, as far as it is of use.
#[derive(Debug, Deserialize)]
struct Transcript {
    text: Option<String>,
    #[serde(default)]
    audio_duration_secs: Option<f64>,
    #[serde(default)]
    words: Option<Value>,
}

impl Transcript {
    /// End of the last word; what is between words and around them does not count.
    fn heard_until(&self) -> Option<f64> {
        let words = self.words.as_ref()?.as_array()?.iter().rev();
        let mut spoken = words.filter(|word| is_word(word));
        number(spoken.next()?.get("end"))
    }

    fn spoken(&self) -> impl Iterator<Item = Spoken<'_>> {
        spoken::listed(self.words.as_ref(), |word| {
            let word = Some(word).filter(|word| is_word(word))?;
            Some(Spoken {
                text: word.get("text")?.as_str()?,
                start: word.get("start")?,
            })
        })
    }
}

fn is_word(entry: &Value) -> bool {
    entry.get("type").is_some_and(|kind| kind == "word")
}

impl ReadsLines for Scribe {
    fn measured(&self, line: &[u8]) -> Measured {
        answer::measured(line)
    }

    fn read_line(&self, line: &[u8]) -> OutputLine {
        answer::read(line, outcome)
    }
}

fn outcome(answer: Option<Transcript>) -> ItemOutcome {
    let usage = Usage {
        audio_seconds: answer.as_ref().and_then(|told| told.audio_duration_secs),
        heard_until_seconds: answer.as_ref().and_then(Transcript::heard_until),
        ..Usage::default()
    };
    let text = answer.as_ref().and_then(|answer| answer.text.as_deref());
    match text.map(str::trim) {
        Some(text) => ItemOutcome::Transcribed {
            word_times: spoken::times(text, answer.iter().flat_map(Transcript::spoken)),
            text: text.to_owned(),
            model_version: None,
            usage,
        },
        None => ItemOutcome::failed(FailureCode::ProviderMalformed, usage, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scribe() -> Scribe {
        Scribe::new(Regions::at("https://h"))
    }

    #[test]
    fn answers_are_read() {
        let line = br#"{"key":"k","latency_ms":9,"answer":{"language_code":"hin","language_probability":0.9,"text":" ab ","words":[{"text":"ab","start":0.5,"end":1.5,"type":"word"},{"text":" ","start":1.5,"end":2.5,"type":"spacing"}],"transcription_id":"t","audio_duration_secs":2.5}}"#;
        let OutputLine::Item { key, outcome } = scribe().read_line(line) else {
            panic!("no item")
        };
        let want = ItemOutcome::Transcribed {
            text: "ab".to_owned(),
            word_times: spoken::made_of(&[(0, 500)]),
            model_version: None,
            usage: Usage {
                audio_seconds: Some(2.5),
                heard_until_seconds: Some(1.5),
                ..Usage::default()
            },
        };
        assert_eq!((&*key, outcome), ("k", want));
        // What comes for a webhook is no text.
        let line = br#"{"key":"k","answer":{"message":"queued","request_id":"r"}}"#;
        let OutputLine::Item { outcome, .. } = scribe().read_line(line) else {
            panic!("no item")
        };
        assert!(matches!(outcome, ItemOutcome::Failed { .. }));
    }

    #[test]
    fn an_empty_wallet_is_no_wrong_key() {
        let told = |body: &str| Told::read(body.as_bytes());
        let empty = told(r#"{"detail":{"status":"quota_exceeded","message":"0 left"}}"#);
        assert_eq!(meaning(401, &empty), Some(Rejection::OutOfCredit));
        let wrong = told(r#"{"detail":{"status":"invalid_api_key","message":"no"}}"#);
        assert_eq!(meaning(401, &wrong), None);
        let busy = told(r#"{"detail":{"status":"system_busy","message":"later"}}"#);
        assert!(matches!(meaning(429, &busy), Some(Rejection::Quota { .. })));
    }
}
