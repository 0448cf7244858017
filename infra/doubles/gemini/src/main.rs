//! `gemini-sim`: the test double as a process of its own.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use doubles_serving::Signals;
use gemini_sim::{FaultRule, GeminiSim, Recordings, SimConfig};
use serde_json::json;
use tokio::net::TcpListener;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// A test double of the Gemini Files and Batch protocol.
///
/// Prints one JSON line, {"ready":true,"url":…}, when it listens; logs go to
/// stderr. It answers recorded audio only.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// JSONL of recordings: {"sha256","model","text",…}; may be repeated.
    #[arg(long)]
    recordings: Vec<PathBuf>,
    /// From the creation of a batch to its end: 500ms, 2s, 1m or 1h.
    #[arg(long, default_value = "500ms", value_parser = duration)]
    batch_delay: Duration,
    /// How long files live.
    #[arg(long, default_value = "48h", value_parser = duration)]
    file_ttl: Duration,
    /// JSON list of fault rules.
    #[arg(long)]
    faults: Option<PathBuf>,
    /// Keep files and batches here over restarts.
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// The only valid API keys; any key without this. May be repeated.
    #[arg(long = "accept-key")]
    accept_key: Vec<String>,
    /// Refuse the MIME type jsonl.
    #[arg(long)]
    strict_mime: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .ok_or("a unit is missing: ms, s, m or h")?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|e| format!("{text}: {e}"))?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("unknown unit {unit}: ms, s, m or h")),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(|| "too long".to_owned())
}

fn config(args: &Args) -> Result<SimConfig, Box<dyn Error>> {
    let recordings = Recordings::default();
    for path in &args.recordings {
        let named = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        let text = std::fs::read_to_string(path).map_err(|e| named(&e))?;
        recordings.add_jsonl(&text).map_err(|e| named(&e))?;
    }
    let faults: Vec<FaultRule> = match &args.faults {
        Some(path) => serde_json::from_str(&std::fs::read_to_string(path)?)?,
        None => Vec::new(),
    };
    Ok(SimConfig {
        recordings,
        batch_delay: args.batch_delay,
        accepted_keys: (!args.accept_key.is_empty()).then(|| args.accept_key.clone()),
        state_dir: args.state_dir.clone(),
        file_ttl: args.file_ttl,
        strict_mime: args.strict_mime,
        faults,
        ..SimConfig::default()
    })
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let signals = Signals::take()?;
    let config = config(&args)?;
    let recordings = config.recordings.len();
    let listener = TcpListener::bind(&args.listen).await?;
    let sim = GeminiSim::start(listener, config).await?;
    let ready = json!({"ready": true, "url": sim.url(), "recordings": recordings});
    writeln!(std::io::stdout(), "{ready}")?;
    signals.wait().await;
    sim.shutdown().await;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let directives = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".to_owned());
    let filter: Targets = match directives.parse() {
        Ok(filter) => filter,
        Err(error) => {
            eprintln!("RUST_LOG: {error}; expected e.g. warn,gemini_sim=debug");
            return ExitCode::FAILURE;
        }
    };
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(filter)
        .init();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "gemini-sim cannot run");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("48h"), Ok(Duration::from_secs(172_800)));
        for wrong in ["5", "s", "5d", ""] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
