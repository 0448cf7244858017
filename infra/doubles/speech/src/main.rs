//! `speech-sim`: the test doubles as a process of their own.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use doubles_serving::Signals;
use serde_json::json;
use speech_sim::{SpeechSim, s3_at};
use tokio::net::TcpListener;

/// Test doubles of speech-to-text vendors.
///
/// Prints one JSON line, {"ready":true,"url":…,"vendors":{…},"servers":{…}}, when it listens.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// Address of S3, or of what stands for it, for Amazon Transcribe.
    #[arg(long, value_name = "URL")]
    s3: Option<String>,
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let signals = Signals::take()?;
    let listener = TcpListener::bind(&args.listen).await?;
    let sim = SpeechSim::start_over(listener, args.s3.as_deref().map(s3_at)).await?;
    let vendors: std::collections::BTreeMap<_, _> = sim.vendor_urls().into_iter().collect();
    let servers: std::collections::BTreeMap<_, _> = sim.server_urls().into_iter().collect();
    let ready = json!({ "ready": true, "url": sim.url(), "vendors": vendors, "servers": servers });
    writeln!(std::io::stdout(), "{ready}")?;
    signals.wait().await;
    sim.shutdown().await;
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("speech-sim cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}
