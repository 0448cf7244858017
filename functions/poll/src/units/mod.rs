//! Units: what is due of them, what comes of their batches, and recording it.

pub(crate) mod answer;
pub(crate) mod chunks;
pub(crate) mod collect;
pub(crate) mod due;
mod imported;
pub(crate) mod late;
pub(crate) mod lines;
pub(crate) mod outcomes;
pub(crate) mod record;
pub(crate) mod search;
pub(crate) mod stop;
pub(crate) mod writer;
