//! Where `s3s-fs` keeps things, and which keys it can keep.
//!
//! An object is a file at its key. Beside the buckets lie two files for each
//! object: its headers and its checksums, named by the bucket's and the
//! object's name in base64.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::{S3Result, s3_error};

/// The longest file name that common file systems take.
const MAX_FILE_NAME: usize = 255;
/// The longest S3 key.
const MAX_S3_KEY: usize = 1024;

/// The longest key whose file names fit, during a multipart upload too.
pub(in crate::cloud) fn max_key_bytes(bucket: &str) -> usize {
    let upload = ".upload-00000000-0000-0000-0000-000000000000";
    let rest = format!(
        ".bucket-{}.object-{upload}.metadata.json",
        URL_SAFE_NO_PAD.encode(bucket)
    );
    MAX_FILE_NAME.saturating_sub(rest.len()) * 3 / 4
}

/// Refuses keys that cannot be a path, before anything is written.
pub(super) fn check_key(bucket: &str, key: &str) -> S3Result<()> {
    if key.len() > max_key_bytes(bucket).min(MAX_S3_KEY) {
        return Err(s3_error!(KeyTooLongError, "Your key is too long"));
    }
    // One slash at the end is a folder, as consoles make them.
    let path = key.strip_suffix('/').unwrap_or(key);
    let plain = path
        .split('/')
        .all(|segment| !matches!(segment, "" | "." | "..") && !segment.contains('\0'));
    if plain {
        Ok(())
    } else {
        Err(s3_error!(
            InvalidArgument,
            "This store takes no empty, dot or dot-dot segment in a key"
        ))
    }
}

/// The directory that `s3s-fs` works in.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub fn object(&self, bucket: &str, key: &str) -> PathBuf {
        self.root.join(bucket).join(key)
    }

    fn beside(&self, bucket: &str, key: &str, kind: &str) -> PathBuf {
        let bucket = URL_SAFE_NO_PAD.encode(bucket);
        let key = URL_SAFE_NO_PAD.encode(key);
        self.root
            .join(format!(".bucket-{bucket}.object-{key}.{kind}.json"))
    }

    /// Forgets what is kept beside an object that is gone.
    pub async fn forget(&self, bucket: &str, key: &str) {
        for kind in ["metadata", "internal"] {
            let path = self.beside(bucket, key, kind);
            match tokio::fs::remove_file(&path).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "what was kept beside an object stays");
                }
                _ => {}
            }
        }
    }

    /// Forgets the checksums of the object that a multipart upload replaced.
    pub async fn forget_checksums(&self, bucket: &str, key: &str) -> std::io::Result<()> {
        let path = self.beside(bucket, key, "internal");
        let kept = match self.etag(bucket, key).await {
            Some(etag) => serde_json::json!({"e_tag": etag}),
            None => return Ok(()),
        };
        tokio::fs::write(path, kept.to_string()).await
    }

    /// The entity tag without its quotes.
    pub async fn etag(&self, bucket: &str, key: &str) -> Option<String> {
        let read = tokio::fs::read(self.beside(bucket, key, "internal")).await;
        let info: serde_json::Value = serde_json::from_slice(&read.ok()?).ok()?;
        info.get("e_tag")?.as_str().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_no_paths_are_refused() {
        for key in ["a", "a/b", "a/b/", "audio/é ü/x.wav", "..a/b..", "..."] {
            assert!(check_key("bucket", key).is_ok(), "{key}");
        }
        let long = "k".repeat(1 + max_key_bytes("bucket"));
        for key in ["/a", "a//b", "a/../b", "./a", "a/.", "..", "a//", &long] {
            assert!(check_key("bucket", key).is_err(), "{key}");
        }
        assert!(max_key_bytes("stt-eval-local") >= 120);
    }
}
