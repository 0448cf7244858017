//! WAV as FLAC on its way out: the same samples in about half the bytes.
//!
//! Vendors want the length of what they are sent before its first byte, and FLAC has
//! none until it is made. So it is made twice: once for the length of each block, and
//! once more, block by block, while it is sent; from any block on, for uploads that go
//! on where they broke off. In memory are a block, what storage gave of the next ones,
//! and four bytes for the length of each block: 130 kB for the longest recording that
//! is taken. Short ones are kept from the first time.

mod encoder;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use ring::digest::{SHA256, digest};
use stt_eval_shared::audio::SparseBytes;
use stt_eval_shared::audio::cut::{Sound, wave};
use stt_eval_shared::providers::{AudioSource, ByteStream};

use encoder::{Encoder, HEADER, Shape};

/// Largest recording that is encoded: 35 minutes at 16 kHz. What takes longer would take
/// the time of the worker that sends it.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Most bytes of FLAC that are kept: half a minute at 16 kHz. A worker has those of a
/// unit at most, which is of 100 recordings at most.
const KEPT: u64 = 512 * 1024;
/// Where the samples must have begun.
const HEAD: u64 = 64 * 1024;

/// A recording as FLAC.
pub struct Flac {
    wav: Arc<dyn AudioSource>,
    shape: Shape,
    /// Where the samples lie in the recording.
    data: Range<u64>,
    /// Bytes of each block.
    sizes: Arc<[u32]>,
    length: u64,
    /// All of it, where it is short.
    kept: Option<Bytes>,
}

impl std::fmt::Debug for Flac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flac")
            .field("length", &self.length)
            .field("blocks", &self.sizes.len())
            .finish_non_exhaustive()
    }
}

impl Flac {
    /// A recording as FLAC. `None` if it is no WAV of 16 bits with up to eight channels,
    /// not as its header says, too large, or no smaller as FLAC.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn of(wav: Arc<dyn AudioSource>) -> std::io::Result<Option<Self>> {
        let total = wav.len();
        if total > MAX_BYTES {
            return Ok(None);
        }
        let mut read = Reader::of(wav.open(0, total).await?);
        let mut known = SparseBytes::new(total);
        known.insert(0, read.peek(total.min(HEAD)).await?);
        let Sound::Wave(found) = wave(&known) else {
            return Ok(None);
        };
        let Some(sound) = found.pcm16() else {
            return Ok(None);
        };
        let Some(shape) = Shape::of(&sound) else {
            return Ok(None);
        };
        let Some(mut encoder) = Encoder::new(&shape) else {
            return Ok(None);
        };
        read.take(sound.data.start).await?;
        let mut kept = Some(BytesMut::from(&shape.header()[..]));
        let mut length = HEADER as u64;
        let mut sizes = Vec::new();
        for number in 0..shape.blocks() {
            let samples = read.take(shape.offset(number + 1) - shape.offset(number));
            let block = encoder.block(number, &samples.await?)?;
            length += block.len() as u64;
            if length >= total {
                return Ok(None);
            }
            sizes.push(u32::try_from(block.len()).map_err(std::io::Error::other)?);
            match &mut kept {
                Some(kept) if length <= KEPT => kept.extend_from_slice(&block),
                _ => kept = None,
            }
            // Others have work as well, and a block takes a millisecond.
            tokio::task::yield_now().await;
        }
        Ok(Some(Self {
            wav,
            shape,
            data: sound.data,
            sizes: sizes.into(),
            length,
            kept: kept.map(BytesMut::freeze),
        }))
    }

    /// The blocks that hold bytes `[start, end)`, and where the first of them begins.
    fn blocks_of(&self, start: u64, end: u64) -> (Range<u64>, u64) {
        let (mut first, mut begins, mut at) = (0, HEADER as u64, HEADER as u64);
        for (number, size) in (0..).zip(self.sizes.iter()) {
            if at >= end {
                return (first..number, begins);
            }
            if at <= start {
                (first, begins) = (number, at);
            }
            at += u64::from(*size);
        }
        (first..self.shape.blocks(), begins)
    }
}

#[async_trait]
impl AudioSource for Flac {
    fn len(&self) -> u64 {
        self.length
    }

    fn sha256(&self) -> Option<[u8; 32]> {
        let kept = self.kept.as_ref()?;
        digest(&SHA256, kept).as_ref().try_into().ok()
    }

    async fn open(&self, start: u64, end: u64) -> std::io::Result<ByteStream> {
        let wanted = start.min(self.length)..end.min(self.length);
        if wanted.is_empty() {
            return Ok(stream::empty().boxed());
        }
        if let Some(kept) = &self.kept {
            // Both are within it.
            let part = kept.slice(wanted.start as usize..wanted.end as usize);
            return Ok(stream::iter([Ok(part)]).boxed());
        }
        let header = Bytes::copy_from_slice(&self.shape.header());
        let head = part(header, 0, &wanted);
        let (blocks, begins) = self.blocks_of(wanted.start, wanted.end);
        let from = |block| self.data.start + self.shape.offset(block);
        let samples = self.wav.open(from(blocks.start), from(blocks.end)).await?;
        let encoder = Encoder::new(&self.shape);
        let encoder = encoder.ok_or_else(|| std::io::Error::other("FLAC: the encoder"))?;
        let making = Making {
            read: Reader::of(samples),
            encoder,
            shape: self.shape,
            sizes: Arc::clone(&self.sizes),
            blocks,
            begins,
            wanted,
        };
        let made = stream::try_unfold(making, Making::next);
        let head = stream::iter((!head.is_empty()).then_some(Ok(head)));
        Ok(head.chain(made).boxed())
    }
}

/// The part of some bytes that is wanted, where they begin at an offset.
fn part(bytes: Bytes, begins: u64, wanted: &Range<u64>) -> Bytes {
    let within = |at: u64| at.saturating_sub(begins).min(bytes.len() as u64) as usize;
    bytes.slice(within(wanted.start)..within(wanted.end))
}

/// Blocks on their way out.
struct Making {
    read: Reader,
    encoder: Encoder,
    shape: Shape,
    sizes: Arc<[u32]>,
    /// Those still to be made.
    blocks: Range<u64>,
    /// Where the first of them begins in the file.
    begins: u64,
    /// Which bytes of the file are asked for.
    wanted: Range<u64>,
}

impl Making {
    async fn next(mut self) -> std::io::Result<Option<(Bytes, Self)>> {
        let Some(number) = self.blocks.next() else {
            return Ok(None);
        };
        let length = self.shape.offset(number + 1) - self.shape.offset(number);
        let block = self.encoder.block(number, &self.read.take(length).await?)?;
        // Its length was told before.
        if self.sizes.get(number as usize).copied() != u32::try_from(block.len()).ok() {
            let error = "FLAC: the recording is not what it was a moment ago";
            return Err(std::io::Error::other(error));
        }
        let begins = self.begins;
        self.begins += block.len() as u64;
        let block = part(block.into(), begins, &self.wanted);
        Ok(Some((block, self)))
    }
}

/// Bytes as they come, in lengths that are asked for.
struct Reader {
    bytes: ByteStream,
    pending: BytesMut,
}

impl Reader {
    fn of(bytes: ByteStream) -> Self {
        Self {
            bytes,
            pending: BytesMut::new(),
        }
    }

    /// The next bytes, which stay. Their number is bounded by what calls.
    async fn peek(&mut self, length: u64) -> std::io::Result<Bytes> {
        let length = self.fill(length).await?;
        Ok(Bytes::copy_from_slice(&self.pending[..length]))
    }

    /// The next bytes.
    async fn take(&mut self, length: u64) -> std::io::Result<Bytes> {
        let length = self.fill(length).await?;
        Ok(self.pending.split_to(length).freeze())
    }

    async fn fill(&mut self, length: u64) -> std::io::Result<usize> {
        let length = usize::try_from(length).map_err(std::io::Error::other)?;
        while self.pending.len() < length {
            let more = self.bytes.next().await.transpose()?;
            let more = more.ok_or(std::io::ErrorKind::UnexpectedEof)?;
            self.pending.extend_from_slice(&more);
        }
        Ok(length)
    }
}
