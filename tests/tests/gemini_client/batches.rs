//! Creating, finding, watching and ending batches.

use super::*;

#[tokio::test]
async fn a_lost_reply_is_found_by_the_display_name() {
    for fault in [
        Fault::LoseReply,
        Fault::CutReply { bytes: 10 },
        Fault::Html { after_commit: true },
        Fault::DelayReply { millis: 2500 },
        Fault::Status {
            code: 503,
            message: None,
            after_commit: true,
            retry_after: None,
        },
        Fault::LateAcceptance { millis: 50 },
    ] {
        let w = World::new().await;
        let input = w.input(&[w.known(1, "x").await]).await;
        w.create(&input, "test-other-a1").await.unwrap();
        w.fault(FaultRule::once(fault.clone()).on(Route::BatchCreate));
        let error = w.create(&input, "test-unit-a1").await.unwrap_err();
        assert!(
            matches!(error, CallError::Ambiguous { .. }),
            "{fault:?}: {error:?}"
        );
        assert_eq!(
            w.count(Route::BatchCreate),
            2,
            "one request each: {fault:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
        let found: Vec<_> = w.list().await;
        let ours = found.iter().filter(|b| b.display_name == "test-unit-a1");
        assert_eq!(ours.count(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_request_leaves_nothing() {
    for fault in [
        Fault::DropRequest,
        status(500),
        Fault::Html {
            after_commit: false,
        },
    ] {
        let w = World::new().await;
        let input = w.input(&[w.known(1, "x").await]).await;
        w.fault(FaultRule::once(fault.clone()).on(Route::BatchCreate));
        let error = w.create(&input, "test-unit-a1").await.unwrap_err();
        assert!(
            matches!(error, CallError::Ambiguous { .. }),
            "{fault:?}: {error:?}"
        );
        assert_eq!(w.count(Route::BatchCreate), 1);
        assert!(w.list().await.is_empty());
    }
}

#[tokio::test]
async fn a_refused_create_is_definite() {
    let w = World::with(SimConfig {
        max_open_batches: 1,
        ..SimConfig::default()
    })
    .await;
    let input = w.input(&[w.known(1, "x").await]).await;
    let quota = Fault::Status {
        code: 429,
        message: None,
        after_commit: false,
        retry_after: Some(9),
    };
    w.fault(FaultRule::once(quota).on(Route::BatchCreate));
    let retry_after = Some(Duration::from_secs(9));
    let refused = w.create(&input, "d").await.unwrap_err();
    match kind(&refused) {
        Some(Rejection::Quota { retry_after: told }) => assert!(told >= retry_after),
        other => panic!("{other:?}"),
    }
    assert_eq!(w.count(Route::BatchCreate), 1);
    let unknown = w
        .gemini
        .create(&w.credential, "gemini-0", &input.name, "d")
        .await;
    assert_eq!(kind(&unknown.unwrap_err()), Some(Rejection::NotFound));
    w.fault(FaultRule::new(Fault::Stuck {
        state: "PENDING".to_owned(),
    }));
    w.create(&input, "d").await.unwrap();
    let full = w.create(&input, "d2").await.unwrap_err();
    assert!(
        matches!(kind(&full), Some(Rejection::Quota { .. })),
        "{full:?}"
    );
}

#[tokio::test]
async fn a_wrong_key_is_unauthorized_everywhere() {
    let accepted_keys = Some(vec!["AQ.canary-key-0001".to_owned()]);
    let w = World::with(SimConfig {
        accepted_keys,
        ..SimConfig::default()
    })
    .await;
    assert_eq!(w.gemini.check_credential(&w.credential).await, Ok(()));
    let wrong = credential("AQ.wrong-key-0002");
    let audio = audio(1);
    let input = w.stage("in", &audio).await.unwrap();
    let errors = [
        w.gemini.check_credential(&wrong).await.unwrap_err(),
        w.gemini
            .stage_audio(&wrong, "b", "audio/wav", &audio)
            .await
            .unwrap_err(),
        w.gemini
            .create(&wrong, MODEL, &input.name, "d")
            .await
            .unwrap_err(),
        w.gemini.list(&wrong, LONG_AGO).await.unwrap_err(),
        w.gemini.get(&wrong, "batches/x").await.unwrap_err(),
        w.gemini.cancel(&wrong, "batches/x").await.unwrap_err(),
        w.gemini.delete_file(&wrong, &input.name).await.unwrap_err(),
        w.gemini
            .delete_batch(&wrong, "batches/x")
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(kind(&error), Some(Rejection::Unauthorized), "{error:?}");
        assert!(!format!("{error:?}").contains("wrong-key"));
    }
    assert_eq!(w.sim.files().len(), 1);
}

#[tokio::test]
async fn states_as_they_are_shown() {
    let w = World::new().await;
    let input = w.input(&[w.known(1, "x").await]).await;
    let unknown = Fault::UnknownState {
        state: "BATCH_STATE_DREAMING".to_owned(),
        polls: Some(3),
    };
    w.fault(FaultRule::once(unknown).display_name("dreams"));
    w.fault(FaultRule::once(Fault::OutputLate { polls: 2 }).display_name("late"));
    w.fault(
        FaultRule::once(Fault::Stuck {
            state: "RUNNING".to_owned(),
        })
        .display_name("stuck"),
    );
    for (state, code) in [("FAILED", 13), ("EXPIRED", 4), ("CANCELLED", 1)] {
        let message = "reason".to_owned();
        let end = Fault::End {
            state: state.to_owned(),
            code,
            message,
            with_output: false,
        };
        w.fault(FaultRule::once(end).display_name(state));
    }
    let dreams = w.create(&input, "dreams").await.unwrap();
    let seen = w.get(&dreams).await.state;
    assert_eq!(seen, BatchState::Unknown("DREAMING".to_owned()));
    let late = w.create(&input, "late").await.unwrap();
    let stuck = w.create(&input, "stuck").await.unwrap();
    let mut without_output = 0;
    loop {
        let status = w.get(&late).await;
        match (&status.state, &status.output) {
            (BatchState::Succeeded, None) => without_output += 1,
            (BatchState::Succeeded, Some(_)) => break,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    assert_eq!(without_output, 2);
    assert_eq!(w.ended(&dreams).await.state, BatchState::Succeeded);
    for (name, want) in [
        ("FAILED", BatchState::Failed),
        ("EXPIRED", BatchState::Expired),
        ("CANCELLED", BatchState::Cancelled),
    ] {
        let batch = w.create(&input, name).await.unwrap();
        let status = w.ended(&batch).await;
        assert_eq!(status.state, want);
        assert!(status.error.is_some_and(|e| e.contains("reason")), "{name}");
    }
    w.gemini.cancel(&w.credential, &stuck).await.unwrap();
    assert_eq!(w.ended(&stuck).await.state, BatchState::Cancelled);
    w.gemini.cancel(&w.credential, &stuck).await.unwrap();
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated() {
    let w = World::new().await;
    let input = w.input(&[w.known(1, "x").await]).await;
    let batch = w.create(&input, "d").await.unwrap();
    let status_of_batch = w.ended(&batch).await;
    for fault in [
        Fault::DropRequest,
        Fault::LoseReply,
        status(429),
        status(503),
    ] {
        let on = |route| w.fault(FaultRule::once(fault.clone()).on(route));
        on(Route::BatchGet);
        w.get(&batch).await;
        on(Route::BatchList);
        assert_eq!(w.list().await.len(), 1);
        on(Route::BatchCancel);
        w.gemini.cancel(&w.credential, &batch).await.unwrap();
        on(Route::FileDownload);
        w.output(&status_of_batch).await;
        on(Route::FileList);
        w.gemini.check_credential(&w.credential).await.unwrap();
    }
    for fault in [Fault::LoseReply, status(503)] {
        w.fault(FaultRule::once(fault.clone()).on(Route::FileDelete));
        w.gemini
            .delete_file(&w.credential, &input.name)
            .await
            .unwrap();
        w.fault(FaultRule::once(fault.clone()).on(Route::BatchDelete));
        w.gemini.delete_batch(&w.credential, &batch).await.unwrap();
    }
}

#[tokio::test]
async fn lists_of_many_pages() {
    let w = World::with(SimConfig {
        max_open_batches: 300,
        ..SimConfig::default()
    })
    .await;
    let input = w.input(&[w.known(1, "x").await]).await;
    let mut created = Vec::new();
    for number in 0..230 {
        created.push(w.create(&input, &format!("unit-{number}")).await.unwrap());
    }
    let mut listed: Vec<_> = w.list().await.into_iter().map(|b| b.name).collect();
    assert!(w.count(Route::BatchList) >= 3);
    listed.sort_unstable();
    created.sort_unstable();
    assert_eq!(listed, created);
    let future = OffsetDateTime::now_utc() + Duration::from_secs(3600);
    let none = w.gemini.list(&w.credential, future).await.unwrap();
    assert_eq!(none.batches, []);
}
