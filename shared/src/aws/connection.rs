//! How the SDK's requests leave: by the client that vendors are asked with.
//!
//! The SDK's own client has HTTP/2 in it, which no service that is used here needs and which
//! can't be left out of it: together with a second pool of connections that was half a
//! megabyte of each function.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use crate::tls;

/// Makes nothing before the first request: a client reads the TLS roots.
#[derive(Debug, Clone)]
pub(super) struct Connections(Arc<Pool>);

/// The pool of connections of one SDK configuration.
struct Pool {
    /// For a connection to stand, TLS included.
    connect: Duration,
    client: Mutex<Option<reqwest::Client>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("connect", &self.connect)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// The client of now.
    fn client(&self) -> Result<reqwest::Client, ConnectorError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = self.make()?;
        Ok(client.insert(made).clone())
    }

    fn make(&self) -> Result<reqwest::Client, ConnectorError> {
        let tls = tls::config().map_err(|e| ConnectorError::io(e.into()))?;
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(self.connect)
            // The SDK repeats, and follows where S3 sends it.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()
            .map_err(|e| ConnectorError::io(e.into()))
    }

    /// Opens connections anew: those of now may lead to a server that is ill, or may be
    /// dead since the sandbox was last awake. What is under way on them goes on.
    fn renew(&self) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Connections {
    /// With the longest time for a connection to stand, TLS included.
    pub(super) fn new(connect: Duration) -> Self {
        let client = Mutex::default();
        Self(Arc::new(Pool { connect, client }))
    }
}

impl HttpClient for Connections {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            pool: Arc::clone(&self.0),
            first_byte: settings.read_timeout(),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("reqwest", Some("0.13".into())))
    }
}

/// The pool with the bounds of one client of a service.
#[derive(Debug)]
struct Connector {
    pool: Arc<Pool>,
    /// For an answer to begin.
    first_byte: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sent = self.pool.client().and_then(|client| {
            let request = prepared(request, &self.pool)?;
            Ok((client, request))
        });
        let first_byte = self.first_byte;
        HttpConnectorFuture::new(async move {
            let (client, request) = sent?;
            let answer = client.execute(request);
            let answer = match first_byte {
                None => answer.await,
                Some(most) => tokio::time::timeout(most, answer)
                    .await
                    .map_err(|late| ConnectorError::timeout(late.into()))?,
            };
            let answer = http::Response::from(answer.map_err(of_reqwest)?);
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}

/// A request in the client's form. Its URL is the one that was signed: all characters of keys
/// are encoded, and one with dots between slashes, which a URL can't say, is refused rather
/// than asked for by the key that it would be without them.
fn prepared(request: HttpRequest, pool: &Arc<Pool>) -> Result<reqwest::Request, ConnectorError> {
    let request = request
        .try_into_http1x()
        .map_err(|e| ConnectorError::user(e.into()))?;
    if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
        let pool = Arc::clone(pool);
        capture.set_connection_retriever(move || {
            let pool = Arc::clone(&pool);
            let connection = ConnectionMetadata::builder().proxied(false);
            Some(connection.poison_fn(move || pool.renew()).build())
        });
    }
    let signed = request.uri().path().to_owned();
    let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))
        .map_err(|e| ConnectorError::user(e.without_url().into()))?;
    if request.url().path() != signed {
        return Err(ConnectorError::user("no URL can say this path".into()));
    }
    Ok(request)
}

/// An error of the client without its URL, in which S3 names the object. What is no fault of
/// the request is repeated by the SDK: it is asked for nothing that may not be done twice.
fn of_reqwest(error: reqwest::Error) -> ConnectorError {
    let error = error.without_url();
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(path: &str) -> Result<String, String> {
        let pool = Arc::new(Pool {
            connect: Duration::from_secs(1),
            client: Mutex::default(),
        });
        let uri = format!("https://s3.example/bucket/{path}?versionId=1");
        let request = HttpRequest::get(uri).map_err(|e| e.to_string())?;
        prepared(request, &pool)
            .map(|request| request.url().path().to_owned())
            .map_err(|e| format!("{e:?}"))
    }

    #[test]
    fn an_object_is_asked_for_by_the_key_that_was_signed() {
        for path in ["a//b%2Bc.wav", "%252e%252e/b.wav", "a/..b.wav", "%E0%AE%92"] {
            assert_eq!(asked(path), Ok(format!("/bucket/{path}")));
        }
        for path in ["a/../b.wav", "./b.wav", "../other/b.wav", "%2e%2e/b.wav"] {
            let refused = asked(path).unwrap_err();
            assert!(refused.contains("no URL can say this path"), "{refused}");
            assert!(!refused.contains("b.wav"), "{refused}");
        }
    }
}
