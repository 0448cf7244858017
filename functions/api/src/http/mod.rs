//! HTTP: what is read from requests, and how answers are framed. Nothing below
//! `services` knows of it.

pub mod auth;
pub mod body;
pub mod cursor;
pub mod envelope;
pub mod error;
pub mod etag;
pub mod host;
pub mod id;
pub mod idempotency;
pub mod json;
pub mod multipart;
pub mod observe;
pub mod paging;
pub mod query;
