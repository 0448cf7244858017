//! Files.

use stt_eval_shared::domain::file::{self, AudioFacts};
use stt_eval_shared::wire::files::{Announced, File, Upload};

use super::Signed;

/// A file.
#[must_use]
pub fn file(file: file::File, signed_url: Signed) -> File {
    let audio = file.audio;
    File {
        id: file.id,
        filename: file.filename,
        kind: file.kind,
        content_type: file.content_type,
        size_bytes: file.size_bytes,
        status: file.status,
        rejection_reason: file.rejection_reason,
        duration_seconds: audio.as_ref().map(|a| a.duration_seconds),
        sample_rate_hz: audio.as_ref().map(|a| a.sample_rate_hz),
        detected_content_type: audio
            .as_ref()
            .and_then(AudioFacts::content_type)
            .map(str::to_owned),
        channels: audio.as_ref().map(|a| a.channels),
        format: audio.map(|a| a.format),
        checksum_sha256: file.checksum_sha256,
        signed_url,
        inserted_at: file.inserted_at,
        updated_at: file.updated_at,
    }
}

/// A file and how to upload it.
#[must_use]
pub fn announced(of: file::File, upload: Option<Upload>) -> Announced {
    Announced {
        file: file(of, None),
        upload,
    }
}
