//! A Parquet file whose schema was read.

use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;

use super::guard::guarded;
use super::schema::Schema;
use super::source::Source;
use crate::files::{Files, MAX_FILES, ReadError};
use crate::problem::{Code, Problem};

/// A file whose schema was read.
pub(super) struct Opened {
    pub(super) reader: SerializedFileReader<Source>,
    pub(super) schema: Schema,
}

pub(super) fn broken(name: &str, error: &ParquetError) -> Problem {
    let message = match error {
        ParquetError::NYI(what) => format!("is Parquet in a way that is not read: {what}"),
        error => format!("is Parquet, and can't be read: {error}"),
    };
    Problem::new(Code::Malformed, message).file(name)
}

/// Refuses packings that are not read.
fn packed(groups: &[RowGroupMetaData]) -> Result<(), Problem> {
    let mut columns = groups.iter().flat_map(RowGroupMetaData::columns);
    let name = columns.find_map(|column| match column.compression() {
        Compression::BROTLI(_) => Some("brotli"),
        Compression::LZ4 | Compression::LZ4_RAW => Some("LZ4"),
        Compression::LZO => Some("LZO"),
        _ => None,
    });
    let Some(name) = name else {
        return Ok(());
    };
    let problem = Problem::new(
        Code::Unsupported,
        format!("is Parquet that is packed with {name}, which is not read"),
    );
    Err(problem.hint("write it again with snappy or zstd"))
}

/// Opens a file; `asked` is the column of the recordings, if it was named.
pub(super) fn open(files: &dyn Files, name: &str, asked: Option<&str>) -> Result<Opened, Problem> {
    let from = files.seekable(name).map_err(|error| match error {
        ReadError::TooLarge => Problem::new(Code::TooLarge, "is larger than 64 MiB").file(name),
        ReadError::Failed(reason) => Problem::new(Code::Unreadable, reason).file(name),
    })?;
    let source = Source::new(from)
        .map_err(|error| Problem::new(Code::Unreadable, error.to_string()).file(name))?;
    let reader =
        guarded(|| SerializedFileReader::new(source)).map_err(|error| broken(name, &error))?;
    let of_groups = reader.metadata().row_groups().iter();
    let rows = of_groups.fold(0_u64, |rows, group| {
        rows.saturating_add(u64::try_from(group.num_rows()).unwrap_or(u64::MAX))
    });
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    if rows > MAX_FILES {
        let message = format!("has {rows} rows; at most {MAX_FILES} are read");
        return Err(Problem::new(Code::TooLarge, message)
            .file(name)
            .hint("name a smaller one of its files"));
    }
    packed(reader.metadata().row_groups()).map_err(|problem| problem.file(name))?;
    let schema = Schema::of(reader.metadata(), asked).map_err(|problem| problem.file(name))?;
    Ok(Opened { reader, schema })
}
