//! From bytes in the bucket to a usable file.
//!
//! Called for S3 events, by the sweeper for uploads whose event never came, and
//! by the api for small files it took itself. May run any number of times for
//! one object, in any order.

use unicode_normalization::UnicodeNormalization;

use crate::access::{NoRandomness, random};
use crate::audio::{self, AudioFormat, Probe, SparseBytes};
use crate::domain::file::{
    AudioFacts, File, FileKind, FileStatus, MANIFEST_TYPES, MAX_AUDIO_BYTES, MAX_MANIFEST_BYTES,
    Registration,
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
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket.
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

impl Object<'_> {
    /// Probes a recording without reading more than it must.
    async fn probe(&self) -> Result<Probe, ObjectError> {
        let mut bytes = SparseBytes::new(self.head.size);
        loop {
            match audio::probe(&bytes) {
                Probe::Need(range) => {
                    let version = self.head.version.as_deref();
                    let part = self
                        .objects
                        .range(self.key, version, range.start, range.end)
                        .await?;
                    bytes.insert(range.start, part);
                }
                decided => return Ok(decided),
            }
        }
    }

    /// Looks for what makes a table of text unusable at a glance; its rows are
    /// checked when a dataset is made of it.
    async fn manifest(&self) -> Result<Registration, ObjectError> {
        if self.head.size == 0 {
            return Ok(Registration::Rejected("the file is empty".into()));
        }
        if self.head.size > MAX_MANIFEST_BYTES {
            return Ok(too_large(MAX_MANIFEST_BYTES));
        }
        let end = self.head.size.min(64 * 1024);
        let start = self
            .objects
            .range(self.key, self.head.version.as_deref(), 0, end)
            .await?;
        if start.contains(&0) {
            return Ok(Registration::Rejected(
                "the file is not a table of text".into(),
            ));
        }
        Ok(Registration::Accepted { audio: None })
    }

    async fn audio(&self, declared: Option<AudioFormat>) -> Result<Registration, ObjectError> {
        if self.head.size > MAX_AUDIO_BYTES {
            return Ok(too_large(MAX_AUDIO_BYTES));
        }
        let info = match self.probe().await? {
            Probe::Audio(info) => info,
            Probe::Rejected(reason) => return Ok(Registration::Rejected(reason.to_string())),
            Probe::Need(_) => return Ok(Registration::Rejected("the file can't be read".into())),
        };
        if let Some(Err(mismatch)) = declared.map(|format| audio::check_declared(format, &info)) {
            return Ok(Registration::Rejected(mismatch.to_string()));
        }
        Ok(Registration::Accepted {
            audio: Some(AudioFacts {
                format: info.format.to_string(),
                duration_seconds: info.duration_seconds,
                sample_rate_hz: info.sample_rate_hz,
                channels: info.channels,
            }),
        })
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

fn too_large(limit: u64) -> Registration {
    Registration::Rejected(format!(
        "the file is larger than {} MB",
        limit / (1024 * 1024)
    ))
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
        match file.kind {
            FileKind::Manifest => object.manifest().await?,
            FileKind::Audio => {
                object
                    .audio(AudioFormat::from_content_type(&file.content_type))
                    .await?
            }
        }
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

/// Registers an object that people dropped under `incoming/<project>/`.
pub async fn register_incoming(
    store: &Store,
    objects: &Objects,
    project: &ProjectId,
    path: &str,
    key: &str,
    now: Timestamp,
) -> Result<Registered, RegisterError> {
    let head = match objects.head(key, None).await {
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
    let found = match manifest {
        Some(_) => object.manifest().await?,
        None => object.audio(None).await?,
    };
    let sha256 = object.sha256(&found).await?;
    let content_type = match (&found, manifest) {
        (_, Some(manifest)) => manifest.to_owned(),
        (Registration::Accepted { audio: Some(facts) }, _) => AudioFormat::ALL
            .iter()
            .find(|format| format.to_string() == facts.format)
            .map_or("application/octet-stream", |format| format.content_type())
            .to_owned(),
        _ => head
            .content_type
            .clone()
            .unwrap_or_else(|| "application/octet-stream".to_owned()),
    };
    let millis = u64::try_from(now.millis()).unwrap_or(0);
    let announced = File {
        id: FileId::mint(millis, random()?),
        project: project.clone(),
        filename: name_of(path),
        kind: if manifest.is_some() {
            FileKind::Manifest
        } else {
            FileKind::Audio
        },
        content_type,
        size_bytes: head.size,
        status: FileStatus::Uploading,
        rejection_reason: None,
        audio: None,
        checksum_sha256: None,
        object_key: key.to_owned(),
        object_version: head.version.clone(),
        upload_expires_at: None,
        datasets: std::collections::BTreeSet::new(),
        inserted_at: now,
        updated_at: now,
        due_at: None,
        rev: 0,
    };
    let Some(file) = announced.registered(found, head.size, sha256, head.version.clone(), now)
    else {
        return Ok(Registered::Nothing);
    };
    Ok(Registered::Done(Box::new(
        store.register_path(&file, &version).await?,
    )))
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
}
