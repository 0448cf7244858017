//! A vendor that answers each item in its call.
//!
//! It answers with what it heard: the first digits of the audio's SHA-256. It keeps a book of what was paid for, and plays
//! what can go wrong. An account is the key it is asked with.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use ring::digest::{Context, SHA256};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use stt_eval_shared::domain::allowance::ToldLimits;
use stt_eval_shared::domain::transcribe::ModelConfig;
use stt_eval_shared::domain::usage::Usage;
use stt_eval_shared::domain::word_times::WordTimes;
use stt_eval_shared::providers::model::{Format, Languages, Lifecycle, Model, Takes};
use stt_eval_shared::providers::price::{AudioPrice, Charge, Currency, Price};
use stt_eval_shared::providers::{
    Adapter, AudioBy, CallAnswer, CallError, CallItem, Calls, Client, Consult, Credential, Field,
    ItemOutcome, Limits, OutputLine, RawLine, ReadsLines, Rejection, Timing, UnitLimits, Vendor,
    Works,
};
use time::macros::date;

/// Id of its model.
pub const ECHO: &str = "echo-calls/heard";

const MINUTE: Duration = Duration::from_secs(60);

/// The vendor.
pub static VENDOR: Vendor = Vendor {
    name: "echo-calls",
    title: "Echo Calls",
    models: &[Model {
        id: ECHO,
        provider: "echo-calls",
        model: "heard",
        display_name: "Echo",
        languages: Languages::All,
        max_audio_seconds: 3_600,
        max_file_bytes: 25_000_000,
        formats: &[Format {
            name: "wav",
            mime_type: "audio/wav",
            documented: true,
        }],
        batch: false,
        prices: &[Price {
            valid_from: date!(2026 - 01 - 01),
            read_on: date!(2026 - 11 - 26),
            currency: Currency::UsDollar,
            charge: Charge::Audio(AudioPrice {
                per_hour: 0.36,
                min_seconds: 1.0,
                step_seconds: 0.0,
            }),
            audio_confirmed: true,
        }],
        batch_discount: 1.0,
        lifecycle: Lifecycle::Stable,
        retires_on: None,
        notes: "Only for tests.",
        takes: Takes::NOTHING,
        max_output_tokens: None,
    }],
    credential: &[Field::API_KEY],
    audio: AudioBy::Bytes,
    unit: UnitLimits {
        samples: 20,
        bytes: 500_000_000,
    },
    limits: Limits {
        open_units: 4,
        stored_bytes: u64::MAX,
        queued_tokens: u64::MAX,
        calls_at_once: 2,
    },
    timing: Timing {
        deadline: Duration::from_secs(3_600),
        grace: Duration::from_secs(600),
        settle: MINUTE,
        keeps_inputs: Duration::ZERO,
        reuses_inputs: Duration::ZERO,
        quota_hold: Duration::ZERO,
        poll_pauses: &[MINUTE],
    },
    works: Works::Calls,
    consult: |_| Ok(Arc::new(Echo)),
};

/// The same with its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |_| Ok(Adapter::Calls(Arc::new(Echo))),
};

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// It is refused, and costs nothing.
    Refused(Rejection),
    /// It is answered and paid for, and the answer is lost.
    LostReply,
    /// It never arrives, and that can't be told from a lost answer.
    LostRequest,
    /// It is answered and paid for, and the answer never comes.
    Silence,
    /// The answer is as long as this many bytes.
    Long(usize),
}

/// The book of one account.
#[derive(Debug, Default)]
struct Book {
    /// How often each item was transcribed and paid for.
    paid: BTreeMap<String, u32>,
    troubles: VecDeque<Trouble>,
    limits: ToldLimits,
}

static BOOKS: LazyLock<Mutex<HashMap<String, Book>>> = LazyLock::new(Mutex::default);

fn with<T>(account: &str, use_it: impl FnOnce(&mut Book) -> T) -> T {
    let mut books = BOOKS.lock().unwrap_or_else(PoisonError::into_inner);
    use_it(books.entry(account.to_owned()).or_default())
}

/// Has the next calls of an account go wrong, one after the other.
pub fn trouble(account: &str, troubles: impl IntoIterator<Item = Trouble>) {
    with(account, |book| book.troubles.extend(troubles));
}

/// What each answer to an account says of its limits from now on.
pub fn tell(account: &str, limits: ToldLimits) {
    with(account, |book| book.limits = limits);
}

/// How often each item of an account was paid for.
#[must_use]
pub fn paid(account: &str) -> BTreeMap<String, u32> {
    with(account, |book| book.paid.clone())
}

struct Echo;

#[derive(Serialize, Deserialize)]
struct Heard {
    key: String,
    text: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    padding: String,
}

impl ReadsLines for Echo {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        if line.iter().all(u8::is_ascii_whitespace) {
            return OutputLine::Blank;
        }
        match serde_json::from_slice::<Heard>(line) {
            Ok(heard) => OutputLine::Item {
                key: heard.key,
                outcome: ItemOutcome::Transcribed {
                    text: heard.text,
                    word_times: WordTimes::default(),
                    model_version: None,
                    usage: Usage::default(),
                },
            },
            Err(error) => OutputLine::Malformed {
                reason: error.to_string(),
            },
        }
    }
}

#[async_trait]
impl Consult for Echo {
    async fn check_credential(&self, _credential: &Credential) -> Result<(), CallError> {
        Ok(())
    }
}

#[async_trait]
impl Calls for Echo {
    async fn call(
        &self,
        credential: &Credential,
        item: &CallItem<'_>,
        _config: &ModelConfig,
    ) -> Result<CallAnswer, CallError> {
        let account = credential.secret.expose_secret();
        let lost = || CallError::Ambiguous {
            message: "the connection was lost".into(),
        };
        let trouble = with(account, |book| book.troubles.pop_front());
        match trouble {
            Some(Trouble::Refused(kind)) => return Err(CallError::not_sent(kind, "played")),
            Some(Trouble::LostRequest) => return Err(lost()),
            _ => {}
        }
        let unread = |error: std::io::Error| CallError::Input {
            message: error.to_string(),
        };
        let mut hash = Context::new(&SHA256);
        let mut bytes = item.audio.open(0, item.audio.len()).await.map_err(unread)?;
        while let Some(part) = bytes.next().await {
            hash.update(&part.map_err(unread)?);
        }
        with(account, |book| {
            *book.paid.entry(item.key.to_owned()).or_default() += 1;
        });
        match trouble {
            Some(Trouble::LostReply) => return Err(lost()),
            Some(Trouble::Silence) => std::future::pending::<()>().await,
            _ => {}
        }
        let padding = match trouble {
            Some(Trouble::Long(bytes)) => "x".repeat(bytes),
            _ => String::new(),
        };
        let heard = Heard {
            key: item.key.to_owned(),
            text: hex::encode(&hash.finish().as_ref()[..4]),
            padding,
        };
        match serde_json::to_vec(&heard) {
            Ok(line) => Ok(CallAnswer {
                line: RawLine(line),
                limits: with(account, |book| book.limits),
            }),
            Err(_) => Err(lost()),
        }
    }
}
