//! Pieces of recordings, cut without loss into files that can be sent.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use stt_eval_audio::cut::{Wave, flac_to_wav};
use stt_eval_audio::{AudioFormat, AudioInfo};
use tempfile::TempDir;

use crate::failure::Failure;
use crate::probe::sound;
use crate::unpack::{create, temporary};

/// Seconds by which tables and recordings differ where the whole is meant.
const ROUNDED: f64 = 0.05;

/// Whether less than the whole recording is meant.
pub fn is_piece(info: &AudioInfo, start: Option<f64>, end: Option<f64>) -> bool {
    let all = info.duration_seconds;
    start.is_some_and(|start| start != 0.0) || end.is_some_and(|end| end < all - ROUNDED)
}

/// Why a piece of a recording can't be had; `None` if it can.
pub fn refusal(info: &AudioInfo, start: Option<f64>, end: Option<f64>) -> Option<String> {
    if !is_piece(info, start, end) {
        return None;
    }
    if !matches!(info.format, AudioFormat::Wav | AudioFormat::Flac) {
        let format = info.format;
        return Some(format!(
            "only a piece of it is meant, and pieces are cut out of WAV and FLAC alone, not out of \
             {format}"
        ));
    }
    let (start, all) = (start.unwrap_or(0.0), info.duration_seconds);
    let end = end.unwrap_or(all);
    if start < 0.0 || start >= all || end <= start {
        return Some(format!(
            "there is nothing from {start} s to {end} s: it has {all:.3} s"
        ));
    }
    None
}

/// A recording that is cut.
struct Whole {
    path: PathBuf,
    wave: Wave,
}

/// Pieces, and recordings that became WAV for them; they go away with this value.
#[derive(Default)]
pub struct Pieces {
    folder: Option<TempDir>,
    wholes: HashMap<PathBuf, Whole>,
    made: usize,
}

impl std::fmt::Debug for Pieces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pieces").field("made", &self.made).finish()
    }
}

impl Pieces {
    /// A file with the piece of a recording from one moment to another, in seconds.
    ///
    /// # Errors
    /// Why it can't be cut, in a sentence; or there is no room.
    pub fn cut(
        &mut self,
        recording: &Path,
        info: &AudioInfo,
        start: Option<f64>,
        end: Option<f64>,
    ) -> Result<Result<PathBuf, String>, Failure> {
        if let Some(reason) = refusal(info, start, end) {
            return Ok(Err(reason));
        }
        let folder = match &self.folder {
            Some(folder) => folder.path().to_owned(),
            None => {
                let folder = temporary()?;
                let path = folder.path().to_owned();
                self.folder = Some(folder);
                path
            }
        };
        self.made += 1;
        let stem = recording.file_stem().unwrap_or_default().to_string_lossy();
        // Names of files have at most 255 bytes.
        let stem: String = stem.chars().take(45).collect();
        let end = end.map(|end| end.min(info.duration_seconds));
        let start = start.unwrap_or(0.0);
        // Names of pieces tell where they were; the number keeps them apart.
        let name = match end {
            Some(end) => format!("{stem}_{start:.2}-{end:.2}.wav"),
            None => format!("{stem}_{start:.2}.wav"),
        };
        let to = folder.join(self.made.to_string()).join(name);
        let cut = self
            .whole(recording, info, &folder)
            .and_then(|whole| write(whole, start, end, &to));
        Ok(cut.map(|()| to))
    }

    /// The recording as WAV, its sound found; once for all pieces of it.
    fn whole(
        &mut self,
        recording: &Path,
        info: &AudioInfo,
        folder: &Path,
    ) -> Result<&Whole, String> {
        if !self.wholes.contains_key(recording) {
            let path = if info.format == AudioFormat::Flac {
                let path = folder.join(format!("whole-{}.wav", self.wholes.len()));
                decode(recording, &path)?;
                path
            } else {
                recording.to_owned()
            };
            let wave = sound(&path)?;
            self.wholes
                .insert(recording.to_owned(), Whole { path, wave });
        }
        let whole = self.wholes.get(recording);
        whole.ok_or_else(|| "can't be cut".to_owned())
    }
}

fn told(error: std::io::Error) -> String {
    format!("can't be cut: {error}")
}

fn decode(recording: &Path, path: &Path) -> Result<(), String> {
    let from = BufReader::new(File::open(recording).map_err(told)?);
    let mut to = BufWriter::new(create(path).map_err(told)?);
    flac_to_wav(from, &mut to).map_err(|error| format!("can't be decoded: {error}"))?;
    to.flush().map_err(told)
}

fn write(whole: &Whole, start: f64, end: Option<f64>, to: &Path) -> Result<(), String> {
    let piece = whole
        .wave
        .piece(start, end)
        .ok_or_else(|| "there is nothing in this piece of it".to_owned())?;
    let mut from = File::open(&whole.path).map_err(told)?;
    from.seek(SeekFrom::Start(piece.bytes.start))
        .map_err(told)?;
    let mut to = create(to).map_err(told)?;
    to.write_all(&piece.header).map_err(told)?;
    let wanted = piece.bytes.end - piece.bytes.start;
    let copied = std::io::copy(&mut from.take(wanted), &mut to).map_err(told)?;
    if copied < wanted {
        return Err("grew shorter while it was read".to_owned());
    }
    Ok(())
}
