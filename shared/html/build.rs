//! Assets as they are served: compressed once, and addressed by what is in them, so
//! that browsers may keep them for good.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Digits of the digest that stand in an address.
const DIGITS: usize = 16;

fn content_type(name: &str) -> Result<&'static str, Box<dyn Error>> {
    match Path::new(name).extension().and_then(|e| e.to_str()) {
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        _ => Err(format!("{name} has no known type").into()),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=assets");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut files: Vec<PathBuf> = std::fs::read_dir("assets")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let mut table = String::from("&[\n");
    let mut addresses: Vec<(String, String)> = Vec::new();
    for file in files {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or("an asset has no name")?;
        let mut text = std::fs::read_to_string(&file)?;
        // A module names another by its file, and that is served by its digest. In the
        // order of names, a module can import those before it.
        for (imported, address) in &addresses {
            text = text.replace(&format!("'./{imported}'"), &format!("'{address}'"));
        }
        if text.contains("from './") {
            return Err(format!("{name} imports what comes after it, or is not there").into());
        }
        let digest = Sha256::digest(text.as_bytes());
        let mut address = hex::encode(digest);
        address.truncate(DIGITS);
        let source = BASE64_STANDARD.encode(digest);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(text.as_bytes())?;
        let packed = out.join(format!("{name}.gz"));
        std::fs::write(&packed, gzip.finish()?)?;
        let plain = out.join(name);
        std::fs::write(&plain, &text)?;
        writeln!(
            table,
            "Asset {{ name: {name:?}, path: \"/assets/{address}/{name}\", content_type: {:?}, \
             csp_source: \"'sha256-{source}'\", plain: include_str!({plain:?}), \
             gzip: include_bytes!({packed:?}) }},",
            content_type(name)?
        )?;
        addresses.push((name.to_owned(), format!("/assets/{address}/{name}")));
    }
    table.push(']');
    std::fs::write(out.join("assets.rs"), table)?;
    Ok(())
}
