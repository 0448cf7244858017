//! What is found out of a recording from a few of its bytes, by the code of the service
//! itself.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use stt_eval_audio::cut::{Sound, Wave, wave};
use stt_eval_audio::{AudioInfo, Probe, Rejection, SparseBytes, probe};
use stt_eval_domain::validate::is_hostile;

/// What came of a look at the bytes that are known.
enum Look<T> {
    Found(T),
    Need(Range<u64>),
    Rejected(Rejection),
}

impl From<Probe> for Look<AudioInfo> {
    fn from(probe: Probe) -> Self {
        match probe {
            Probe::Audio(info) => Self::Found(info),
            Probe::Need(range) => Self::Need(range),
            Probe::Rejected(reason) => Self::Rejected(reason),
        }
    }
}

impl From<Sound> for Look<Wave> {
    fn from(sound: Sound) -> Self {
        match sound {
            Sound::Wave(wave) => Self::Found(wave),
            Sound::Need(range) => Self::Need(range),
            Sound::Rejected(reason) => Self::Rejected(reason),
        }
    }
}

/// Looks into a recording on this machine.
///
/// # Errors
/// Why it can't be used, in a sentence.
pub fn recording(path: &Path) -> Result<AudioInfo, String> {
    let mut other = false;
    let found = file(path, |known| {
        let look = probe(known);
        other = matches!(&look, Probe::Rejected(reason) if is_other(reason));
        look.into()
    });
    found.map_err(|reason| match (other, converted(path)) {
        (true, Some(command)) => format!("{reason} {command}"),
        _ => reason,
    })
}

/// Whether it is a recording that only has to be written in another form.
const fn is_other(reason: &Rejection) -> bool {
    matches!(
        reason,
        Rejection::UnsupportedFormat { .. }
            | Rejection::UnsupportedCodec { .. }
            | Rejection::Video
            | Rejection::NoDuration
    )
}

/// The command that writes it so, as a shell takes it.
fn converted(path: &Path) -> Option<String> {
    let (name, stem) = (path.file_name()?.to_str()?, path.file_stem()?.to_str()?);
    if name.chars().any(is_hostile) {
        return None;
    }
    // What begins with a dash would be an option.
    let beside = if name.starts_with('-') { "./" } else { "" };
    let (from, to) = (
        quoted(&format!("{beside}{name}")),
        quoted(&format!("{beside}{stem}.flac")),
    );
    Some(format!("ffmpeg -i {from} -ar 16000 -ac 1 {to}"))
}

/// A word of a command as a shell takes it for one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.,:/+=@%".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// Where the sound of a WAV file lies.
///
/// # Errors
/// Why it can't be used, in a sentence.
pub fn sound(path: &Path) -> Result<Wave, String> {
    file(path, |known| wave(known).into())
}

/// Looks into a recording that is here as a whole.
///
/// # Errors
/// Why it can't be used, in a sentence.
pub fn bytes(all: &[u8]) -> Result<AudioInfo, String> {
    let read = |range: Range<u64>| {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(all.len());
        let found = all.get(at(range.start)..at(range.end));
        Ok(found.unwrap_or_default().to_vec())
    };
    looked_into(all.len() as u64, read, |known| probe(known).into())
}

fn file<T>(path: &Path, look: impl FnMut(&SparseBytes) -> Look<T>) -> Result<T, String> {
    let told = |error: std::io::Error| format!("can't be read: {error}");
    let mut file = File::open(path).map_err(told)?;
    let length = file.metadata().map_err(told)?.len();
    let read = |range: Range<u64>| {
        file.seek(SeekFrom::Start(range.start)).map_err(told)?;
        let wanted = range.end - range.start;
        let mut bytes = Vec::new();
        (&file).take(wanted).read_to_end(&mut bytes).map_err(told)?;
        Ok(bytes)
    };
    looked_into(length, read, look)
}

/// Why a recording is refused that lies here: nothing of it was sent.
fn told(reason: &Rejection) -> String {
    match reason {
        Rejection::Truncated {
            expected_bytes: Some(expected),
            actual_bytes,
        } => format!(
            "The file is cut off: it should be at least {expected} bytes long, and has {actual_bytes}."
        ),
        Rejection::Truncated { actual_bytes, .. } => {
            format!("The file is cut off after {actual_bytes} bytes.")
        }
        Rejection::Video => "The file contains video; only sound is taken.".to_owned(),
        Rejection::NoDuration => {
            "The length of the recording cannot be determined; please convert the file.".to_owned()
        }
        Rejection::SeveralRecordings => {
            "The file holds several recordings joined together; please \
                                         make one file of each."
                .to_owned()
        }
        Rejection::TooScattered => "The description inside the file is too large or too scattered \
                                    to be read; please convert the file."
            .to_owned(),
        reason => reason.to_string(),
    }
}

fn looked_into<T>(
    length: u64,
    mut read: impl FnMut(Range<u64>) -> Result<Vec<u8>, String>,
    mut look: impl FnMut(&SparseBytes) -> Look<T>,
) -> Result<T, String> {
    let mut known = SparseBytes::new(length);
    loop {
        match look(&known) {
            Look::Found(found) => return Ok(found),
            Look::Rejected(reason) => return Err(format!("refused: {}", told(&reason))),
            Look::Need(range) => {
                let start = range.start;
                let bytes = read(range)?;
                if bytes.is_empty() {
                    return Err("grew shorter while it was read".to_owned());
                }
                known.insert(start, bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_command_are_quoted_for_a_shell() {
        for (name, wanted) in [
            ("a.aiff", "ffmpeg -i a.aiff -ar 16000 -ac 1 a.flac"),
            (
                "my file.aiff",
                "ffmpeg -i 'my file.aiff' -ar 16000 -ac 1 'my file.flac'",
            ),
            (
                "it's;$(x).aiff",
                "ffmpeg -i 'it'\\''s;$(x).aiff' -ar 16000 -ac 1 'it'\\''s;$(x).flac'",
            ),
            ("-y.aiff", "ffmpeg -i ./-y.aiff -ar 16000 -ac 1 ./-y.flac"),
        ] {
            assert_eq!(converted(Path::new(name)).as_deref(), Some(wanted));
        }
        assert_eq!(converted(Path::new("a\u{202e}b.aiff")), None);
        assert_eq!(converted(Path::new("a\nb.aiff")), None);
    }
}
