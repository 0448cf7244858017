//! The recordings of a Parquet file, one after the other.

use parquet::column::reader::ColumnReader;
use parquet::file::reader::FileReader;

use super::guard::guarded;
use super::opened::{broken, open};
use crate::files::Files;
use crate::problem::Problem;

/// Hands out the recordings that are in a file, each with its row from 1 on. `column` is
/// the one they are in, as [`Judged::audio_column`](crate::Judged::audio_column) names it.
///
/// # Errors
/// The file can't be read, which `E` can tell, or what `each` says: then no more follow.
pub fn recordings<E: From<Problem>>(
    files: &dyn Files,
    name: &str,
    column: Option<&str>,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let opened = open(files, name, column)?;
    let Some(audio) = &opened.schema.audio else {
        return Ok(());
    };
    let mut row = 0_u64;
    for group in 0..opened.reader.num_row_groups() {
        let group = guarded(|| opened.reader.get_row_group(group));
        let group = group.map_err(|error| broken(name, &error))?;
        let descriptor = group.metadata().column(audio.bytes).column_descr_ptr();
        let level = descriptor.max_def_level();
        let reader = guarded(|| group.get_column_reader(audio.bytes));
        let reader = reader.map_err(|error| broken(name, &error))?;
        let ColumnReader::ByteArrayColumnReader(mut reader) = reader else {
            continue;
        };
        let rows = u64::try_from(group.metadata().num_rows()).unwrap_or_default();
        let (mut levels, mut read) = (Vec::new(), Vec::new());
        for own in 1..=rows {
            levels.clear();
            read.clear();
            let nullable = (level > 0).then_some(&mut levels);
            let (records, _, _) = guarded(|| reader.read_records(1, nullable, None, &mut read))
                .map_err(|error| broken(name, &error))?;
            if records == 0 {
                break;
            }
            if let Some(bytes) = read.first() {
                each(row + own, bytes.data())?;
            }
        }
        row += rows;
    }
    Ok(())
}
