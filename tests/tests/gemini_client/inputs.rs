//! Putting inputs at the provider.

use super::*;

#[tokio::test]
async fn an_upload_survives_dropped_chunks() {
    for keep_bytes in [0, 1024, 4096] {
        let w = World::new().await;
        w.fault(FaultRule::once(Fault::DropChunk { keep_bytes }).after(1));
        w.fault(FaultRule::once(status(503)).on(Route::UploadQuery));
        let staged = w.stage("abc", &audio(7)).await.unwrap();
        let files = w.sim.files();
        assert_eq!((files.len(), files[0].size), (1, 10_000));
        assert_eq!(files[0].name, staged.name);
        // The bytes are the right ones: another upload of them is the same file.
        let clean = World::new().await;
        clean.stage("abc", &audio(7)).await.unwrap();
        assert_eq!(clean.sim.files()[0].sha256, files[0].sha256);
        assert_eq!(w.count(Route::UploadStart), 1);
        assert!(w.count(Route::UploadQuery) >= 2);
    }
}

#[tokio::test]
async fn every_request_of_an_upload_may_fail_once() {
    let faults = [
        Fault::DropRequest,
        Fault::LoseReply,
        Fault::CutReply { bytes: 3 },
        Fault::Html {
            after_commit: false,
        },
        Fault::Html { after_commit: true },
        status(500),
        status(429),
        Fault::Status {
            code: 503,
            message: None,
            after_commit: true,
            retry_after: None,
        },
    ];
    let clean = World::new().await;
    clean.stage("abc", &audio(7)).await.unwrap();
    let sha256 = clean.sim.files()[0].sha256.clone();
    for fault in faults {
        for (route, skip) in [
            (Route::UploadStart, 0),
            (Route::UploadChunk, 0),
            (Route::UploadChunk, 1),
            (Route::UploadChunk, 2),
        ] {
            let w = World::new().await;
            w.fault(FaultRule::once(fault.clone()).on(route).after(skip));
            let staged = w.stage("abc", &audio(7)).await;
            // An HTML page instead of a session is the one that is given back:
            // the caller stages again.
            let staged = match (staged, &fault, route) {
                (Err(CallError::Ambiguous { .. }), Fault::Html { .. }, Route::UploadStart) => {
                    w.stage("abc", &audio(7)).await
                }
                (staged, _, _) => staged,
            };
            let staged = staged.unwrap_or_else(|e| panic!("{fault:?} {route} {skip}: {e:?}"));
            let files = w.sim.files();
            assert_eq!(files.len(), 1, "{fault:?} {route} {skip}");
            assert_eq!((&files[0].name, &files[0].sha256), (&staged.name, &sha256));
        }
    }
}

#[tokio::test]
async fn an_input_that_is_there_is_adopted() {
    let w = World::new().await;
    let first = w.stage("abc", &audio(1)).await.unwrap();
    w.sim.reset_ledger();
    assert_eq!(w.stage("files/abc", &audio(1)).await, Ok(first.clone()));
    assert_eq!(w.count(Route::UploadChunk), 0);
    // The request document has a digest, so that another one of the same
    // length is noticed.
    let items = [item("k1", first.clone())];
    let stage = |items: Vec<BatchItem>| {
        let w = &w;
        async move {
            let (credential, config) = (&w.credential, config());
            w.gemini
                .stage_batch(credential, "doc", "a document", &items, &config)
                .await
                .unwrap()
        }
    };
    stage(items.to_vec()).await;
    let sha = || {
        w.sim
            .files()
            .iter()
            .find(|f| f.name == "files/doc")
            .unwrap()
            .sha256
            .clone()
    };
    let before = sha();
    stage(items.to_vec()).await;
    assert_eq!(sha(), before);
    stage(vec![item("k2", first.clone())]).await;
    assert_ne!(sha(), before);
    // Another length of audio under the same name is replaced.
    let longer = Audio(vec![1; 12_000]);
    w.stage("abc", &longer).await.unwrap();
    assert_eq!(
        w.sim
            .files()
            .iter()
            .find(|f| f.name == "files/abc")
            .unwrap()
            .size,
        12_000
    );
    // The name is another key's: a derived one is taken.
    let other = credential("AQ.other-key-0002");
    let foreign = w
        .gemini
        .stage_audio(&other, "abc", "audio/wav", &audio(1))
        .await
        .unwrap();
    assert_ne!(foreign.name, "files/abc");
    // One that has less than a day to live is left alone, for batches that
    // refer to it, and another one is put beside it; always the same one.
    let millis = 12 * 3600 * 1000;
    w.fault(FaultRule::once(Fault::FileExpired { millis }));
    w.stage("brief", &longer).await.unwrap();
    let beside = w.stage("brief", &longer).await.unwrap().name;
    assert_ne!(beside, "files/brief");
    assert_eq!(w.stage("brief", &longer).await.unwrap().name, beside);
    assert_eq!(w.sim.files().len(), 5);
}

#[tokio::test]
async fn files_take_their_time() {
    let w = World::new().await;
    w.fault(FaultRule::once(Fault::FileProcessing { millis: 100 }));
    let staged = w.stage("slow", &audio(1)).await.unwrap();
    assert!(w.count(Route::FileGet) > 1);
    assert_eq!(w.sim.files()[0].state, "ACTIVE");
    assert_eq!(staged.name, "files/slow");
    w.fault(FaultRule::once(Fault::FileFailed {
        millis: 50,
        message: "no".to_owned(),
    }));
    let failed = w.stage("bad", &audio(2)).await.unwrap_err();
    assert_eq!(kind(&failed), Some(Rejection::Invalid));
    // The failed one is in the way, and is replaced.
    assert_eq!(w.stage("bad", &audio(2)).await.unwrap().name, "files/bad");
}

#[tokio::test]
async fn files_that_were_sent_are_listed_to_the_end() {
    let w = World::new().await;
    let staged = w.stage("audio", &audio(1)).await.unwrap();
    let items = [item("k", staged)];
    // More than a page.
    for number in 0..103 {
        let (name, shown) = (format!("doc{number}"), format!("dev-demo-{number}"));
        w.gemini
            .stage_batch(&w.credential, &name, &shown, &items, &config())
            .await
            .unwrap();
    }
    let files = w.gemini.list_files(&w.credential, "dev-demo-").await;
    let files = files.unwrap();
    let names: std::collections::BTreeSet<&str> = files.iter().map(|f| &*f.name).collect();
    assert_eq!((files.len(), names.len()), (103, 103));
    assert!(names.contains("files/doc102") && !names.contains("files/audio"));
    assert_eq!(w.count(Route::FileList), 2);
    let other = credential("AQ.other-key-0002");
    let foreign = w.gemini.list_files(&other, "dev-demo-").await.unwrap();
    assert!(foreign.is_empty(), "of its own account only");
}
