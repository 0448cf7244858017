//! What a recording is, from a few of its bytes, by the prober of the service itself.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use stt_eval_audio::{AudioInfo, Probe, SparseBytes, probe};

/// Looks into a recording on this machine.
///
/// # Errors
/// Why it can't be used, in a sentence.
pub fn recording(path: &Path) -> Result<AudioInfo, String> {
    let told = |error: std::io::Error| format!("can't be read: {error}");
    let mut file = File::open(path).map_err(told)?;
    let length = file.metadata().map_err(told)?.len();
    looked_into(length, |range| {
        file.seek(SeekFrom::Start(range.start)).map_err(told)?;
        let wanted = range.end - range.start;
        let mut bytes = Vec::new();
        (&file).take(wanted).read_to_end(&mut bytes).map_err(told)?;
        Ok(bytes)
    })
}

/// Looks into a recording that is here as a whole.
///
/// # Errors
/// Why it can't be used, in a sentence.
pub fn bytes(all: &[u8]) -> Result<AudioInfo, String> {
    looked_into(all.len() as u64, |range| {
        let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(all.len());
        let found = all.get(at(range.start)..at(range.end));
        Ok(found.unwrap_or_default().to_vec())
    })
}

fn looked_into(
    length: u64,
    mut read: impl FnMut(Range<u64>) -> Result<Vec<u8>, String>,
) -> Result<AudioInfo, String> {
    let mut known = SparseBytes::new(length);
    loop {
        match probe(&known) {
            Probe::Audio(info) => return Ok(info),
            Probe::Rejected(reason) => return Err(format!("refused: {reason}")),
            Probe::Need(range) => {
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
