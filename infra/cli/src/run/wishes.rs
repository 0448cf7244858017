//! What a deployment would refuse of a run whatever is in the source: told before anything is
//! read or sent, for it would say so itself when the dataset is there.

use std::collections::BTreeSet;

use stt_eval_domain::Timestamp;
use stt_eval_domain::dataset::{MAX_KEYWORD_CHARS, MAX_KEYWORDS};
use stt_eval_domain::run::{MAX_PROMPT_BYTES, MAX_PROMPT_CHARS};
use stt_eval_domain::validate::{self, FieldError};
use stt_eval_wire::catalogue::Model;

use super::make::OfModels;
use crate::arguments::{Keywords, RunArguments};
use crate::failure::{Exit, Failure};

/// A wish that can't be met, with the option that it is of.
fn refused(wrong: FieldError) -> Failure {
    let message = format!("{}: {}", wrong.field, wrong.message);
    Failure {
        rows: vec![wrong],
        ..Failure::new(Exit::Usage, "usage", message)
    }
}

fn no(option: &str, message: impl Into<String>) -> Result<(), Failure> {
    Err(refused(FieldError::new(option, message)))
}

/// Refuses names, prompts and keywords that no deployment takes.
///
/// # Errors
/// There is one.
pub fn can_be_met(arguments: &RunArguments) -> Result<(), Failure> {
    if let Some(name) = &arguments.name {
        validate::name("--name", name).map_err(refused)?;
    }
    if let Some(prompt) = OfModels::of(arguments).prompt {
        can_be_prompt(prompt, arguments.models.len())?;
    }
    can_be_keywords(&Keywords::all(&arguments.keyword))
}

fn can_be_prompt(prompt: &str, models: usize) -> Result<(), Failure> {
    const OPTION: &str = "--prompt";
    if prompt.trim().is_empty() {
        return no(OPTION, "must not be empty; leave it out for the usual one");
    }
    validate::text(OPTION, prompt, MAX_PROMPT_CHARS).map_err(refused)?;
    let bytes = prompt.len() * models;
    if bytes > MAX_PROMPT_BYTES {
        let message = format!(
            "has {bytes} bytes for {models} models together; at most {MAX_PROMPT_BYTES} are kept"
        );
        return no(OPTION, message);
    }
    Ok(())
}

fn can_be_keywords(keywords: &[&str]) -> Result<(), Failure> {
    const OPTION: &str = "--keyword";
    if keywords.len() > MAX_KEYWORDS {
        let message = format!("must be at most {MAX_KEYWORDS}, are {}", keywords.len());
        return no(OPTION, message);
    }
    let mut seen = BTreeSet::new();
    for keyword in keywords.iter().map(|keyword| keyword.trim()) {
        if keyword.is_empty() {
            return no(OPTION, "must not be empty");
        }
        let shown: String = keyword.chars().take(MAX_KEYWORD_CHARS / 2).collect();
        if !seen.insert(keyword) {
            return no(OPTION, format!("“{shown}” is there twice"));
        }
        if let Err(wrong) = validate::text(OPTION, keyword, MAX_KEYWORD_CHARS) {
            return no(OPTION, format!("“{shown}…” {}", wrong.message));
        }
    }
    Ok(())
}

/// Refuses a prompt that none of the models takes, and a model that is not served any more.
///
/// # Errors
/// There is one.
pub fn are_taken(arguments: &RunArguments, models: &[&Model]) -> Result<(), Failure> {
    let today = Timestamp::now().to_string();
    for model in models {
        // Days compare as they are written.
        let day = model.retires_at.as_deref();
        if let Some(day) = day.filter(|day| today.as_str() >= *day) {
            let message = format!("{} is not served any more, since {day}", model.id);
            let failure = refused(FieldError::new("--model", message));
            return Err(failure.hint("stt-eval models lists those that are"));
        }
    }
    let takes = |model: &&Model| model.settings.iter().any(|setting| setting == "prompt");
    if arguments.prompt.is_some() && !models.is_empty() && !models.iter().any(takes) {
        let names: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
        let message = format!("no model of the run takes a prompt: {}", names.join(", "));
        let failure = refused(FieldError::new("--prompt", message));
        return Err(failure.hint("leave it out, or add a model that takes one"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_judged_by_the_rules_of_a_deployment() {
        let told = |done: Result<(), Failure>| done.err().map(|failure| failure.message);
        let prompt = |text: &str, models| told(can_be_prompt(text, models));
        assert_eq!(prompt("Write {language}.", 16), None);
        for (text, models, wanted) in [
            (" \n", 1, "must not be empty"),
            (&"x".repeat(8_001), 1, "at most 8000 characters"),
            ("a\0b", 1, "must not contain U+0000"),
            (&"अ".repeat(8_000), 7, "168000 bytes for 7 models"),
        ] {
            let found = prompt(text, models).unwrap();
            assert!(found.starts_with("--prompt: "), "{found}");
            assert!(found.contains(wanted), "{found}");
        }
        let keywords = |words: &[&str]| told(can_be_keywords(words));
        assert_eq!(keywords(&["a b", "A B"]), None);
        let (long, many) = ("x".repeat(101), vec!["a"; 201]);
        for (words, wanted) in [
            (&["a", " a "][..], "“a” is there twice"),
            (&[" "], "must not be empty"),
            (
                &[long.as_str()],
                "must have at most 100 characters, has 101",
            ),
            (&many, "must be at most 200, are 201"),
        ] {
            let found = keywords(words).unwrap();
            assert!(found.starts_with("--keyword: "), "{found}");
            assert!(found.contains(wanted), "{found}");
        }
    }
}
