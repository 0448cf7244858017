//! How large WAV files are as FLAC, and how long making it takes: for `infra/bench/cost.py`.
//!
//! `lossless <WAV file>…`; prints one line.
#![allow(clippy::print_stdout, reason = "what it is for")]

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use stt_eval_shared::providers::{AudioSource, ByteStream};
use submit::lossless::Flac;

struct File(Bytes);

#[async_trait]
impl AudioSource for File {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    async fn open(&self, start: u64, end: u64) -> std::io::Result<ByteStream> {
        let part = self.0.slice(start as usize..end as usize);
        Ok(stream::iter([Ok(part)]).boxed())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (mut wav, mut flac, mut left) = (0, 0, 0);
    let begun = Instant::now();
    for path in std::env::args().skip(1) {
        let file = File(std::fs::read(path)?.into());
        let length = file.len();
        match Flac::of(Arc::new(file)).await? {
            Some(made) => {
                wav += length;
                flac += made.len();
            }
            None => left += 1,
        }
    }
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    println!(
        "{wav} bytes of WAV are {flac} of FLAC ({:.3}), {:.0} ms for each MB; {left} files stay as they are",
        flac as f64 / wav as f64,
        ms / (wav as f64 / 1e6),
    );
    Ok(())
}
