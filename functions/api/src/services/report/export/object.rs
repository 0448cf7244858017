//! The file of an export in the bucket: where it is, and how it grows.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use stt_eval_shared::App;
use stt_eval_shared::domain::{ProjectId, RunId};
use stt_eval_shared::objects::{ObjectError, Parts, report_prefix};
use stt_eval_shared::wire::export::ExportFormat;

/// Bytes that are held before they are sent; S3 wants at least 5 MiB.
const PART: usize = 8 * 1024 * 1024;

/// Where the file of an export is.
#[derive(Debug)]
pub struct Stored {
    key: String,
    run: RunId,
    format: ExportFormat,
}

impl Stored {
    /// By what the export depends on.
    pub fn new(project: &ProjectId, run: RunId, name: &str, format: ExportFormat) -> Self {
        let prefix = report_prefix(project, run);
        Self {
            key: format!("{prefix}{name}.{}", format.extension()),
            run,
            format,
        }
    }

    /// Its length, if it is there.
    pub async fn length(&self, app: &App) -> Result<Option<u64>, ObjectError> {
        let key = &self.key;
        match app.objects.head(key, None).await {
            Ok(head) => Ok(Some(head.size)),
            Err(ObjectError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where it can be fetched.
    pub async fn url(&self, app: &App) -> Result<String, ObjectError> {
        let key = &self.key;
        let name = format!("{}.{}", self.run, self.format.extension());
        app.objects.presign_file(key, &name).await
    }

    /// Writes all of it; gives its length.
    pub async fn write(&self, app: &App, body: Bytes) -> Result<u64, ObjectError> {
        let (key, length) = (&self.key, body.len() as u64);
        let content_type = self.format.content_type();
        app.objects.put(key, content_type, body).await?;
        Ok(length)
    }
}

/// A file that grows, a bounded part of it in memory. It can be written down and gone on
/// with.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Growing {
    parts: Option<Parts>,
    sent: u64,
    #[serde(with = "base64_text")]
    held: Vec<u8>,
}

impl Growing {
    /// Adds to it.
    pub async fn add(
        &mut self,
        app: &App,
        stored: &Stored,
        bytes: &[u8],
    ) -> Result<(), ObjectError> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PART {
            self.send(app, stored).await?;
        }
        Ok(())
    }

    async fn send(&mut self, app: &App, stored: &Stored) -> Result<(), ObjectError> {
        let key = &stored.key;
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => {
                let content_type = stored.format.content_type();
                app.objects.begin_parts(key, content_type).await?
            }
        };
        let body = Bytes::from(std::mem::take(&mut self.held));
        let length = body.len() as u64;
        app.objects.put_part(key, &mut parts, body).await?;
        self.sent += length;
        self.parts = Some(parts);
        Ok(())
    }

    /// Makes the file of it; gives its length.
    pub async fn finish(mut self, app: &App, stored: &Stored) -> Result<u64, ObjectError> {
        if self.parts.is_none() {
            return stored.write(app, self.held.into()).await;
        }
        if !self.held.is_empty() {
            self.send(app, stored).await?;
        }
        let key = &stored.key;
        if let Some(parts) = self.parts {
            app.objects.join_parts(key, parts).await?;
        }
        Ok(self.sent)
    }
}

/// Bytes as text of JSON.
mod base64_text {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
