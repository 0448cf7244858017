//! Files that clients send: inside a request, or to URLs that are handed out.

pub mod inline;
pub mod reuse;
pub mod uploads;
