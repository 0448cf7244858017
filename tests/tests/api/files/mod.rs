//! Files: announced, sent, dropped into the bucket, listed, deleted.

mod declared;
mod incoming;
mod inline;
mod list;
mod presigned;
mod reuse;
