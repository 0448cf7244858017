//! Who may do what: projects, API keys, roles and sessions, and the vault for provider
//! keys.

pub mod credentials;
pub mod keys;
pub mod own_models;
pub mod project;
pub mod projects;
pub mod sessions;
