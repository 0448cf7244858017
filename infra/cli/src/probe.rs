//! What a recording is, from a few of its bytes, by the prober of the service itself.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use stt_eval_audio::{AudioInfo, Probe, SparseBytes, probe};

/// Looks into a recording.
///
/// # Errors
/// Why it can't be used, in a sentence.
pub fn recording(path: &Path) -> Result<AudioInfo, String> {
    let told = |error: std::io::Error| format!("can't be read: {error}");
    let mut file = File::open(path).map_err(told)?;
    let length = file.metadata().map_err(told)?.len();
    let mut known = SparseBytes::new(length);
    loop {
        match probe(&known) {
            Probe::Audio(info) => return Ok(info),
            Probe::Rejected(reason) => return Err(format!("refused: {reason}")),
            Probe::Need(range) => {
                file.seek(SeekFrom::Start(range.start)).map_err(told)?;
                let wanted = range.end - range.start;
                let mut bytes = Vec::new();
                (&file).take(wanted).read_to_end(&mut bytes).map_err(told)?;
                if bytes.is_empty() {
                    return Err("grew shorter while it was read".to_owned());
                }
                known.insert(range.start, bytes);
            }
        }
    }
}
