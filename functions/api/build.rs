//! Leaves the blanks out of the document that the api shows.

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
    Ok(())
}
