//! What a deployment refuses, in words.

use std::time::Duration;

use reqwest::StatusCode;
use stt_eval_wire::envelope::Refused;

use super::advice::as_commands;
use crate::failure::{Exit, Failure};
use crate::profiles::Target;

/// How to get another key.
fn log_in(target: &Target) -> String {
    match &target.profile {
        Some(name) if matches!(target.key_from.as_str(), "credentials.toml" | "keyring") => {
            format!("stt-eval login {name}")
        }
        _ => format!("the key comes from {}", target.key_from),
    }
}

/// What the key is of.
fn whose(target: &Target) -> String {
    match &target.profile {
        Some(name) => format!("profile {name}"),
        None => target.url.clone(),
    }
}

/// What now, where it may pass.
const AGAIN: &str = "the same command again goes on";

/// That a deployment is of no use now, and since when.
fn answers(code: u16, waited: Duration) -> String {
    match waited.as_secs() {
        0 => format!("the deployment answers {code}"),
        seconds => format!("the deployment answers {code} for {seconds} s"),
    }
}

/// A refusal; `waited` is how long the request has been sent again and again.
pub fn refused(target: &Target, status: StatusCode, body: &[u8], waited: Duration) -> Failure {
    let told = serde_json::from_slice::<Refused>(body).ok();
    let code = status.as_u16();
    if status == StatusCode::UNAUTHORIZED {
        let message = format!("the key for {} was refused ({code})", whose(target));
        return Failure::new(Exit::Access, "key_refused", message).hint(log_in(target));
    }
    let passes = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    let Some(told) = told else {
        // A gateway before a deployment has words of its own, or none.
        if status.is_server_error() || passes.contains(&status) {
            return Failure::new(Exit::Failed, "unavailable", answers(code, waited)).hint(AGAIN);
        }
        let message = format!(
            "{} answers {code}, and not as a deployment of stt-eval",
            target.url
        );
        return Failure::new(Exit::Failed, "no_deployment", message);
    };
    let request = format!("request {}", told.metadata.request_id);
    let named = told.metadata.code.as_deref() == Some("provider_unreachable");
    let (exit, name) = match code {
        403 => (Exit::Access, "forbidden"),
        404 => (Exit::Failed, "not_found"),
        409 => (Exit::Failed, "conflict"),
        429 => (Exit::Failed, "too_many"),
        _ if named => (Exit::Failed, "provider_unreachable"),
        400..=499 => (Exit::Failed, "refused"),
        _ => (Exit::Failed, "unavailable"),
    };
    let message = as_commands(&told.error);
    let message = match name {
        "unavailable" => format!("{}: {message}", answers(code, waited)),
        _ => message,
    };
    let mut failure = Failure::new(exit, name, message);
    failure.rows = told.errors.unwrap_or_default();
    match exit {
        Exit::Access => {
            failure.hint("it takes a key of a stronger role; stt-eval whoami tells yours")
        }
        _ if code >= 500 => failure.hint(format!("{AGAIN} ({request})")),
        _ => failure,
    }
}

/// A request that brought no answer.
pub fn unreachable(target: &Target, error: &reqwest::Error) -> Failure {
    let reason = if error.is_timeout() {
        "does not answer in time"
    } else if error.is_connect() {
        "can't be reached"
    } else {
        "broke the connection off"
    };
    let message = format!("{} {reason}", target.url);
    Failure::new(Exit::Failed, "unreachable", message).hint(AGAIN)
}

/// An answer that this program can't read.
pub fn unreadable(target: &Target) -> Failure {
    let message = format!(
        "{} gives an answer that this program can't read",
        target.url
    );
    Failure::new(Exit::Failed, "no_deployment", message)
        .hint("is it a deployment of stt-eval, and is this program as new?")
}
