//! Requests and answers.

use async_trait::async_trait;

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;

use super::super::answer;
use super::super::calls::{CallAnswer, CallItem, Calls};
use super::super::consult::Consult;
use super::super::credential::Credential;
use super::super::error::{CallError, Rejection};
use super::super::http::{BaseUrl, Http, Sending, Told, check_key, key_header};
use super::super::lines::{ItemOutcome, Measured, OutputLine, ReadsLines};
use super::super::spoken::{self, Spoken};
use crate::domain::failure::FailureCode;
use crate::domain::transcribe::ModelConfig;
use crate::domain::usage::Usage;

pub(super) struct Listen {
    base: BaseUrl,
    http: Http,
}

impl Listen {
    pub(super) fn new(base: BaseUrl) -> Self {
        Self {
            base,
            http: Http::default(),
        }
    }
}

/// What the vendor's own words say more than the status.
fn meaning(status: u16, told: &Told) -> Option<Rejection> {
    if told.has(&["ASR_PAYMENT_REQUIRED"]) {
        return Some(Rejection::OutOfCredit);
    }
    // The key is known, and may not use this model.
    (status == 403).then_some(Rejection::NotFound)
}

#[async_trait]
impl Consult for Listen {
    async fn check_credential(&self, credential: &Credential) -> Result<(), CallError> {
        let url = self.base.join("/v1/projects", &[])?;
        let key = [(AUTHORIZATION, key_header("Token ", &credential.secret)?)];
        check_key(&self.http, &url, &key, &credential.secret, |_, _| None).await
    }
}

#[async_trait]
impl Calls for Listen {
    async fn call(
        &self,
        credential: &Credential,
        item: &CallItem<'_>,
        config: &ModelConfig,
    ) -> Result<CallAnswer, CallError> {
        let query = [
            // Without these two an old model listens for English.
            ("model", config.model.clone()),
            ("language", item.language_code.to_owned()),
            ("punctuate", "true".to_owned()),
            // Both rewrite what was said.
            ("smart_format", "false".to_owned()),
            ("profanity_filter", "false".to_owned()),
            ("mip_opt_out", "true".to_owned()),
        ];
        let url = self.base.join("/v1/listen", &query)?;
        let key = key_header("Token ", &credential.secret)?;
        let (audio, sending) = Sending::begin(item.audio).await?;
        let request = self
            .http
            .fresh()?
            .post(url)
            .header(AUTHORIZATION, key)
            // A JSON body would be a URL, and one without a length arrives broken.
            .header(CONTENT_TYPE, item.mime_type)
            .header(CONTENT_LENGTH, item.audio.len())
            .body(audio);
        answer::paid(item.key, request, &sending, &credential.secret, meaning).await
    }
}

#[derive(Debug, Deserialize)]
struct Response {
    #[serde(default)]
    metadata: Option<Metadata>,
    results: Results,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    duration: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Results {
    channels: Vec<Channel>,
}

#[derive(Debug, Deserialize)]
struct Channel {
    alternatives: Vec<Alternative>,
}

#[derive(Debug, Deserialize)]
struct Alternative {
    transcript: String,
    #[serde(default)]
    words: Option<Value>,
}

impl Alternative {
    /// As they stand in the transcript; a word without its signs is told as well.
    fn spoken(&self) -> impl Iterator<Item = Spoken<'_>> {
        spoken::listed(self.words.as_ref(), |word| {
            let written = word.get("punctuated_word").or(word.get("word"));
            Some(Spoken {
                text: written?.as_str()?,
                start: word.get("start")?,
            })
        })
    }
}

impl ReadsLines for Listen {
    fn measured(&self, line: &[u8]) -> Measured {
        answer::measured(line)
    }

    fn read_line(&self, line: &[u8]) -> OutputLine {
        answer::read(line, outcome)
    }
}

fn outcome(answer: Option<Response>) -> ItemOutcome {
    let Some(Response { metadata, results }) = answer else {
        return ItemOutcome::failed(FailureCode::ProviderMalformed, Usage::default(), None);
    };
    // One channel: several are only told apart when asked for.
    let best = results.channels.into_iter().next();
    let best = best.and_then(|channel| channel.alternatives.into_iter().next());
    let usage = Usage {
        audio_seconds: metadata.and_then(|metadata| metadata.duration),
        heard_until_seconds: best
            .as_ref()
            .and_then(|best| spoken::last_end(best.words.as_ref(), "end")),
        ..Usage::default()
    };
    match best {
        Some(best) => ItemOutcome::Transcribed {
            text: best.transcript.trim().to_owned(),
            word_times: spoken::times(best.transcript.trim(), best.spoken()),
            model_version: None,
            usage,
        },
        None => ItemOutcome::failed(FailureCode::ProviderMalformed, usage, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::spoken::made_of as times;

    fn read(answer: &str) -> ItemOutcome {
        let line = format!(r#"{{"key":"k","latency_ms":3,"answer":{answer}}}"#);
        let listen = Listen::new(BaseUrl::parse("https://h").unwrap());
        match listen.read_line(line.as_bytes()) {
            OutputLine::Item { outcome, .. } => outcome,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_are_read() {
        let heard = read(
            r#"{"metadata":{"request_id":"r","duration":2.5,"channels":1},"results":{"channels":[{"alternatives":[{"transcript":"ab","confidence":0.9,"words":[{"word":"ab","start":0.1,"end":1.5}]}]}]}}"#,
        );
        let want = ItemOutcome::Transcribed {
            text: "ab".to_owned(),
            word_times: times(&[(0, 100)]),
            model_version: None,
            usage: Usage {
                audio_seconds: Some(2.5),
                heard_until_seconds: Some(1.5),
                ..Usage::default()
            },
        };
        assert_eq!(heard, want);
        let silence = read(r#"{"results":{"channels":[{"alternatives":[{"transcript":""}]}]}}"#);
        assert!(matches!(silence, ItemOutcome::Transcribed { text, .. } if text.is_empty()));
        // Signs belong to their words, and what is odd of words takes nothing else away.
        let signed = read(
            r#"{"results":{"channels":[{"alternatives":[{"transcript":"Ab, cd.","words":[{"word":"ab","punctuated_word":"Ab,","start":0.1,"end":0.4},{"word":"cd","punctuated_word":"cd.","start":0.5,"end":null}]}]}]}}"#,
        );
        let ItemOutcome::Transcribed {
            word_times, usage, ..
        } = signed
        else {
            panic!("{signed:?}")
        };
        assert_eq!(word_times, times(&[(0, 100), (4, 500)]));
        assert_eq!(usage.heard_until_seconds, Some(0.4));
        // That of a callback, and of none.
        for odd in [
            r#"{"request_id":"r"}"#,
            r#"{"results":{"channels":[]}}"#,
            "[]",
        ] {
            assert!(matches!(read(odd), ItemOutcome::Failed { .. }), "{odd}");
        }
    }

    #[test]
    fn refusals_are_read() {
        let told = Told::read(br#"{"err_code":"ASR_PAYMENT_REQUIRED","err_msg":"no"}"#);
        assert_eq!(meaning(402, &told), Some(Rejection::OutOfCredit));
        assert_eq!(meaning(403, &Told::default()), Some(Rejection::NotFound));
        assert_eq!(meaning(401, &Told::default()), None);
    }
}
