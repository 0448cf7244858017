//! What logs say of a failed call of AWS.
//!
//! The SDK's own way to print an error prints the whole answer, and in that S3
//! names the object: what people call their recordings is not for logs. Nor
//! are the items that DynamoDB sends back of a refused write.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// Code, status and request id of a failure, and the message of the service.
/// For services whose messages are about requests and not about what is stored.
pub(crate) fn told<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let brief = told_briefly(error);
    match error.message() {
        Some(message) => format!("{brief}: {message}"),
        None => brief,
    }
}

/// The same without the message, in which S3 names objects.
pub(crate) fn told_briefly<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ConstructionFailure(_) => "the request could not be made".to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) => failure
            .as_connector_error()
            .map_or_else(|| "not sent".to_owned(), |error| chain(error)),
        _ => answered(error),
    }
}

/// Of an answer that is no success, or that can't be read.
fn answered<E: ProvideErrorMetadata>(error: &SdkError<E>) -> String {
    let code = error.code().unwrap_or("no code");
    let Some(answer) = error.raw_response() else {
        return code.to_owned();
    };
    let status = answer.status().as_u16();
    let id = ["x-amzn-requestid", "x-amz-request-id"]
        .iter()
        .find_map(|name| answer.headers().get(name));
    match id {
        Some(id) => format!("{code} ({status}, request {id})"),
        None => format!("{code} ({status})"),
    }
}

/// An error of the connection and what caused it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;

    use crate::aws::Lazy;
    use crate::objects::{ObjectError, Objects};
    use crate::store::StoreError;

    /// Answers everything alike: with a status and a body, or not at all.
    #[derive(Debug, Clone)]
    struct Answers(Option<(u16, &'static str)>);

    impl HttpConnector for Answers {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::ready(match self.0 {
                None => Err(ConnectorError::io("refused".into())),
                Some((status, body)) => {
                    let mut answer =
                        HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
                    answer.headers_mut().insert("x-amz-request-id", "R1");
                    Ok(answer)
                }
            })
        }
    }

    fn config(answers: Answers) -> aws_types::SdkConfig {
        let connector = SharedHttpConnector::new(answers);
        aws_types::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(Credentials::new(
                    "a", "b", None, None, "test",
                )),
            )
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build()
    }

    async fn of_s3(answers: Answers) -> String {
        let config = config(answers);
        let client = Lazy::new(move || aws_sdk_s3::Client::new(&config));
        let objects = Objects::new(client, "b".into(), true);
        match objects.get("incoming/demo/Patient Name.wav").await {
            Err(error @ ObjectError::Unavailable(_)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn no_error_of_the_bucket_names_an_object() {
        let body = "<Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform: \
             s3:GetObject on resource: \"arn:aws:s3:::b/incoming/demo/Patient Name.wav\"</Message>\
             <Key>incoming/demo/Patient Name.wav</Key>\
             <Resource>/b/incoming/demo/Patient%20Name.wav</Resource></Error>";
        let text = of_s3(Answers(Some((403, body)))).await;
        assert_eq!(text, "S3: AccessDenied (403, request R1)");
        // No XML at all.
        let text = of_s3(Answers(Some((500, "/b/incoming/demo/Patient Name.wav")))).await;
        assert_eq!(text, "S3: no code (500, request R1)");
        let text = of_s3(Answers(None)).await;
        assert!(
            text.contains("refused") && !text.contains("Patient"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn what_is_stored_is_not_told_by_a_refused_write() {
        let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
            "CancellationReasons":[{"Code":"TransactionConflict","Item":{"transcription":{"S":"my secret"}}}]}"#;
        let client = aws_sdk_dynamodb::Client::new(&config(Answers(Some((400, body)))));
        let failed = client.transact_write_items().send().await.unwrap_err();
        let text = StoreError::from(failed).to_string();
        assert!(text.contains("TransactionCanceledException (400"), "{text}");
        assert!(text.contains("[TransactionConflict]"), "{text}");
        assert!(!text.contains("my secret"), "{text}");
    }
}
