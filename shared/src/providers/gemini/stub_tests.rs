//! The client against answers that no honest server gives.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use time::macros::datetime;

use super::stub::{KEY, Say, Stub, credential, quick, say};
use super::{Gemini, GeminiConfig};
use crate::providers::{AudioSource, BatchState, ByteStream, CallError, Rejection, StagedInput};

const SINCE: time::OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

fn input() -> StagedInput {
    StagedInput {
        name: "files/in".to_owned(),
        uri: "u".to_owned(),
        mime_type: "application/jsonl".to_owned(),
        expires_at: SINCE,
    }
}

async fn create(gemini: &Gemini) -> Result<String, CallError> {
    gemini
        .create(&credential(), "gemini-2.5-pro", &input().name, "unit-a1")
        .await
}

pub(super) fn error(status: u16, name: &str) -> Say {
    let body =
        json!({"error": {"code": status, "status": name, "message": format!("about {KEY}")}});
    say(status, body)
}

pub(super) fn kind(error: &CallError) -> Option<Rejection> {
    match error {
        CallError::Rejected { kind, .. } => Some(*kind),
        CallError::Ambiguous { .. } | CallError::Unreadable { .. } | CallError::Input { .. } => {
            None
        }
    }
}

#[tokio::test]
async fn a_created_batch_is_asked_for_once_and_plainly() {
    let stub = Stub::new(vec![say(
        200,
        json!({"name": "batches/b1", "metadata": {}}),
    )]);
    assert_eq!(create(&stub.client()).await, Ok("batches/b1".to_owned()));
    let asked = stub.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].line,
        "POST /v1beta/models/gemini-2.5-pro:batchGenerateContent"
    );
    assert!(
        asked[0]
            .head
            .contains(&format!("x-goog-api-key: {}", KEY.to_lowercase()))
    );
    assert!(!asked[0].body.contains(KEY) && !asked[0].line.contains("key"));
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(
        body,
        json!({"batch": {"displayName": "unit-a1", "inputConfig": {"fileName": "files/in"}}})
    );
}

#[tokio::test]
async fn whatever_may_have_happened_is_ambiguous_and_not_repeated() {
    for odd in [
        say(200, "<html>ok</html>"),
        say(200, ""),
        say(200, "[]"),
        say(200, "[\"batches/b1\"]"),
        say(200, "{}"),
        say(200, json!({"name": "operations/1"})),
        say(200, json!({"name": 5, "metadata": "x"})),
        say(204, ""),
        Say::Cut("{\"name\":\"batches/b1\""),
        Say::Stall("{\"name\":"),
        Say::Close,
        Say::Hang,
        Say::Answer(307, vec![("location", "{base}/elsewhere")], String::new()),
        error(500, "INTERNAL"),
        error(503, "UNAVAILABLE"),
        error(408, ""),
        error(409, "ABORTED"),
        say(502, "<html>bad gateway</html>"),
    ] {
        let stub = Stub::new(vec![odd.clone()]);
        let error = create(&stub.client()).await.unwrap_err();
        assert!(
            matches!(error, CallError::Ambiguous { .. }),
            "{odd:?}: {error:?}"
        );
        assert!(!format!("{error:?} {error}").contains(KEY));
        assert_eq!(stub.lines().len(), 1, "{odd:?}");
    }
}

#[tokio::test]
async fn what_was_refused_is_told_so_and_not_repeated() {
    let retry_after = Some(Duration::from_secs(7));
    for (answer, want) in [
        (error(400, "INVALID_ARGUMENT"), Rejection::Invalid),
        (error(401, "UNAUTHENTICATED"), Rejection::Unauthorized),
        (error(403, "PERMISSION_DENIED"), Rejection::Unauthorized),
        (error(404, "NOT_FOUND"), Rejection::NotFound),
        (error(409, "ALREADY_EXISTS"), Rejection::Exists),
        (
            error(429, "RESOURCE_EXHAUSTED"),
            Rejection::Quota { retry_after: None },
        ),
        (
            Say::Answer(429, vec![("retry-after", "7")], String::new()),
            Rejection::Quota { retry_after },
        ),
    ] {
        let stub = Stub::new(vec![answer.clone()]);
        let error = create(&stub.client()).await.unwrap_err();
        assert_eq!(kind(&error), Some(want), "{answer:?}");
        assert!(!format!("{error:?} {error}").contains(KEY));
        assert_eq!(stub.lines().len(), 1);
    }
}

#[tokio::test]
async fn no_connection_means_nothing_was_sent() {
    // A port that was free a moment ago, and a name that does not exist.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for url in [
        format!("http://127.0.0.1:{port}"),
        "http://no.such.host.invalid".to_owned(),
    ] {
        let gemini = Gemini::new(quick(&url)).unwrap();
        let error = create(&gemini).await.unwrap_err();
        assert!(
            matches!(
                error,
                CallError::Rejected {
                    status: 0,
                    kind: Rejection::Unreachable,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn names_that_could_change_a_path_are_not_sent() {
    let stub = Stub::new(vec![]);
    let (gemini, credential) = (stub.client(), credential());
    for bad in [
        "batches/../files/x",
        "files/x",
        "batches/a?x=y",
        "",
        "https://h/batches/a",
    ] {
        assert!(gemini.get(&credential, bad).await.is_err());
        assert!(gemini.cancel(&credential, bad).await.is_err());
        assert!(gemini.delete_batch(&credential, bad).await.is_err());
        assert!(
            gemini
                .delete_file(&credential, &format!("{bad}/"))
                .await
                .is_err()
        );
        assert!(
            gemini
                .download(&credential, &format!("{bad}/"))
                .await
                .is_err()
        );
    }
    let model = gemini.create(&credential, "../x", &input().name, "d").await;
    assert_eq!(kind(&model.unwrap_err()), Some(Rejection::Invalid));
    assert!(stub.lines().is_empty());
}

#[tokio::test]
async fn reading_is_repeated_a_few_times() {
    let batch = json!({"name": "batches/b", "metadata": {"state": "BATCH_STATE_RUNNING"}});
    let stub = Stub::new(vec![Say::Close, error(429, ""), say(200, &batch)]);
    let status = stub.client().get(&credential(), "batches/b").await.unwrap();
    assert_eq!(status.state, BatchState::Running);
    let stub = Stub::new(vec![error(503, ""); 9]);
    assert!(stub.client().get(&credential(), "batches/b").await.is_err());
    assert_eq!(stub.lines().len(), 3);
    // Advice to wait longer than we do ends it at once, with the advice.
    let stub = Stub::new(vec![Say::Answer(
        429,
        vec![("retry-after", "60")],
        String::new(),
    )]);
    let error = stub
        .client()
        .get(&credential(), "batches/b")
        .await
        .unwrap_err();
    let retry_after = Some(Duration::from_secs(60));
    assert_eq!(kind(&error), Some(Rejection::Quota { retry_after }));
    assert_eq!(stub.lines().len(), 1);
    // An empty object is no batch, 404 is none.
    let stub = Stub::new(vec![say(200, "{}"), self::error(404, "NOT_FOUND")]);
    assert!(stub.client().get(&credential(), "batches/b").await.is_err());
    let gone = stub
        .client()
        .get(&credential(), "batches/b")
        .await
        .unwrap_err();
    assert_eq!(kind(&gone), Some(Rejection::NotFound));
}

#[tokio::test]
async fn ending_what_has_ended() {
    for (answer, fine) in [
        (say(200, "{}"), true),
        (say(200, ""), true),
        (error(404, "NOT_FOUND"), true),
        (error(400, "FAILED_PRECONDITION"), true),
        (error(400, "INVALID_ARGUMENT"), false),
        (error(403, "PERMISSION_DENIED"), false),
    ] {
        let stub = Stub::new(vec![answer.clone()]);
        let cancelled = stub.client().cancel(&credential(), "batches/b").await;
        assert_eq!(cancelled.is_ok(), fine, "{answer:?}");
        assert_eq!(stub.lines(), ["POST /v1beta/batches/b:cancel"]);
    }
    for (answer, fine) in [
        (say(200, "{}"), true),
        (error(404, "NOT_FOUND"), true),
        (error(403, "PERMISSION_DENIED"), true),
        (error(400, "INVALID_ARGUMENT"), false),
        (
            say(
                403,
                json!({"error": {"details": [{"reason": "API_KEY_SERVICE_BLOCKED"}]}}),
            ),
            false,
        ),
    ] {
        let stub = Stub::new(vec![answer.clone(), answer.clone()]);
        let deleted = stub.client().delete_file(&credential(), "files/f").await;
        assert_eq!(deleted.is_ok(), fine, "{answer:?}");
        assert_eq!(stub.lines()[0], "DELETE /v1beta/files/f");
    }
    // That a file is gone is believed when asking for it says so, too.
    for (script, asked) in [
        (vec![error(404, "NOT_FOUND"); 2], 2),
        (
            vec![
                error(403, "PERMISSION_DENIED"),
                say(200, "{}"),
                say(200, "{}"),
            ],
            3,
        ),
        (
            vec![
                error(403, ""),
                say(200, "{}"),
                error(404, ""),
                error(404, ""),
            ],
            4,
        ),
    ] {
        let stub = Stub::new(script);
        let deleted = stub.client().delete_file(&credential(), "files/f").await;
        assert_eq!((deleted, stub.lines().len()), (Ok(()), asked));
        assert_eq!(stub.lines()[1], "GET /v1beta/files/f");
    }
}

#[tokio::test]
async fn a_wrong_key_is_found_with_one_question() {
    let info = json!([{"reason": "API_KEY_INVALID"}]);
    let answer = json!({"error": {"status": "INVALID_ARGUMENT", "message": "x", "details": info}});
    let stub = Stub::new(vec![say(400, answer), say(200, "{}")]);
    let error = stub
        .client()
        .check_credential(&credential())
        .await
        .unwrap_err();
    assert_eq!(kind(&error), Some(Rejection::Unauthorized));
    assert_eq!(stub.client().check_credential(&credential()).await, Ok(()));
    assert_eq!(stub.lines().len(), 2);
}

async fn text(stream: ByteStream) -> Result<String, io::Error> {
    let pieces: Vec<bytes::Bytes> = stream.try_collect().await?;
    Ok(String::from_utf8_lossy(&pieces.concat()).into_owned())
}

#[tokio::test]
async fn output_comes_by_either_path_and_whole_or_not_at_all() {
    let stub = Stub::new(vec![say(200, "line\n")]);
    let stream = stub
        .client()
        .download(&credential(), "files/batch-1")
        .await
        .unwrap();
    assert_eq!(text(stream).await.unwrap(), "line\n");
    assert_eq!(
        stub.lines(),
        ["GET /download/v1beta/files/batch-1:download?alt=media"]
    );

    let stub = Stub::new(vec![
        error(404, "NOT_FOUND"),
        error(503, ""),
        say(200, "line"),
    ]);
    let stream = stub
        .client()
        .download(&credential(), "files/batch-1")
        .await
        .unwrap();
    assert_eq!(text(stream).await.unwrap(), "line");
    assert_eq!(
        stub.lines()[2],
        "GET /v1beta/files/batch-1:download?alt=media"
    );

    let stub = Stub::new(vec![error(403, "PERMISSION_DENIED"); 2]);
    let gone = stub.client().download(&credential(), "files/batch-1").await;
    assert_eq!(gone.err().and_then(|e| kind(&e)), Some(Rejection::NotFound));

    // Some proxy's page is no output.
    let page = || {
        let html = vec![("Content-Type", "text/html; charset=UTF-8")];
        Say::Answer(200, html, "<html>".into())
    };
    let stub = Stub::new(vec![page(), say(200, "line")]);
    let stream = stub.client().download(&credential(), "files/batch-1").await;
    assert_eq!(text(stream.unwrap()).await.unwrap(), "line");
    let stub = Stub::new(vec![page(); 9]);
    let lost = stub.client().download(&credential(), "files/batch-1").await;
    assert!(matches!(lost.err(), Some(CallError::Ambiguous { .. })));

    for broken in [Say::Cut("half a li"), Say::Stall("half a li")] {
        let stub = Stub::new(vec![broken]);
        let stream = stub
            .client()
            .download(&credential(), "files/batch-1")
            .await
            .unwrap();
        let error = text(stream).await.unwrap_err().to_string();
        assert!(!error.contains("http") && !error.contains(KEY), "{error}");
    }
}

fn redirect(status: u16, to: &'static str) -> Say {
    Say::Answer(status, vec![("Location", to)], String::new())
}

#[tokio::test]
async fn an_output_that_is_elsewhere_on_the_server_is_fetched_there_with_the_key() {
    const FIRST: &str = "GET /download/v1beta/files/batch-1:download?alt=media";
    const SECOND: &str = "GET /v1beta/files/batch-1:download?alt=media";
    for (status, to) in [
        (302, "/v1beta/files/batch-1:download?alt=media"),
        (
            307,
            "{base}/v1beta/files/batch-1:download?alt=media&key=odd",
        ),
        (301, "/v1beta/files/batch-1:download"),
    ] {
        let stub = Stub::new(vec![redirect(status, to), say(200, "line\n")]);
        let stream = stub.client().download(&credential(), "files/batch-1").await;
        assert_eq!(text(stream.unwrap()).await.unwrap(), "line\n");
        assert_eq!(stub.lines(), [FIRST, SECOND], "{to}");
        let keys = stub.asked().into_iter();
        let key = format!("x-goog-api-key: {}", KEY.to_lowercase());
        assert!(keys.into_iter().all(|asked| asked.head.contains(&key)));
    }
    // Two hops and no more; and what is refused there is asked for by the other path.
    let back = "/download/v1beta/files/batch-1:download?alt=media";
    let forth = "/v1beta/files/batch-1:download?alt=media";
    let circle = [forth, back]
        .into_iter()
        .cycle()
        .map(|to| redirect(302, to));
    let stub = Stub::new(circle.take(9).collect());
    let lost = stub.client().download(&credential(), "files/batch-1").await;
    assert!(matches!(lost.err(), Some(CallError::Ambiguous { .. })));
    assert_eq!(stub.lines().len(), 3);
    let stub = Stub::new(vec![
        redirect(302, forth),
        error(403, "PERMISSION_DENIED"),
        say(200, "line"),
    ]);
    let stream = stub.client().download(&credential(), "files/batch-1").await;
    assert_eq!(text(stream.unwrap()).await.unwrap(), "line");
}

#[tokio::test]
async fn the_key_goes_to_no_other_server_and_no_other_call_follows_a_redirect() {
    let other = Stub::new(vec![say(200, "{}"); 9]);
    for to in [
        "https://example.com/v1beta/files/x:download",
        "//example.com/x",
    ] {
        let stub = Stub::new(vec![redirect(302, to); 9]);
        let lost = stub.client().download(&credential(), "files/batch-1").await;
        assert!(
            matches!(lost.err(), Some(CallError::Ambiguous { .. })),
            "{to}"
        );
    }
    let to: &'static str = Box::leak(format!("{}/v1beta/x", other.url).into_boxed_str());
    let stub = Stub::new(vec![redirect(302, to); 9]);
    let lost = stub.client().download(&credential(), "files/batch-1").await;
    assert!(matches!(lost.err(), Some(CallError::Ambiguous { .. })));
    let stub = Stub::new(vec![redirect(302, "{base}/v1beta/batches/c"); 9]);
    let client = stub.client();
    assert!(client.get(&credential(), "batches/b").await.is_err());
    assert!(
        client
            .delete_batch(&credential(), "batches/b")
            .await
            .is_err()
    );
    assert!(client.list(&credential(), SINCE).await.is_err());
    assert!(stub.lines().iter().all(|line| !line.contains("batches/c")));
    assert!(other.lines().is_empty());
}

/// Ten bytes, and what may go wrong with them.
struct Source {
    fails: bool,
    short: bool,
}

const WHOLE: Source = Source {
    fails: false,
    short: false,
};

#[async_trait]
impl AudioSource for Source {
    fn len(&self) -> u64 {
        10
    }

    async fn open(&self, start: u64, end: u64) -> io::Result<ByteStream> {
        let mut pieces: Vec<io::Result<bytes::Bytes>> = (start..end)
            .map(|i| Ok(bytes::Bytes::from(i.to_string())))
            .collect();
        if self.short {
            pieces.pop();
        }
        if self.fails {
            pieces.push(Err(io::Error::other(
                "s3 broke at https://b/k?X-Amz-Signature=1",
            )));
            pieces.swap_remove(0).ok();
        }
        Ok(stream::iter(pieces).boxed())
    }
}

fn session() -> Say {
    let url = ("x-goog-upload-url", "{base}/session?upload_id=secret");
    Say::Answer(
        200,
        vec![url, ("x-goog-upload-chunk-granularity", "2")],
        String::new(),
    )
}

fn status(status: &'static str, body: impl ToString) -> Say {
    Say::Answer(
        200,
        vec![("x-goog-upload-status", status)],
        body.to_string(),
    )
}

fn received(size: &'static str) -> Say {
    let active = ("x-goog-upload-status", "active");
    Say::Answer(
        200,
        vec![active, ("x-goog-upload-size-received", size)],
        String::new(),
    )
}

fn done() -> Say {
    status("final", json!({"file": file("ACTIVE")}))
}

fn file(state: &str) -> serde_json::Value {
    json!({"name": "files/abc", "uri": "https://g/v1beta/files/abc", "sizeBytes": "10",
           "state": state, "expirationTime": "2099-01-01T00:00:00Z"})
}

async fn stage(stub: &Stub, source: &Source) -> Result<StagedInput, CallError> {
    let credential = credential();
    stub.client()
        .stage_audio(&credential, "abc", "audio/wav", source)
        .await
}

#[tokio::test]
async fn chunks_follow_the_protocol() {
    let stub = Stub::new(vec![
        session(),
        status("active", ""),
        status("active", ""),
        done(),
    ]);
    let staged = stage(&stub, &WHOLE).await.unwrap();
    assert_eq!(
        (staged.name.as_str(), staged.mime_type.as_str()),
        ("files/abc", "audio/wav")
    );
    assert_eq!(staged.uri, "https://g/v1beta/files/abc");
    let asked = stub.asked();
    assert_eq!(asked[0].line, "POST /upload/v1beta/files");
    for header in [
        "x-goog-upload-protocol: resumable",
        "x-goog-upload-command: start",
        "x-goog-upload-header-content-length: 10",
        "x-goog-upload-header-content-type: audio/wav",
        "content-type: application/json",
    ] {
        assert!(asked[0].head.contains(header), "{header}");
    }
    assert!(asked[0].body.contains("\"name\":\"files/abc\""));
    for (request, (command, offset, bytes)) in asked[1..].iter().zip([
        ("upload\r", "0", "0123"),
        ("upload\r", "4", "4567"),
        ("upload, finalize\r", "8", "89"),
    ]) {
        assert!(
            request
                .head
                .contains(&format!("x-goog-upload-command: {command}"))
        );
        assert!(
            request
                .head
                .contains(&format!("x-goog-upload-offset: {offset}\r"))
        );
        assert!(!request.head.contains("transfer-encoding"));
        // The session's URL is the permission: no key goes there.
        assert!(!request.head.contains("x-goog-api-key"));
        assert_eq!(request.body, bytes);
    }
}

#[tokio::test]
async fn an_upload_goes_on_from_where_it_stands() {
    // Lost; four of eight bytes had arrived; then a status is missing.
    let stub = Stub::new(vec![
        session(),
        status("active", ""),
        Say::Close,
        error(503, ""),
        received("6"),
        say(200, ""),
        received("10"),
        done(),
    ]);
    stage(&stub, &WHOLE).await.unwrap();
    let bodies: Vec<_> = stub.asked().into_iter().skip(1).map(|a| a.body).collect();
    assert_eq!(bodies, ["0123", "4567", "", "", "6789", "", ""]);
    // It had ended before the answer got lost; the file is looked up.
    let stub = Stub::new(vec![
        session(),
        status("active", ""),
        status("active", ""),
        Say::Close,
        status("final", ""),
        say(200, file("PROCESSING")),
        say(200, file("ACTIVE")),
    ]);
    assert_eq!(stage(&stub, &WHOLE).await.unwrap().name, "files/abc");
    assert_eq!(stub.lines()[5], "GET /v1beta/files/abc");
}

#[tokio::test]
async fn a_lost_session_is_started_anew() {
    for lost in [
        vec![say(404, "")],
        vec![status("cancelled", "")],
        vec![Say::Close, say(410, "")],
        vec![Say::Close, status("cancelled", "")],
        vec![Say::Close, received("999")],
        vec![Say::Close, status("active", "")],
        vec![done()],
    ] {
        let again = vec![
            session(),
            status("active", ""),
            status("active", ""),
            done(),
        ];
        let script = [vec![session()], lost.clone(), again].concat();
        let stub = Stub::new(script);
        assert!(stage(&stub, &WHOLE).await.is_ok(), "{lost:?}");
        assert_eq!(stub.lines().len(), 1 + lost.len() + 4, "{lost:?}");
    }
}

#[tokio::test]
async fn uploads_end_whatever_the_server_says() {
    let back_and_forth = [status("active", ""), Say::Close, received("0")];
    let script: Vec<Say> = std::iter::once(session())
        .chain(back_and_forth.into_iter().cycle().take(300))
        .collect();
    let stub = Stub::new(script);
    assert!(matches!(
        stage(&stub, &WHOLE).await,
        Err(CallError::Ambiguous { .. })
    ));
    assert!(stub.lines().len() < 20);
    let stub = Stub::new(vec![
        session(),
        error(400, "INVALID_ARGUMENT"),
        received("0"),
    ]);
    let refused = stage(&stub, &WHOLE).await.unwrap_err();
    assert_eq!(kind(&refused), Some(Rejection::Invalid));
    for start in [
        say(200, ""),
        Say::Answer(200, vec![("x-goog-upload-url", "not a url")], String::new()),
        Say::Answer(
            200,
            vec![("x-goog-upload-url", "file:///etc/passwd")],
            String::new(),
        ),
    ] {
        let stub = Stub::new(vec![start]);
        assert!(matches!(
            stage(&stub, &WHOLE).await,
            Err(CallError::Ambiguous { .. })
        ));
    }
}

#[tokio::test]
async fn our_own_input_failing_is_said_so() {
    for source in [
        Source {
            fails: true,
            short: false,
        },
        Source {
            fails: false,
            short: true,
        },
    ] {
        let script: Vec<Say> = std::iter::once(session())
            .chain(std::iter::repeat_n(received("0"), 9))
            .collect();
        let stub = Stub::new(script);
        match stage(&stub, &source).await {
            Err(CallError::Input { message }) => {
                assert!(!message.contains("Signature"), "{message}")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn files_that_never_become_usable() {
    let failed = json!({"file": {"name": "files/abc", "sizeBytes": "10", "state": "FAILED",
                                 "error": {"code": 3, "message": format!("no {KEY}")}}});
    let upload = |last: Say| vec![session(), status("active", ""), status("active", ""), last];
    let stub = Stub::new(upload(status("final", failed)));
    let error = stage(&stub, &WHOLE).await.unwrap_err();
    assert_eq!(kind(&error), Some(Rejection::Invalid));
    assert!(!error.to_string().contains(KEY));
    let mut script = upload(status("final", json!({"file": file("PROCESSING")})));
    script.extend(std::iter::repeat_n(say(200, file("PROCESSING")), 100));
    let stub = Stub::new(script);
    assert!(matches!(
        stage(&stub, &WHOLE).await,
        Err(CallError::Ambiguous { .. })
    ));
}

#[tokio::test]
async fn another_file_of_the_name_is_replaced_or_avoided() {
    let other = json!({"name": "files/abc", "sizeBytes": "11", "state": "ACTIVE"});
    let exists = || error(409, "ALREADY_EXISTS");
    let upload = || {
        vec![
            session(),
            status("active", ""),
            status("active", ""),
            done(),
        ]
    };
    // Another size: deleted, uploaded.
    let script = [vec![exists(), say(200, other), say(200, "{}")], upload()].concat();
    let stub = Stub::new(script);
    assert_eq!(stage(&stub, &WHOLE).await.unwrap().name, "files/abc");
    assert_eq!(stub.lines()[2], "DELETE /v1beta/files/abc");
    // The same: adopted, without a byte sent.
    let stub = Stub::new(vec![exists(), say(200, file("ACTIVE"))]);
    assert_eq!(stage(&stub, &WHOLE).await.unwrap().name, "files/abc");
    assert_eq!(stub.lines().len(), 2);
    // Taken only when the upload ended: another worker was quicker.
    let script = [
        session(),
        status("active", ""),
        status("active", ""),
        exists(),
    ];
    let stub = Stub::new([&script[..], &[say(200, file("ACTIVE"))]].concat());
    assert_eq!(stage(&stub, &WHOLE).await.unwrap().name, "files/abc");
    assert_eq!(stub.lines().len(), 5);
    // Soon gone, or not ours: another name, always the same one.
    let mut old = file("ACTIVE");
    old["expirationTime"] = json!("2000-01-01T00:00:00Z");
    for unusable in [say(200, old), error(403, "PERMISSION_DENIED")] {
        let stub = Stub::new([vec![exists(), unusable], upload()].concat());
        stage(&stub, &WHOLE).await.unwrap();
        let second = super::file_name(&["files/abc", "1"]);
        assert!(stub.asked()[2].body.contains(&second));
        assert!(!stub.lines().iter().any(|l| l.starts_with("DELETE")));
    }
    let stub = Stub::new((0..9).flat_map(|_| [exists(), error(403, "")]).collect());
    let error = stage(&stub, &WHOLE).await.unwrap_err();
    assert_eq!(kind(&error), Some(Rejection::Exists));
    assert_eq!(stub.lines().len(), 6);
}

#[test]
fn the_default_settings_work() {
    assert!(Gemini::new(GeminiConfig::default()).is_ok());
    let secret = format!("{:?}", credential());
    assert!(!secret.contains(KEY));
}
