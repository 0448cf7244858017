//! Models of a project's own: endpoints that speak the dialect of `OpenAI`, each with an
//! address and a key of its own.
//!
//! All of them are of one vendor, and each has its own credential, limits and admission:
//! of a unit the vendor is `custom/<name>`. Where and how to ask comes with the
//! configuration that a run froze; the key is the project's present one, and is sealed
//! together with the address that it is for, so that it is never shown to another.

mod address;
mod client;

use super::vendor::{Adapter, Client, Vendor};
use crate::domain::endpoint::VENDOR as NAME;

pub use address::{AddressProblem, base_url, check_resolved};
pub use client::{is_for, secret};

/// The vendor. Its models are the projects', so it has none for everyone.
pub static VENDOR: Vendor = Vendor {
    name: NAME,
    title: "Own models",
    consult: |settings| Ok(client::own(settings.loopback)),
    ..Vendor::OF_CALLS
};

/// The vendor and its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |settings| Ok(Adapter::Calls(client::own(settings.loopback))),
};
