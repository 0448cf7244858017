//! Stands in for the crate `crc-fast`, by `[patch.crates-io]`.
//!
//! The AWS SDK takes three checksums from it. The original brings the tables of a
//! hundred kinds, 650 KB that hardly compress: an eighth of a deployed function.
//! This one takes the three from the crate `crc`, with a table of 1 or 2 KB each.
//! That is slower (some hundred MB a second), and does not matter: this project
//! asks S3 for no checksums but where a request must have one, which are short
//! lists. `aws-smithy-checksums` names what is needed here; when it needs more, it
//! does not compile.

use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc};

static CRC32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
static CRC64: Crc<u64> = Crc::<u64>::new(&CRC_64_NVME);

/// A kind of checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// CRC-32, as in zip files.
    Crc32IsoHdlc,
    /// CRC-32C.
    Crc32Iscsi,
    /// CRC-64/NVME.
    Crc64Nvme,
}

#[derive(Clone)]
enum State {
    Narrow(crc::Digest<'static, u32>),
    Wide(crc::Digest<'static, u64>),
}

/// A checksum in the making.
#[derive(Clone)]
pub struct Digest(State);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Digest").field(&self.finalize()).finish()
    }
}

impl Digest {
    /// Of nothing yet.
    #[must_use]
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        Self(match algorithm {
            CrcAlgorithm::Crc32IsoHdlc => State::Narrow(CRC32.digest()),
            CrcAlgorithm::Crc32Iscsi => State::Narrow(CRC32C.digest()),
            CrcAlgorithm::Crc64Nvme => State::Wide(CRC64.digest()),
        })
    }

    /// Goes on with more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Narrow(digest) => digest.update(bytes),
            State::Wide(digest) => digest.update(bytes),
        }
    }

    /// The checksum so far.
    #[must_use]
    pub fn finalize(&self) -> u64 {
        match &self.0 {
            State::Narrow(digest) => u64::from(digest.clone().finalize()),
            State::Wide(digest) => digest.clone().finalize(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksum(algorithm: CrcAlgorithm, parts: &[&[u8]]) -> u64 {
        let mut digest = Digest::new(algorithm);
        for part in parts {
            digest.update(part);
        }
        digest.finalize()
    }

    /// The check values of the catalogue of parametrised CRC algorithms.
    #[test]
    fn check_values() {
        for (algorithm, check) in [
            (CrcAlgorithm::Crc32IsoHdlc, 0xcbf4_3926),
            (CrcAlgorithm::Crc32Iscsi, 0xe306_9283),
            (CrcAlgorithm::Crc64Nvme, 0xae8b_1486_0a79_9888),
        ] {
            assert_eq!(checksum(algorithm, &[b"123456789"]), check);
            assert_eq!(checksum(algorithm, &[b"1234", b"", b"56789"]), check);
            assert_eq!(checksum(algorithm, &[]), 0);
        }
    }
}
