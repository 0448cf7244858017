//! Stands in for the crate `crc-fast`, by `[patch.crates-io]`.
//!
//! The AWS SDK takes three checksums from it. The original brings the tables of a
//! hundred kinds, 650 KB that hardly compress: an eighth of a deployed function.
//! This one has the three, with a table of 2 KB each. It is slower (some hundred
//! MB a second), which nobody notices: this project asks S3 for no checksums but
//! where a request must have one, which are short lists. `aws-smithy-checksums`
//! names what is needed here; when it needs more, it does not compile.

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

type Table = [u64; 256];

/// The table of a reflected polynomial.
const fn table(polynomial: u64) -> Table {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { polynomial } else { 0 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

static CRC32: Table = table(0xedb8_8320);
static CRC32C: Table = table(0x82f6_3b78);
static CRC64: Table = table(0x9a6c_9329_ac4b_c9b5);

impl CrcAlgorithm {
    fn table(self) -> &'static Table {
        match self {
            Self::Crc32IsoHdlc => &CRC32,
            Self::Crc32Iscsi => &CRC32C,
            Self::Crc64Nvme => &CRC64,
        }
    }

    /// All bits: what each kind begins with, and is inverted by at its end.
    fn ones(self) -> u64 {
        match self {
            Self::Crc32IsoHdlc | Self::Crc32Iscsi => u64::from(u32::MAX),
            Self::Crc64Nvme => u64::MAX,
        }
    }
}

/// A checksum in the making.
#[derive(Debug, Clone, Copy)]
pub struct Digest {
    algorithm: CrcAlgorithm,
    crc: u64,
}

impl Digest {
    /// Of nothing yet.
    #[must_use]
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        Self {
            algorithm,
            crc: algorithm.ones(),
        }
    }

    /// Goes on with more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let table = self.algorithm.table();
        for byte in bytes {
            let [low, ..] = self.crc.to_le_bytes();
            self.crc = (self.crc >> 8) ^ table[usize::from(low ^ byte)];
        }
    }

    /// The checksum so far.
    #[must_use]
    pub fn finalize(&self) -> u64 {
        self.crc ^ self.algorithm.ones()
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
