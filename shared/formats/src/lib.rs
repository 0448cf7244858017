//! What people have: manifests, transcripts and results of speech-to-text services,
//! read and written.
//!
//! Pure code: files come through [`Files`], and nothing here opens, follows or runs
//! anything. A source is judged as a whole before anything is done with it:
//! [`judge()`] finds out what a folder is, reads it, finds the recordings and tells
//! what is wrong with single rows as [`Finding`]s; [`Problem`] is why a source as a
//! whole can't be used.
//!
//! # Limits
//! A file has at most [`files::MAX_FILE_BYTES`], packed or not; a record of a table
//! 64 KiB. Any bytes become rows or findings or a problem; nothing panics.

mod apart;
#[cfg(feature = "archives")]
pub mod archive;
mod asked;
mod by_column;
mod by_ids;
mod by_rows;
#[cfg(feature = "parquet")]
mod columnar;
#[cfg(any(feature = "parquet", feature = "sheets"))]
mod days;
pub mod decode;
mod detect;
mod fields;
pub mod files;
mod finding;
mod firsts;
#[cfg(feature = "folders")]
mod folders;
mod format;
mod garbled;
mod headerless;
mod idle;
mod in_order;
mod json;
mod judge;
mod judged;
pub mod language;
mod layout;
pub mod manifest;
pub mod markup;
#[cfg(any(test, not(feature = "folders")))]
mod no_folders;
mod office;
mod paired;
mod pairs;
pub mod paths;
mod place;
mod problem;
mod repeats;
mod same;
mod seen;
#[cfg(feature = "sheets")]
mod sheet;
pub mod table;
mod text;
mod top;
pub mod transcripts;
mod uneven;
pub mod write;
#[cfg(any(feature = "annotations", feature = "sheets"))]
mod xml;

#[cfg(not(feature = "folders"))]
use no_folders as folders;

#[cfg(feature = "parquet")]
pub use columnar::{is_guarded as is_reading_parquet, recordings};
pub use detect::format_of;
pub use fields::Fields;
pub use files::Files;
pub use finding::{Finding, FindingKind, Findings, MOST_OF_A_KIND};
pub use format::Format;
pub use judge::judge;
pub use judged::{Judged, Sample};
pub use layout::{Layout, layouts, same_split};
pub use manifest::{Options, Reading, Row, Said};
pub use paired::{About, Hypothesis, Id, Pair, Pairs};
pub use pairs::{Source, pairs};
pub use problem::{Code, Problem, counted, grouped};
pub use text::{Holder, Text, Whole};
