//! Assets as they are served, addressed by what is in them, so that browsers may keep them
//! for good.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
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

/// A module as a value of what it exports; one without a name as what it does.
fn as_value(name: &str, file: &str, module: &str) -> Result<String, Box<dyn Error>> {
    let (mut names, mut body) = (Vec::new(), String::new());
    for line in module.lines() {
        if line.starts_with("import ") {
            return Err(format!("{file}: {line}: it can import whole modules only").into());
        }
        let declared = line.strip_prefix("export ");
        if let Some(declared) = declared {
            let mut words = declared.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let exported = words.find(|word| !matches!(*word, "const" | "function" | "async"));
            match exported {
                // What others see of it would not change with it.
                Some("let" | "") | None => return Err(format!("{file}: {line}").into()),
                Some(exported) => names.push(exported.to_owned()),
            }
        }
        writeln!(body, "{}", declared.unwrap_or(line))?;
    }
    if name.is_empty() {
        return Ok(format!("{{\n{body}}}"));
    }
    let names = names.join(", ");
    Ok(format!(
        "const {name} = (() => {{\n{body}return {{ {names} }};\n}})();"
    ))
}

/// The name and the file of a module that a line imports as a whole; without a name for
/// what it does.
fn whole(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("import ")?.strip_suffix("';")?;
    match rest.strip_prefix("* as ") {
        Some(named) => named.split_once(" from './"),
        None => Some(("", rest.strip_prefix("'./")?)),
    }
}

/// Modules that are in a script already: their names by their files.
type Taken = BTreeMap<String, String>;

/// The text without its imports of whole modules, which go to `out`, after those that they
/// import themselves and each once.
fn taken_out(text: &str, taken: &mut Taken, out: &mut String) -> Result<String, Box<dyn Error>> {
    let mut own = String::with_capacity(text.len());
    for line in text.lines() {
        let Some((name, file)) = whole(line) else {
            writeln!(own, "{line}")?;
            continue;
        };
        match taken.insert(file.to_owned(), name.to_owned()) {
            Some(known) if known != name => {
                return Err(format!("{file} is {known:?} and {name:?}").into());
            }
            Some(_) => {}
            None => {
                let module = std::fs::read_to_string(Path::new("assets").join(file))?;
                let module = taken_out(&module, taken, out)?;
                writeln!(out, "{}", as_value(name, file, &module)?)?;
            }
        }
    }
    Ok(own)
}

/// A script with the modules in it that it imports as a whole (`import * as`, `import './…'`):
/// each would be one more request before a page works by its script.
fn bundled(text: &str) -> Result<String, Box<dyn Error>> {
    let mut out = String::with_capacity(text.len());
    let own = taken_out(text, &mut Taken::new(), &mut out)?;
    Ok(out + &own)
}

/// A script without what is for its readers alone. No text of these goes over lines.
fn bare(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let kept = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    kept.collect::<Vec<_>>().join("\n")
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
        if name.ends_with(".js") {
            text = bare(&bundled(&text)?);
        }
        // A module names another by its file, and that is served by its digest. In the
        // order of names, a module can import those before it.
        for (imported, address) in &addresses {
            text = text.replace(&format!("'./{imported}'"), &format!("'{address}'"));
        }
        if text.contains("from './") || text.contains("import('./") {
            return Err(format!("{name} imports what comes after it, or is not there").into());
        }
        let digest = Sha256::digest(text.as_bytes());
        let mut address = hex::encode(digest);
        address.truncate(DIGITS);
        let source = BASE64_STANDARD.encode(digest);
        let plain = out.join(name);
        std::fs::write(&plain, &text)?;
        writeln!(
            table,
            "Asset {{ name: {name:?}, path: \"/assets/{address}/{name}\", content_type: {:?}, \
             csp_source: \"'sha256-{source}'\", plain: include_str!({plain:?}) }},",
            content_type(name)?
        )?;
        addresses.push((name.to_owned(), format!("/assets/{address}/{name}")));
    }
    table.push(']');
    std::fs::write(out.join("assets.rs"), table)?;
    Ok(())
}
