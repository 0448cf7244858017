//! Runs that are due: to be looked at, deleted or scored anew.

pub(crate) mod delete;
pub(crate) mod due;
pub(crate) mod rescore;
