//! Checks of a model before it is kept.

use std::borrow::Cow;

use secrecy::SecretString;
use stt_eval_shared::domain::dialect::Dialect;
use stt_eval_shared::domain::endpoint::{Endpoint, EndpointPrice};
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::domain::{Timestamp, language};
use stt_eval_shared::providers::model::Format;
use stt_eval_shared::providers::price::Currency;
use stt_eval_shared::providers::{API_KEY, Field, custom};
use stt_eval_shared::wire::models::{DialectChoice, DialectSwitches, ModelChange, NewModel};
use stt_eval_shared::wire::secret::SecretText;

use crate::refusal::{Refusal, finish};

/// Keys of servers of one's own can be as short as people like.
const KEY: Field = Field {
    name: API_KEY,
    min_len: 1,
    max_len: 512,
    choices: &[],
};
/// Most bytes of a file, as many as any file here may have; and those of a server that
/// says nothing: 25 MiB, with room for the rest of the form.
const MAX_BYTES: u64 = 200_000_000;
const USUAL_BYTES: u64 = 26_200_000;
/// Longest audio in seconds; a call must end in the life of one worker.
const MAX_SECONDS: u64 = 7_200;
/// Highest price of an hour.
const MAX_PRICE: f64 = 100_000.0;
/// Most calls at a time, and how many are made where nothing is said.
const MAX_AT_ONCE: u64 = 64;
const AT_ONCE: u16 = 4;
/// The server that answers one request after the other.
const ONE_AT_A_TIME: &str = "whisper.cpp";
/// Longest path of a dialect.
const MAX_PATH: usize = 200;

/// Checks a new model.
///
/// # Errors
/// All that is wrong with it, by field.
pub(super) fn new(
    new: NewModel,
    loopback: bool,
    now: Timestamp,
) -> Result<(Endpoint, Option<SecretString>), Refusal> {
    let mut errors = Errors::new();
    let name = errors.keep(validate::model_name("name", &new.name));
    let model = errors.keep(validate::name("model", &new.model));
    let dialect = dialect(new.dialect.as_ref(), &mut errors);
    let is_azure = dialect
        .as_ref()
        .is_some_and(|(_, name)| *name == Some(Dialect::AZURE_NAME));
    let base_url = custom::base_url(&new.base_url, is_azure, loopback);
    let base_url = errors.keep(
        base_url.map_err(|problem| validate::FieldError::new("base_url", problem.to_string())),
    );
    let key = key(new.api_key.as_ref(), &mut errors);
    let limits = Limits {
        languages: languages(new.languages.as_deref(), &mut errors),
        formats: formats(new.formats.as_deref(), &mut errors),
        max_bytes: max_bytes(new.max_bytes, &mut errors),
        max_seconds: max_seconds(new.max_seconds, &mut errors),
        at_once: at_once(new.at_once, &mut errors),
    };
    let currency = currency(new.currency.as_deref(), &mut errors);
    let price = price(new.price_per_audio_hour, &mut errors);
    finish(errors)?;
    let (Some(name), Some(model), Some(base_url), Some((dialect, dialect_name))) =
        (name, model, base_url, dialect)
    else {
        return Err(Refusal::internal(
            "a model passed its checks without a name",
        ));
    };
    let endpoint = Endpoint {
        name,
        base_url,
        model,
        dialect,
        dialect_name: dialect_name.map(str::to_owned),
        languages: limits.languages,
        formats: limits.formats,
        max_bytes: limits.max_bytes,
        max_seconds: limits.max_seconds,
        price: price.map(|per_audio_hour| EndpointPrice {
            per_audio_hour,
            currency: currency.to_owned(),
            told_at: now,
        }),
        at_once: limits.at_once.unwrap_or(usual_at_once(dialect_name)),
    };
    Ok((endpoint, key))
}

struct Limits {
    languages: Option<Vec<String>>,
    formats: Option<Vec<String>>,
    max_bytes: u64,
    max_seconds: u32,
    at_once: Option<u16>,
}

/// A model with a change; what is wrong with that is told by field.
pub(super) fn changed(
    known: &Endpoint,
    change: &ModelChange,
    now: Timestamp,
    errors: &mut Errors,
) -> Endpoint {
    let mut next = known.clone();
    if let Some(given) = &change.languages {
        next.languages = languages(given.as_deref(), errors);
    }
    if let Some(given) = &change.formats {
        next.formats = formats(given.as_deref(), errors);
    }
    if let Some(given) = change.max_bytes {
        next.max_bytes = max_bytes(given, errors);
    }
    if let Some(given) = change.max_seconds {
        next.max_seconds = max_seconds(given, errors);
    }
    if let Some(given) = change.at_once {
        let usual = usual_at_once(known.dialect_name.as_deref());
        next.at_once = at_once(given, errors).unwrap_or(usual);
    }
    let per_hour = match change.price_per_audio_hour {
        Some(given) => price(given, errors),
        None => known.price.as_ref().map(|price| price.per_audio_hour),
    };
    let code = match &change.currency {
        Some(given) => currency(given.as_deref(), errors).to_owned(),
        None => match &known.price {
            Some(price) => price.currency.clone(),
            None => currency(None, errors).to_owned(),
        },
    };
    let told = per_hour.map(|per_audio_hour| EndpointPrice {
        per_audio_hour,
        currency: code,
        told_at: now,
    });
    // The same price said again is as old as it is.
    let same = |a: &EndpointPrice, b: &EndpointPrice| {
        a.currency == b.currency && a.per_audio_hour.to_bits() == b.per_audio_hour.to_bits()
    };
    next.price = match (&known.price, told) {
        (Some(before), Some(told)) if same(before, &told) => Some(before.clone()),
        (_, told) => told,
    };
    next
}

/// Checks a key.
pub(super) fn key(given: Option<&SecretText>, errors: &mut Errors) -> Option<SecretString> {
    let given = given?;
    if let Some(problem) = KEY.problem(given.expose()) {
        errors.push(API_KEY, problem);
        return None;
    }
    Some(given.clone().into_inner())
}

fn usual_at_once(dialect: Option<&str>) -> u16 {
    if dialect == Some(ONE_AT_A_TIME) {
        1
    } else {
        AT_ONCE
    }
}

fn dialect(
    given: Option<&DialectChoice>,
    errors: &mut Errors,
) -> Option<(Dialect, Option<&'static str>)> {
    let name = match given {
        None => Dialect::DEFAULT_NAME,
        Some(DialectChoice::Named(name)) => name,
        Some(DialectChoice::Switches(switches)) => {
            return Some((switched(switches, errors)?, None));
        }
    };
    let known = Dialect::NAMES.iter().find(|known| **known == name);
    match known.and_then(|known| Some((Dialect::named(known)?, Some(*known)))) {
        Some(known) => Some(known),
        None => {
            let known = Dialect::NAMES.join(", ");
            errors.push(
                "dialect",
                format!("is not known; known are {known}, or give an object of switches"),
            );
            None
        }
    }
}

fn switched(switches: &DialectSwitches, errors: &mut Errors) -> Option<Dialect> {
    let usual = Dialect::OPENAI;
    let path = match &switches.path {
        None => usual.path,
        Some(path) if is_path(path) => Cow::Owned(path.clone()),
        Some(_) => {
            errors.push(
                "dialect.path",
                format!(
                    "must begin with / and have at most {MAX_PATH} characters of A-Z, a-z, 0-9, \
                     '.', '_', '~', '-' and '/', without empty parts, '.' and '..'"
                ),
            );
            return None;
        }
    };
    Some(Dialect {
        path,
        check_path: None,
        auth: switches.auth.unwrap_or(usual.auth),
        model: switches.model.unwrap_or(usual.model),
        response_format: switches.response_format.unwrap_or(usual.response_format),
        temperature: switches.temperature.unwrap_or(usual.temperature),
    })
}

fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._~-".contains(&b);
    let part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(plain);
    path.len() <= MAX_PATH
        && path
            .strip_prefix('/')
            .is_some_and(|path| path.split('/').all(part))
}

/// A list of names, each known and there once.
fn listed<'a>(
    field: &str,
    given: Option<&'a [String]>,
    known: &[&str],
    read: impl Fn(&'a str) -> Option<&'a str>,
    errors: &mut Errors,
) -> Option<Vec<String>> {
    let given = given?;
    if !(1..=known.len()).contains(&given.len()) {
        let (most, count) = (known.len(), given.len());
        errors.push(
            field,
            format!("must have 1 to {most} entries, has {count}; leave it out for all"),
        );
        return None;
    }
    let mut kept: Vec<String> = Vec::with_capacity(given.len());
    for (index, text) in given.iter().enumerate() {
        let at = format!("{field}[{index}]");
        match read(text) {
            None => errors.push(at, format!("is not known; known are {}", known.join(", "))),
            Some(name) if kept.iter().any(|other| other == name) => {
                errors.push(at, "is there twice");
            }
            Some(name) => kept.push(name.to_owned()),
        }
    }
    Some(kept)
}

fn languages(given: Option<&[String]>, errors: &mut Errors) -> Option<Vec<String>> {
    let codes: Vec<&str> = language::all().iter().map(|known| known.code).collect();
    let read = |text| {
        let known = language::all().iter().find(|known| known.code == text)?;
        Some(known.code)
    };
    listed("languages", given, &codes, read, errors)
}

fn formats(given: Option<&[String]>, errors: &mut Errors) -> Option<Vec<String>> {
    let names: Vec<&str> = Format::EVERY.iter().map(|format| format.name).collect();
    let read = |text| {
        let known = Format::EVERY.iter().find(|format| format.name == text)?;
        Some(known.name)
    };
    listed("formats", given, &names, read, errors)
}

/// A whole number within bounds, or what stands for none.
fn whole(field: &str, given: Option<u64>, most: u64, usual: u64, errors: &mut Errors) -> u64 {
    match given {
        None => usual,
        Some(number) if (1..=most).contains(&number) => number,
        Some(_) => {
            errors.push(field, format!("must be from 1 to {most}"));
            usual
        }
    }
}

fn max_bytes(given: Option<u64>, errors: &mut Errors) -> u64 {
    whole("max_bytes", given, MAX_BYTES, USUAL_BYTES, errors)
}

fn max_seconds(given: Option<u64>, errors: &mut Errors) -> u32 {
    let seconds = whole("max_seconds", given, MAX_SECONDS, MAX_SECONDS, errors);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

fn at_once(given: Option<u64>, errors: &mut Errors) -> Option<u16> {
    given?;
    let calls = whole("at_once", given, MAX_AT_ONCE, u64::from(AT_ONCE), errors);
    u16::try_from(calls).ok()
}

fn price(given: Option<f64>, errors: &mut Errors) -> Option<f64> {
    match given {
        Some(price) if !(0.0..=MAX_PRICE).contains(&price) => {
            errors.push(
                "price_per_audio_hour",
                format!("must be from 0 to {MAX_PRICE}"),
            );
            None
        }
        given => given,
    }
}

fn currency(given: Option<&str>, errors: &mut Errors) -> &'static str {
    let usual = Currency::UsDollar;
    let Some(code) = given else {
        return usual.code();
    };
    if let Some(known) = Currency::KNOWN.into_iter().find(|known| *known == code) {
        return known;
    }
    errors.push(
        "currency",
        format!("is not known; known are {}", Currency::KNOWN.join(", ")),
    );
    usual.code()
}
