//! JSON: ours, `NeMo`'s, `SegLST`, tasks of Label Studio.

use serde_json::{Map, Value, json};

use super::{Told, Written};

/// What the list of [`failed`] is called in an archive.
pub const FAILED: &str = "failed.jsonl";

fn line(out: &mut String, value: &Value) {
    *out += &value.to_string();
    out.push('\n');
}

/// One line for each sample: under `hypotheses` the text of each system, and under
/// `results` what else is known of it, if anything is.
#[must_use]
pub fn jsonl(systems: &[String], samples: &[Written]) -> String {
    let mut out = String::new();
    for sample in samples {
        let heard = systems
            .iter()
            .cloned()
            .zip(sample.heard.iter().map(|text| json!(text)));
        let hypotheses: Map<String, Value> = heard.collect();
        let mut value = json!({
            "id": sample.id,
            "audio": sample.audio,
            "duration": sample.seconds,
            "language": sample.language,
            "speaker": sample.speaker,
            "reference": sample.reference,
            "hypotheses": hypotheses,
        });
        if !sample.told.is_empty()
            && let Some(fields) = value.as_object_mut()
        {
            let told = systems.iter().cloned().zip(sample.told.iter().map(known));
            fields.insert("results".to_owned(), Value::Object(told.collect()));
            fields.insert("reference_from".to_owned(), json!(sample.reference_from));
            fields.insert("metadata".to_owned(), json!(sample.fields));
        }
        line(&mut out, &value);
    }
    out
}

fn known(told: &Told) -> Value {
    json!({
        "wer": told.wer,
        "cer": told.cer,
        "scored_by": told.scored_by,
        "error": told.error,
        "is_correct": told.is_correct,
        "comment": told.comment,
        "reviews": told.reviews,
        "proposed_references": told.proposed_references,
        "cost_usd": told.cost_usd,
        "latency_ms": told.latency_ms,
        "alignment": told.alignment,
    })
}

/// What failed: a line for each sample and system, for archives whose formats have no word
/// for it.
///
/// What a model failed at by itself is there too, by its code: it counts as nothing
/// heard, which these say, and as failed.
#[must_use]
pub fn failed(systems: &[String], samples: &[Written], id: impl Fn(&Written) -> String) -> String {
    let mut out = String::new();
    for sample in samples {
        for (at, system) in systems.iter().enumerate() {
            if sample.heard.get(at).is_some_and(Option::is_some) {
                continue;
            }
            let told = sample.told.get(at);
            let error = told.and_then(|told| told.error.as_deref());
            let error = error.unwrap_or("pending");
            let told = json!({"id": id(sample), "system": system, "error": error});
            line(&mut out, &told);
        }
    }
    out
}

/// A manifest that `NeMo`'s Speech Data Explorer opens: `pred_text_<system>`. Samples
/// without a recording are left out, and so is a text that is not known.
#[must_use]
pub fn nemo(systems: &[String], samples: &[Written]) -> String {
    let mut out = String::new();
    for sample in samples {
        let Some(audio) = &sample.audio else {
            continue;
        };
        let mut fields = Map::new();
        fields.insert("audio_filepath".to_owned(), json!(audio));
        // It is required there.
        fields.insert("duration".to_owned(), json!(sample.seconds.unwrap_or(0.0)));
        let known = [
            ("text", &sample.reference),
            ("lang", &sample.language),
            ("speaker", &sample.speaker),
        ];
        for (key, value) in known {
            if let Some(value) = value {
                fields.insert(key.to_owned(), json!(value));
            }
        }
        for (system, text) in systems.iter().zip(&sample.heard) {
            if let Some(text) = text {
                fields.insert(format!("pred_text_{system}"), json!(text));
            }
        }
        line(&mut out, &Value::Object(fields));
    }
    out
}

/// `SegLST` of the references, or of one system: one segment for each sample.
#[must_use]
pub fn seg_lst(samples: &[Written], system: Option<usize>) -> String {
    let segments = samples.iter().map(|sample| {
        let words = match system {
            Some(system) => sample.heard.get(system).cloned().flatten(),
            None => sample.reference.clone(),
        };
        let mut segment = json!({
            "session_id": sample.id,
            "speaker": sample.speaker.as_deref().unwrap_or("unknown"),
            "words": words.unwrap_or_default(),
        });
        if let (Some(seconds), Some(fields)) = (sample.seconds, segment.as_object_mut()) {
            fields.insert("start_time".to_owned(), json!(0.0));
            fields.insert("end_time".to_owned(), json!(seconds));
        }
        segment
    });
    let segments: Vec<Value> = segments.collect();
    let mut out = Value::Array(segments).to_string();
    out.push('\n');
    out
}

/// Tasks of Label Studio: the reference as an annotation, each system as a prediction.
#[must_use]
pub fn label_studio(systems: &[String], samples: &[Written]) -> String {
    let region = |text: &str, seconds: Option<f64>| {
        json!([{
            "from_name": "transcription",
            "to_name": "audio",
            "type": "textarea",
            "value": {"start": 0.0, "end": seconds.unwrap_or(0.0), "text": [text]},
        }])
    };
    let tasks = samples.iter().map(|sample| {
        let heard = systems.iter().zip(&sample.heard);
        let predictions: Vec<Value> = heard
            .filter_map(|(system, text)| {
                let text = text.as_deref()?;
                Some(json!({"model_version": system, "result": region(text, sample.seconds)}))
            })
            .collect();
        let annotations: Vec<Value> = sample
            .reference
            .iter()
            .map(|text| json!({"result": region(text, sample.seconds)}))
            .collect();
        json!({
            "data": {"audio": sample.audio, "id": sample.id, "language": sample.language, "speaker": sample.speaker},
            "annotations": annotations,
            "predictions": predictions,
        })
    });
    let tasks: Vec<Value> = tasks.collect();
    let mut out = Value::Array(tasks).to_string();
    out.push('\n');
    out
}
