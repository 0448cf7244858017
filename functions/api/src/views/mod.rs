//! From the domain's records, which hold more than clients may see, to the answers
//! of the contract.

pub mod access;
pub mod catalogue;
pub mod datasets;
pub mod files;
pub mod models;
pub mod report;
pub mod results;
pub mod runs;
pub mod scores;

/// A signed URL, when the request asks for one: `null` when it can't be made.
pub type Signed = Option<Option<String>>;
