//! The register function.
