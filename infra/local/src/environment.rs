//! What a machine calls its resources, and the variables that tell the functions.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use stt_eval_shared::config::Config;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::store::schema::TABLES;

use crate::cloud::Cloud;
use crate::error::NodeError;
use crate::keys;
use crate::options::{COMMAND_TIMEOUT_SECONDS as COMMAND_TIMEOUT, NodeOptions};

pub(crate) const BUCKET: &str = "stt-eval-local";
pub(crate) const EVENTS: &str = "events";
pub(crate) const SUBMISSIONS: &str = "submissions";

/// The variables that the functions read, as the template sets them in AWS.
pub(crate) fn environment(
    options: &NodeOptions,
    cloud: &Cloud,
    provider_urls: &BTreeMap<String, String>,
    stand_ins: &BTreeSet<String>,
) -> Result<HashMap<String, String>, NodeError> {
    let seconds = options.poll_interval.as_secs_f64();
    let stage = keys::stage(&options.data)?;
    let deployment = keys::deployment(&options.data)?;
    let key_file = keys::vault_key(&options.data)?;
    let mut environment: HashMap<String, String> = TABLES
        .iter()
        .map(|table| {
            (
                format!("TABLE_{}", table.name.to_uppercase()),
                table.name.to_owned(),
            )
        })
        .collect();
    let real = options.may_cost();
    for (name, value) in [
        ("STAGE", stage),
        ("DEPLOYMENT_ID", deployment),
        ("STACK_NAME", "local".to_owned()),
        ("BUCKET", BUCKET.to_owned()),
        ("SUBMIT_QUEUE_URL", cloud.queue_url(SUBMISSIONS)),
        ("EVENTS_QUEUE_URL", cloud.queue_url(EVENTS)),
        ("KEY_FILE", key_file.display().to_string()),
        ("PROVIDER_URLS", pairs(provider_urls)),
        (
            "OWN_MODELS_ON_LOOPBACK",
            options.own_models_on_loopback.to_string(),
        ),
        // Against real vendors the bounds of production hold where money is at stake.
        (
            "SUBMISSION_GRACE_SECONDS",
            if real { "180" } else { "3" }.to_owned(),
        ),
        // A worker lives for 300 s here as well, and programs that listen take their time.
        ("CALL_LEASE_SECONDS", "330".to_owned()),
        ("WORKERS_SINCE_MS", Timestamp::now().millis().to_string()),
        (
            "COLLECT_LEASE_SECONDS",
            if real { "120" } else { "5" }.to_owned(),
        ),
        (
            "BATCH_SETTLE_SECONDS",
            if real { "600" } else { "5" }.to_owned(),
        ),
        (
            "BATCH_DOUBT_SECONDS",
            if real { "1800" } else { "5" }.to_owned(),
        ),
        (
            "REFUSAL_PAUSE_SECONDS",
            if real { "10" } else { "1" }.to_owned(),
        ),
        ("ADMISSION_PAUSE_SECONDS", "1".to_owned()),
        (
            "QUOTA_HOLD_SECONDS",
            if real { "3600" } else { "0" }.to_owned(),
        ),
        ("UNIT_RESEND_SECONDS", "3".to_owned()),
        ("UNIT_BACKSTOP_SECONDS", "10".to_owned()),
        ("OUTBOX_SECONDS", "2".to_owned()),
        ("MISSED_UPLOAD_SECONDS", "3".to_owned()),
        ("UPLOAD_MARGIN_SECONDS", "5".to_owned()),
        ("UNSEALED_SECONDS", "60".to_owned()),
        ("INDEX_LAG_SECONDS", "0.1".to_owned()),
        ("AUDIT_SECONDS", "30".to_owned()),
        ("WATCH_SECONDS", if real { "3600" } else { "60" }.to_owned()),
        ("TASK_LEASE_SECONDS", "5".to_owned()),
        (
            "STAGING_LEASE_SECONDS",
            if real { "120" } else { "5" }.to_owned(),
        ),
        (
            "POLL_PAUSES_SECONDS",
            format!("{seconds},{}", seconds * 2.0),
        ),
    ] {
        environment.insert(name.to_owned(), value);
    }
    if real {
        environment.insert("PROVIDER_LIMITS".to_owned(), limits(stand_ins));
    }
    environment.extend(options.overrides.clone());
    Ok(environment)
}

/// A stand-in beside what may be real does not wait for what can't happen here.
fn limits(stand_ins: &BTreeSet<String>) -> String {
    let short =
        serde_json::json!({ "grace_seconds": 3, "settle_seconds": 5, "quota_hold_seconds": 0 });
    let limits: BTreeMap<&String, &serde_json::Value> =
        stand_ins.iter().map(|name| (name, &short)).collect();
    serde_json::json!(limits).to_string()
}

/// The configuration of the functions out of their variables.
///
/// # Errors
/// What is wrong with one, or that one was set which nothing reads: a name with a slip in it
/// would be as good as not set.
pub(crate) fn config(
    options: &NodeOptions,
    environment: &HashMap<String, String>,
) -> Result<Config, NodeError> {
    let read = RefCell::new(BTreeSet::new());
    let config = Config::read(|name| {
        read.borrow_mut().insert(name.to_owned());
        environment.get(name).cloned()
    });
    let config = config.map_err(|error| NodeError(error.to_string()))?;
    let read = read.into_inner();
    let mut set = options.overrides.keys();
    match set.find(|name| *name != COMMAND_TIMEOUT && !read.contains(*name)) {
        Some(unread) => Err(NodeError(format!("nothing reads a variable {unread}"))),
        None => Ok(config),
    }
}

/// As `PROVIDER_URLS` has it.
fn pairs(urls: &BTreeMap<String, String>) -> String {
    let pairs = urls.iter().map(|(name, url)| format!("{name}={url}"));
    pairs.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stand_ins_have_short_bounds() {
        assert_eq!(limits(&BTreeSet::new()), "{}");
        let read: serde_json::Value =
            serde_json::from_str(&limits(&BTreeSet::from(["google".to_owned()]))).unwrap();
        assert_eq!(read["google"]["grace_seconds"], 3);
        assert!(read.get("openai").is_none(), "{read}");
    }
}
