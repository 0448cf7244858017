//! `-v`: each request and what it was answered with.

use std::time::Instant;

use serde_json::json;

use crate::events;
use crate::output::{is_verbose, tell, to_stderr};

/// Tells of a request. `path` has no query, which may hold a cursor.
pub fn told(method: &str, path: &str, status: Option<u16>, sent_at: Instant) {
    if !is_verbose() {
        return;
    }
    let ms = sent_at.elapsed().as_millis() as u64;
    if events::are_wanted() {
        let facts = json!({"method": method, "path": path, "status": status, "ms": ms});
        tell("request", facts);
        return;
    }
    let status = status.map_or("no answer".to_owned(), |status| status.to_string());
    to_stderr(&format!("{method} {path}  {status}  {ms} ms"));
}
