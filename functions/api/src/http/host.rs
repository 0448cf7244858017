//! The host that a request names.

/// The host as the client named it, where it could not stay. Of no client: what one
/// sends under this name is taken away.
pub const ORIGINAL_HOST: &str = "x-stt-original-host";
