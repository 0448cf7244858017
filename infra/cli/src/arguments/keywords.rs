//! Words that matter: on the command line, or a file of them.

use std::io::Read;
use std::path::Path;

/// Longest file, in bytes.
const MOST: u64 = 64 * 1024;

/// What one `--keyword` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keywords(Vec<String>);

impl Keywords {
    /// All of several, in order.
    pub fn all(of: &[Self]) -> Vec<&str> {
        of.iter()
            .flat_map(|one| &one.0)
            .map(String::as_str)
            .collect()
    }
}

/// `@FILE` is a file with one on each line, `@@…` one that begins with `@`, all else is one.
///
/// # Errors
/// The file can't be read, is no text, or has nothing in it.
pub fn keywords(written: &str) -> Result<Keywords, String> {
    let Some(name) = written.strip_prefix('@') else {
        return Ok(Keywords(vec![written.to_owned()]));
    };
    if name.starts_with('@') {
        return Ok(Keywords(vec![name.to_owned()]));
    }
    let path = Path::new(name);
    let failed = |reason: &str| format!("{}: {reason}", path.display());
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes))
        .map_err(|error| failed(&error.to_string()))?;
    if bytes.len() as u64 > MOST {
        return Err(failed("is longer than 64 KiB"));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| failed(&format!("is not UTF-8 at byte {}", error.valid_up_to() + 1)))?;
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let words: Vec<String> = lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if words.is_empty() {
        return Err(failed("has no words in it"));
    }
    Ok(Keywords(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(written: &str) -> Result<Vec<String>, String> {
        keywords(written).map(|all| all.0)
    }

    #[test]
    fn a_file_has_one_on_each_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("words.txt");
        let of_file = format!("@{}", path.display());
        std::fs::write(&path, "\u{feff}खाता संख्या\r\n\n  KYC \nनामांकन").unwrap();
        assert_eq!(told(&of_file).unwrap(), ["खाता संख्या", "KYC", "नामांकन"]);
        assert_eq!(told("KYC").unwrap(), ["KYC"]);
        assert_eq!(told("@@home").unwrap(), ["@home"]);
        for (bytes, reason) in [
            (&b"\n \n"[..], "has no words in it"),
            (b"a\xffb", "is not UTF-8 at byte 2"),
            (&[b'a'; 64 * 1024 + 1], "is longer than 64 KiB"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = told(&of_file).unwrap_err();
            assert!(error.ends_with(&format!("words.txt: {reason}")), "{error}");
        }
        let error = told("@nowhere.txt").unwrap_err();
        assert!(error.starts_with("nowhere.txt: "), "{error}");
    }
}
