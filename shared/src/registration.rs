//! From bytes in the bucket to a usable file.
//!
//! Called for S3 events, by the sweeper for uploads whose event never came, and
//! by the api for small files it took itself. May run any number of times for
//! one object, in any order.

use bytes::Bytes;
use unicode_normalization::UnicodeNormalization;

use crate::audio::{self, AudioFormat, Probe, SparseBytes};
use crate::crypto::{NoRandomness, random};
use crate::domain::file::{
    AudioFacts, Declared, File, FileKind, FileStatus, MANIFEST_TYPES, MAX_AUDIO_BYTES,
    MAX_MANIFEST_BYTES, Registration,
};
use crate::domain::{FileId, ProjectId, Timestamp, validate};
use crate::objects::{Head, ObjectError, Objects};
use crate::store::{Store, StoreError};

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Registered {
    /// The file is `ready` or `rejected` now.
    Done(Box<File>),
    /// The file is unknown, gone, or was registered before.
    Nothing,
    /// There is no object (yet).
    Missing,
}

/// Registration could not be done now; try again.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The tables could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object could not be read.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// No ids can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// An object to look into.
struct Object<'a> {
    objects: &'a Objects,
    key: &'a str,
    head: &'a Head,
}

/// Bytes of a table of text that are looked at before it is registered.
const GLANCE: u64 = 64 * 1024;

/// Decides whether some bytes are a usable file of a kind. `read` gives the bytes
/// `[start, end)` of them; no more is read than must be.
///
/// Of a table of text the first `glance` bytes are looked at, for what makes it
/// unusable; its rows are checked when a dataset is made of it. A recording is what its
/// bytes say, under whatever name of the six formats it came.
///
/// # Errors
/// Those of `read`.
pub async fn examine<F, E>(
    kind: FileKind,
    size: u64,
    glance: u64,
    read: impl Fn(u64, u64) -> F,
) -> Result<Registration, E>
where
    F: Future<Output = Result<Bytes, E>>,
{
    let rejected = |reason: String| Ok(Registration::Rejected(reason));
    if kind == FileKind::Manifest {
        if size == 0 {
            return rejected("the file is empty".into());
        }
        if size > MAX_MANIFEST_BYTES {
            return rejected(too_large(MAX_MANIFEST_BYTES));
        }
        let head = read(0, size.min(glance)).await?;
        // Spreadsheets save UTF-16 too, and say so by a mark in front.
        let is_wide = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
        if !is_wide && head.contains(&0) {
            return rejected("the file is not a table of text".into());
        }
        return Ok(Registration::Accepted { audio: None });
    }
    if size > MAX_AUDIO_BYTES {
        return rejected(too_large(MAX_AUDIO_BYTES));
    }
    let mut known = SparseBytes::new(size);
    loop {
        match audio::probe(&known) {
            Probe::Need(range) => {
                let part = read(range.start, range.end).await?;
                known.insert(range.start, part);
            }
            Probe::Rejected(reason) => return rejected(reason.to_string()),
            Probe::Audio(info) => {
                return Ok(Registration::Accepted {
                    audio: Some(AudioFacts {
                        format: info.format.to_string(),
                        duration_seconds: info.duration_seconds,
                        sample_rate_hz: info.sample_rate_hz,
                        channels: info.channels,
                    }),
                });
            }
        }
    }
}

impl Object<'_> {
    /// Whether it is a usable file of a kind.
    async fn examine(&self, kind: FileKind) -> Result<Registration, ObjectError> {
        examine(kind, self.head.size, GLANCE, |start, end| {
            let version = self.head.version.as_deref();
            self.objects.range(self.key, version, start, end)
        })
        .await
    }

    /// SHA-256 as S3 verified it, else by reading the object once.
    async fn sha256(&self, found: &Registration) -> Result<Option<String>, ObjectError> {
        if matches!(found, Registration::Rejected(_)) {
            return Ok(None);
        }
        match &self.head.sha256 {
            Some(known) => Ok(Some(known.clone())),
            None => self
                .objects
                .sha256(self.key, self.head.version.as_deref())
                .await
                .map(Some),
        }
    }
}

fn too_large(limit: u64) -> String {
    format!("the file is larger than {} MB", limit / (1024 * 1024))
}

/// Registers an upload that was announced.
pub async fn register_upload(
    store: &Store,
    objects: &Objects,
    project: &ProjectId,
    id: FileId,
    now: Timestamp,
) -> Result<Registered, RegisterError> {
    let Some(file) = store.file(project, id).await? else {
        return Ok(Registered::Nothing);
    };
    if !matches!(file.status, FileStatus::Uploading | FileStatus::Expired) {
        return Ok(Registered::Nothing);
    }
    let head = match objects.head(&file.object_key, None).await {
        Ok(head) => head,
        Err(ObjectError::Missing) => return Ok(Registered::Missing),
        Err(error) => return Err(error.into()),
    };
    let object = Object {
        objects,
        key: &file.object_key,
        head: &head,
    };
    let found = if head.size != file.size_bytes {
        Registration::Rejected(format!(
            "the upload has {} bytes, {} were announced",
            head.size, file.size_bytes
        ))
    } else {
        object.examine(file.kind).await?
    };
    let sha256 = object.sha256(&found).await?;
    let Some(next) = file.registered(found, head.size, sha256, head.version.clone(), now) else {
        return Ok(Registered::Nothing);
    };
    match store.save_file(&next).await {
        Ok(()) => Ok(Registered::Done(Box::new(next))),
        // A twin of this event was faster, or the file was deleted meanwhile.
        Err(StoreError::Conflict) => Ok(Registered::Nothing),
        Err(error) => Err(error.into()),
    }
}

/// An object that people dropped under `incoming/<project>/`.
#[derive(Debug, Clone, Copy)]
pub struct Dropped<'a> {
    /// The project that it becomes a file of.
    pub project: &'a ProjectId,
    /// What is behind the project in its key.
    pub path: &'a str,
    /// Its whole key, decoded.
    pub key: &'a str,
    /// Which version of it, where the bucket has versions: each is a file of its
    /// own, and the latest may be another one by now. Without it, the latest.
    pub version: Option<&'a str>,
}

/// Registers an object that people dropped under `incoming/<project>/`.
pub async fn register_incoming(
    store: &Store,
    objects: &Objects,
    dropped: Dropped<'_>,
    now: Timestamp,
) -> Result<Registered, RegisterError> {
    let Dropped {
        project,
        path,
        key,
        version,
    } = dropped;
    let head = match objects.head(key, version).await {
        Ok(head) => head,
        Err(ObjectError::Missing) => return Ok(Registered::Missing),
        Err(error) => return Err(error.into()),
    };
    // Without versions the entity tag tells contents apart.
    let version = head
        .version
        .clone()
        .or_else(|| head.etag.clone())
        .unwrap_or_default();
    if store.path_is_registered(project, key, &version).await? {
        return Ok(Registered::Nothing);
    }
    if !store.has_project(project).await? {
        return Ok(Registered::Nothing);
    }
    let object = Object {
        objects,
        key,
        head: &head,
    };
    let manifest = manifest_type(path);
    let kind = match manifest {
        Some(_) => FileKind::Manifest,
        None => FileKind::Audio,
    };
    let found = object.examine(kind).await?;
    let sha256 = object.sha256(&found).await?;
    let content_type = match (&found, manifest) {
        (_, Some(manifest)) => manifest.to_owned(),
        (Registration::Accepted { audio: Some(facts) }, _) => {
            announced_type(head.content_type.as_deref(), facts)
        }
        _ => head
            .content_type
            .clone()
            .unwrap_or_else(|| "application/octet-stream".to_owned()),
    };
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    let declared = Declared {
        filename: name_of(path),
        kind,
        content_type,
        size_bytes: head.size,
        checksum_sha256: None,
    };
    let id = FileId::mint(millis, random()?);
    // It is stored for the first time once it is registered.
    let announced = File {
        rev: 0,
        ..File::announced(id, project.clone(), declared, key.to_owned(), now)
    };
    let Some(file) = announced.registered(found, head.size, sha256, head.version.clone(), now)
    else {
        return Ok(Registered::Nothing);
    };
    Ok(Registered::Done(Box::new(
        store.register_path(&file, &version).await?,
    )))
}

/// The type that a dropped recording came with, which `aws s3 sync` takes from the name; the one
/// that was found where it came with none, or with one that says nothing about sound.
fn announced_type(given: Option<&str>, facts: &AudioFacts) -> String {
    given
        .filter(|given| AudioFormat::from_content_type(given).is_some())
        .or(facts.content_type())
        .unwrap_or("application/octet-stream")
        .to_owned()
}

fn manifest_type(path: &str) -> Option<&'static str> {
    let [csv, tsv, jsonl] = MANIFEST_TYPES;
    match path.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "csv" => Some(csv),
        "tsv" => Some(tsv),
        "jsonl" => Some(jsonl),
        _ => None,
    }
}

/// The path as a name. A path is not asked for its characters when it is
/// written, so what has no place in a name is replaced here.
fn name_of(path: &str) -> String {
    if let Ok(name) = validate::name("path", path) {
        return name;
    }
    let clean: String = path
        .nfc()
        .map(|c| {
            if validate::is_hostile(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    let length = clean.chars().count();
    // The end of a long path tells more than its beginning.
    clean
        .chars()
        .skip(length.saturating_sub(validate::MAX_NAME_CHARS))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_names() {
        assert_eq!(name_of("a/b c.wav"), "a/b c.wav");
        assert_eq!(name_of("a\u{202e}b.wav"), "a\u{fffd}b.wav");
        assert_eq!(name_of(&"x".repeat(300)).chars().count(), 255);
        assert_eq!(manifest_type("x/Y.CSV"), Some("text/csv"));
        assert_eq!(manifest_type("x/csv"), None);
    }

    #[test]
    fn a_dropped_recording_keeps_the_type_it_came_with() {
        let facts = AudioFacts {
            format: "m4a".into(),
            duration_seconds: 1.0,
            sample_rate_hz: 8000,
            channels: 1,
        };
        for (given, announced) in [
            (Some("audio/mpeg"), "audio/mpeg"),
            (Some("audio/x-m4a"), "audio/x-m4a"),
            (Some("binary/octet-stream"), "audio/mp4"),
            (Some("video/mp4"), "audio/mp4"),
            (None, "audio/mp4"),
        ] {
            assert_eq!(announced_type(given, &facts), announced);
        }
    }
}
