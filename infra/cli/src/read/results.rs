//! `results`: what models made of single utterances.

use serde::Serialize;
use stt_eval_wire::paths;
use stt_eval_wire::results::Result as RunResult;

use super::lists::{name, tell_more};
use super::runs::find;
use super::{Document, RunOf};
use crate::arguments::ResultsArguments;
use crate::deployment::{Deployment, Request};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::score::percent;

/// The state of what has a text, and so an error rate.
const COMPLETED: &str = "completed";

#[derive(Serialize)]
struct Results {
    run: RunOf,
    results: Vec<RunResult>,
    more: bool,
    /// What was noticed of what was asked for.
    remarks: Vec<String>,
}

/// `results`.
pub async fn show(
    to: &Deployment,
    arguments: &ResultsArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let run = find(to, &arguments.of.run).await?;
    if let Some(model) = arguments.model.as_ref()
        && !run.providers.contains(model)
    {
        let message = format!("the run has no model {model:?}");
        let known = run.providers.join(", ");
        return Err(Failure::usage(message).hint(format!("there are {known}")));
    }
    // What has no text has no error rate, and is in no list that is sorted by it.
    let is_scored = arguments
        .status
        .as_deref()
        .is_none_or(|status| status == COMPLETED);
    if arguments.worst && !is_scored {
        let status = arguments.status.as_deref().unwrap_or_default();
        output.remark(&format!(
            "--worst sorts by error rate, and what is {status} has none: in the order of \
             the samples"
        ));
    }
    let request = Request::get(paths::results(run.id))
        .with_some("provider", arguments.model.as_ref())
        .with_some("status", arguments.status.as_ref())
        .with_some("sort", (arguments.worst && is_scored).then_some("-wer"));
    let (results, more) = to.some(&request, arguments.list.limit.get()).await?;
    tell_more(more, results.len(), output);
    if results.is_empty() {
        let wanted = [arguments.model.as_deref(), arguments.status.as_deref()];
        let wanted: Vec<&str> = wanted.into_iter().flatten().collect();
        output.remark(&match wanted.is_empty() {
            true => "the run has no result".to_owned(),
            false => format!("no result is like that: {}", wanted.join(", ")),
        });
    }
    let document = Document::of(Results {
        run: RunOf::of(&run),
        results,
        more,
        remarks: output.remarks(),
    });
    output.result_of_texts(&document, || {
        // Texts stand last on a line of their own: no terminal agrees on their width.
        let mut out = String::new();
        for one in &document.content.results {
            let wer = match &one.score {
                None => "–".to_owned(),
                Some(score) if score.reference_words == 0 => {
                    format!("– ({} words on silence)", score.hypothesis_words)
                }
                Some(score) => percent(score.wer),
            };
            out += &format!(
                "{}  {}  {}  WER {wer}\n",
                one.id,
                one.provider,
                name(one.status)
            );
            if let Some(text) = &one.ground_truth {
                out += &format!("    said   {}\n", one_line(text));
            }
            if let Some(text) = &one.transcription {
                out += &format!("    heard  {}\n", one_line(text));
            }
            if let Some(reason) = &one.error_message {
                let code = one.error_code.as_deref().unwrap_or_default();
                out += &format!("    failed {code}: {}\n", one_line(reason));
            }
        }
        out
    })?;
    Ok(Exit::Done)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
