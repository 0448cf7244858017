//! `multipart/form-data` with one file.

use std::collections::BTreeMap;

use axum::extract::Multipart;

use crate::audio::Audio;

/// The file of a form.
pub(super) struct File {
    pub name: String,
    pub content_type: String,
    pub bytes: usize,
    pub audio: Audio,
}

/// A form with a file and fields of text.
#[derive(Default)]
pub(super) struct Form {
    pub file: Option<File>,
    pub fields: BTreeMap<String, String>,
}

impl Form {
    pub async fn read(mut form: Multipart) -> Result<Self, String> {
        let mut read = Self::default();
        while let Some(part) = form.next_field().await.map_err(|e| e.to_string())? {
            let name = part.name().unwrap_or_default().to_owned();
            let file_name = part.file_name().map(str::to_owned);
            let content_type = part.content_type().unwrap_or_default().to_owned();
            let bytes = part.bytes().await.map_err(|e| e.to_string())?;
            match (&*name, file_name) {
                ("file", Some(file_name)) => {
                    read.file = Some(File {
                        name: file_name,
                        content_type,
                        bytes: bytes.len(),
                        audio: Audio::of(&bytes),
                    });
                }
                _ => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    read.fields.insert(name, text);
                }
            }
        }
        Ok(read)
    }
}
