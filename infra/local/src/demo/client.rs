//! A client of the api, as thin as one can be.

use serde_json::Value;

use crate::error::NodeError;

pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

fn failed(error: &reqwest::Error) -> NodeError {
    NodeError(format!("the api: {error}"))
}

impl Client {
    pub(super) fn new(url: &str, key: &str) -> Result<Self, NodeError> {
        Ok(Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .map_err(|e| failed(&e))?,
            base: format!("{url}/api/v1/evaluations/stt"),
            key: key.to_owned(),
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, NodeError> {
        self.send(self.http.get(format!("{}{path}", self.base)))
            .await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, NodeError> {
        self.send(self.http.post(format!("{}{path}", self.base)).json(body))
            .await
    }

    /// The first of a list that is as wanted. The list is a path that ends where another
    /// parameter can follow.
    pub(super) async fn find(
        &self,
        list: &str,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> Result<Option<Value>, NodeError> {
        let mut cursor = String::new();
        loop {
            let path = format!("{}{list}limit=100{cursor}", self.base);
            let envelope = self.envelope(self.http.get(path)).await?;
            let mut items = envelope["data"].as_array().into_iter().flatten();
            if let Some(found) = items.find(|item| is_wanted(item)) {
                return Ok(Some(found.clone()));
            }
            let Some(next) = envelope["metadata"]["next_cursor"].as_str() else {
                return Ok(None);
            };
            let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
            cursor = format!("&cursor={next}");
        }
    }

    /// Sends bytes as an `upload` object says.
    pub(super) async fn put_presigned(
        &self,
        upload: &Value,
        bytes: &'static [u8],
    ) -> Result<(), NodeError> {
        let mut request = self
            .http
            .put(upload["url"].as_str().unwrap_or_default())
            .body(bytes);
        for (name, value) in upload["headers"].as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        let answer = request.send().await.map_err(|e| failed(&e))?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(NodeError(format!(
            "an upload was refused: {}",
            answer.status()
        )))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, NodeError> {
        Ok(self.envelope(request).await?["data"].take())
    }

    /// An answer with what is around it.
    async fn envelope(&self, request: reqwest::RequestBuilder) -> Result<Value, NodeError> {
        let answer = request
            .header("x-api-key", &self.key)
            .send()
            .await
            .map_err(|e| failed(&e))?;
        let status = answer.status();
        let envelope: Value = answer.json().await.map_err(|e| failed(&e))?;
        if !status.is_success() {
            return Err(NodeError(format!("the api answered {status}: {envelope}")));
        }
        Ok(envelope)
    }
}
