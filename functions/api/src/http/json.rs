//! JSON bodies, read strictly: unknown fields are refused by name, and every
//! error names the path of the field it is about.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use stt_eval_shared::wire::object::Object;

use crate::http::body::{self, MAX_JSON};
use crate::refusal::Refusal;

/// A JSON body, and the bytes it was read from (what repeats are told by).
#[derive(Debug)]
pub struct JsonBody<T> {
    /// What it says.
    pub value: T,
    /// Its bytes.
    pub bytes: Bytes,
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let media = body::media_type(&parts.headers);
        if !is_json(&media) {
            return Err(Refusal::unsupported(
                "the body must be JSON; send it with Content-Type: application/json",
            ));
        }
        let bytes = body::read(&parts.headers, body, MAX_JSON, "1 MiB").await?;
        Ok(Self {
            value: parse(&bytes)?,
            bytes,
        })
    }
}

/// The body of a request that says all it has to say by its path: none, or an
/// object without fields. A field in it would be a misunderstanding, and is
/// refused like any other unknown one.
#[derive(Debug)]
pub struct NoBody;

impl<S: Sync> FromRequest<S> for NoBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        let (parts, body) = request.into_parts();
        let bytes = body::read(&parts.headers, body, MAX_JSON, "1 MiB").await?;
        if bytes.is_empty() {
            return Ok(Self);
        }
        if !is_json(&body::media_type(&parts.headers)) {
            return Err(Refusal::unsupported(
                "the request takes no body, or an empty JSON object with \
                 Content-Type: application/json",
            ));
        }
        parse::<Nothing>(&bytes).map(|Nothing {}| Self)
    }
}

/// A JSON body that may be left out: then it says what an empty object says.
#[derive(Debug)]
pub struct MaybeBody<T> {
    /// What it says.
    pub value: T,
    /// Its bytes; none where it says nothing.
    pub bytes: Bytes,
}

impl<S: Sync, T: DeserializeOwned + Default + PartialEq> FromRequest<S> for MaybeBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = body::read(&parts.headers, body, MAX_JSON, "1 MiB").await?;
        if !bytes.is_empty() && !is_json(&body::media_type(&parts.headers)) {
            return Err(Refusal::unsupported(
                "the request takes no body, or a JSON object with Content-Type: application/json",
            ));
        }
        let value = match bytes.is_empty() {
            true => T::default(),
            false => parse(&bytes)?,
        };
        let says_nothing = value == T::default();
        Ok(Self {
            bytes: if says_nothing { Bytes::new() } else { bytes },
            value,
        })
    }
}

/// Whether a media type is one of JSON.
pub fn is_json(media: &str) -> bool {
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}

/// Reads a JSON object.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value: Object<T> = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        // serde_json takes a wrong type in the place of a word for broken JSON.
        if error.inner().is_syntax() && serde_json::from_slice::<serde_json::Value>(bytes).is_ok() {
            let field = if path == "." { "body" } else { &*path };
            return Refusal::invalid_field(field, "must be text");
        }
        explain(&path, error.inner())
    })?;
    json.end().map_err(|error| explain(".", &error))?;
    Ok(value.0)
}

/// Turns serde's words into ours. Values of the request are left out: they may
/// be secrets, and they may be long.
fn explain(path: &str, error: &serde_json::Error) -> Refusal {
    match error.classify() {
        Category::Data => {}
        Category::Eof if error.line() == 1 && error.column() == 0 => {
            return Refusal::malformed("the body is empty; a JSON object is expected");
        }
        Category::Syntax | Category::Eof | Category::Io => {
            return Refusal::malformed(format!(
                "the body is not JSON: an error at line {}, column {}",
                error.line(),
                error.column()
            ));
        }
    }
    let text = error.to_string();
    let text = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(text, _)| text);
    let field = if path == "." { "body" } else { path };
    if text.starts_with("unknown field") {
        let allowed = match text.split_once(", expected ") {
            Some((_, names)) => format!("; expected {}", names.replace('`', "")),
            None => String::new(),
        };
        return Refusal::malformed_field(shortened(field), format!("unknown field{allowed}"));
    }
    // For these the path is that of the object.
    let inside = |name: &str| {
        let name = name.trim_matches('`');
        if path == "." {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    if let Some(name) = text.strip_prefix("duplicate field ") {
        return Refusal::malformed_field(inside(name), "is there twice");
    }
    if let Some(name) = text.strip_prefix("missing field ") {
        return Refusal::invalid_field(inside(name), "is required");
    }
    let message = match text.split_once(", expected ") {
        Some((_, wanted)) => format!("must be {}", wanted_words(wanted)),
        None => text.to_owned(),
    };
    Refusal::invalid_field(field, message)
}

fn wanted_words(wanted: &str) -> String {
    match wanted {
        "a map" => "an object".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        "u64" | "u32" | "u16" | "u8" | "usize" => "a whole number, 0 or more".to_owned(),
        other => other.replace('`', ""),
    }
}

fn shortened(field: &str) -> String {
    field.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stt_eval_shared::wire::object::nullable;

    use super::*;
    use crate::http::error::status;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Vec<Object<Inner>>,
        #[serde(default, deserialize_with = "nullable")]
        remark: Option<Option<String>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        size: u64,
    }

    fn refused(body: &str) -> (u16, String, String) {
        let error = parse::<Outer>(body.as_bytes()).unwrap_err();
        let field = error
            .fields
            .first()
            .map(|f| f.field.clone())
            .unwrap_or_default();
        (status(error.kind).as_u16(), field, error.message)
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (body, status, field) in [
            ("", 400, ""),
            ("{", 400, ""),
            ("not json", 400, ""),
            ("{\"name\":\"a\"} x", 400, ""),
            ("{\"name\":\"\\ud800\"}", 400, ""),
            ("{\"name\":\"a\",\"nmae\":1}", 400, "nmae"),
            ("{\"name\":\"a\",\"name\":\"b\"}", 400, "name"),
            (
                "{\"name\":\"a\",\"inner\":[{\"size\":1},{\"size\":2,\"x\":1}]}",
                400,
                "inner[1].x",
            ),
            ("[]", 422, "body"),
            ("[\"a\"]", 422, "body"),
            ("null", 422, "body"),
            ("{}", 422, "name"),
            ("{\"name\":1}", 422, "name"),
            ("{\"name\":null}", 422, "name"),
            ("{\"name\":\"a\",\"inner\":{}}", 422, "inner"),
            ("{\"name\":\"a\",\"inner\":[[1]]}", 422, "inner[0]"),
            ("{\"name\":\"a\",\"inner\":[{}]}", 422, "inner[0].size"),
            (
                "{\"name\":\"a\",\"inner\":[{\"size\":-1}]}",
                422,
                "inner[0].size",
            ),
            (
                "{\"name\":\"a\",\"inner\":[{\"size\":1.5}]}",
                422,
                "inner[0].size",
            ),
        ] {
            let (got, at, message) = refused(body);
            assert_eq!((got, &*at), (status, field), "{body}: {message}");
        }
        assert_eq!(
            refused("{\"name\":\"a\",\"inner\":[{\"size\":\"secret\"}]}").2,
            "inner[0].size: must be a whole number, 0 or more"
        );
        assert!(
            refused("{\"name\":\"a\",\"x\":1}")
                .2
                .contains("expected one of name, inner, remark")
        );
    }

    #[test]
    fn a_wrong_type_in_place_of_a_word_is_named() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            One,
        }
        #[derive(Debug, Deserialize)]
        struct Words {
            #[expect(dead_code, reason = "only read")]
            word: Word,
        }
        assert!(parse::<Words>(b"{\"word\":\"one\"}").is_ok());
        for wrong in [
            "7",
            "7.5",
            "[]",
            "[[]]",
            "true",
            "null",
            "{}",
            "{\"one\":1}",
            "\"two\"",
        ] {
            let error = parse::<Words>(format!("{{\"word\":{wrong}}}").as_bytes()).unwrap_err();
            // Inside an object in its place, the error is that of the entry.
            let field = error.fields[0].field.split('.').next();
            assert_eq!(
                (status(error.kind).as_u16(), field),
                (422, Some("word")),
                "{wrong}"
            );
        }
        let error = parse::<Words>(b"{\"word\":7").unwrap_err();
        assert_eq!(status(error.kind).as_u16(), 400);
    }

    #[test]
    fn null_is_not_absence() {
        let read = |body: &str| parse::<Outer>(body.as_bytes()).unwrap().remark;
        assert_eq!(read("{\"name\":\"a\"}"), None);
        assert_eq!(read("{\"name\":\"a\",\"remark\":null}"), Some(None));
        assert_eq!(
            read("{\"name\":\"a\",\"remark\":\"\"}"),
            Some(Some(String::new()))
        );
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{{\"name\":{}", "[".repeat(100_000));
        assert_eq!(refused(&deep).0, 422, "refused at the first bracket");
        let deep = format!("{{\"name\":\"a\",\"x\":{}", "[".repeat(100_000));
        assert_eq!(refused(&deep).0, 400);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = parse::<Outer>(&bytes);
        }
    }
}
