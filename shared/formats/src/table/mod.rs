//! Tables: delimiter, quoting, header, records, each with its line and a bound.

mod columns;
mod dialect;
mod records;

pub use columns::{Columns, Role, is_fact, key, role_of};
pub(crate) use columns::{FIELD, PREDICTED, error_of, is_right};
pub use dialect::{DELIMITERS, dialect};
pub use records::{Dialect, MAX_COLUMNS, MAX_RECORD_BYTES, Record, RecordError, Records};
