//! Lines on standard output, in the form and from the level that Lambda's
//! logging controls ask for.
//!
//! Much the same lines as the runtime's own subscriber writes, without its filter
//! language: the patterns of that are compiled at each start, and weigh more
//! than the rest of it. And with a `timestamp`: Lambda goes by a line's `level`
//! only when an RFC 3339 time stands beside it, and takes every other line for
//! INFO.

use tracing_subscriber::filter::LevelFilter;

/// Writes lines from now on.
pub fn init() {
    let variable = |name: &str| std::env::var(name).ok();
    let level = variable("AWS_LAMBDA_LOG_LEVEL")
        .or_else(|| variable("RUST_LOG"))
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt()
        .with_target(false)
        .with_max_level(level);
    let format = variable("AWS_LAMBDA_LOG_FORMAT").unwrap_or_default();
    if format.eq_ignore_ascii_case("json") {
        lines.json().init();
    } else {
        // Lambda notes the time of such a line by itself.
        lines.without_time().init();
    }
}
