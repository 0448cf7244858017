//! Writing result files, and breaking them on purpose.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use ring::digest;

use crate::fault::MalformedForm;

/// A result line that cannot be used.
pub(crate) fn malformed(form: MalformedForm, line: &str) -> Vec<u8> {
    match form {
        MalformedForm::Truncated => {
            let cut = line
                .char_indices()
                .nth(line.chars().count() / 2)
                .map_or(0, |(at, _)| at);
            line.as_bytes()[..cut].to_vec()
        }
        MalformedForm::NotJson => b"Internal error encountered.".to_vec(),
        MalformedForm::NotObject => format!("[{line}]").into_bytes(),
        MalformedForm::BadUtf8 => {
            let mut bytes = line.as_bytes().to_vec();
            let middle = bytes.len() / 2;
            bytes.splice(middle..middle, [0xff, 0xfe]);
            bytes
        }
        MalformedForm::Empty => b"{}".to_vec(),
    }
}

/// Fisher and Yates with a small generator; the same seed, the same order.
pub(crate) fn shuffle(lines: &mut [Vec<u8>], seed: u64) {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    let first = lines.first().cloned();
    for end in (1..lines.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let pick = (state >> 33) as usize % (end + 1);
        lines.swap(end, pick);
    }
    // Never by chance the order of the input.
    if lines.len() > 1 && lines.first() == first.as_ref() {
        lines.rotate_left(1);
    }
}

/// Writes a file and hashes it on the way.
pub(crate) struct HashingWriter {
    out: BufWriter<File>,
    hash: digest::Context,
    size: u64,
}

impl HashingWriter {
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            out: BufWriter::new(File::create(path)?),
            hash: digest::Context::new(&digest::SHA256),
            size: 0,
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.out.write_all(bytes)?;
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn lines(&mut self, lines: &[Vec<u8>]) -> std::io::Result<()> {
        for line in lines {
            self.write(line)?;
            self.write(b"\n")?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> std::io::Result<(u64, String)> {
        self.out.flush()?;
        Ok((self.size, hex::encode(self.hash.finish())))
    }
}
