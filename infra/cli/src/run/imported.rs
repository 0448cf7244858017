//! Transcripts that stand beside the recordings, made elsewhere: each column that is asked for
//! becomes a model of the run.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;
use stt_eval_domain::SampleId;
use stt_eval_domain::imported::{self, MAX_ERROR_CHARS, model_id};
use stt_eval_domain::result::MAX_TEXT_BYTES;
use stt_eval_domain::run::MAX_PROVIDERS;
use stt_eval_domain::validate;
use stt_eval_wire::object::Object;
use stt_eval_wire::transcripts::{NewTranscript, NewTranscripts};

use super::joined;
use super::make::{INLINE, INLINE_BYTES, Making, UsedDataset, json_lines};
use super::plan::{Clip, Plan};
use crate::arguments::RunArguments;
use crate::check::Looked;
use crate::failure::{Exit, Failure};
use crate::journal::digest;
use crate::output::Output;

/// Longest name of a model.
const LONGEST: usize = 63;

/// A column, and the model that it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// As it was asked for.
    column: String,
    /// Name of the model, behind `imported/`.
    name: String,
}

impl Imported {
    /// Id of the model.
    pub fn model(&self) -> String {
        model_id(&self.name)
    }

    /// Whether a condition means it.
    pub fn is_called(&self, name: &str) -> bool {
        name == self.column || name == self.name || name == self.model()
    }

    /// How many clips have a transcript of it.
    fn transcripts(&self, clips: &[Clip]) -> usize {
        let has = |clip: &&Clip| clip.heard.has(&self.column);
        clips.iter().filter(has).count()
    }

    /// At how many its service failed.
    fn failed(&self, clips: &[Clip]) -> usize {
        let reason = |clip: &&Clip| clip.failed.get(&self.column).map(str::to_owned);
        let has = |clip: &&Clip| reason(clip).is_some_and(|why| imported::is_of_service(&why));
        clips.iter().filter(has).count()
    }
}

/// The name of a model that a column can have: what a name has no place for becomes `-`.
fn name_of(column: &str) -> String {
    let kept = column.trim().to_lowercase();
    let kept = kept.chars().map(|c| match c {
        'a'..='z' | '0'..='9' | '.' | '_' => c,
        _ => '-',
    });
    let kept: String = kept.collect();
    let kept = kept.trim_start_matches(['.', '_', '-']);
    let kept: String = kept.chars().take(LONGEST).collect();
    kept.trim_end_matches('-').to_owned()
}

/// The models of columns, in the order of their names: they are a set.
///
/// # Errors
/// A column of which no name can be made, and two that would have the same.
pub fn of_columns(columns: &[String]) -> Result<Vec<Imported>, Failure> {
    let mut all: BTreeMap<String, Imported> = BTreeMap::new();
    for column in columns {
        let name = name_of(column);
        if validate::model_name("hyp", &name).is_err() {
            let message = format!("--hyp {column}: no name of a model can be made of it");
            return Err(Failure::usage(message)
                .hint("call the column in letters from a to z and digits, such as whisper-large"));
        }
        let one = Imported {
            column: column.clone(),
            name: name.clone(),
        };
        if let Some(other) = all.insert(name, one) {
            let message = format!(
                "--hyp {} and {column} are one model, {}",
                other.column,
                other.model()
            );
            return Err(Failure::usage(message).hint("each column once, and by another name"));
        }
    }
    Ok(all.into_values().collect())
}

/// Refuses more models than a run has.
///
/// # Errors
/// There are more.
pub fn are_few(imported: &[Imported], models: &[String]) -> Result<(), Failure> {
    let all = imported.len() + models.len();
    if all <= MAX_PROVIDERS {
        return Ok(());
    }
    let among = if imported.is_empty() {
        ""
    } else {
        ", --hyp among them"
    };
    let message = format!("{all} models; a run has at most {MAX_PROVIDERS}{among}");
    Err(Failure::usage(message))
}

/// Tells of transcripts in the source that nobody has asked for.
pub fn offered(looked: &Looked, arguments: &RunArguments, output: &Output) {
    if !arguments.reading.hyp.is_empty() || arguments.demo {
        return;
    }
    let samples = looked.judged.samples.iter();
    let heard = samples.flat_map(|sample| sample.hypotheses.names());
    let systems: BTreeSet<&str> = heard.collect();
    if !systems.is_empty() {
        let systems: Vec<&str> = systems.into_iter().collect();
        output.remark(&format!(
            "the source has transcripts of {}, which are left out (--hyp {} takes them \
             into the run)",
            systems.join(", "),
            systems.join(",")
        ));
    }
}

/// Refuses a column without a transcript of any clip, and a transcript that a deployment does
/// not keep.
///
/// # Errors
/// There is one.
pub fn can_be_sent(imported: &[Imported], clips: &[Clip]) -> Result<(), Failure> {
    for one in imported {
        if one.transcripts(clips) == 0 {
            let message = format!("--hyp {}: no utterance has a transcript there", one.column);
            return Err(Failure::new(Exit::Nothing, "nothing", message));
        }
        for clip in clips {
            let heard = clip.heard.get(&one.column);
            let failed = clip.failed.get(&one.column);
            let failed = failed.filter(|reason| reason.contains('\0'));
            let reason = heard.and_then(|text| refused(text, clip));
            let reason = reason.or(failed.map(|_| "its error holds U+0000".to_owned()));
            if let Some(reason) = reason {
                let Clip { file, line, .. } = clip;
                let message = format!("{file} line {line}: --hyp {}: {reason}", one.column);
                return Err(Failure::new(Exit::Findings, "bad_transcript", message)
                    .hint("take the text out of its cell: the clip counts as failed then"));
            }
        }
    }
    Ok(())
}

/// Why a transcript is not kept, if it is not.
fn refused(text: &str, clip: &Clip) -> Option<String> {
    if let Err(error) = imported::text("text", text) {
        return Some(error.message);
    }
    let reference = clip.said.ground_truth.as_deref().unwrap_or_default();
    let bytes = text.len() + reference.len();
    (bytes > MAX_TEXT_BYTES).then(|| {
        format!("with its reference it has {bytes} bytes; at most {MAX_TEXT_BYTES} can be kept")
    })
}

/// Tells how much there is of each.
pub fn tell(plan: &Plan, output: &Output) {
    if plan.imported.is_empty() {
        return;
    }
    let all = plan.clips.len();
    let mut facts = Vec::new();
    let mut words = Vec::new();
    for one in &plan.imported {
        let (model, count) = (one.model(), one.transcripts(&plan.clips));
        let failed = one.failed(&plan.clips);
        facts.push(json!({"model": model, "transcripts": count, "failed_by_service": failed}));
        let mut said = match all - count {
            0 => format!("{model} of all {all}"),
            _ => format!("{model} of {count} of {all}"),
        };
        if failed > 0 {
            said.push_str(&format!("; its service failed at {failed}"));
        }
        match all - count - failed {
            0 => {}
            1 => said.push_str("; 1 counts as failed by itself"),
            missing => said.push_str(&format!("; {missing} count as failed by itself")),
        }
        words.push(said);
    }
    let words = format!("Transcripts made elsewhere: {}", words.join(", "));
    output.step("transcripts", json!({"models": facts}), &words);
}

/// Tells transcripts apart from all others; `None` where there are none.
///
/// # Errors
/// They can't be written.
pub fn digest_of(plan: &Plan) -> Result<Option<String>, Failure> {
    if plan.imported.is_empty() {
        return Ok(None);
    }
    let of = |one: &Imported| {
        let texts = plan.clips.iter().map(|clip| clip.heard.get(&one.column));
        (one.name.clone(), texts.collect::<Vec<_>>())
    };
    let failed = |one: &Imported| -> Vec<_> {
        let reasons = plan.clips.iter().map(|clip| clip.failed.get(&one.column));
        reasons.collect()
    };
    let unwritten = |error: serde_json::Error| {
        let message = error.to_string();
        Failure::new(Exit::Failed, "request", message)
    };
    let all: Vec<_> = plan.imported.iter().map(of).collect();
    let mut all = serde_json::to_vec(&all).map_err(unwritten)?;
    if plan.clips.iter().any(|clip| !clip.failed.is_empty()) {
        let failed: Vec<_> = plan.imported.iter().map(failed).collect();
        serde_json::to_writer(&mut all, &failed).map_err(unwritten)?;
    }
    Ok(Some(digest(&all)))
}

/// A line of a manifest of transcripts.
#[derive(Serialize)]
struct Line {
    sample_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hypothesis: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Line {
    /// What a column says of a clip, if it says anything.
    fn of(column: &str, clip: &Clip, sample: &str) -> Option<Self> {
        let error = clip.failed.get(column);
        // Longer ones are the traces of programmes.
        let shortened = |reason: &str| reason.trim().chars().take(MAX_ERROR_CHARS).collect();
        let hypothesis = clip.heard.get(column);
        (error.is_some() || hypothesis.is_some()).then(|| Self {
            sample_id: sample.to_owned(),
            hypothesis: hypothesis.map(str::to_owned),
            error: error.map(shortened),
        })
    }
}

impl From<Line> for NewTranscript {
    fn from(line: Line) -> Self {
        Self {
            sample_id: Some(line.sample_id),
            text: line.hypothesis,
            error: line.error,
            ..Self::default()
        }
    }
}

/// The transcripts as a run takes them: in its request, or in files where they are too many.
///
/// # Errors
/// What is refused, or can't be reached; and a dataset that has none of the recordings.
pub async fn lists(
    making: &Making<'_>,
    used: &UsedDataset,
) -> Result<Option<Vec<Object<NewTranscripts>>>, Failure> {
    let plan = making.plan;
    if plan.imported.is_empty() {
        return Ok(None);
    }
    let samples = samples_of(making, used).await?;
    let mut all = Vec::with_capacity(plan.imported.len());
    let mut bytes = 0;
    for one in &plan.imported {
        let clips = plan.clips.iter().zip(&samples);
        let line = |(clip, sample): (&'_ Clip, &'_ Option<String>)| {
            Line::of(&one.column, clip, sample.as_deref()?)
        };
        let lines: Vec<Line> = clips.filter_map(line).collect();
        if lines.is_empty() {
            let message = format!(
                "--hyp {}: the dataset has none of the recordings that have a transcript",
                one.column
            );
            return Err(Failure::new(Exit::Failed, "nothing", message));
        }
        bytes += json_lines(&lines)?.len();
        all.push((one, lines));
    }
    let is_inline = bytes <= INLINE_BYTES && plan.clips.len() <= INLINE;
    let mut lists = Vec::with_capacity(all.len());
    for (one, lines) in all {
        let mut list = NewTranscripts {
            name: one.name.clone(),
            ..NewTranscripts::default()
        };
        if is_inline {
            list.items = Some(lines.into_iter().map(|line| Object(line.into())).collect());
        } else {
            list.manifest_file_id = making.manifest(json_lines(&lines)?).await?;
        }
        lists.push(Object(list));
    }
    Ok(Some(lists))
}

/// The sample of each clip.
async fn samples_of(
    making: &Making<'_>,
    used: &UsedDataset,
) -> Result<Vec<Option<String>>, Failure> {
    if !used.is_own {
        return joined::samples_of(making, used.id).await;
    }
    let id = |position| Some(SampleId::new(used.id, position).to_string());
    Ok((0..).map(id).take(making.plan.clips.len()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: &[&str]) -> Result<Vec<(String, String)>, String> {
        let columns: Vec<String> = columns.iter().map(|one| (*one).to_owned()).collect();
        let found = of_columns(&columns).map_err(|failure| failure.message)?;
        let pair = |one: Imported| (one.column.clone(), one.model());
        Ok(found.into_iter().map(pair).collect())
    }

    #[test]
    fn columns_become_names_of_models() {
        let found = names(&["whisper", "Azure v2", "_b.C-"]).unwrap();
        let wanted = [
            ("Azure v2", "imported/azure-v2"),
            ("_b.C-", "imported/b.c"),
            ("whisper", "imported/whisper"),
        ];
        let wanted = wanted.map(|(column, model)| (column.to_owned(), model.to_owned()));
        assert_eq!(found, wanted);
        for (columns, told) in [
            (&["हिन्दी"][..], "no name of a model"),
            (&["a b", "A-b"], "are one model, imported/a-b"),
        ] {
            assert!(names(columns).unwrap_err().contains(told), "{columns:?}");
        }
    }
}
