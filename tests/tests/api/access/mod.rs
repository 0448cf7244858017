//! Who may do what.

mod credentials;
mod keys;
mod roles;
mod whoami;
