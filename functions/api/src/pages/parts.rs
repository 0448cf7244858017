//! Forms with files in them (`multipart/form-data`), never more of them than allowed.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::StatusCode;

use super::form::Form;
use crate::http::query::Pairs;
use crate::http::{body, multipart};
use crate::refusal::Refusal;
use crate::services::files::inline::MAX_BODY;

/// Largest form: that of a small file, ids of 10,000 recordings beside it included.
const MAX_FORM: usize = MAX_BODY;
/// Most parts: a box for each model there may be, those of the project's own included, and the
/// fields beside them.
const MAX_PARTS: usize = 200;
/// What to do with a larger one.
const ADVICE: &str = "4 MiB; with scripts switched on, larger recordings and tables are sent straight to where they are kept";

/// A file of a form.
#[derive(Debug)]
pub struct Sent {
    /// Its name.
    pub filename: String,
    /// What a browser takes it for.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// A form: texts, and at most one file a field. A field in which none was chosen has none.
#[derive(Debug)]
pub struct Parts {
    /// The texts.
    pub fields: Pairs,
    /// The files and the names of their fields.
    files: Vec<(String, Sent)>,
}

fn unreadable(error: &axum::extract::multipart::MultipartError) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::too_large(format!("the form is larger than {ADVICE}"));
    }
    Refusal::malformed("the form is not readable as multipart/form-data")
}

impl Parts {
    /// The file of a field.
    #[must_use]
    pub fn take(&mut self, field: &str) -> Option<Sent> {
        let at = self.files.iter().position(|(name, _)| name == field)?;
        Some(self.files.swap_remove(at).1)
    }

    /// The same without files.
    #[must_use]
    pub fn of(fields: Pairs) -> Self {
        let files = Vec::new();
        Self { fields, files }
    }
}

/// A form that may have a file: one in which none is chosen may come without parts.
pub struct AnyForm(pub Parts);

impl<S: Sync> FromRequest<S> for AnyForm {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if body::media_type(request.headers()) == "multipart/form-data" {
            return Parts::from_request(request, state).await.map(Self);
        }
        let Form(fields): Form = Form::from_request(request, state).await?;
        Ok(Self(Parts::of(fields)))
    }
}

impl<S: Sync> FromRequest<S> for Parts {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        if body::media_type(&parts.headers) != "multipart/form-data" {
            return Err(Refusal::unsupported(
                "the body must be a form with files (multipart/form-data)",
            ));
        }
        let bytes = body::read(&parts.headers, body, MAX_FORM, ADVICE).await?;
        let mut form = multipart::parts(parts, bytes)
            .await
            .map_err(|_| Refusal::malformed("the form has no boundary"))?;
        let mut fields = Vec::new();
        let mut files: Vec<(String, Sent)> = Vec::new();
        let mut count = 0;
        while let Some(part) = form.next_field().await.map_err(|e| unreadable(&e))? {
            count += 1;
            if count > MAX_PARTS {
                let message = format!("the form has more than {MAX_PARTS} parts");
                return Err(Refusal::malformed(message));
            }
            let name = part.name().unwrap_or_default();
            // It may stand in an answer.
            let name: String = name.chars().take(60).collect();
            let filename = part.file_name().map(str::to_owned);
            let content_type = part.content_type().unwrap_or_default().to_owned();
            let bytes = part.bytes().await.map_err(|e| unreadable(&e))?;
            match filename {
                None => {
                    let text = String::from_utf8(bytes.to_vec())
                        .map_err(|_| Refusal::malformed_field(&*name, "is not UTF-8"))?;
                    fields.push((name, text));
                }
                // Browsers send a field of files that was left empty as well.
                Some(filename) if filename.is_empty() && bytes.is_empty() => {}
                Some(_) if files.iter().any(|(of, _)| *of == name) => {
                    return Err(Refusal::malformed_field(
                        name,
                        "is a second file; one is taken",
                    ));
                }
                Some(filename) => {
                    let sent = Sent {
                        filename,
                        content_type,
                        bytes,
                    };
                    files.push((name, sent));
                }
            }
        }
        Ok(Self {
            fields: Pairs::of(fields),
            files,
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::refusal::Kind;

    async fn read(body: &str) -> Result<Parts, Refusal> {
        let request = http::Request::builder()
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Body::from(body.replace('\n', "\r\n")))
            .unwrap();
        Parts::from_request(request, &()).await
    }

    const NAME: &str = "--b\nContent-Disposition: form-data; name=\"name\"\n\nஅ b\n";
    const EMPTY: &str = "--b\nContent-Disposition: form-data; name=\"table\"; filename=\"\"\nContent-Type: application/octet-stream\n\n\n";
    const FILE: &str = "--b\nContent-Disposition: form-data; name=\"table\"; filename=\"அ.csv\"\nContent-Type: text/csv\n\na,b\n\n";

    #[tokio::test]
    async fn texts_and_a_file_are_read() {
        let mut parts = read(&format!("{NAME}{FILE}--b--\n")).await.unwrap();
        assert_eq!(parts.fields.text("name"), Some("அ b"));
        assert!(parts.take("file").is_none());
        let sent = parts.take("table").unwrap();
        assert_eq!((&*sent.filename, &*sent.bytes), ("அ.csv", &b"a,b\r\n"[..]));
        let other = FILE.replace("\"table\"", "\"file\"");
        let mut parts = read(&format!("{other}{FILE}--b--\n")).await.unwrap();
        assert!(parts.take("file").is_some() && parts.take("table").is_some());
        let mut parts = read(&format!("{NAME}{EMPTY}--b--\n")).await.unwrap();
        assert!(parts.take("table").is_none());
    }

    #[tokio::test]
    async fn a_form_may_be_as_large_as_it_says() {
        let large = FILE.replace("a,b", &"x".repeat(MAX_FORM - 1_024));
        let mut parts = read(&format!("{NAME}{large}--b--\n")).await.unwrap();
        assert!(parts.take("table").unwrap().bytes.len() > MAX_FORM - 1_024);
    }

    #[tokio::test]
    async fn odd_forms_are_refused() {
        let kind = async |body: &str| read(body).await.unwrap_err().kind;
        assert_eq!(kind("").await, Kind::Malformed);
        assert_eq!(kind(&format!("{FILE}{FILE}--b--\n")).await, Kind::Malformed);
        let many = NAME.repeat(MAX_PARTS + 1);
        assert_eq!(kind(&format!("{many}--b--\n")).await, Kind::Malformed);
        let large = NAME.replace("அ b", &"x".repeat(MAX_FORM));
        assert_eq!(kind(&format!("{large}--b--\n")).await, Kind::TooLarge);
    }
}
