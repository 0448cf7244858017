//! From audio to results.

use super::*;

#[tokio::test]
async fn from_audio_to_transcripts() {
    let world = World::new().await;
    let w = &world;
    assert_eq!(w.gemini.check_credential(&w.credential).await, Ok(()));
    let before = OffsetDateTime::now_utc();
    let one = w.known(1, "नमस्ते").await;
    let two = w.known(2, "[no speech]").await;
    let unknown = item("smp_3", w.stage("unknown", &audio(3)).await.unwrap());
    assert!(one.audio.uri.contains(&one.audio.name));
    assert!(one.audio.expires_at > before + Duration::from_secs(47 * 3600));
    let input = w.input(&[one.clone(), two.clone(), unknown.clone()]).await;
    let batch = w.create(&input, "prod-unit7-a1").await.unwrap();
    assert!(batch.starts_with("batches/"));
    let status = w.ended(&batch).await;
    assert_eq!(status.display_name, "prod-unit7-a1");
    assert!(
        status
            .created_at
            .is_some_and(|at| at >= before - Duration::from_secs(5))
    );
    assert_eq!(w.list().await, std::slice::from_ref(&status));

    let lines = w.output(&status).await;
    let mut keys = Vec::new();
    for line in &lines {
        let OutputLine::Item { key, outcome } = line else {
            assert_eq!(*line, OutputLine::Blank);
            continue;
        };
        keys.push(key.as_str());
        match (key.as_str(), outcome) {
            (
                "smp_1",
                ItemOutcome::Transcribed {
                    text,
                    model_version,
                    usage,
                    ..
                },
            ) => {
                assert_eq!(
                    (text.as_str(), model_version.as_deref()),
                    ("नमस्ते", Some(MODEL))
                );
                assert_eq!(usage.audio_input_tokens, 320);
                assert!(usage.text_input_tokens > 0 && usage.output_tokens > 0);
            }
            ("smp_2", ItemOutcome::Transcribed { text, .. }) => assert_eq!(text, ""),
            ("smp_3", ItemOutcome::Failed { code, message, .. }) => {
                assert!(
                    code.starts_with("provider_") || code == "input_unavailable",
                    "{code}"
                );
                assert!(!message.contains("gemini-sim"));
            }
            other => panic!("{other:?}"),
        }
    }
    keys.sort_unstable();
    assert_eq!(keys, ["smp_1", "smp_2", "smp_3"]);

    // Each upload in three chunks, each input once, one create; the key only
    // ever in its header.
    let ledger = w.sim.ledger();
    assert_eq!(ledger.count(Route::UploadStart), 4);
    assert_eq!(ledger.count(Route::BatchCreate), 1);
    assert_eq!(ledger.count(Route::Unknown), 0);
    assert!(ledger.entries.iter().all(|e| !e.key_in_query));
    assert!(
        ledger
            .entries
            .iter()
            .all(|e| e.status.is_some_and(|s| s == 200))
    );

    // Everything is forgotten, twice.
    for _ in 0..2 {
        for staged in [&one.audio, &two.audio, &unknown.audio, &input] {
            w.gemini
                .delete_file(&w.credential, &staged.name)
                .await
                .unwrap();
        }
        // Google refuses to delete what it made itself; that goes by itself.
        let output = status.output.as_deref().unwrap();
        let refused = w.gemini.delete_file(&w.credential, output).await;
        assert_eq!(kind(&refused.unwrap_err()), Some(Rejection::Invalid));
        w.gemini.delete_batch(&w.credential, &batch).await.unwrap();
        w.gemini.cancel(&w.credential, &batch).await.unwrap();
    }
    assert!(w.sim.files().iter().all(|file| file.generated));
    let gone = w.gemini.get(&w.credential, &batch).await.unwrap_err();
    assert_eq!(kind(&gone), Some(Rejection::NotFound));
}

#[tokio::test]
async fn results_of_every_kind() {
    let w = World::new().await;
    let mut items = Vec::new();
    for seed in 10..25 {
        items.push(w.known(seed, &format!("text {seed}")).await);
    }
    let message = || "upstream text".to_owned();
    let on = |seed: u8, fault| w.fault(FaultRule::new(fault).item_key(format!("smp_{seed}")));
    on(10, Fault::ItemMissing);
    on(
        11,
        Fault::ItemDuplicate {
            text: Some("second".to_owned()),
        },
    );
    on(
        12,
        Fault::ItemMalformed {
            form: MalformedForm::BadUtf8,
        },
    );
    on(
        13,
        Fault::ItemUnknownKey {
            key: "stranger".to_owned(),
        },
    );
    on(
        14,
        Fault::ItemError {
            member: ErrorMember::Error,
            code: 1,
            message: message(),
        },
    );
    on(
        15,
        Fault::ItemError {
            member: ErrorMember::Status,
            code: 3,
            message: message(),
        },
    );
    on(16, Fault::ItemNoCandidates);
    on(
        17,
        Fault::ItemBlocked {
            reason: "PROHIBITED_CONTENT".to_owned(),
        },
    );
    on(
        18,
        Fault::ItemFinish {
            reason: "MAX_TOKENS".to_owned(),
            text: Some("loop loop".to_owned()),
        },
    );
    on(19, Fault::ItemThoughtOnly);
    on(20, Fault::ItemParts);
    on(21, Fault::ItemNoUsage);
    on(
        22,
        Fault::ItemText {
            text: "  \n".to_owned(),
        },
    );
    on(
        23,
        Fault::ItemFinish {
            reason: "RECITATION".to_owned(),
            text: None,
        },
    );
    let lines = vec!["<html>".to_owned(), "{}".to_owned(), "\u{feff}".to_owned()];
    w.fault(FaultRule::new(Fault::ExtraLines { lines }));
    w.fault(FaultRule::new(Fault::Shuffle { seed: 7 }));
    let (outcomes, malformed) = w.run(&items).await;
    assert_eq!(malformed, 3);
    assert!(!outcomes.contains_key("smp_10") && !outcomes.contains_key("smp_12"));
    assert_eq!(outcomes["smp_11"].len(), 2);
    for (key, want) in [
        ("stranger", "text 13"),
        ("smp_14", "failed: provider_cancelled"),
        ("smp_15", "failed: provider_rejected"),
        ("smp_16", "failed: empty_output"),
        ("smp_17", "failed: blocked_prohibited_content"),
        ("smp_18", "failed: max_tokens"),
        ("smp_19", "failed: empty_output"),
        ("smp_20", "text 20"),
        ("smp_21", "text 21"),
        ("smp_22", "failed: empty_output"),
        ("smp_23", "failed: blocked_recitation"),
        ("smp_24", "text 24"),
    ] {
        assert_eq!(text(&outcomes, key), want, "{key}");
    }
    for outcome in outcomes.values().flatten() {
        assert!(!format!("{outcome:?}").contains("upstream"));
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_is_an_error() {
    let w = World::new().await;
    let input = w.input(&[w.known(1, "x").await]).await;
    let batch = w.create(&input, "d").await.unwrap();
    let status = w.ended(&batch).await;
    w.fault(FaultRule::once(Fault::CutReply { bytes: 20 }).on(Route::FileDownload));
    let name = status.output.as_deref().unwrap();
    let stream = w.gemini.download(&w.credential, name).await.unwrap();
    assert!(stream.try_collect::<Vec<_>>().await.is_err());
    assert!(!w.output(&status).await.is_empty());
}
