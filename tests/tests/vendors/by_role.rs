//! Amazon Transcribe, which is asked with the functions' own role and leaves transcripts in
//! the deployment's bucket: off until the operator switches it on, then each clip a job of
//! a name that is never given twice.

use std::time::Duration;

use aws_sdk_transcribe::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_transcribe::types::Media;
use serde_json::{Value, json};
use speech_sim::Fault;
use stt_eval_shared::objects::run_prefix;
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::{Client, Machine, MachineOptions};

use crate::jobs::{dataset, lie, paid, results};

const TRANSCRIBE: &str = "aws/transcribe";
/// Answers in the call.
const NOVA: &str = "deepgram/nova-3";

async fn machine(more: &[(&'static str, &'static str)]) -> (Machine, Client) {
    let mut settings = vec![("ROLE_PROVIDERS", "aws")];
    settings.extend(more);
    let machine = Machine::start_with(MachineOptions {
        settings,
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    (machine, client)
}

fn operations(machine: &Machine, operation: &str) -> usize {
    let wanted = format!("AWS {operation}TranscriptionJob");
    let requests = machine.speech().ledger().requests;
    requests.iter().filter(|one| **one == wanted).count()
}

/// Keys of what the service left in the bucket for a run, and of copies.
async fn left(machine: &Machine, run: &Value) -> Vec<String> {
    let prefix = run_prefix(&"demo".parse().unwrap(), id(run).parse().unwrap());
    let s3 = machine.node.cloud.s3_client();
    let bucket = &machine.node.app.config.bucket;
    let listed = s3.list_objects_v2().bucket(bucket).prefix(prefix).send();
    let objects = listed.await.unwrap().contents.unwrap_or_default();
    let keys = objects.into_iter().filter_map(|object| object.key);
    keys.filter(|key| key.contains("/vendor/")).collect()
}

/// A file that somebody puts into the bucket.
async fn dropped(machine: &Machine, client: &Client, name: &str, audio: Vec<u8>) -> Value {
    let s3 = machine.node.cloud.s3_client();
    let bucket = &machine.node.app.config.bucket;
    let put = s3
        .put_object()
        .bucket(bucket)
        .key(format!("incoming/demo/{name}"));
    put.body(audio.into()).send().await.unwrap();
    machine
        .wait("what was dropped is a file", async || {
            let listed = client.get("/files?limit=100").await.data(200).clone();
            let mut files = listed.as_array().unwrap().iter();
            let file = files.find(|file| file["filename"] == name)?.clone();
            (file["status"] == "ready").then_some(file)
        })
        .await
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

fn refuse(status: u16, kind: &str) -> Fault {
    Fault::Refuse {
        status,
        headers: Default::default(),
        body: json!({ "__type": kind, "Message": "m" }).to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_the_operator_switches_it_on_nobody_can_use_the_role() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let listed = client.get("/providers").await.data(200).clone();
    let mut models = listed.as_array().unwrap().iter();
    let model = models.find(|model| model["id"] == TRANSCRIBE).unwrap();
    assert_eq!(
        (&model["asked_with"], &model["has_credentials"]),
        (&json!("role"), &json!(false))
    );
    let dataset = dataset(&machine, &client, &[("hi", "six")]).await;
    let run = json!({ "run_name": "r", "dataset_id": dataset, "providers": [TRANSCRIBE] });
    let refused = client.post("/runs", &run).await;
    assert_eq!(refused.refused(422), ["providers[0]"]);
    assert!(refused.text.contains("ROLE_PROVIDERS"), "{}", refused.text);
    // There is no key that would help.
    let key = json!({ "api_key": "AKIAIOSFODNN7EXAMPLE" });
    let refused = client.put("/credentials/aws", &key).await;
    assert_eq!(refused.refused(422), ["api_key"]);
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_by_role_beside_one_by_key_leaves_nothing_behind() {
    let (machine, client) = machine(&[]).await;
    let key = json!({ "api_key": "key-for-deepgram" });
    client.put("/credentials/deepgram", &key).await.data(200);
    let mut samples = Vec::new();
    for (number, (language, text)) in [("hi", "एक दो"), ("ta", ""), ("hi", "three")]
        .into_iter()
        .enumerate()
    {
        let audio = wav(9_100 + u32::try_from(number).unwrap(), 0.5);
        machine.speech().record(&sha256(&audio), text);
        let name = format!("{number}.wav");
        // The last one lies where people may put another recording in its place.
        let file = match number {
            2 => dropped(&machine, &client, &name, audio).await,
            _ => machine.upload(&client, &name, "audio/wav", &audio).await,
        };
        let truth = if text.is_empty() { "silence" } else { text };
        samples.push(json!({ "file_id": file["id"], "ground_truth": truth, "language": language }));
    }
    let made = json!({ "name": "d", "language": "hi", "samples": samples });
    let made = client.post("/datasets", &made).await.data(201).clone();
    let asked = json!({ "run_name": "r", "dataset_id": made["id"], "providers": [TRANSCRIBE] });
    let told = client.post("/runs/estimate", &asked).await;
    let estimate = told.data(200)["models"][0]["cost_usd"].as_f64().unwrap();
    // Half a second is billed as fifteen.
    let each = 1.44 / 3_600.0 * 15.0;
    assert!((estimate - 3.0 * each).abs() < 1e-6, "{estimate}");

    let run = machine.run(&client, id(&made), &[TRANSCRIBE, NOVA]).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 6, "{run}");
    for result in results(&client, &run).await {
        if result["provider"] != TRANSCRIBE {
            continue;
        }
        let truth = result["ground_truth"].as_str().unwrap();
        let heard = if truth == "silence" { "" } else { truth };
        assert_eq!(result["transcription"], heard, "{result}");
        let times = result["word_times"].as_array().map_or(0, Vec::len);
        assert_eq!(times, heard.split_whitespace().count(), "{result}");
        let cost = result["cost_usd"].as_f64().unwrap();
        assert!((cost - each).abs() < 1e-6, "{cost}");
    }
    let ledger = machine.speech().ledger();
    assert_eq!((ledger.charges.len(), ledger.most_for_one()), (6, 1));
    assert_eq!(operations(&machine, "Start"), 3);
    // What is kept here is left nowhere else: the jobs, what they wrote, the copy.
    machine
        .wait("the jobs are deleted", async || {
            let is_gone = operations(&machine, "Delete") >= 3;
            (is_gone && left(&machine, &run).await.is_empty()).then_some(())
        })
        .await;

    // But for what no line can hold: it was paid for, and stays where the service left it.
    let audio = wav(9_200, 0.5);
    machine
        .speech()
        .record(&sha256(&audio), &"word ".repeat(1_200_000));
    let file = machine
        .upload(&client, "long.wav", "audio/wav", &audio)
        .await;
    let sample = json!({ "file_id": file["id"], "ground_truth": "word" });
    let made = json!({ "name": "long", "language": "hi", "samples": [sample] });
    let made = client.post("/datasets", &made).await.data(201).clone();
    let run = machine.run(&client, id(&made), &[TRANSCRIBE]).await;
    let run = machine.ended(&client, &run).await;
    let failed = results(&client, &run).await;
    assert_eq!(failed[0]["error_code"], "output_too_long", "{failed:?}");
    machine
        .wait("its job is deleted", async || {
            (operations(&machine, "Delete") >= 4).then_some(())
        })
        .await;
    let kept = left(&machine, &run).await;
    assert!(kept.len() == 1 && kept[0].ends_with(".json"), "{kept:?}");
    let gone = client.delete(&format!("/runs/{}", id(&run))).await;
    gone.data(200);
    machine
        .wait("it goes with its run", async || {
            left(&machine, &run).await.is_empty().then_some(())
        })
        .await;
    machine.stop().await;
}

/// All at once: whatever goes wrong with a start, a look or a deletion, every clip is
/// heard and none is paid for twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_at_transcribe_nothing_is_paid_for_twice() {
    let limits = r#"{"aws":{"unit_samples":2,"open_units":10}}"#;
    let (machine, client) = machine(&[("PROVIDER_LIMITS", limits)]).await;
    let words = [
        "six", "seven", "eight", "nine", "ten", "red", "blue", "green",
    ];
    let twice = words
        .iter()
        .flat_map(|word| [format!("{word} a"), format!("{word} b")]);
    let texts: Vec<String> = twice.collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|text| ("hi", &**text)).collect();
    let dataset = dataset(&machine, &client, &texts).await;
    for (step, faults) in [
        (
            "aws",
            vec![
                Fault::LostRequest,
                Fault::LostReply,
                Fault::Silence,
                lie("{}"),
                refuse(400, "LimitExceededException"),
                refuse(500, "InternalFailureException"),
                refuse(400, "BadRequestException"),
            ],
        ),
        (
            "aws/get",
            vec![
                Fault::LostReply,
                lie("{\"TranscriptionJob\": {\"cut o"),
                refuse(400, "ThrottlingException"),
                refuse(404, "NotFoundException"),
                lie("{}"),
            ],
        ),
        (
            "aws/delete",
            vec![Fault::LostReply, refuse(500, "InternalFailureException")],
        ),
    ] {
        for fault in faults {
            machine.speech().fault(step, fault);
        }
    }
    let run = machine.run(&client, &dataset, &[TRANSCRIBE]).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], texts.len(), "{run}");
    assert_eq!(paid(&machine, 0), texts.len());
    machine.stop().await;
}

/// A role that may not waits where everybody sees it, and goes on when it may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_the_permission_waits_for_a_person() {
    let (machine, client) = machine(&[]).await;
    let dataset = dataset(&machine, &client, &[("hi", "six"), ("en", "seven")]).await;
    for _ in 0..2 {
        let denied = refuse(400, "AccessDeniedException");
        machine.speech().fault("aws", denied);
    }
    let run = machine.run(&client, &dataset, &[TRANSCRIBE]).await;
    let path = format!("/runs/{}", id(&run));
    let waiting = machine.wait("it waits", async || {
        let run = client.get(&path).await.data(200).clone();
        let waiting = run["waiting"].as_array().unwrap().first()?.clone();
        (waiting["waiting_reason"] == "provider_key_refused").then_some(waiting)
    });
    assert_eq!(waiting.await["items"], 2);
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 2, "{run}");
    assert_eq!(paid(&machine, 0), 2);
    machine.stop().await;
}

/// The same client against an implementation that is not ours: `moto`, from `PyPI`, where
/// `MOTO_SERVER_BIN` names its program (`tests/run moto`). It writes no transcripts, so
/// these are put where the jobs were told to leave them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moto_takes_the_same_requests() {
    let Some(program) = std::env::var_os("MOTO_SERVER_BIN") else {
        println!("left out: MOTO_SERVER_BIN names no program");
        return;
    };
    let probe = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = probe.local_addr().unwrap();
    drop(probe);
    let mut moto = tokio::process::Command::new(program)
        .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        assert!(moto.try_wait().unwrap().is_none(), "moto ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The stand-in that the machine would ask is asked for nothing.
    let urls: &'static str = format!("aws=http://{address}").leak();
    let (machine, client) = machine(&[("PROVIDER_URLS", urls)]).await;
    let dataset = dataset(&machine, &client, &[("hi", "six"), ("ta", "seven")]).await;
    let run = machine.run(&client, &dataset, &[TRANSCRIBE]).await;
    let service = transcribe_at(&address.to_string());
    let jobs = machine.wait("both jobs are there", async || {
        let listed = service.list_transcription_jobs().send().await.ok()?;
        let jobs = listed.transcription_job_summaries.unwrap_or_default();
        (jobs.len() == 2).then_some(jobs)
    });
    for job in jobs.await {
        let name = job.transcription_job_name.unwrap();
        // A name is taken: a second start of it is none.
        let again = service
            .start_transcription_job()
            .transcription_job_name(&name)
            .media(Media::builder().media_file_uri("s3://b/k").build())
            .language_code("hi-IN".into())
            .send()
            .await
            .unwrap_err();
        assert!(again.into_service_error().is_conflict_exception());
        let prefix = run_prefix(&"demo".parse().unwrap(), id(&run).parse().unwrap());
        let (_, of_run) = name.split_once(".demo.").unwrap();
        let key = format!("{prefix}vendor/{of_run}.json");
        let text = json!({ "jobName": name, "status": "COMPLETED",
            "results": { "transcripts": [{ "transcript": "heard" }], "items": [] } });
        let text = text.to_string().into_bytes().into();
        let put = machine.node.app.objects.put(&key, "application/json", text);
        put.await.unwrap();
    }
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 2, "{run}");
    for result in results(&client, &run).await {
        assert_eq!(result["transcription"], "heard", "{result}");
    }
    machine
        .wait("the jobs are deleted", async || {
            let listed = service.list_transcription_jobs().send().await.ok()?;
            listed.transcription_job_summaries?.is_empty().then_some(())
        })
        .await;
    assert_eq!(operations(&machine, "Start"), 0);
    machine.stop().await;
    moto.kill().await.unwrap();
}

fn transcribe_at(address: &str) -> aws_sdk_transcribe::Client {
    let config = aws_sdk_transcribe::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(format!("http://{address}"))
        .build();
    aws_sdk_transcribe::Client::from_conf(config)
}
