//! Recordings that are inside of tables: looked into one after the other, and kept in a
//! folder where they are to be sent.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use stt_eval_formats::{Judged, recordings};

use crate::disk::OnDisk;
use crate::failure::{Exit, Failure};
use crate::probe;
use crate::unpack::create;

/// Looks into every recording that is inside of a table. What can be used is kept in the
/// folder `keep`, under its name in the source.
///
/// # Errors
/// A table can't be read, or a recording can't be kept.
pub fn look_into(judged: &mut Judged, files: &OnDisk, keep: Option<&Path>) -> Result<(), Failure> {
    let mut tables: BTreeMap<String, HashMap<u64, usize>> = BTreeMap::new();
    for (index, sample) in judged.samples.iter().enumerate() {
        if sample.is_embedded {
            let rows = tables.entry(sample.file.to_string()).or_default();
            rows.insert(sample.line, index);
        }
    }
    let column = judged.audio_column.clone();
    for (table, rows) in tables {
        recordings(files, &table, column.as_deref(), |row, bytes| {
            let Some(index) = rows.get(&row).copied() else {
                return Ok(());
            };
            let info = probe::bytes(bytes);
            let Some(sample) = judged.samples.get_mut(index) else {
                return Ok(());
            };
            let name = sample.audio.clone().unwrap_or_default();
            match info {
                Ok(info) => {
                    let usable = sample.usable;
                    judged.lasts(index, info.duration_seconds);
                    match keep {
                        Some(keep) if usable => kept(&keep.join(name), bytes),
                        _ => Ok(()),
                    }
                }
                Err(reason) => {
                    judged.refuse(index, &format!("{name}: {reason}"));
                    Ok(())
                }
            }
        })?;
    }
    Ok(())
}

fn kept(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    create(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| {
            let message = format!("a recording can't be kept for its upload: {error}");
            Failure::new(Exit::Failed, "machine", message)
        })
}
