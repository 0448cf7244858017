//! `multipart/form-data` with one small file.

use axum::body::Body;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;

use crate::refusal::Refusal;
use crate::services::files::inline::{ADVICE, Form};

fn unreadable(error: &axum::extract::multipart::MultipartError) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::too_large(format!("the body is larger than {ADVICE}"));
    }
    Refusal::malformed("the body is not readable as multipart/form-data")
}

/// The parts of a body that `http::body::read` has read, and bounded: axum's own bound is
/// smaller.
///
/// # Errors
/// When the body has no boundary.
pub async fn parts(mut head: Parts, body: Bytes) -> Result<Multipart, MultipartRejection> {
    head.headers.remove(http::header::CONTENT_LENGTH);
    let mut request = Request::from_parts(head, Body::from(body));
    DefaultBodyLimit::disable().apply(&mut request);
    Multipart::from_request(request, &()).await
}

/// Takes a multipart body apart.
///
/// # Errors
/// When it can't be read, has an unknown part or one twice, or lacks the file.
pub async fn read(head: Parts, body: Bytes) -> Result<Form, Refusal> {
    let mut form = parts(head, body)
        .await
        .map_err(|_| Refusal::malformed("the multipart body has no boundary"))?;
    let mut file = None;
    let mut checksum = None;
    while let Some(part) = form.next_field().await.map_err(|e| unreadable(&e))? {
        let name = part.name().unwrap_or_default().to_owned();
        match &*name {
            "file" if file.is_none() => {
                let filename = part.file_name().map(str::to_owned);
                let content_type = part.content_type().map(str::to_owned);
                let bytes = part.bytes().await.map_err(|e| unreadable(&e))?;
                file = Some((filename, content_type, bytes));
            }
            "checksum_sha256" if checksum.is_none() => {
                // Not `text`, which knows every character set, at 100 KB.
                let text = part.bytes().await.map_err(|e| unreadable(&e))?;
                checksum = Some(String::from_utf8_lossy(&text).into_owned());
            }
            "file" | "checksum_sha256" => {
                return Err(Refusal::malformed_field(name, "part is there twice"));
            }
            _ => {
                let name: String = name.chars().take(60).collect();
                return Err(Refusal::malformed_field(
                    name,
                    "unknown part; allowed are file and checksum_sha256",
                ));
            }
        }
    }
    let Some((filename, content_type, bytes)) = file else {
        return Err(Refusal::invalid_field("file", "part is required"));
    };
    Ok(Form {
        filename: filename.unwrap_or_default(),
        content_type: content_type.unwrap_or_default(),
        checksum_sha256: checksum,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use stt_eval_shared::crypto::sha256_hex;

    use super::*;
    use crate::http::error::status;
    use crate::services::files::inline::check;

    fn form(body: &str) -> (Parts, Bytes) {
        let request = http::Request::builder()
            .header("content-type", "multipart/form-data; boundary=b")
            .body(())
            .unwrap();
        (
            request.into_parts().0,
            Bytes::from(body.replace('\n', "\r\n")),
        )
    }

    async fn refused(body: &str) -> (u16, String) {
        let (parts, bytes) = form(body);
        let error = read(parts, bytes).await.and_then(check).unwrap_err();
        (
            status(error.kind).as_u16(),
            error
                .fields
                .first()
                .map(|f| f.field.clone())
                .unwrap_or_default(),
        )
    }

    const FILE: &str = "--b\nContent-Disposition: form-data; name=\"file\"; filename=\"அ.csv\"\nContent-Type: text/csv\n\na,b\n\n";

    #[tokio::test]
    async fn the_file_and_its_checksum_are_read() {
        let sum = sha256_hex(b"a,b\r\n");
        let part =
            format!("--b\nContent-Disposition: form-data; name=\"checksum_sha256\"\n\n{sum}\n");
        let (parts, bytes) = form(&format!("{FILE}{part}--b--\n"));
        let inline = check(read(parts, bytes).await.unwrap()).unwrap();
        assert_eq!(inline.declared.filename, "அ.csv");
        assert_eq!(inline.declared.checksum_sha256.as_deref(), Some(&*sum));
        assert_eq!(&*inline.bytes, b"a,b\r\n");
    }

    #[tokio::test]
    async fn odd_forms_are_refused() {
        assert_eq!(refused("").await.0, 400);
        assert_eq!(refused("--b--\n").await, (422, "file".into()));
        assert_eq!(
            refused(&format!("{FILE}{FILE}--b--\n")).await,
            (400, "file".into())
        );
        let other = "--b\nContent-Disposition: form-data; name=\"x\"\n\n1\n--b--\n";
        assert_eq!(refused(other).await, (400, "x".into()));
        let sum = format!(
            "{FILE}--b\nContent-Disposition: form-data; name=\"checksum_sha256\"\n\n{}\n--b--\n",
            "00".repeat(32)
        );
        assert_eq!(refused(&sum).await, (422, "checksum_sha256".into()));
        let unnamed = FILE.replace("filename=\"அ.csv\"", "filename=\"\"");
        assert_eq!(
            refused(&format!("{unnamed}--b--\n")).await,
            (422, "file".into())
        );
    }
}
