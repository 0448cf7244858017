//! `--events`: what is told on standard error as JSON, an object a line, for programs.
//!
//! While it is asked for, every line there is one: `{"event": NAME, …}`.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value};

static WANTED: AtomicBool = AtomicBool::new(false);

/// From now on everything on standard error is an event.
pub fn want() {
    WANTED.store(true, Ordering::Relaxed);
}

/// Whether events are asked for.
pub fn are_wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// Writes one. `facts` is an object, or null for none.
pub fn write(event: &str, facts: Value, simulated: bool) {
    let mut fields = Map::new();
    fields.insert("event".to_owned(), event.into());
    if simulated {
        fields.insert("simulated".to_owned(), true.into());
    }
    if let Value::Object(facts) = facts {
        fields.extend(facts);
    }
    let line = format!("{}\n", Value::Object(fields));
    // There is no place left to tell that it can't be written.
    let written = std::io::stderr().lock().write_all(line.as_bytes());
    drop(written);
}
