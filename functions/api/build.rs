//! Leaves the blanks out of the document that the api shows, and code that is there twice
//! out of the function.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=openapi.json");
    let file = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("openapi.json");
    let document: serde_json::Value = serde_json::from_slice(&fs::read(file)?)?;
    let made = Path::new(&env::var("OUT_DIR")?).join("openapi.json");
    fs::write(made, document.to_string())?;
    if is_linked_by_lld() {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        // At one address, as Go's are: 20,000 addresses need not be moved at each start, and
        // are not in the archive. Heap, stack and libraries lie elsewhere each time.
        println!("cargo::rustc-link-arg-bins=-no-pie");
        // What is alike lies together, which the archive is the smaller for.
        println!("cargo::rustc-link-arg-bins=-Wl,--bp-compression-sort=both");
    }
    Ok(())
}

/// Whether an optimised build is linked by the linker that Rust brings, as it does for one
/// target (<https://blog.rust-lang.org/2025/09/01/rust-lld-on-1.90.0-stable/>) while nobody
/// chooses another: others may not know what is asked of it.
fn is_linked_by_lld() -> bool {
    let own = env::var("TARGET").as_deref() == Ok("x86_64-unknown-linux-gnu");
    let optimised = env::var("PROFILE").as_deref() == Ok("release");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let chosen = env::var_os("RUSTC_LINKER").is_some() || flags.contains("link");
    own && optimised && !chosen
}
