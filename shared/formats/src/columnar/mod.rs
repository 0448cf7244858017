//! Parquet with recordings in it, as the hub of Hugging Face has it: a column of
//! {bytes, path}, and columns of facts beside it.
//!
//! Recordings come out one after the other, a page of the column in memory at a time.
//! What such a recording is called here is its file, its row from 1 on and its own name:
//! `test-00000-of-00001.parquet/17/clip.wav`.

mod audio;
mod facts;
mod guard;
mod opened;
mod schema;
mod source;

pub use audio::recordings;
pub(crate) use facts::Facts;
pub use guard::is_guarded;

use super::files::Files;
use super::problem::Problem;
use opened::open;

/// Reads everything of a file but its recordings.
///
/// # Errors
/// It can't be read, or which column has the recordings can't be told.
pub(crate) fn facts(files: &dyn Files, name: &str, asked: Option<&str>) -> Result<Facts, Problem> {
    let opened = open(files, name, asked)?;
    facts::read(&opened, name)
}
