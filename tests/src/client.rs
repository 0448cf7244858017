//! A client of the api.

use serde_json::{Value, json};

use crate::{API, contract};

/// An answer of the api.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers, lower-case.
    pub headers: Vec<(String, String)>,
    /// Body as JSON; `Null` when it is none.
    pub body: Value,
    /// Body as text.
    pub text: String,
}

impl Answer {
    /// The `data` of a success; panics with the answer when it is none.
    #[track_caller]
    pub fn data(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.body["success"], json!(true), "{}", self.text);
        &self.body["data"]
    }

    /// Fields that a refusal names; panics when it has another status.
    #[track_caller]
    pub fn refused(&self, status: u16) -> Vec<String> {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.body["success"], json!(false), "{}", self.text);
        assert_eq!(self.body["data"], Value::Null, "{}", self.text);
        assert!(self.body["error"].is_string(), "{}", self.text);
        assert!(
            self.body["metadata"]["request_id"].is_string(),
            "{}",
            self.text
        );
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|e| e["field"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }
}

/// A client with a key (or without).
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

impl Client {
    /// Against a machine's URL.
    #[must_use]
    pub fn new(base: &str, key: Option<&str>) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            http,
            base: base.to_owned(),
            key: key.map(str::to_owned),
        }
    }

    /// The same with another key.
    #[must_use]
    pub fn with_key(&self, key: Option<&str>) -> Self {
        Self {
            key: key.map(str::to_owned),
            ..self.clone()
        }
    }

    /// A request; `path` is below the api's prefix unless it begins with `//`.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = match path.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
            Some(rooted) => format!("{}{rooted}", self.base),
            None => format!("{}{API}{path}", self.base),
        };
        let request = self.http.request(method.parse().unwrap(), url);
        match &self.key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        }
    }

    /// Sends a request. The answer must be one that the types of the contract read.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let method = request.method().clone();
        let path = request.url().path().to_owned();
        let answer = self.http.execute(request).await.unwrap();
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(n, v)| {
                (
                    n.to_string(),
                    String::from_utf8_lossy(v.as_bytes()).into_owned(),
                )
            })
            .collect();
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        contract::check(method.as_str(), &path, status, &body);
        Answer {
            status,
            headers,
            body,
            text,
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("POST", path).json(body)).await
    }

    /// PATCH of JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("PATCH", path).json(body)).await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("PUT", path).json(body)).await
    }

    /// Sends bytes as an `upload` object says; gives the status of S3.
    pub async fn put_upload(&self, upload: &Value, bytes: Vec<u8>) -> u16 {
        let mut request = self.http.put(upload["url"].as_str().unwrap()).body(bytes);
        for (name, value) in upload["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        request.send().await.unwrap().status().as_u16()
    }
}
