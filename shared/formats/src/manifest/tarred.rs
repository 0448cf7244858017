//! `NeMo`'s tarred manifests: names of recordings that are inside of TAR archives.

use std::collections::BTreeSet;

use super::cells::Cells;
use crate::files::{Files, base, parent};
use crate::problem::{Code, Problem};

/// Refuses one, unless its archives were unpacked.
///
/// # Errors
/// [`Code::Unsupported`], with what to do.
pub(super) fn refuse(
    files: &dyn Files,
    name: &str,
    table: &Cells,
    audio: Option<usize>,
) -> Result<(), Problem> {
    // The script that packs a set writes the number of the archive beside each recording.
    let is_tarred = table.columns.named("shard_id").is_some()
        || base(name).starts_with("tarred_audio_manifest")
        || base(parent(name)) == "sharded_manifests";
    if !is_tarred {
        return Ok(());
    }
    let there: BTreeSet<&str> = files.names().iter().map(|name| base(name)).collect();
    let is_there = |row: usize| {
        let path = table.text(row, audio);
        path.is_some_and(|path| there.contains(base(&path)))
    };
    if (0..table.rows.len()).any(is_there) {
        return Ok(());
    }
    let message =
        "is a tarred NeMo manifest: it holds bare names of recordings inside of TAR archives";
    Err(Problem::new(Code::Unsupported, message)
        .file(name)
        .hint("unpack the archives beside it (tar -xf audio_0.tar …), or name the manifest that the set was packed from"))
}
