//! The run under everything that happens to it.
