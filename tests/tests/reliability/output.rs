//! Whatever a provider gives back: nothing panics, each item ends with a text
//! or a reason, and the raw output is kept as it came. The provider gives each
//! output as that of a batch: it is downloaded, landed and scored.
//!
//! `RELIABILITY_OUTPUTS=5000` for the full number.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gemini_sim::{Fault, FaultRule};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use stt_eval_shared::domain::run::{Run, RunStatus};
use stt_eval_shared::domain::unit::{Ending, Unit, UnitState};
use stt_eval_shared::domain::{ResultId, RunId, Timestamp};
use stt_eval_shared::objects::run_prefix;
use stt_eval_shared::providers::gemini::BatchItem;
use stt_eval_shared::providers::{Credential, StagedInput};

use crate::draw::setting;
use crate::rig::{Case, Ground, Options, PRO};

/// What a line is about and how it is broken.
#[derive(Debug, Clone)]
enum Line {
    Good(u16, String),
    Finish(u16, &'static str, String),
    Blocked(u16),
    NoCandidates(u16),
    Error(u16, i32),
    Status(u16),
    Thought(u16),
    OddResponse(u16, Value),
    UnknownKey(String),
    OddKey(Value),
    Truncated(u16, usize),
    BadUtf8(u16),
    Huge(u16),
    Deep(usize),
    Text(String),
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!(true)),
        Just(json!(-1)),
        Just(json!({ "candidates": null })),
        Just(json!({ "candidates": {} })),
        Just(json!({ "candidates": [null] })),
        Just(json!({ "candidates": [{}] })),
        Just(json!({ "candidates": [{ "content": [] }] })),
        Just(json!({ "candidates": [{ "content": { "parts": "x" } }] })),
        Just(json!({ "candidates": [{ "content": { "parts": [{ "text": 7 }] } }] })),
        Just(json!({ "candidates": [], "usageMetadata": { "promptTokenCount": -5 } })),
        Just(json!({ "candidates": [], "usageMetadata": { "promptTokenCount": 1e300 } })),
        Just(json!({ "promptFeedback": 3 })),
        ".{0,40}".prop_map(Value::String),
    ]
}

fn line() -> impl Strategy<Value = Line> {
    let at = 0u16..4;
    let finish = prop_oneof![
        Just("MAX_TOKENS"),
        Just("SAFETY"),
        Just("RECITATION"),
        Just("OTHER"),
        Just("NEWS"),
    ];
    prop_oneof![
        6 => (at.clone(), "[a-z]{1,8}( [a-z]{1,8}){0,5}").prop_map(|(p, t)| Line::Good(p, t)),
        1 => (at.clone(), finish, prop_oneof!["", "[a-z]{1,8} [a-z]{1,8}"])
            .prop_map(|(p, f, t)| Line::Finish(p, f, t)),
        1 => at.clone().prop_map(Line::Blocked),
        1 => at.clone().prop_map(Line::NoCandidates),
        1 => (at.clone(), any::<i32>()).prop_map(|(p, c)| Line::Error(p, c)),
        1 => at.clone().prop_map(Line::Status),
        1 => at.clone().prop_map(Line::Thought),
        2 => (at.clone(), odd_value()).prop_map(|(p, v)| Line::OddResponse(p, v)),
        1 => ".{0,60}".prop_map(Line::UnknownKey),
        1 => odd_value().prop_map(Line::OddKey),
        1 => (at.clone(), 0usize..200).prop_map(|(p, n)| Line::Truncated(p, n)),
        1 => at.clone().prop_map(Line::BadUtf8),
        1 => (1usize..5_000).prop_map(Line::Deep),
        1 => prop_oneof![
            Just("<!doctype html><html><body>502 Bad Gateway</body></html>".to_owned()),
            Just(String::new()), Just("\u{feff}".to_owned()), Just("null".to_owned()),
            Just("\0\0\0".to_owned()), Just("{".to_owned()), ".{0,200}",
        ].prop_map(Line::Text),
        // Rare: ten megabytes each.
        1 => (at, 0u8..40).prop_map(|(p, n)| {
            if n == 0 { Line::Huge(p) } else { Line::Good(p, "rare".into()) }
        }),
    ]
}

/// Each kind of line once: what is rare must not be left to chance.
fn one_of_each() -> Vec<Line> {
    let html = "<!doctype html><html><body>502 Bad Gateway</body></html>";
    vec![
        Line::Good(0, "whole".into()),
        Line::Finish(0, "MAX_TOKENS", String::new()),
        Line::Finish(0, "MAX_TOKENS", "cut off".into()),
        Line::Finish(0, "SAFETY", "cut off".into()),
        Line::Blocked(0),
        Line::NoCandidates(0),
        Line::Error(0, 13),
        Line::Status(0),
        Line::Thought(0),
        Line::OddResponse(0, Value::Null),
        Line::UnknownKey("nobody's".into()),
        Line::OddKey(json!(7)),
        Line::Truncated(0, 40),
        Line::BadUtf8(0),
        Line::Huge(0),
        Line::Deep(4_000),
        Line::Text(html.into()),
        Line::Text(String::new()),
    ]
}

/// What is done to the output as a whole.
#[derive(Debug, Clone)]
enum Whole {
    Kept,
    Cut(prop::sample::Index),
    Flipped(prop::sample::Index, u8),
    Carriage,
    NoBreaks,
}

fn output() -> impl Strategy<Value = (Vec<Line>, Whole)> {
    let whole = prop_oneof![
        5 => Just(Whole::Kept),
        1 => any::<prop::sample::Index>().prop_map(Whole::Cut),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(i, b)| Whole::Flipped(i, b)),
        1 => Just(Whole::Carriage),
        1 => Just(Whole::NoBreaks),
    ];
    (prop::collection::vec(line(), 0..8), whole)
}

fn answer(key: &str, text: &str, finish: &str) -> Value {
    json!({ "key": key, "response": {
        "candidates": [{
            "content": { "role": "model", "parts": [{ "text": text }] },
            "finishReason": finish, "index": 0,
        }],
        "usageMetadata": { "promptTokenCount": 10, "candidatesTokenCount": 3 },
        "modelVersion": PRO,
    } })
}

fn bytes_of(run: RunId, line: &Line) -> Vec<u8> {
    let key = |p: &u16| ResultId::new(run, 0, *p).to_string();
    let response = |p: &u16, v: Value| json!({ "key": key(p), "response": v }).to_string().into();
    match line {
        Line::Good(p, text) => answer(&key(p), text, "STOP").to_string().into(),
        Line::Finish(p, reason, text) => answer(&key(p), text, reason).to_string().into(),
        Line::Blocked(p) => response(p, json!({ "promptFeedback": { "blockReason": "SAFETY" } })),
        Line::NoCandidates(p) => response(p, json!({ "candidates": [] })),
        Line::Error(p, code) => {
            json!({ "key": key(p), "error": { "code": code, "message": "no" } })
                .to_string()
                .into()
        }
        Line::Status(p) => json!({ "key": key(p), "status": { "code": 1 } })
            .to_string()
            .into(),
        Line::Thought(p) => {
            let parts = json!([{ "text": "hm", "thought": true }]);
            response(
                p,
                json!({ "candidates": [{ "content": { "parts": parts } }] }),
            )
        }
        Line::OddResponse(p, value) => response(p, value.clone()),
        Line::UnknownKey(key) => answer(key, "whose?", "STOP").to_string().into(),
        Line::OddKey(value) => json!({ "key": value, "response": {} }).to_string().into(),
        Line::Truncated(p, keep) => {
            let mut line = answer(&key(p), "cut short", "STOP")
                .to_string()
                .into_bytes();
            line.truncate(*keep);
            line
        }
        Line::BadUtf8(p) => {
            let line = answer(&key(p), "@", "STOP").to_string().into_bytes();
            line.into_iter()
                .map(|b| if b == b'@' { 0xff } else { b })
                .collect()
        }
        Line::Huge(p) => answer(&key(p), &"long ".repeat(2 * 1024 * 1024), "STOP")
            .to_string()
            .into(),
        Line::Deep(depth) => format!("{{\"key\":{}", "[".repeat(*depth)).into(),
        Line::Text(text) => text.replace('\n', " ").into(),
    }
}

fn written(run: RunId, lines: &[Line], whole: &Whole) -> Vec<u8> {
    let end: &[u8] = match whole {
        Whole::Carriage => b"\r\n",
        Whole::NoBreaks => b"",
        _ => b"\n",
    };
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend(bytes_of(run, line));
        bytes.extend(end);
    }
    match whole {
        Whole::Cut(at) if !bytes.is_empty() => bytes.truncate(at.index(bytes.len())),
        Whole::Flipped(at, mask) if !bytes.is_empty() => {
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
        }
        _ => {}
    }
    bytes
}

/// The text of each position whose first line is a good one, where that is
/// beyond doubt.
fn expected(lines: &[Line], whole: &Whole) -> BTreeMap<u16, String> {
    let mut first: BTreeMap<u16, Option<String>> = BTreeMap::new();
    if !matches!(whole, Whole::Kept | Whole::Carriage) {
        return BTreeMap::new();
    }
    for line in lines {
        let (position, text) = match line {
            Line::Good(p, text) => (*p, Some(text.clone())),
            Line::Finish(p, ..)
            | Line::Blocked(p)
            | Line::NoCandidates(p)
            | Line::Error(p, _)
            | Line::Status(p)
            | Line::Thought(p)
            | Line::OddResponse(p, _)
            | Line::Truncated(p, _)
            | Line::BadUtf8(p)
            | Line::Huge(p) => (*p, None),
            _ => continue,
        };
        first.entry(position).or_insert(text);
    }
    let good = first.into_iter().filter_map(|(p, text)| Some((p, text?)));
    good.filter(|(p, _)| *p < 3).collect()
}

struct Made {
    run: RunId,
    raw: Vec<u8>,
    key: String,
    expected: BTreeMap<u16, String>,
    about: String,
}

/// Outputs that are collected together.
const TOGETHER: usize = 50;

/// What became of items.
#[derive(Default)]
struct Ends {
    texts: u64,
    reasons: BTreeMap<String, u64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_output_gives_every_item_an_end() {
    let count = setting("RELIABILITY_OUTPUTS", 400);
    let seed = setting("RELIABILITY_SEED", 1);
    let ground = Ground::start().await;
    // A lane for each processor: what one handler does is mostly one thing
    // after the other.
    let lanes = [count / 2, count - count / 2];
    let lanes = (0u8..).zip(lanes).map(|(number, count)| {
        let mut bytes = [number; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let runner = TestRunner::new_with_rng(Config::default(), rng);
        let certain = if number == 0 {
            one_of_each()
        } else {
            Vec::new()
        };
        tokio::spawn(lane(ground.clone(), count, runner, certain))
    });
    let lanes: Vec<_> = lanes.collect();
    let mut all = Ends::default();
    for lane in lanes {
        let ends = lane.await.unwrap();
        all.texts += ends.texts;
        for (code, times) in ends.reasons {
            *all.reasons.entry(code).or_default() += times;
        }
    }
    let ended = all.texts + all.reasons.values().sum::<u64>();
    let count = count + one_of_each().len() as u64;
    assert_eq!(ended, count * 3, "each item of each output has ended");
    println!(
        "seed {seed}: {count} outputs, {ended} items: {} texts, {:?}",
        all.texts, all.reasons
    );
}

async fn lane(ground: Arc<Ground>, count: u64, mut runner: TestRunner, certain: Vec<Line>) -> Ends {
    let settings = vec![("COLLECT_LEASE_SECONDS", "60")];
    let options = Options {
        settings,
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let dataset = case.dataset().await;
    let pattern = case.run(&dataset, &[PRO]).await;
    case.settle().await;
    let store = &case.clean.store;
    let pattern = store.run(&case.project, pattern).await.unwrap().unwrap();
    let units = store.units_of(&case.project, pattern.id).await;
    let unit = units.unwrap().remove(0);
    let provider = Provider::of(&case, &pattern, &unit).await;
    let mut ends = Ends::default();
    let drawn = (0..count).map(|_| output().new_tree(&mut runner).unwrap().current());
    let certain = certain.into_iter().map(|line| (vec![line], Whole::Kept));
    let outputs: Vec<_> = certain.chain(drawn).collect();
    for some in outputs.chunks(TOGETHER) {
        let mut all = Vec::new();
        for (lines, whole) in some {
            all.push(make(&case, &provider, &pattern, &unit, lines, whole).await);
        }
        case.settle().await;
        for made in &all {
            check(&case, made, &mut ends.texts, &mut ends.reasons).await;
        }
    }
    case.end().await;
    ends
}

/// Where outputs come from.
struct Provider {
    credential: Credential,
    /// A request document that serves all batches.
    input: StagedInput,
}

impl Provider {
    async fn of(case: &Case, pattern: &Run, unit: &Unit) -> Self {
        let store = &case.clean.store;
        let sealed = store.credential(&case.project, "google").await.unwrap();
        let vault = case.clean.vault.as_ref().unwrap();
        let credential = vault.open(&case.project, &sealed.unwrap()).await.unwrap();
        let audio = StagedInput {
            name: "files/none".into(),
            uri: "https://localhost/none".into(),
            mime_type: "audio/wav".into(),
            expires_at: Timestamp::now().into(),
        };
        let items = [BatchItem {
            key: "one".into(),
            audio,
            language: "en".into(),
            duration_seconds: 1.0,
        }];
        let client = case.gemini();
        // Not under the name of a unit, so that no audit takes it for a leftover.
        let config = &pattern.models[usize::from(unit.key.model)].config;
        let input = client.stage_batch(&credential, "outputs", "outputs", &items, config);
        let input = input.await.unwrap();
        Self { credential, input }
    }

    /// A batch that has ended with an output; gives the names of both.
    async fn batch(&self, case: &Case, name: &str, raw: &[u8]) -> (String, String) {
        let base64 = STANDARD.encode(raw);
        let replaced = FaultRule::once(Fault::ReplaceOutput { base64 });
        let rule = case.sim.faults().add(replaced.display_name(name));
        let client = case.gemini();
        let batch = client.create(&self.credential, PRO, &self.input.name, name);
        let batch = batch.await.unwrap();
        loop {
            let status = client.get(&self.credential, &batch).await.unwrap();
            if let Some(output) = status.output {
                case.sim.faults().remove(rule);
                return (batch, output);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// A run whose only unit is about to be collected from this output.
async fn make(
    case: &Case,
    provider: &Provider,
    pattern: &Run,
    unit: &Unit,
    lines: &[Line],
    whole: &Whole,
) -> Made {
    let now = Timestamp::now();
    let run = RunId::mint(
        u64::try_from(now.millis()).unwrap(),
        stt_eval_shared::crypto::random().unwrap(),
    );
    let mut fresh = pattern.clone();
    fresh.id = run;
    fresh.status = RunStatus::Processing;
    (fresh.units_done, fresh.finished_at, fresh.rev) = (0, None, 1);
    fresh.models[0].completed = 0;
    fresh.models[0].sums = stt_eval_shared::scoring::CorpusSums::default();
    let raw = written(run, lines, whole);
    let name = format!("output-{run}");
    let (batch, output) = provider.batch(case, &name, &raw).await;
    let fresh_unit = Unit {
        run,
        state: UnitState::Collecting {
            batch: Some(batch.clone()),
            fence: 7,
            claimed_at: Timestamp::default(),
            ending: Ending::Output { output },
        },
        batches: vec![batch],
        batch_input: None,
        due_at: Some(now),
        rev: 1,
        ..unit.clone()
    };
    let key = format!(
        "{}{}/a{}/output.jsonl",
        run_prefix(&case.project, run),
        unit.key,
        unit.attempt
    );
    case.clean.store.save_run(&fresh).await.unwrap();
    case.clean.store.create_units(&[fresh_unit]).await.unwrap();
    let mut about = format!("{lines:?} {whole:?}");
    about.truncate(about.floor_char_boundary(2_000));
    Made {
        run,
        raw,
        key,
        expected: expected(lines, whole),
        about,
    }
}

async fn check(case: &Case, made: &Made, texts: &mut u64, reasons: &mut BTreeMap<String, u64>) {
    let store = &case.clean.store;
    let about = &made.about;
    let run = store.run(&case.project, made.run).await.unwrap().unwrap();
    assert!(
        !run.status.is_active() && run.pending() == 0,
        "{about}: {run:?}"
    );
    let results = store
        .results_between(&case.project, made.run, 0, 0, 9_999)
        .await
        .unwrap();
    assert_eq!(results.len(), 3, "{about}");
    for result in results {
        let outcome = result.outcome;
        let position = outcome.id.position();
        if let Some(text) = made.expected.get(&position) {
            assert_eq!(
                outcome.transcription.as_ref(),
                Some(text),
                "{position}: {about}"
            );
        }
        match (outcome.transcription, outcome.error_code) {
            (Some(_), None) => *texts += 1,
            (None, Some(code)) => {
                assert!(
                    outcome.error_message.is_some_and(|m| !m.is_empty()),
                    "{code}: {about}"
                );
                *reasons.entry(code).or_default() += 1;
            }
            odd => panic!("{odd:?}: {about}"),
        }
    }
    let s3 = case.ground.cloud.s3_client();
    let object = s3
        .get_object()
        .bucket(&case.bucket)
        .key(&made.key)
        .send()
        .await
        .unwrap();
    let kept = object.body.collect().await.unwrap().into_bytes();
    assert!(kept == made.raw, "the raw output is not kept: {about}");
}
