//! Files of a source as the reader of Parquet wants them.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::files::Random;

/// A file that is read from any place on.
#[derive(Clone)]
pub(super) struct Source {
    from: Arc<Mutex<Box<dyn Random>>>,
    length: u64,
}

impl Source {
    pub(super) fn new(mut from: Box<dyn Random>) -> std::io::Result<Self> {
        let length = from.seek(SeekFrom::End(0))?;
        Ok(Self {
            from: Arc::new(Mutex::new(from)),
            length,
        })
    }

    fn read_at(&self, start: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut from = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        from.seek(SeekFrom::Start(start))?;
        from.read(buffer)
    }
}

/// The rest of a file from a place on.
pub(super) struct Rest {
    source: Source,
    at: u64,
}

impl Read for Rest {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.source.read_at(self.at, buffer)?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Source {
    type T = BufReader<Rest>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(Rest {
            source: self.clone(),
            at: start,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // A length that is claimed is not reserved before it is known to be there.
        let mut bytes = Vec::new();
        self.get_read(start)?
            .take(length as u64)
            .read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!(
                "{length} bytes from {start} on, the file has {}",
                self.length
            )));
        }
        Ok(bytes.into())
    }
}
