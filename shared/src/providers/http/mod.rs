//! HTTP as every vendor of speech-to-text needs it.
//!
//! One concept a file: `address`, `guard` where requests may go whose address people gave · `ask`, `check` requests without audio · `client` connections, base URLs, key headers, bounded
//! answers · `limits` what headers tell of a vendor's · `errors` from what happened to what may be done about it · `repeat`, `retry`
//! how often and at what pace · `scrub` texts without keys · `sending` audio in a body that
//! costs money · `told` what a refusal says.
//!
//! What is sent and received is people's speech: none of it is logged, and
//! error texts hold neither bodies nor keys nor the queries of URLs. Nothing is
//! repeated and no redirect is followed behind an adapter's back.

mod address;
mod ask;
mod check;
mod client;
mod errors;
mod guard;
mod limits;
mod repeat;
mod retry;
mod scrub;
mod sending;
mod told;

pub use ask::{ask, ask_free};
pub use check::check_key;
pub use client::{BaseUrl, Http, Reply, key_header, read_answer, read_body, read_cut};
pub use errors::{
    NOT_SENT, Unanswered, by_status, lost, of_reqwest, refused_here, retry_after, slow, transport,
    unreadable,
};
pub use guard::{AddressRefused, Guard};
pub use limits::told_limits;
pub use repeat::repeated;
pub use retry::{RetryPolicy, is_transient};
pub use scrub::{scrub, scrubbed};
pub use sending::Sending;
pub use told::{Told, refused_call};
