//! WAV that is sent as FLAC, where the operator or a run wants that: what every vendor is
//! sent.

use std::io::Cursor;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::json;
use stt_eval_shared::audio::cut::flac_to_wav;
use stt_eval_shared::providers::{AudioSource, ByteStream};
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::{Machine, MachineOptions, echo};
use submit::lossless::Flac;

use super::hosted::results;
use super::{HEARD, PRO};

/// Vendors that list FLAC: a store for audio, jobs with the bytes, calls with them in a
/// form and as they are.
const TAKE_IT: [&str; 4] = [
    PRO,
    "sarvam/saaras-v4-verbatim",
    "openai/gpt-transcribe",
    "deepgram/nova-3",
];
const AS_IT_IS: &str = "as it is";
const KEYS: [&str; 4] = ["sarvam", "openai", "deepgram", "echo-calls"];

struct Held(Vec<u8>);

#[async_trait]
impl AudioSource for Held {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    async fn open(&self, start: u64, end: u64) -> std::io::Result<ByteStream> {
        let part = Bytes::copy_from_slice(&self.0[start as usize..end as usize]);
        Ok(stream::iter([Ok(part)]).boxed())
    }
}

async fn as_flac(wav: &[u8]) -> Vec<u8> {
    let flac = Flac::of(Arc::new(Held(wav.to_vec()))).await.unwrap();
    let flac = flac.unwrap();
    let mut pieces = flac.open(0, flac.len()).await.unwrap();
    let mut out = Vec::new();
    while let Some(piece) = pieces.next().await {
        out.extend_from_slice(&piece.unwrap());
    }
    out
}

/// The doubles hear a recording by its digest: so what is heard rightly came byte by byte,
/// and under the name and type that go with it where a vendor looks at them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vendors_that_take_flac_are_sent_the_same_sound_in_fewer_bytes() {
    let machine = Machine::start_with(MachineOptions {
        settings: vec![("LOSSLESS_FLAC", "true")],
        vendors: echo::vendors(),
        recognisers: vec![r#"name=sh -c 'printf "%s" "${1##*.}"' - {input}"#.to_owned()],
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    for vendor in KEYS {
        let key = json!({ "api_key": format!("lossless-key-for-{vendor}") });
        let kept = client.put(&format!("/credentials/{vendor}"), &key).await;
        kept.data(200);
    }
    let mut samples = Vec::new();
    let mut digests = Vec::new();
    for (seed, text) in [(1, "one two"), (2, "three")] {
        let recording = wav(seed, 0.5);
        let flac = as_flac(&recording).await;
        assert!(flac.len() < recording.len());
        let mut decoded = Cursor::new(Vec::new());
        flac_to_wav(Cursor::new(flac.clone()), &mut decoded).unwrap();
        assert!(decoded.into_inner() == recording, "not the same sound");
        machine.record(&flac, PRO, text);
        machine.speech().record(&sha256(&flac), text);
        // What is heard of the recording as it is.
        machine.record(&recording, PRO, AS_IT_IS);
        machine.speech().record(&sha256(&recording), AS_IT_IS);
        let file = machine
            .upload(&client, "a.wav", "audio/wav", &recording)
            .await;
        samples.push(json!({ "file_id": file["id"], "ground_truth": text }));
        digests.push(sha256(&recording));
    }
    let made = json!({ "name": "d", "language": "en", "samples": samples });
    let made = client.post("/datasets", &made).await;
    let dataset = made.data(201)["id"].as_str().unwrap().to_owned();
    let models = [&TAKE_IT[..], &[HEARD, "local/name"]].concat();
    let run = machine.run(&client, &dataset, &models).await;
    assert_eq!(run["config"]["lossless_flac"], true, "{run}");
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["status"], "completed", "{run}");
    let first = results(&client, &run).await;
    assert_eq!(first.len(), 12);
    for result in &first {
        let heard = result["transcription"].as_str().unwrap();
        match result["provider"].as_str().unwrap() {
            // It lists WAV alone.
            HEARD => assert!(digests.iter().any(|sha| sha.starts_with(heard)), "{result}"),
            // And a program of this machine lists nothing.
            "local/name" => assert_eq!(heard, "wav", "{result}"),
            _ => assert_eq!(heard, result["ground_truth"], "{result}"),
        }
    }
    // What the files of a vendor's job are called.
    let requests = machine.speech().ledger().requests;
    let named = |end: &str| requests.iter().filter(|one| one.ends_with(end)).count();
    assert_eq!((named(".flac"), named(".wav")), (2, 0), "{requests:?}");
    // A run that says otherwise, though a store has the FLAC of the first one.
    let body = json!({
        "run_name": "as it is", "dataset_id": dataset, "providers": TAKE_IT,
        "config": { "lossless_flac": false },
    });
    let run = client.post("/runs", &body).await.data(202).clone();
    assert_eq!(run["config"]["lossless_flac"], false, "{run}");
    let run = machine.ended(&client, &run).await;
    let heard = results(&client, &run).await;
    assert_eq!(heard.len(), 8);
    assert!(
        heard.iter().all(|one| one["transcription"] == AS_IT_IS),
        "{heard:?}"
    );
    machine.stop().await;
}
