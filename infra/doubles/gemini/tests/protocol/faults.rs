//! Faults of requests and of whole batches.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gemini_sim::{Fault, FaultRule, Route, SimConfig};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{MODEL, Rig, config, id, line, state, status};

async fn slow() -> Rig {
    Rig::with(SimConfig {
        batch_delay: Duration::from_secs(60),
        ..config()
    })
    .await
}

#[tokio::test]
async fn every_route_can_fail_before_anything_is_done() {
    let rig = slow().await;
    let input = rig.input(&["a"]).await;
    let batch = rig.create("x", &input).await;
    let create = format!("models/{MODEL}:batchGenerateContent");
    let body = json!({"batch": {"inputConfig": {"fileName": input["name"]}}});
    let (file, batch) = (id(&input), id(&batch));
    for (route, method, path) in [
        (Route::FileGet, Method::GET, file.to_owned()),
        (Route::FileList, Method::GET, "files".to_owned()),
        (
            Route::FileDownload,
            Method::GET,
            format!("{file}:download?alt=media"),
        ),
        (Route::FileDelete, Method::DELETE, file.to_owned()),
        (Route::BatchCreate, Method::POST, create),
        (Route::BatchGet, Method::GET, batch.to_owned()),
        (Route::BatchList, Method::GET, "batches".to_owned()),
        (Route::BatchCancel, Method::POST, format!("{batch}:cancel")),
        (Route::BatchDelete, Method::DELETE, batch.to_owned()),
        (Route::ModelList, Method::GET, "models".to_owned()),
        (Route::ModelGet, Method::GET, format!("models/{MODEL}")),
        (
            Route::GenerateContent,
            Method::POST,
            format!("models/{MODEL}:generateContent"),
        ),
    ] {
        for (code, name) in [
            (503, "UNAVAILABLE"),
            (429, "RESOURCE_EXHAUSTED"),
            (500, "INTERNAL"),
        ] {
            rig.fault(FaultRule::once(status(code)).on(route));
            let (got, answer) = rig.call(method.clone(), &path, Some(body.clone())).await;
            assert_eq!(
                (got, &answer["error"]["status"]),
                (code, &json!(name)),
                "{route}"
            );
        }
    }
    for code in [503, 429] {
        rig.fault(FaultRule::once(status(code)).on(Route::UploadStart));
        assert_eq!(rig.start(json!({}), "audio/wav", 4).await.status(), code);
        rig.fault(FaultRule::once(status(code)).on(Route::UploadChunk));
        let url = rig.upload_url(json!({}), "audio/wav", 4).await;
        let refused = rig
            .step(&url, "upload, finalize", 0, b"0123")
            .await
            .unwrap();
        assert_eq!(refused.status(), code);
        let repeated = rig
            .step(&url, "upload, finalize", 0, b"0123")
            .await
            .unwrap();
        assert_eq!(repeated.status(), 200, "nothing was taken the first time");
    }
    assert_eq!(rig.get(file).await.0, 200);
    assert_eq!(state(&rig.get(batch).await.1), "BATCH_STATE_PENDING");
    assert_eq!(rig.sim.batches().await.len(), 1);
}

#[tokio::test]
async fn replies_can_be_lost_after_the_deed() {
    let rig = slow().await;
    let input = rig.input(&["a"]).await;
    for (n, fault) in [
        Fault::LoseReply,
        Fault::Html { after_commit: true },
        Fault::Status {
            code: 500,
            message: None,
            after_commit: true,
            retry_after: None,
        },
        Fault::CutReply { bytes: 7 },
    ]
    .into_iter()
    .enumerate()
    {
        rig.fault(FaultRule::once(fault.clone()).on(Route::BatchCreate));
        let name = format!("lost-{n}");
        let answer = rig.create_request(&name, &input).send().await;
        let readable = match answer {
            Ok(reply) if reply.status() == 200 => reply.json::<Value>().await.is_ok(),
            _ => false,
        };
        assert!(!readable, "{fault:?}");
        let (_, list) = rig.get("batches").await;
        assert_eq!(
            list["operations"][0]["metadata"]["displayName"], name,
            "{fault:?}"
        );
    }
    for fault in [
        Fault::DropRequest,
        Fault::Html {
            after_commit: false,
        },
    ] {
        rig.fault(FaultRule::once(fault).on(Route::BatchCreate));
        let _ = rig.create_request("never", &input).send().await;
    }
    assert_eq!(rig.sim.batches().await.len(), 4);
    assert_eq!(
        rig.count(Route::BatchCreate),
        6,
        "every attempt is in the ledger"
    );
    let ledger = rig.sim.ledger();
    let creates: Vec<_> = ledger
        .entries
        .iter()
        .filter(|e| e.route == Route::BatchCreate)
        .collect();
    assert_eq!(
        (creates[0].status, creates[0].faults.as_slice()),
        (None, &["lose_reply".to_owned()][..])
    );
    assert_eq!(creates[0].display_name.as_deref(), Some("lost-0"));
    assert!(creates[0].bytes > 0);
}

#[tokio::test]
async fn a_client_that_gives_up_does_not_undo_the_request() {
    let rig = slow().await;
    let input = rig.input(&["a"]).await;
    rig.fault(FaultRule::once(Fault::Delay { millis: 1_000 }).on(Route::BatchCreate));
    let hasty = rig
        .create_request("x", &input)
        .timeout(Duration::from_millis(50));
    assert!(hasty.send().await.unwrap_err().is_timeout());
    assert!(rig.sim.batches().await.is_empty());
    let deadline = Instant::now() + Duration::from_secs(20);
    while rig.sim.batches().await.is_empty() {
        assert!(Instant::now() < deadline, "the batch never came");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    rig.fault(FaultRule::once(Fault::DelayReply { millis: 100 }).on(Route::BatchGet));
    let started = Instant::now();
    rig.get("batches/none").await;
    assert!(started.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn rules_are_limited_by_name_and_number() {
    let rig = slow().await;
    let input = rig.input(&["a"]).await;
    rig.fault(
        FaultRule::once(status(503))
            .on(Route::BatchCreate)
            .display_name("unit-2")
            .after(1),
    );
    for (name, code) in [
        ("unit-1", 200),
        ("unit-2", 200),
        ("unit-2", 503),
        ("unit-2", 200),
    ] {
        let reply = rig.create_request(name, &input).send().await.unwrap();
        assert_eq!(reply.status(), code, "{name}");
    }
    let fault = Fault::Status {
        code: 429,
        message: Some("slow down".to_owned()),
        after_commit: false,
        retry_after: Some(7),
    };
    rig.fault(FaultRule::new(fault));
    let reply = rig.request(Method::GET, "batches").send().await.unwrap();
    assert_eq!(reply.headers()["retry-after"], "7");
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["error"]["message"], "slow down");
    rig.sim.faults().clear();
    assert_eq!(rig.get("batches").await.0, 200);
}

#[tokio::test]
async fn a_request_may_be_accepted_late() {
    let rig = slow().await;
    let input = rig.input(&["a"]).await;
    rig.fault(FaultRule::once(Fault::LateAcceptance { millis: 30_000 }));
    assert!(rig.create_request("late", &input).send().await.is_err());
    assert_eq!(rig.get("batches").await.1, json!({}));
    rig.sim.advance(Duration::from_secs(30));
    let (_, list) = rig.get("batches").await;
    assert_eq!(list["operations"][0]["metadata"]["displayName"], "late");
    rig.sim.advance(Duration::from_secs(60));
    let name = list["operations"][0]["name"].as_str().unwrap();
    assert_eq!(state(&rig.get(name).await.1), "BATCH_STATE_SUCCEEDED");
}

#[tokio::test]
async fn lists_may_be_stale() {
    let rig = slow().await;
    let input = rig.input(&["a"]).await;
    rig.fault(FaultRule::once(Fault::StaleList {
        lists: 2,
        millis: 0,
    }));
    rig.fault(
        FaultRule::once(Fault::StaleList {
            lists: 0,
            millis: 10_000,
        })
        .display_name("second"),
    );
    let first = rig.create("first", &input).await;
    let second = rig.create("second", &input).await;
    let names = async || -> usize {
        rig.get("batches").await.1["operations"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!(names().await, 0);
    assert_eq!(rig.get(id(&first)).await.0, 200, "a get finds it");
    assert_eq!(names().await, 0);
    assert_eq!(names().await, 1);
    rig.sim.advance(Duration::from_secs(10));
    assert_eq!(names().await, 2);
    assert_eq!(rig.get(id(&second)).await.0, 200);
}

#[tokio::test]
async fn stuck_batches_go_on_when_faults_are_cleared_or_expire() {
    let rig = slow().await;
    let input = rig.input(&["a"]).await;
    let stuck = |state: &str| {
        FaultRule::once(Fault::Stuck {
            state: state.to_owned(),
        })
    };
    rig.fault(stuck("PENDING"));
    let batch = rig.create("x", &input).await;
    rig.sim.advance(Duration::from_secs(3600));
    assert_eq!(state(&rig.get(id(&batch)).await.1), "BATCH_STATE_PENDING");
    rig.sim.faults().clear();
    assert_eq!(state(&rig.get(id(&batch)).await.1), "BATCH_STATE_SUCCEEDED");
    rig.fault(stuck("RUNNING"));
    let batch = rig.create("y", &input).await;
    rig.sim.advance(Duration::from_secs(3600));
    assert_eq!(state(&rig.get(id(&batch)).await.1), "BATCH_STATE_RUNNING");
    rig.sim.advance(Duration::from_secs(48 * 3600));
    let expired = rig.get(id(&batch)).await.1;
    assert_eq!(
        (state(&expired), &expired["done"]),
        ("BATCH_STATE_EXPIRED", &json!(true))
    );
    assert!(expired["metadata"].get("output").is_none());
    assert_eq!(expired["error"]["code"], 4);
}

#[tokio::test]
async fn batches_end_as_told() {
    let rig = Rig::new().await;
    let input = rig.input(&["a"]).await;
    for (end, with_output) in [("FAILED", false), ("EXPIRED", false), ("CANCELLED", true)] {
        let fault = Fault::End {
            state: end.to_owned(),
            code: 13,
            message: "told so".to_owned(),
            with_output,
        };
        rig.fault(FaultRule::once(fault));
        let ended = rig.done(&rig.create("x", &input).await).await;
        assert_eq!(state(&ended), format!("BATCH_STATE_{end}"));
        assert_eq!(
            ended["error"],
            json!({"code": 13, "message": "told so", "details": []})
        );
        assert_eq!(ended["metadata"].get("output").is_some(), with_output);
        assert!(
            ended.get("response").is_none(),
            "error and response exclude each other"
        );
    }
    let ended = rig.done(&rig.create("x", &input).await).await;
    assert_eq!(state(&ended), "BATCH_STATE_SUCCEEDED");
}

#[tokio::test]
async fn faults_may_be_set_while_a_batch_is_under_way() {
    let rig = slow().await;
    let batch = rig.create("x", &rig.input(&["a"]).await).await;
    let fault = Fault::End {
        state: "FAILED".to_owned(),
        code: 3,
        message: String::new(),
        with_output: false,
    };
    rig.fault(FaultRule::once(fault).display_name("x"));
    rig.sim.advance(Duration::from_secs(60));
    assert_eq!(state(&rig.get(id(&batch)).await.1), "BATCH_STATE_FAILED");
}

#[tokio::test]
async fn states_and_output_may_come_late_or_strange() {
    let rig = Rig::new().await;
    let input = rig.input(&["a"]).await;
    let strange = "BATCH_STATE_PAUSED".to_owned();
    rig.fault(FaultRule::once(Fault::UnknownState {
        state: strange.clone(),
        polls: Some(3),
    }));
    rig.fault(FaultRule::once(Fault::OutputLate { polls: 2 }));
    rig.fault(FaultRule::once(Fault::NoUpdateTime));
    let created = rig.create("x", &input).await;
    assert_eq!(state(&created), strange);
    for _ in 0..2 {
        let shown = rig.get(id(&created)).await.1;
        assert_eq!(state(&shown), strange);
        assert!(shown.get("done").is_none());
    }
    for _ in 0..2 {
        let ended = rig.done(&created).await;
        assert_eq!(state(&ended), "BATCH_STATE_SUCCEEDED");
        assert!(ended.get("response").is_none() && ended["metadata"].get("output").is_none());
    }
    let ended = rig.done(&created).await;
    assert!(ended["metadata"].get("output").is_some());
    assert!(ended["metadata"].get("updateTime").is_none());
}

#[tokio::test]
async fn a_batch_may_be_slow() {
    let rig = slow().await;
    rig.fault(FaultRule::once(Fault::Slow { millis: 60_000 }));
    let batch = rig.create("x", &rig.input(&["a"]).await).await;
    rig.sim.advance(Duration::from_secs(90));
    assert_eq!(state(&rig.get(id(&batch)).await.1), "BATCH_STATE_RUNNING");
    rig.sim.advance(Duration::from_secs(30));
    assert_eq!(state(&rig.get(id(&batch)).await.1), "BATCH_STATE_SUCCEEDED");
}

#[tokio::test]
async fn cancel_may_be_ignored_or_leave_output() {
    let rig = slow().await;
    let input = rig.input(&["a"]).await;
    rig.fault(FaultRule::once(Fault::CancelIgnored));
    let batch = rig.create("x", &input).await;
    assert_eq!(
        rig.post(&format!("{}:cancel", id(&batch)), json!({}))
            .await
            .0,
        200
    );
    assert_eq!(state(&rig.get(id(&batch)).await.1), "BATCH_STATE_PENDING");
    rig.fault(FaultRule::once(Fault::CancelWithOutput).display_name("y"));
    let batch = rig.create("y", &input).await;
    rig.post(&format!("{}:cancel", id(&batch)), json!({})).await;
    let ended = rig.get(id(&batch)).await.1;
    assert_eq!(state(&ended), "BATCH_STATE_CANCELLED");
    assert!(ended["metadata"]["output"]["responsesFile"].is_string());
}

#[tokio::test]
async fn output_files_can_be_rewritten() {
    let rig = Rig::new().await;
    let texts = ["a", "b", "c", "d", "e"];
    let keys = |rows: &[Value]| -> Vec<String> {
        rows.iter()
            .map(|row| row["key"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        keys(&rig.rows(&texts).await),
        texts,
        "in order without a fault"
    );
    rig.fault(FaultRule::once(Fault::Shuffle { seed: 3 }));
    let mut shuffled = keys(&rig.rows(&texts).await);
    assert_ne!(shuffled, texts);
    shuffled.sort();
    assert_eq!(shuffled, texts);
    let extra = r#"{"key":"ghost","response":{}}"#.to_owned();
    rig.fault(FaultRule::once(Fault::ExtraLines { lines: vec![extra] }));
    assert_eq!(keys(&rig.rows(&["a"]).await), ["a", "ghost"]);
    let raw = b"<html>\xff".to_vec();
    rig.fault(FaultRule::once(Fault::ReplaceOutput {
        base64: STANDARD.encode(&raw),
    }));
    assert_eq!(rig.lines(&["a"]).await, [raw]);
}

#[tokio::test]
async fn a_list_may_leave_the_output_out_and_the_output_may_come_later_than_its_name() {
    let rig = Rig::new().await;
    rig.fault(FaultRule::once(Fault::BareList { lists: Some(1) }));
    rig.fault(FaultRule::once(Fault::FileLate { millis: 60_000 }));
    let batch = rig.create("x", &rig.input(&["a"]).await).await;
    let ended = rig.done(&batch).await;
    let file = ended["response"]["responsesFile"].as_str().unwrap();
    for bare in [true, false] {
        let (_, list) = rig.get("batches").await;
        let listed = &list["operations"][0];
        assert_eq!(listed["metadata"]["state"], "BATCH_STATE_SUCCEEDED");
        assert_eq!(listed.get("response").is_none(), bare);
        assert_eq!(listed["metadata"].get("output").is_none(), bare);
    }
    assert_eq!(rig.get(file).await.0, 403);
    let download = format!("{file}:download?alt=media");
    assert_eq!(rig.get(&download).await.0, 403);
    rig.sim.advance(std::time::Duration::from_secs(60));
    assert!(!rig.output(&ended).await.is_empty());
}

#[tokio::test]
async fn a_download_can_be_cut() {
    let rig = Rig::new().await;
    let ended = rig
        .done(&rig.create("x", &rig.input(&["a", "b"]).await).await)
        .await;
    let file = ended["response"]["responsesFile"].as_str().unwrap();
    rig.fault(FaultRule::once(Fault::CutReply { bytes: 50 }).on(Route::FileDownload));
    let path = format!("/download/v1beta/{file}:download?alt=media");
    let reply = rig.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(
        reply.bytes().await.is_err(),
        "the end is missing and noticed"
    );
    rig.fault(
        FaultRule::once(Fault::Html {
            after_commit: false,
        })
        .on(Route::FileDownload),
    );
    let reply = rig.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    assert!(rig.output(&ended).await.len() > 50);
}

#[tokio::test]
async fn audio_that_expires_during_the_batch_fails_its_line() {
    let rig = slow().await;
    rig.fault(FaultRule::once(Fault::FileExpired { millis: 30_000 }).display_name("short"));
    let (short, long) = (rig.audio("short").await, rig.audio("long").await);
    let input = rig
        .jsonl(&[line("short", &short), line("long", &long)])
        .await;
    let batch = rig.create("x", &input).await;
    rig.sim.advance(Duration::from_secs(60));
    let ended = rig.get(id(&batch)).await.1;
    let output = String::from_utf8(rig.output(&ended).await).unwrap();
    let first: Value = serde_json::from_str(output.lines().next().unwrap()).unwrap();
    assert_eq!(first["error"]["code"], 7);
    assert_eq!(
        ended["metadata"]["batchStats"]["successfulRequestCount"],
        "1"
    );
}
