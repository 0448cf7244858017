//! Damaged files: the crate that reads Parquet takes things for granted of a file, and
//! panics where they do not hold.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::{ParquetError, Result};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is reading Parquet. A panic then means a damaged file and is told as
/// one; a hook for panics has nothing to say of it.
#[must_use]
pub fn is_guarded() -> bool {
    DEPTH.get() > 0
}

/// Reads; a panic is an error of the file. What was read with is not used again after one.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    DEPTH.set(DEPTH.get() + 1);
    let read = catch_unwind(AssertUnwindSafe(read));
    DEPTH.set(DEPTH.get() - 1);
    read.unwrap_or_else(|_| Err(ParquetError::General("it is damaged".to_owned())))
}
