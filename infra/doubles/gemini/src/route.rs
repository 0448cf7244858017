//! Which operation a method and path mean.

use std::collections::HashMap;
use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

/// An operation of the protocol; the unit of fault matching and of counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `POST /upload/{v}/files`, command `start`.
    UploadStart,
    /// `POST` of bytes to an upload URL, with or without `finalize`.
    UploadChunk,
    /// `POST` to an upload URL, command `query`.
    UploadQuery,
    /// `GET /{v}/files/{id}`.
    FileGet,
    /// `GET /{v}/files`.
    FileList,
    /// `DELETE /{v}/files/{id}`.
    FileDelete,
    /// `GET /download/{v}/files/{id}:download?alt=media`; without `/download` it
    /// is a redirection there.
    FileDownload,
    /// `POST /{v}/models/{model}:batchGenerateContent`.
    BatchCreate,
    /// `GET /{v}/batches/{id}`.
    BatchGet,
    /// `GET /{v}/batches`.
    BatchList,
    /// `POST /{v}/batches/{id}:cancel`.
    BatchCancel,
    /// `DELETE /{v}/batches/{id}`.
    BatchDelete,
    /// `GET /{v}/models`.
    ModelList,
    /// `GET /{v}/models/{model}`.
    ModelGet,
    /// `POST /{v}/models/{model}:generateContent`.
    GenerateContent,
    /// Anything else; answered 404.
    Unknown,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => f.write_str(&name),
            _ => write!(f, "{self:?}"),
        }
    }
}

/// A parsed request target.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub route: Route,
    /// `v1` or `v1beta`.
    pub version: &'static str,
    /// The file, batch, model or upload session meant; empty for collections.
    pub id: String,
    /// What is asked for is under another path.
    pub elsewhere: Option<String>,
}

/// Parses a request; `command` is the `X-Goog-Upload-Command` header.
pub(crate) fn parse(
    method: &Method,
    path: &str,
    query: &HashMap<String, String>,
    command: &str,
) -> Target {
    let unknown = Target {
        route: Route::Unknown,
        version: "v1beta",
        id: String::new(),
        elsewhere: None,
    };
    let mut segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let prefix = match segments.first() {
        Some(&"upload") => "upload",
        Some(&"download") => "download",
        _ => "",
    };
    if !prefix.is_empty() {
        segments.remove(0);
    }
    let version = match segments.first() {
        Some(&"v1") => "v1",
        Some(&"v1beta") => "v1beta",
        _ => return unknown,
    };
    let (route, id) = match (prefix, method.as_str(), &segments[1..]) {
        ("upload", "POST" | "PUT", ["files"]) => match query.get("upload_id") {
            None => (Route::UploadStart, ""),
            Some(id) if command.trim().eq_ignore_ascii_case("query") => {
                (Route::UploadQuery, id.as_str())
            }
            Some(id) => (Route::UploadChunk, id.as_str()),
        },
        ("" | "download", "GET", ["files", id]) if id.ends_with(":download") => {
            (Route::FileDownload, id.trim_end_matches(":download"))
        }
        ("", "GET", ["files"]) => (Route::FileList, ""),
        ("", "GET", ["files", id]) => (Route::FileGet, *id),
        ("", "DELETE", ["files", id]) => (Route::FileDelete, *id),
        ("", "GET", ["batches"]) => (Route::BatchList, ""),
        ("", "GET", ["batches", id]) => (Route::BatchGet, *id),
        ("", "DELETE", ["batches", id]) => (Route::BatchDelete, *id),
        ("", "POST", ["batches", id]) => match id.strip_suffix(":cancel") {
            Some(id) => (Route::BatchCancel, id),
            None => return unknown,
        },
        ("", "GET", ["models"]) => (Route::ModelList, ""),
        ("", "GET", ["models", id]) => (Route::ModelGet, *id),
        ("", "POST", ["models", call]) => match call.split_once(':') {
            Some((id, "batchGenerateContent")) => (Route::BatchCreate, id),
            Some((id, "generateContent")) => (Route::GenerateContent, id),
            _ => return unknown,
        },
        _ => return unknown,
    };
    let elsewhere = route == Route::FileDownload && prefix.is_empty();
    Target {
        route,
        version,
        id: id.to_owned(),
        elsewhere: elsewhere.then(|| format!("/download/{version}/files/{id}:download?alt=media")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: Method, path: &str) -> (Route, String) {
        let target = parse(&method, path, &HashMap::new(), "start");
        (target.route, target.id)
    }

    #[test]
    fn every_documented_path_is_known() {
        for (method, path, want, id) in [
            (Method::POST, "/upload/v1/files", Route::UploadStart, ""),
            (
                Method::GET,
                "/v1/files/a:download",
                Route::FileDownload,
                "a",
            ),
            (
                Method::GET,
                "/download/v1beta/files/a:download",
                Route::FileDownload,
                "a",
            ),
            (Method::GET, "/v1beta/files/a", Route::FileGet, "a"),
            (Method::DELETE, "/v1beta/files/a", Route::FileDelete, "a"),
            (Method::GET, "/v1beta/batches", Route::BatchList, ""),
            (
                Method::POST,
                "/v1beta/batches/b:cancel",
                Route::BatchCancel,
                "b",
            ),
            (
                Method::POST,
                "/v1/models/m-1.5:batchGenerateContent",
                Route::BatchCreate,
                "m-1.5",
            ),
            (
                Method::POST,
                "/v1/models/m:generateContent",
                Route::GenerateContent,
                "m",
            ),
            (Method::POST, "/v1/models/m:countTokens", Route::Unknown, ""),
            (Method::GET, "/v2/files", Route::Unknown, ""),
            (Method::GET, "/", Route::Unknown, ""),
        ] {
            assert_eq!(route(method, path), (want, id.to_owned()), "{path}");
        }
    }

    #[test]
    fn the_upload_id_makes_a_chunk_and_the_command_a_query() {
        let query = HashMap::from([("upload_id".to_owned(), "u".to_owned())]);
        let at = |command| parse(&Method::POST, "/upload/v1beta/files", &query, command).route;
        assert_eq!(at("upload, finalize"), Route::UploadChunk);
        assert_eq!(at("query"), Route::UploadQuery);
    }

    #[test]
    fn routes_print_as_in_json() {
        assert_eq!(Route::BatchCreate.to_string(), "batch_create");
    }
}
