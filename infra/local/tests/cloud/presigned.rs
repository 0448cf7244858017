//! Uploads by presigned URL: only what was signed, once, and announced.

use std::collections::HashMap;
use std::time::Duration;

use crate::common::{BUCKET, ORIGIN, http, receive, sha256, start};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use reqwest::{Method, RequestBuilder, StatusCode};
use stt_eval_local::cloud::Cloud;

const BODY: &[u8] = b"RIFF pretend audio";

async fn presign(cloud: &Cloud, key: &str) -> PresignedRequest {
    let expires = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    cloud
        .s3_client()
        .put_object()
        .bucket(BUCKET)
        .key(key)
        .content_length(i64::try_from(BODY.len()).unwrap())
        .content_type("audio/wav")
        .if_none_match("*")
        .checksum_sha256(sha256(BODY))
        .presigned(expires)
        .await
        .unwrap()
}

/// The request as it was signed, except for the headers in `other`.
fn put(signed: &PresignedRequest, other: &[(&str, &str)]) -> RequestBuilder {
    let mut headers: HashMap<&str, &str> = signed.headers().collect();
    headers.remove("content-length");
    headers.extend(other.iter().copied());
    let request = http().request(Method::PUT, signed.uri());
    headers.into_iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

async fn status(request: RequestBuilder, body: &[u8]) -> StatusCode {
    let response = request.body(body.to_vec()).send().await.unwrap();
    let status = response.status();
    println!("{status}: {}", response.text().await.unwrap());
    status
}

#[tokio::test]
async fn a_signed_upload_works_once_and_is_announced() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let signed = presign(&cloud, "audio/p1/My File+1.wav").await;
    assert!(signed.uri().starts_with(cloud.s3_url()));
    let signed_headers: Vec<_> = signed.headers().map(|(name, _)| name).collect();
    for name in [
        "content-length",
        "content-type",
        "if-none-match",
        "x-amz-checksum-sha256",
    ] {
        assert!(
            signed_headers.contains(&name),
            "{name} of {signed_headers:?}"
        );
    }

    assert_eq!(status(put(&signed, &[]), BODY).await, StatusCode::OK);
    let second = status(put(&signed, &[]), BODY).await;
    assert_eq!(second, StatusCode::PRECONDITION_FAILED);

    let events = receive(&cloud, "events", 3).await;
    assert_eq!(events.len(), 1, "{events:?}");
    let event: aws_lambda_events::event::s3::S3Event = serde_json::from_str(&events[0]).unwrap();
    let record = &event.records[0];
    assert_eq!(record.event_name.as_deref(), Some("ObjectCreated:Put"));
    assert_eq!(record.aws_region.as_deref(), Some("eu-central-1"));
    assert_eq!(record.s3.bucket.name.as_deref(), Some(BUCKET));
    let object = &record.s3.object;
    assert_eq!(object.key.as_deref(), Some("audio/p1/My+File%2B1.wav"));
    assert_eq!(object.size, Some(18));
    let head = cloud
        .s3_client()
        .head_object()
        .bucket(BUCKET)
        .key("audio/p1/My File+1.wav")
        .checksum_mode(aws_sdk_s3::types::ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(head.content_type(), Some("audio/wav"));
    assert_eq!(head.checksum_sha256(), Some(sha256(BODY).as_str()));
    let quoted = format!("\"{}\"", object.e_tag.as_deref().unwrap());
    assert_eq!(head.e_tag(), Some(quoted.as_str()));
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_upload_that_is_not_what_was_signed_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let signed = presign(&cloud, "audio/p1/f").await;
    let longer = [BODY, b"more"].concat();
    assert_eq!(
        status(put(&signed, &[]), &longer).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status(put(&signed, &[]), &BODY[1..]).await,
        StatusCode::FORBIDDEN
    );
    let typed = put(&signed, &[("content-type", "audio/mpeg")]);
    assert_eq!(status(typed, BODY).await, StatusCode::FORBIDDEN);
    let overwriting = put(&signed, &[("if-none-match", "\"x\"")]);
    assert_eq!(status(overwriting, BODY).await, StatusCode::FORBIDDEN);
    let unsigned_sum = put(&signed, &[("x-amz-checksum-sha256", &sha256(b"other"))]);
    assert_eq!(status(unsigned_sum, BODY).await, StatusCode::FORBIDDEN);
    let elsewhere = signed.uri().replace("/p1/f", "/p2/f");
    let elsewhere = http()
        .put(elsewhere)
        .headers(put(&signed, &[]).build().unwrap().headers().clone());
    assert_eq!(status(elsewhere, BODY).await, StatusCode::FORBIDDEN);

    // The right length, the wrong bytes.
    let mut wrong = BODY.to_vec();
    wrong[0] = b'X';
    assert_eq!(
        status(put(&signed, &[]), &wrong).await,
        StatusCode::BAD_REQUEST
    );

    let s3 = cloud.s3_client();
    let head = s3
        .head_object()
        .bucket(BUCKET)
        .key("audio/p1/f")
        .send()
        .await;
    assert!(head.unwrap_err().into_service_error().is_not_found());
    assert!(receive(&cloud, "events", 0).await.is_empty());
    // And the right upload still works.
    assert_eq!(status(put(&signed, &[]), BODY).await, StatusCode::OK);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn of_many_uploads_at_once_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let signed = presign(&cloud, "audio/p1/f").await;
    let uploads = (0..12).map(|_| status(put(&signed, &[]), BODY));
    let answers = futures::future::join_all(uploads).await;
    let won = answers.iter().filter(|status| **status == StatusCode::OK);
    assert_eq!(won.count(), 1, "{answers:?}");
    let lost = answers
        .iter()
        .filter(|status| **status == StatusCode::PRECONDITION_FAILED);
    assert_eq!(lost.count(), 11);
    assert_eq!(receive(&cloud, "events", 2).await.len(), 1);
    assert!(receive(&cloud, "events", 0).await.is_empty());
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_late_or_anonymous_request_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let s3 = cloud.s3_client();
    let object = s3.put_object().bucket(BUCKET).key("audio/x");
    object.body(BODY.to_vec().into()).send().await.unwrap();
    let plain = format!("{}/{BUCKET}/audio/x", cloud.s3_url());
    for method in [Method::GET, Method::HEAD, Method::DELETE, Method::PUT] {
        let request = http().request(method.clone(), &plain);
        assert_eq!(
            status(request, b"").await,
            StatusCode::FORBIDDEN,
            "{method}"
        );
    }
    let list = http().get(format!("{}/{BUCKET}?list-type=2", cloud.s3_url()));
    assert_eq!(status(list, b"").await, StatusCode::FORBIDDEN);

    // A signature's time has whole seconds: of three at least two are left.
    let brief = PresigningConfig::expires_in(Duration::from_secs(3)).unwrap();
    let get = s3.get_object().bucket(BUCKET).key("audio/x");
    let signed = get.presigned(brief).await.unwrap();
    assert_eq!(status(http().get(signed.uri()), b"").await, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    assert_eq!(
        status(http().get(signed.uri()), b"").await,
        StatusCode::FORBIDDEN
    );
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn browsers_of_allowed_origins_may_upload() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let signed = presign(&cloud, "audio/p1/f").await;
    let preflight = |origin: &'static str, method: &'static str| {
        http()
            .request(Method::OPTIONS, signed.uri())
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header(
                "access-control-request-headers",
                "content-type,if-none-match",
            )
            .send()
    };
    let answer = preflight(ORIGIN, "PUT").await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], ORIGIN);
    let allowed = &answer.headers()["access-control-allow-headers"];
    assert_eq!(allowed, "content-type,if-none-match");
    for (origin, method) in [("http://evil.example", "PUT"), (ORIGIN, "DELETE")] {
        let refused = preflight(origin, method).await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{origin} {method}");
        assert!(
            !refused
                .headers()
                .contains_key("access-control-allow-origin")
        );
    }
    let upload = put(&signed, &[("origin", ORIGIN)]).body(BODY.to_vec());
    let answer = upload.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], ORIGIN);
    let stranger = put(&signed, &[("origin", "http://evil.example")]);
    let answer = stranger.body(BODY.to_vec()).send().await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    cloud.shutdown().await.unwrap();
}

/// Sends bytes as they are, and reads what comes back.
async fn raw(cloud: &Cloud, request: &[u8], end: bool) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = cloud.s3_url().strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    if end {
        stream.shutdown().await.unwrap();
    }
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap_or_default();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}

/// The head of the signed upload, with its length said by `length`.
fn head_of(cloud: &Cloud, signed: &PresignedRequest, length: &str) -> String {
    let target = signed.uri().strip_prefix(cloud.s3_url()).unwrap();
    let headers = signed
        .headers()
        .filter(|(name, _)| *name != "content-length");
    let headers: String = headers
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let host = cloud.s3_url().strip_prefix("http://").unwrap();
    format!("PUT {target} HTTP/1.1\r\nhost: {host}\r\n{headers}{length}\r\n\r\n")
}

#[tokio::test]
async fn an_upload_refused_before_its_body_was_sent_says_that_the_connection_ends() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let signed = presign(&cloud, "audio/p1/f").await;
    assert_eq!(status(put(&signed, &[]), BODY).await, StatusCode::OK);
    // A client that is not told sends its next request into a closed connection.
    let asks = head_of(
        &cloud,
        &signed,
        "content-length: 18\r\nexpect: 100-continue",
    );
    let answer = raw(&cloud, asks.as_bytes(), false).await;
    assert!(answer.starts_with("HTTP/1.1 412"), "{answer}");
    assert!(
        answer
            .to_ascii_lowercase()
            .contains("\r\nconnection: close\r\n"),
        "{answer}"
    );
    let sends = [
        head_of(&cloud, &signed, "content-length: 18").as_bytes(),
        BODY,
    ]
    .concat();
    let answer = raw(&cloud, &sends, false).await;
    assert!(answer.starts_with("HTTP/1.1 412"), "{answer}");
    assert!(
        !answer
            .to_ascii_lowercase()
            .contains("\r\nconnection: close\r\n"),
        "{answer}"
    );
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let signed = presign(&cloud, "audio/p1/f").await;
    let head = |length: &str| head_of(&cloud, &signed, length);
    let short = [head("content-length: 18").as_bytes(), &BODY[..9]].concat();
    let answer = raw(&cloud, &short, true).await;
    assert!(!answer.contains("200 OK"), "{answer}");
    let chunked = head("transfer-encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n";
    let answer = raw(&cloud, chunked.as_bytes(), false).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let objects = directory.path().join("s3").join(BUCKET);
    assert_eq!(std::fs::read_dir(objects).unwrap().count(), 0);
    // Nothing but the bucket: no temporary file either.
    for _ in 0..40 {
        if std::fs::read_dir(directory.path().join("s3"))
            .unwrap()
            .count()
            == 1
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        std::fs::read_dir(directory.path().join("s3"))
            .unwrap()
            .count(),
        1
    );
    assert_eq!(status(put(&signed, &[]), BODY).await, StatusCode::OK);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn the_refusal_of_a_large_upload_reaches_the_client() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let signed = presign(&cloud, "audio/p1/f").await;
    let large = vec![0; 20 << 20];
    assert_eq!(
        status(put(&signed, &[]), &large).await,
        StatusCode::FORBIDDEN
    );
    cloud.shutdown().await.unwrap();
}
