//! Names of what is not taken: other formats of sound, and files that are no recordings.

use super::flac;
use super::rejection::Rejection;

/// Other formats of sound, by how they begin.
const FORMATS: [(&[u8], &str); 30] = [
    (b"RIFX", "RIFX (big-endian WAV)"),
    (b"NIST_1A", "NIST SPHERE"),
    (b"riff\x2E\x91\xCF\x11", "Wave64 (W64)"),
    (b"#!AMR-WB_MC", "AMR-WB"),
    (b"#!AMR-WB", "AMR-WB"),
    (b"#!AMR", "AMR-NB"),
    (b"#!SILK", "SILK"),
    (b"\x02#!SILK", "SILK"),
    (b"#!EVRC", "EVRC"),
    (b"caff", "CAF"),
    (
        b"\x30\x26\xB2\x75\x8E\x66\xCF\x11",
        "Windows Media (WMA, ASF)",
    ),
    (b".snd", "AU"),
    (b"wvpk", "WavPack"),
    (b"MAC ", "Monkey's Audio"),
    (b"TTA1", "TTA"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"OFR ", "OptimFROG"),
    (b"ajkg", "Shorten"),
    (b"DSD ", "DSF"),
    (b"FRM8", "DSDIFF"),
    (b"ADIF", "raw AAC (ADIF)"),
    (b"Creative Voice File", "VOC"),
    (b"\x02dss", "DSS"),
    (b"\x03dss", "DSS"),
    (b"\x03ds2", "DSS"),
    (b".RMF", "RealMedia"),
    (b".ra\xFD", "RealAudio"),
    (b"\x7F\xFE\x80\x01", "DTS"),
    (b"\x64\xA3\x01\0", "IRCAM"),
];

/// Files that are no recordings, by how they begin.
const OTHERS: [(&[u8], &str); 24] = [
    (b"MThd", "a MIDI file, which holds notes and no sound"),
    (b"\xFF\xFE", "a text file"),
    (b"\xFE\xFF", "a text file"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"PK\x05\x06", "a ZIP archive or an office document"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xFF\xD8\xFF", "a picture"),
    (b"GIF8", "a picture"),
    (b"BM", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"8BPS", "a picture"),
    (b"\x1F\x8B", "a compressed archive"),
    (b"7z\xBC\xAF", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
    (b"BZh", "a compressed archive"),
    (b"\xFD7zXZ", "a compressed archive"),
    (b"\x28\xB5\x2F\xFD", "a compressed archive"),
    (b"PAR1", "a Parquet table"),
    (b"SQLite format 3", "a database"),
    (b"\x7FELF", "a program"),
    (b"MZ", "a program"),
    (b"\xD0\xCF\x11\xE0", "an office document"),
];

/// Another format of sound, or video, that says so in its first bytes.
pub(super) fn named(head: &[u8]) -> Option<Rejection> {
    let at = |offset: usize, magic: &[u8]| head.get(offset..offset + magic.len()) == Some(magic);
    if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
        return Some(Rejection::UnsupportedFormat { name: "AIFF" });
    }
    if at(4, b"moov") || at(4, b"mdat") || at(4, b"wide") {
        return Some(Rejection::UnsupportedFormat {
            name: "old QuickTime",
        });
    }
    if at(0, b"FLV\x01") || at(0, b"\0\0\x01\xBA") {
        return Some(Rejection::Video);
    }
    FORMATS
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map(|(_, name)| Rejection::UnsupportedFormat { name })
}

/// What a file looks like that is none of the six formats.
pub(super) fn other(head: &[u8]) -> Rejection {
    if flac::is_frame(head) {
        return Rejection::Malformed(
            "it is FLAC without the header that every file begins with".into(),
        );
    }
    if is_adts(head) {
        return Rejection::UnsupportedFormat {
            name: "raw AAC (ADTS)",
        };
    }
    if head.len() >= 2 && head[0] == 0x56 && head[1] & 0xE0 == 0xE0 {
        return Rejection::UnsupportedFormat {
            name: "raw AAC (LATM)",
        };
    }
    if head.len() >= 2 && head[0] == 0xFF && head[1] & 0xE6 == 0xE4 {
        return Rejection::UnsupportedFormat {
            name: "MPEG layer II",
        };
    }
    let known = OTHERS.iter().find(|(magic, _)| head.starts_with(magic));
    Rejection::NotAudio {
        looks_like: known
            .map(|(_, thing)| *thing)
            .or_else(|| markup(head))
            .or_else(|| text(head)),
    }
}

/// The header of a frame of raw AAC, with a sample rate and a length that are possible.
fn is_adts(head: &[u8]) -> bool {
    let Some(&[0xFF, sync, rate, len_high, len, len_low]) = head.first_chunk::<6>() else {
        return false;
    };
    let len = u32::from(len_high & 3) << 11 | u32::from(len) << 3 | u32::from(len_low >> 5);
    sync & 0xF6 == 0xF0 && rate >> 2 & 0xF <= 12 && len >= 7
}

/// Web pages and XML, such as the error page that a download left under the name of a recording.
fn markup(head: &[u8]) -> Option<&'static str> {
    let start = head
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(head)
        .trim_ascii_start();
    let begins = |word: &[u8]| {
        start
            .get(..word.len())
            .is_some_and(|first| first.eq_ignore_ascii_case(word))
    };
    if begins(b"<!doctype html") || begins(b"<html") {
        return Some("a web page");
    }
    if begins(b"<svg") {
        return Some("a picture");
    }
    begins(b"<?xml").then_some("an XML document")
}

/// Whether the bytes read as text.
fn text(head: &[u8]) -> Option<&'static str> {
    let sample = &head[..head.len().min(4096)];
    let valid = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // A character cut in two by the end of the sample is no reason to doubt.
        Err(error) if sample.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&sample[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    if valid.is_empty() || valid.chars().any(odd) {
        return None;
    }
    Some("a text file")
}
