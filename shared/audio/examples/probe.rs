//! `cargo run -p stt-eval-audio --example probe -- FILE…`: what registration would say of files.
//!
//! One line for each file: its verdict, and what the probe cost. The files are read as the bucket
//! is, range by range.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use stt_eval_audio::{Probe, SparseBytes, probe};

fn verdict(path: &str) -> std::io::Result<(Probe, SparseBytes)> {
    let mut file = File::open(path)?;
    let mut known = SparseBytes::new(file.metadata()?.len());
    loop {
        match probe(&known) {
            Probe::Need(range) => {
                let mut part = Vec::new();
                file.seek(SeekFrom::Start(range.start))?;
                file.by_ref()
                    .take(range.end - range.start)
                    .read_to_end(&mut part)?;
                known.insert(range.start, part);
            }
            decided => return Ok((decided, known)),
        }
    }
}

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let (verdict, known) = verdict(&path)?;
        let name = path.rsplit('/').next().unwrap_or_default();
        let cost = format!(
            "{} requests, {} bytes",
            known.fetches(),
            known.fetched_bytes()
        );
        match verdict {
            Probe::Audio(info) => println!(
                "{name}\tok\t{}\t{}\t{:.3}\t{}\t{}\t{cost}",
                info.format, info.codec, info.duration_seconds, info.sample_rate_hz, info.channels
            ),
            Probe::Rejected(reason) => println!("{name}\t{}\t{reason}\t{cost}", reason.code()),
            Probe::Need(_) => println!("{name}\tundecided\t{cost}"),
        }
    }
    Ok(())
}
