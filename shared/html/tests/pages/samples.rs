//! Sample contexts: values of the contract as the service answers them, made from a
//! few figures.

use serde_json::{Value, json};
use stt_eval_wire::report::Report;
use stt_eval_wire::scores::AlignedWord;

/// A model of a sample report.
pub struct Model {
    pub name: &'static str,
    /// Words wrong, of 2,000.
    pub wrong: u64,
    /// Group, best and worst rank.
    pub rank: (u64, u64, u64),
    pub price: Option<f64>,
    pub flags: Value,
    /// Samples by bucket, from none wrong to more than was said.
    pub spread: [u64; 12],
}

const WORDS: u64 = 2_000;
const CLIPS: u64 = 180;

fn figures(wrong: u64, words: u64, samples: u64) -> Value {
    let wer = wrong as f64 / words as f64;
    json!({
        "samples": samples, "wer": wer, "cer": wer * 0.42, "mer": wer * 0.9, "wil": wer * 1.3,
        "wip": 1.0 - wer * 1.3, "cer_grapheme": wer * 0.5, "raw_wer": wer * 1.8,
        "raw_cer": wer * 0.8, "mean_wer": wer * 1.1, "median_wer": wer * 0.8,
        "perfect_share": (0.9 - wer * 3.0).max(0.0), "hits": words - wrong.min(words),
        "substitutions": wrong / 2, "deletions": wrong.min(words) - wrong / 2, "insertions": 0,
    })
}

fn merged(mut value: Value, more: Value) -> Value {
    let into = value.as_object_mut().unwrap();
    for (name, part) in more.as_object().unwrap() {
        into.insert(name.clone(), part.clone());
    }
    value
}

fn summary(wrong: u64, words: u64, samples: u64) -> Value {
    let more = json!({
        "answered": figures(wrong, words, samples), "coverage": 0.989,
        "failed_by_model": 2, "failed_by_service": 0,
    });
    merged(figures(wrong, words, samples), more)
}

fn interval(rate: f64, half: f64) -> Value {
    json!({
        "rate": rate, "low": (rate - half).max(0.0), "high": rate + half,
        "standard_error": half / 1.96, "reliable": true,
    })
}

fn waterfall(wer: f64) -> Value {
    let step = |name: &str, lossy: bool, factor: f64, forgiven: i64| {
        json!({
            "step": name, "lossy": lossy, "wer": wer * factor,
            "errors": (wer * factor * WORDS as f64).round() as u64, "forgiven": forgiven,
        })
    };
    json!([
        step("raw", false, 1.9, 0),
        step("unicode", false, 1.72, 41),
        step("unwrap", false, 1.73, -2),
        step("punctuation", false, 1.31, 120),
        step("case", false, 1.2, 31),
        step("numbers", true, 1.0, 60),
    ])
}

fn model(model: &Model, words: &[&str; 4]) -> Value {
    let wer = model.wrong as f64 / WORDS as f64;
    let (group, best, worst) = model.rank;
    let buckets: Vec<Value> = model
        .spread
        .iter()
        .enumerate()
        .map(|(index, samples)| {
            json!({
                "above": index.checked_sub(1).map(|i| i as f64 / 10.0),
                "up_to": (index < 11).then(|| index as f64 / 10.0),
                "samples": samples,
            })
        })
        .collect();
    json!({
        "provider": model.name, "score": summary(model.wrong, WORDS, CLIPS),
        "coverage": { "share": 0.989, "transcribed": 178, "failed_by_model": 2, "failed_by_service": 0 },
        "temperature": 0.0,
        "wer_interval": interval(wer, 0.013), "cer_interval": interval(wer * 0.42, 0.006),
        "distribution": buckets, "common": figures(model.wrong, WORDS, CLIPS),
        "rank": { "group": group, "best": best, "worst": worst },
        "completed": 178, "failed": 2, "without_reference": 0, "unscored": 0,
        "failures": { "empty_answer": 2 },
        "human": { "correct": 24, "incorrect": 6, "accuracy": 0.8, "low": 0.627, "high": 0.905 },
        "cost": { "usd": model.price.unwrap_or(0.0) * 0.62, "audio_hours": 0.62,
                  "usd_per_audio_hour": model.price, "price_read_at": "2026-11-20" },
        "latency_seconds": null, "latency": { "p50_ms": 1840, "p95_ms": 5220 },
        "flags": model.flags, "model_versions": [format!("{}-001", model.name)],
        "waterfall": waterfall(wer),
        "confusions": {
            "substituted": [{ "reference": words[0], "hypothesis": words[1], "times": 7 }],
            "deleted": [{ "word": words[2], "times": 12 }],
            "inserted": [{ "word": words[3], "times": 3 }], "approximate": false,
        },
        "keywords": { "recall": 0.914, "keywords": [] },
    })
}

fn groups(models: &[Model]) -> Value {
    let parts = [
        ("asha", 96, 1_100),
        ("kisan", 52, 640),
        ("bazaar", 24, 210),
        ("thana", 6, 50),
    ];
    let group = |(value, clips, words): (&str, u64, u64)| {
        let mut providers = serde_json::Map::new();
        let mut intervals = serde_json::Map::new();
        for (index, model) in models.iter().enumerate() {
            let tilt = 1.0 + (index as f64 - 1.0) * 0.1 + (words % 7) as f64 * 0.04;
            let wrong = (model.wrong as f64 / WORDS as f64 * words as f64 * tilt) as u64;
            providers.insert(model.name.into(), summary(wrong, words, clips));
            let ends = interval(wrong as f64 / words as f64, 0.35 / (clips as f64).sqrt());
            intervals.insert(
                model.name.into(),
                if clips < 10 { Value::Null } else { ends },
            );
        }
        json!({ "value": value, "kind": "value", "providers": providers, "wer_intervals": intervals })
    };
    parts.into_iter().map(group).collect()
}

/// A report of models, the better ones first. Two are distinguishable when they are
/// in different groups.
pub fn report(name: &str, models: &[Model], words: [&str; 4], complete: bool) -> Report {
    let rate = |model: &Model| model.wrong as f64 / WORDS as f64;
    let mut pairs = Vec::new();
    for (i, a) in models.iter().enumerate() {
        for b in models.iter().skip(i + 1) {
            let difference = rate(a) - rate(b);
            let apart = a.rank.0 != b.rank.0;
            let half = if apart {
                difference.abs() * 0.6
            } else {
                difference.abs() + 0.004
            };
            pairs.push(json!({
                "a": a.name, "b": b.name, "difference": difference,
                "low": difference - half, "high": difference + half,
                "probability_a_better": if apart { 0.9996 } else { 0.71 },
                "p_value": if apart { 0.0002 } else { 0.21 },
                "p_adjusted": if apart { 0.0012 } else { 0.43 },
                "distinguishable": apart,
                "more_blocks": if apart || difference == 0.0 { Value::Null } else { json!(400) },
            }));
        }
    }
    let compared: serde_json::Map<String, Value> = models
        .iter()
        .map(|m| {
            let view = json!({ "wer": rate(m), "wer_interval": interval(rate(m), 0.013) });
            (m.name.to_owned(), view)
        })
        .collect();
    let scoring = json!({
        "id": 1, "normalizer": "indic-v1+numbers", "scorer_version": "5", "status": "completed",
        "current": true, "inserted_at": "2026-11-26T10:00:00.000Z", "completed_at": null,
    });
    let value = json!({
        "run_id": "run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "run_name": name,
        "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "dataset_name": "calls <of> May",
        "status": if complete { "completed" } else { "processing" }, "complete": complete,
        "sample_count": CLIPS, "samples_read": if complete { CLIPS } else { 120 },
        "scoring": scoring, "scorings": [scoring], "common_samples": 176,
        "verdicts": { "worst": 5, "random": 20 },
        "references": { "dataset": 1_500, "edited": 0, "consensus": 10, "with_variants": 12 },
        "warnings": [{
            "code": "model_failures", "model": models.first().map(|m| m.name), "count": 2,
            "message": "2 items were failed by the model itself and count as all words missing (empty_answer 2)",
        }],
        "providers": models.iter().map(|m| model(m, &words)).collect::<Vec<_>>(),
        "comparison": {
            "samples": 178, "blocks": 178, "reliable": true, "test": "paired_permutation",
            "adjustment": "holm", "comparisons": pairs.len(), "permutations": 10_000,
            "replicates": 1_000, "seed": 1_398_035_525u64, "providers": compared,
            "pairs": pairs, "more_blocks": 400,
        },
        "agreement": {
            "items": 100, "all_right": 90, "all_wrong": 2, "needed": 30, "agreement": 0.92,
            "agreement_on_wrong": 0.333, "ac1": 0.91, "ac1_low": 0.84, "ac1_high": 0.96,
            "alpha": -0.03,
        },
        "block_by": null, "languages": groups(models),
        "groups": { "field": "speaker_role", "groups": groups(models) },
    });
    serde_json::from_value(value).unwrap()
}

/// Four models, two of them tied for best.
pub fn models() -> Vec<Model> {
    let model = |name, wrong, rank, price, flags, spread| Model {
        name,
        wrong,
        rank,
        price,
        flags,
        spread,
    };
    vec![
        model(
            "gemini-2.5-pro",
            228,
            (1, 1, 2),
            Some(0.0864),
            json!({ "loop": 1 }),
            [92, 40, 22, 12, 6, 3, 2, 1, 0, 0, 1, 1],
        ),
        model(
            "gemini-2.5-flash",
            236,
            (1, 1, 2),
            Some(0.0291),
            json!({}),
            [88, 42, 24, 13, 6, 3, 2, 1, 0, 1, 0, 0],
        ),
        model(
            "sarvam/saaras-v4",
            310,
            (2, 3, 3),
            Some(0.355),
            json!({ "wrong_script": 4 }),
            [61, 48, 30, 18, 10, 6, 4, 2, 1, 0, 0, 0],
        ),
        model(
            "imported/whisper-large-v3-hi",
            402,
            (3, 4, 4),
            None,
            json!({ "loop": 6, "stock_phrase": 9, "empty": 2 }),
            [58, 41, 26, 15, 9, 6, 4, 3, 2, 1, 3, 12],
        ),
    ]
}

/// Words aligned one to one, where both texts have as many; more of one side are
/// added or missing.
pub fn aligned(reference: &str, transcription: &str) -> Vec<AlignedWord> {
    let words = |text: &str| -> Vec<Value> {
        let at = |part: &str| part.as_ptr() as usize - text.as_ptr() as usize;
        let word = |part: &str| json!({ "text": part.to_lowercase(), "start": at(part), "end": at(part) + part.len() });
        text.split_whitespace().map(word).collect()
    };
    let (said, heard) = (words(reference), words(transcription));
    let word = |index: usize| {
        let (a, b) = (said.get(index), heard.get(index));
        let op = match (a, b) {
            (Some(a), Some(b)) if a["text"] == b["text"] => "equal",
            (Some(_), Some(_)) => "substitute",
            (Some(_), None) => "delete",
            _ => "insert",
        };
        serde_json::from_value(json!({ "op": op, "reference": a, "hypothesis": b })).unwrap()
    };
    (0..said.len().max(heard.len())).map(word).collect()
}
