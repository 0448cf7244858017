//! Bits one behind the other, and the checksums of FLAC.

/// Bits that are written, the highest first.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// The last ones, fewer than a byte.
    rest: u64,
    count: u32,
}

impl Bits {
    /// The lowest bits of a value, 32 at most; those above are 0.
    pub(super) fn put(&mut self, value: u64, bits: u32) {
        self.rest = self.rest << bits | value;
        self.count += bits;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push((self.rest >> self.count) as u8);
        }
    }

    /// A number with its sign, which fits into so many bits.
    pub(super) fn signed(&mut self, value: i32, bits: u32) {
        self.put(value as u64 & ((1 << bits) - 1), bits);
    }

    /// A number as UTF-8 writes a character, which FLAC goes on with up to 36 bits.
    pub(super) fn number(&mut self, number: u64) {
        if number < 0x80 {
            return self.put(number, 8);
        }
        // Bytes behind the first one, each with 6 bits; the first one has 6 fewer and one
        // more for each of them.
        let behind = (1..=6).find(|behind| number >> (6 * behind + 6 - behind) == 0);
        let behind = behind.unwrap_or(6);
        let marks = 0xFF_u64 << (7 - behind) & 0xFF;
        self.put(marks | number >> (6 * behind), 8);
        for at in (0..behind).rev() {
            self.put(0x80 | (number >> (6 * at) & 0x3F), 8);
        }
    }

    /// Zeros up to the end of the byte.
    pub(super) fn align(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }

    /// The whole bytes that there are.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Checksum of a frame's header.
pub(super) fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum, _| {
            let out = sum & 0x80 != 0;
            sum << 1 ^ if out { 0x07 } else { 0 }
        })
    })
}

/// Checksum of a frame.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        sum << 8 ^ CRC16[usize::from(sum >> 8 ^ u16::from(*byte))]
    })
}

/// The checksum of each byte.
static CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            let out = sum & 0x8000 != 0;
            sum = sum << 1 ^ if out { 0x8005 } else { 0 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};
