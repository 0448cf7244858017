//! Pages, as browsers ask for them.

mod blind;
mod compare;
mod consensus;
mod datasets;
mod demo;
mod findings;
mod kept_runs;
mod large;
mod look;
mod queues;
mod references;
mod review;
mod routes;
mod session;
mod settings;
mod splits;
mod start;
mod variant;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::{Expect, World, text};

/// The name of the cookie on loopback.
const COOKIE: &str = "__Host-stt";

/// A browser without scripts: it keeps a cookie, follows nothing, and says where it
/// comes from.
struct Browser {
    http: reqwest::Client,
    base: String,
    cookie: Option<String>,
}

/// An answer.
struct Page {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Page {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default()
    }
}

impl Browser {
    fn new(w: &World) -> Self {
        Self::at(w.machine.node.url.clone())
    }

    /// A browser of a machine.
    fn at(base: String) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            http,
            base,
            cookie: None,
        }
    }

    /// A browser that is signed in.
    async fn signed_in(w: &World, key: &str) -> Self {
        let mut browser = Self::new(w);
        let page = browser.sign_in(key, "Asha", "/runs").await;
        assert_eq!(page.status, 303, "{}", page.text);
        browser
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let request = match &self.cookie {
            Some(value) => request.header("cookie", format!("{COOKIE}={value}")),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        if let Some(set) = headers.get("set-cookie") {
            let set = set.to_str().unwrap();
            let value = set.strip_prefix(&format!("{COOKIE}=")).unwrap();
            let value = value.split(';').next().unwrap();
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
        }
        let text = answer.text().await.unwrap();
        Page {
            status,
            headers,
            text,
        }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        self.http.request(method, format!("{}{path}", self.base))
    }

    async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path);
        self.send(request).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = reqwest::Url::parse("form:").unwrap();
        form.query_pairs_mut().extend_pairs(fields);
        let request = self
            .request("POST", path)
            .header("origin", &self.base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.query().unwrap_or_default().to_owned());
        self.send(request).await
    }

    async fn sign_in(&mut self, key: &str, name: &str, next: &str) -> Page {
        let fields = [("key", key), ("name", name), ("next", next)];
        self.post("/sign-in", &fields).await
    }
}

/// A key of the project with a role: its text and its id.
async fn key(w: &World, role: &str) -> (String, String) {
    let made = w
        .post("//api/v1/keys", &json!({ "name": "people", "role": role }))
        .await;
    let made: &Value = made.data(201);
    (text(&made["key"]).to_owned(), text(&made["id"]).to_owned())
}

/// Somebody signs in; gives the id of the session.
pub async fn signed_in(w: &World, key: &str) -> String {
    let browser = Browser::signed_in(w, key).await;
    let cookie = browser.cookie.unwrap();
    cookie.split('.').next().unwrap().to_owned()
}

/// Revokes a key.
async fn revoke(w: &World, id: &str) {
    w.delete(&format!("//api/v1/keys/{id}")).await.ok(200);
}
