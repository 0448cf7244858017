//! Names of things at Google: made deterministically, and checked before they
//! go into a path.

use reqwest::Method;
use ring::digest;

use super::super::CallError;
use super::client::{Call, VERSION};
use super::errors::{self, About};

/// Longest id of a file that may be chosen.
const MAX_FILE_ID: usize = 40;

/// How the ids of our files begin, so that they can be told apart.
const PREFIX: &str = "stt";

/// A file name derived from parts: always the same for the same parts, 40
/// characters of `[a-z0-9]`.
///
/// Names may be shared by everyone at Google (a foreign file answers "you do
/// not have permission … or it may not exist"), so the parts should include
/// stage, credential and object. No dashes: Google's own Python client cuts
/// ids at the first one.
pub fn file_name(parts: &[&str]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in parts {
        // Lengths first: ["ab", "c"] and ["a", "bc"] differ.
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut name = format!("{PREFIX}{}", hex::encode(hash.finish()));
    name.truncate(MAX_FILE_ID);
    name
}

/// The resource name `files/<id>` of a file we choose a name for.
pub(super) fn chosen_file(name: &str) -> Result<String, CallError> {
    let id = name.strip_prefix("files/").unwrap_or(name);
    let good = (1..=MAX_FILE_ID).contains(&id.len())
        && !id.starts_with('-')
        && !id.ends_with('-')
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if good {
        Ok(format!("files/{id}"))
    } else {
        Err(errors::refused_here(
            "a file name must be 1 to 40 characters of a-z, 0-9 and -",
        ))
    }
}

/// A resource name that Google gave us, fit for a path: `<collection>/<id>`.
pub(super) fn checked<'a>(collection: &str, name: &'a str) -> Result<&'a str, CallError> {
    let id = name
        .strip_prefix(collection)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or_default();
    if is_id(id) {
        Ok(name)
    } else {
        Err(errors::refused_here(&format!(
            "expected a name of the form {collection}/<id>"
        )))
    }
}

/// The id of a model, with or without `models/`.
pub(super) fn model_id(model: &str) -> Result<&str, CallError> {
    let id = model.strip_prefix("models/").unwrap_or(model);
    if is_id(id) {
        Ok(id)
    } else {
        Err(errors::refused_here("not a name of a model"))
    }
}

fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && !id.starts_with('.')
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A call about a file.
pub(super) fn on_file(method: Method, name: &str) -> Result<Call, CallError> {
    let name = checked("files", name)?;
    Ok(Call::new(method, format!("/{VERSION}/{name}"), About::File))
}

/// A call about a batch; `verb` is empty or like `:cancel`.
pub(super) fn on_batch(method: Method, name: &str, verb: &str) -> Result<Call, CallError> {
    let name = checked("batches", name)?;
    let path = format!("/{VERSION}/{name}{verb}");
    Ok(Call::new(method, path, About::Other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_names() {
        let name = file_name(&["prod", "cred_1", "audio/a.wav"]);
        assert_eq!(name, file_name(&["prod", "cred_1", "audio/a.wav"]));
        assert_eq!(name.len(), 40);
        assert_eq!(chosen_file(&name), Ok(format!("files/{name}")));
        assert!(
            name.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        );
        assert_ne!(file_name(&["ab", "c"]), file_name(&["a", "bc"]));
        assert_ne!(file_name(&["ab"]), file_name(&["ab", ""]));
        // Names must not change from version to version: files are found by them.
        assert_eq!(file_name(&[]), "stte3b0c44298fc1c149afbf4c8996fb92427ae4");
    }

    #[test]
    fn only_names_get_into_paths() {
        for good in ["files/a", "files/batch-0z", "files/A_b.c"] {
            assert_eq!(checked("files", good), Ok(good));
        }
        for bad in [
            "",
            "a",
            "files/",
            "files",
            "batches/a",
            "files/a/b",
            "files/../x",
            "files/..",
            "files/a?alt=media",
            "files/a#b",
            "files/a:download",
            "files/a%2fb",
            "files/ä",
            "https://h/v1beta/files/a",
            "/files/a",
            "files/a\n",
        ] {
            assert!(checked("files", bad).is_err(), "{bad}");
        }
        assert_eq!(model_id("models/gemini-2.5-pro"), Ok("gemini-2.5-pro"));
        for bad in ["", "models/", "a/b", "tunedModels/x", "..", "a:b", "a b"] {
            assert!(model_id(bad).is_err(), "{bad}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "files/", &"a".repeat(41)] {
            assert!(chosen_file(bad).is_err(), "{bad}");
        }
    }
}
