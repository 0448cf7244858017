//! Programs of this machine as models: made-up ones for what can go wrong, and a real
//! recogniser where Debian's packages are installed.

use serde_json::{Value, json};
use stt_eval_local::demo;
use stt_eval_local::recogniser::{POCKETSPHINX, pocketsphinx};
use stt_eval_local::replay;
use stt_eval_tests::audio::wav;
use stt_eval_tests::{Client, Machine, MachineOptions};

async fn machine(recognisers: &[&str]) -> (Machine, Client) {
    let machine = Machine::start_with(MachineOptions {
        recognisers: recognisers.iter().map(|one| (*one).to_owned()).collect(),
        settings: vec![("COMMAND_TIMEOUT_SECONDS", "2")],
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    (machine, client)
}

async fn results(client: &Client, run: &Value) -> Vec<Value> {
    let path = format!("/runs/{}/results?limit=100", run["id"].as_str().unwrap());
    client
        .get(&path)
        .await
        .data(200)
        .as_array()
        .unwrap()
        .clone()
}

/// A program takes longer than a stand-in may take to answer: it is no dead worker's for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_program_is_started_once_for_each_clip_and_ends_with_the_machine() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let path = log.path().display();
    let slow = format!("slow=sh -c 'echo started >> {path}; sleep 4.5; echo heard' - {{input}}");
    let hangs = format!("hangs=sh -c 'echo hangs >> {path}; sleep 150' - {{input}}");
    let machine = Machine::start_with(MachineOptions {
        recognisers: vec![slow, hangs],
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    let dataset = machine.dataset(&client, "d", &["heard"]).await;
    let run = machine.run(&client, &dataset, &["local/slow"]).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(results(&client, &run).await[0]["transcription"], "heard");
    assert_eq!(std::fs::read_to_string(log.path()).unwrap(), "started\n");
    machine.run(&client, &dataset, &["local/hangs"]).await;
    while !std::fs::read_to_string(log.path())
        .unwrap()
        .contains("hangs")
    {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(60), machine.stop());
    assert!(stopped.await.is_ok(), "it waits for the program");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_program_fails_by_itself_and_costs_nothing() {
    let programs = [
        // Its whole answer is the language, and what kind of file it got.
        r#"good=sh -c 'printf "%s %s" "$2" "${1##*.}"' - {input} {language}"#,
        r#"json=sh -c 'echo "{\"text\": \" ab  cd \", \"n\": 1}"' - {input}"#,
        "silent=true {input}",
        "failing=false {input}",
        "hanging=sh -c 'sleep 60 & sleep 60' - {input}",
        "long=yes {input}",
        r#"bytes=sh -c 'printf "\377\376"' - {input}"#,
    ];
    let (machine, client) = machine(&programs).await;
    let listed = client.get("/providers").await;
    let local = listed
        .data(200)
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["provider"] == "local");
    for model in local {
        let told = (&model["mode"], &model["has_credentials"], &model["price"]);
        assert_eq!(
            told,
            (&json!("command"), &json!(true), &Value::Null),
            "{model}"
        );
    }
    let dataset = machine.dataset(&client, "d", &["en wav"]).await;
    let ids: Vec<String> = programs
        .iter()
        .map(|one| format!("local/{}", one.split_once('=').unwrap().0))
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let run = machine.run(&client, &dataset, &ids).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["status"], "completed", "{run}");
    let results = results(&client, &run).await;
    let of = |name: &str| {
        let id = format!("local/{name}");
        results.iter().find(|one| one["provider"] == *id).unwrap()
    };
    for (name, text) in [("good", "en wav"), ("json", "ab cd"), ("silent", "")] {
        assert_eq!(of(name)["transcription"], text, "{}", of(name));
        assert!(of(name)["latency_ms"].is_u64(), "{}", of(name));
    }
    assert_eq!(of("good")["score"]["wer"], 0.0);
    for (name, told) in [
        ("failing", "ended with an error"),
        ("hanging", "took too long"),
        ("long", "printed too much"),
        ("bytes", "no UTF-8"),
    ] {
        let result = of(name);
        assert_eq!(result["error_code"], "recogniser_failed", "{result}");
        assert!(
            result["error_message"].as_str().unwrap().contains(told),
            "{result}"
        );
    }
    assert!(
        results
            .iter()
            .all(|one| one["cost_usd"].as_f64().unwrap_or(0.0) == 0.0)
    );
    machine.stop().await;
}

/// The programs need not be there any more: what they printed is kept. And what was told
/// in dollars stays, though replaying knows another rate of the rupee.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_programs_gave_is_replayed_without_them() {
    let machine = Machine::start_with(MachineOptions {
        recognisers: ["good=echo one {input}", "failing=false {input}"]
            .map(str::to_owned)
            .to_vec(),
        settings: vec![("RUPEE_IN_USD", "0.02")],
        // Replaying is of the data of one machine.
        metered: true,
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    let key = json!({ "api_key": "key-for-sarvam" });
    client.put("/credentials/sarvam", &key).await.data(200);
    let dataset = machine.dataset(&client, "d", &["one"]).await;
    let models = ["local/good", "local/failing", "sarvam/saaras-v4-verbatim"];
    let run = machine.run(&client, &dataset, &models).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["failed"], 1, "{run}");
    let Machine { node, dir, .. } = machine;
    node.stop().await.unwrap();
    let (project, data) = ("demo".parse().unwrap(), dir.path().to_owned());
    let told = std::sync::Mutex::new(Vec::new());
    let id = run["id"].as_str().unwrap();
    let show = |answer: &Value| told.lock().unwrap().push(answer.clone());
    replay::run(data, project, id, None, show).await.unwrap();
    let told = told.into_inner().unwrap();
    let units = told[0]["units"].as_array().unwrap();
    assert_eq!((told.len(), units.len()), (1, 3), "{told:?}");
    for unit in units {
        assert_eq!(unit["unchanged"], 1, "{unit}");
        assert_eq!(
            (&unit["changed"], &unit["recounted"]),
            (&json!(0), &json!(false)),
            "{unit}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_recogniser_listens() {
    if let Err(missing) = pocketsphinx() {
        let required = std::env::var_os("RECOGNISER_REQUIRED").is_some();
        assert!(!required, "the recogniser is required here: {missing}");
        eprintln!("SKIPPED: no recogniser listens, for {missing}");
        return;
    }
    let machine = Machine::start_with(MachineOptions {
        recognisers: vec![POCKETSPHINX.to_owned()],
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    let mut samples = Vec::new();
    for (clip, bytes) in demo::clips().unwrap() {
        if clip.language == "en" {
            let file = machine
                .upload(&client, &clip.file, &clip.content_type, bytes)
                .await;
            samples.push(json!({ "file_id": file["id"], "ground_truth": clip.ground_truth }));
        }
    }
    // Nothing is said in it.
    let silence = machine
        .upload(&client, "silence.wav", "audio/wav", &wav(7, 1.0))
        .await;
    samples.push(json!({ "file_id": silence["id"], "ground_truth": "" }));
    let dataset = json!({ "name": "English", "language": "en", "samples": samples });
    let dataset = client.post("/datasets", &dataset).await;
    let dataset = dataset.data(201)["id"].as_str().unwrap().to_owned();
    let run = machine
        .run(&client, &dataset, &["local/pocketsphinx"])
        .await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], samples.len(), "{run}");
    let score = &run["score"]["local/pocketsphinx"];
    // Real, so neither right throughout nor deaf.
    assert!(score["wer"].as_f64().unwrap() > 0.0, "{score}");
    let heard = results(&client, &run).await;
    let words: usize = heard
        .iter()
        .map(|one| {
            one["transcription"]
                .as_str()
                .unwrap()
                .split_whitespace()
                .count()
        })
        .sum();
    assert!(words > 3, "{heard:?}");
    machine.stop().await;
}
