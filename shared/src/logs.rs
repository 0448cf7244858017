//! Lines on standard output, in the form and from the level that Lambda's
//! logging controls ask for.
//!
//! The same lines as the runtime's own subscriber writes, without its filter
//! language: the patterns of that are compiled at each start, and weigh more
//! than the rest of it.

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
        .without_time()
        .with_max_level(level);
    let format = variable("AWS_LAMBDA_LOG_FORMAT").unwrap_or_default();
    if format.eq_ignore_ascii_case("json") {
        lines.json().init();
    } else {
        lines.init();
    }
}
