//! Whether the deployment knows the languages of what is to be sent, and whether each model
//! can be asked for the one of the dataset. It would say so itself, but after the upload.

use std::collections::BTreeMap;

use stt_eval_domain::language::{self, LanguageError};
use stt_eval_formats::counted;
use stt_eval_wire::catalogue::{Language, Model};
use stt_eval_wire::paths;

use super::plan::{Clip, Plan};
use crate::arguments::RunArguments;
use crate::deployment::Deployment;
use crate::failure::{Exit, Failure};

/// Models that are named as ones that can.
const NAMED: usize = 5;

/// The code of a tag's language, as catalogues have it.
pub fn code(tag: &str) -> String {
    match language::find(tag) {
        Some(found) => found.language.code.to_owned(),
        // A deployment may know more languages than this program.
        None => tag.split('-').next().unwrap_or(tag).to_lowercase(),
    }
}

/// Whether a tag can be sent.
fn is_known(tag: &str, all: &[Language]) -> bool {
    match language::resolve(tag) {
        Ok(_) | Err(LanguageError::UnknownLanguage) => {
            let code = code(tag);
            all.iter().any(|language| language.code == code)
        }
        Err(LanguageError::Malformed | LanguageError::UnknownScript) => false,
    }
}

/// Clips by their language, as they are sent.
fn by_language(plan: &Plan) -> BTreeMap<&str, Vec<&Clip>> {
    let mut all: BTreeMap<&str, Vec<&Clip>> = BTreeMap::new();
    for clip in &plan.clips {
        let language = clip.said.language.as_deref().unwrap_or(&plan.language);
        all.entry(language).or_default().push(clip);
    }
    all
}

/// Where a language is first, and how often it is there.
fn place(clips: &[&Clip]) -> String {
    let count = counted(clips.len(), "utterance", "utterances");
    match clips.first() {
        Some(clip) => format!("{} line {} ({count})", clip.file, clip.line),
        None => count,
    }
}

/// Refuses what the deployment would refuse.
///
/// # Errors
/// A language that is not known, or that a model can't be asked for; or the deployment can't
/// be reached.
pub async fn fit(
    to: &Deployment,
    plan: &Plan,
    arguments: &RunArguments,
    models: &[Model],
) -> Result<(), Failure> {
    let known: Vec<Language> = to.ask_list(paths::languages()).await?;
    let by_language = by_language(plan);
    let unknown = by_language.iter().filter(|(tag, _)| !is_known(tag, &known));
    let unknown: Vec<(&str, &[&Clip])> = unknown.map(|(tag, clips)| (*tag, &**clips)).collect();
    if let Some((tag, clips)) = unknown.first() {
        let hint = "stt-eval languages lists those that are known; --language names the one of \
                    what has none of its own";
        let others = match unknown.len() {
            1 => String::new(),
            2 => "; 1 more is not known either".to_owned(),
            count => format!("; {} more are not known either", count - 1),
        };
        let message = format!("the deployment knows no language {tag:?}{others}");
        let failure = match arguments.reading.language.as_deref() {
            Some(asked) if asked == *tag => Failure::usage(format!("--language: {message}")),
            _ => {
                let message = format!("{}: {message}", place(clips));
                Failure::new(Exit::Findings, "unknown_language", message)
            }
        };
        return Err(failure.hint(hint));
    }
    let wanted = code(&plan.language);
    let can = |model: &&Model| model.languages.contains(&wanted);
    for name in &arguments.models {
        let model = models.iter().find(|model| model.id == *name);
        if model.is_none_or(|model| can(&model)) {
            continue;
        }
        let clips = by_language.get(plan.language.as_str());
        let at = clips.map_or(String::new(), |clips| format!(": {}", place(clips)));
        let language = known.iter().find(|language| language.code == wanted);
        let language = language.map_or(wanted.clone(), |one| format!("{} ({wanted})", one.name));
        let message = format!("{name} can't transcribe {language}, the dataset's language{at}");
        let mut others: Vec<&Model> = models.iter().filter(can).collect();
        others.sort_by_key(|model| !model.has_credentials);
        let others = others.iter().take(NAMED).map(|model| model.id.as_str());
        let others = others.collect::<Vec<_>>().join(", ");
        let hint = match others.is_empty() {
            true => "no model of the deployment can".to_owned(),
            false => format!("such as {others} can; stt-eval models --json lists the languages"),
        };
        return Err(Failure::new(Exit::Usage, "unknown_language", message).hint(hint));
    }
    Ok(())
}
