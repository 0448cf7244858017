//! The four-byte header of an MPEG audio frame.
//!
//! The library has a parser too, but keeps it private and resynchronises over junk by itself;
//! telling an MP3 from random bytes needs the frames to follow each other without a gap.

/// Bit rates in kbit/s of layer III by index, for MPEG-1 and for MPEG-2 and 2.5.
const KBPS_V1: [u32; 16] = [
    0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0,
];
const KBPS_V2: [u32; 16] = [
    0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0,
];

/// What a layer III frame header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    /// 0 = MPEG-2.5, 2 = MPEG-2, 3 = MPEG-1, as in the header.
    version: u8,
    pub sample_rate_hz: u32,
    pub bits_per_second: u32,
    pub mono: bool,
    /// Length of the whole frame in bytes, header included.
    pub len: u64,
}

impl FrameHeader {
    /// Reads a layer III header. `None` for anything else, free-format bit rates included.
    pub(super) fn parse(bytes: [u8; 4]) -> Option<Self> {
        let [sync, b1, b2, b3] = bytes;
        let version = (b1 >> 3) & 3;
        let layer = (b1 >> 1) & 3;
        if sync != 0xFF || b1 & 0xE0 != 0xE0 || version == 1 || layer != 1 || b3 & 3 == 2 {
            return None;
        }
        let rates = match version {
            3 => [44_100, 48_000, 32_000],
            2 => [22_050, 24_000, 16_000],
            _ => [11_025, 12_000, 8_000],
        };
        let sample_rate_hz = *rates.get(usize::from((b2 >> 2) & 3))?;
        let kbps = if version == 3 { KBPS_V1 } else { KBPS_V2 };
        let bits_per_second = kbps[usize::from(b2 >> 4)] * 1000;
        if bits_per_second == 0 {
            return None;
        }
        let samples = if version == 3 { 1152 } else { 576 };
        let padding = u32::from((b2 >> 1) & 1);
        let len = u64::from(samples / 8 * bits_per_second / sample_rate_hz + padding);
        Some(Self {
            version,
            sample_rate_hz,
            bits_per_second,
            mono: b3 >> 6 == 3,
            len,
        })
    }

    /// Samples per channel in one frame.
    pub(super) fn samples(&self) -> u32 {
        if self.version == 3 { 1152 } else { 576 }
    }

    /// Whether `next` can follow in the same stream.
    pub(super) fn continues(&self, next: &Self) -> bool {
        self.version == next.version && self.sample_rate_hz == next.sample_rate_hz
    }

    /// Where a Xing or Info tag stands in a frame, from the start of the frame.
    pub(super) fn xing_offset(&self) -> usize {
        match (self.version == 3, self.mono) {
            (true, true) | (false, false) => 4 + 17,
            (true, false) => 4 + 32,
            (false, true) => 4 + 9,
        }
    }
}

/// A run of frames without a gap.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Run {
    pub frames: u64,
    pub bytes: u64,
    /// The bit rate, if it is that of all frames.
    pub bits_per_second: Option<u32>,
}

/// Follows the frames from the start of `window` for as long as each is whole and continues the
/// one before it.
pub(super) fn run(window: &[u8]) -> Run {
    run_of(window, None)
}

/// The same, of frames that continue `first` if there is one.
pub(super) fn run_of(window: &[u8], mut first: Option<FrameHeader>) -> Run {
    let mut seen = Run::default();
    let mut at = 0usize;
    while let Some(header) = header_at(window, at) {
        let start = *first.get_or_insert(header);
        let end = at + header.len as usize;
        if !start.continues(&header) || end > window.len() {
            break;
        }
        let bits_per_second = Some(header.bits_per_second);
        if seen.frames == 0 {
            seen.bits_per_second = bits_per_second;
        } else if seen.bits_per_second != bits_per_second {
            seen.bits_per_second = None;
        }
        seen.frames += 1;
        at = end;
    }
    seen.bytes = at as u64;
    seen
}

/// The header at `at`, if there is one.
pub(super) fn header_at(window: &[u8], at: usize) -> Option<FrameHeader> {
    let bytes: [u8; 4] = window.get(at..at.checked_add(4)?)?.try_into().ok()?;
    FrameHeader::parse(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_known_headers() {
        let cd = FrameHeader::parse([0xFF, 0xFB, 0x90, 0x00]).unwrap();
        assert_eq!(
            (cd.sample_rate_hz, cd.bits_per_second, cd.len),
            (44_100, 128_000, 417)
        );
        assert_eq!((cd.samples(), cd.xing_offset()), (1152, 36));
        let speech = FrameHeader::parse([0xFF, 0xF3, 0x38, 0xC4]).unwrap();
        assert_eq!(
            (speech.sample_rate_hz, speech.bits_per_second),
            (16_000, 24_000)
        );
        assert_eq!(
            (speech.mono, speech.samples(), speech.len),
            (true, 576, 108)
        );
    }

    #[test]
    fn refuses_other_layers_and_reserved_values() {
        for bytes in [
            [0xFF, 0xFD, 0x90, 0x00], // layer II
            [0xFF, 0xF1, 0x50, 0x80], // ADTS AAC
            [0xFF, 0xFB, 0x00, 0x00], // free format
            [0xFF, 0xFB, 0xF0, 0x00], // bad bit rate
            [0xFF, 0xFB, 0x9C, 0x00], // bad sample rate
            [0xFF, 0xEB, 0x90, 0x00], // reserved version
            [0xFF, 0xFB, 0x90, 0x02], // reserved emphasis
        ] {
            assert_eq!(FrameHeader::parse(bytes), None, "{bytes:x?}");
        }
    }
}
