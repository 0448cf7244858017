//! `normalise`: what each step of a normaliser does to a text.

use std::io::Read;
use std::path::Path;

use serde::Serialize;
use stt_eval_domain::language::{self, LanguageError};
use stt_eval_formats::decode::{decode, lines};
use stt_eval_formats::files::MAX_FILE_BYTES;
use stt_eval_scoring::normalise::Normaliser;

use crate::arguments::NormaliseArguments;
use crate::failure::{Exit, Failure};
use crate::output::{Output, SCHEMA};

#[derive(Debug, Serialize)]
struct StepOf {
    step: &'static str,
    text: String,
    changed: bool,
}

#[derive(Debug, Serialize)]
struct TextOf {
    text: String,
    normalised: String,
    steps: Vec<StepOf>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: u32,
    ok: bool,
    normalizer: &'a str,
    language: &'a str,
    texts: Vec<TextOf>,
    error: Option<()>,
}

/// The normaliser of a name.
///
/// # Errors
/// There is none; the message lists those there are.
pub fn normaliser(name: &str) -> Result<Normaliser, Failure> {
    Normaliser::by_name(name).ok_or_else(|| {
        let message = format!("there is no normaliser {name:?}");
        Failure::usage(message).hint(format!("known are {}", Normaliser::known()))
    })
}

/// The tag of a language that is not told.
pub const UNDETERMINED: &str = "und";

/// Refuses what can be no tag of a language. One that is not known here can be normalised all
/// the same, by what holds for all, which is told.
///
/// # Errors
/// It is none.
pub fn tag(name: &str, output: &Output) -> Result<(), Failure> {
    match language::resolve(name) {
        Err(error @ LanguageError::Malformed) => {
            Err(Failure::usage(format!("--language {name}: {error}")))
        }
        Err(_) if name != UNDETERMINED => {
            output.remark(&format!(
                "--language {name} is none of those that are known here: texts are \
                 normalised by what holds for all"
            ));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A text that looks like the name of a file that is not there.
fn looks_like_a_file(text: &str) -> bool {
    let extension = Path::new(text).extension().and_then(|end| end.to_str());
    let is_one_word = !text.contains(char::is_whitespace);
    let is_usual = |end: &str| ["txt", "csv", "tsv", "json", "jsonl", "trn", "stm"].contains(&end);
    is_one_word && extension.is_some_and(is_usual)
}

/// Runs the command.
pub fn run(arguments: &NormaliseArguments, output: &Output) -> Result<Exit, Failure> {
    let normaliser = normaliser(&arguments.normalizer)?;
    tag(&arguments.language, output)?;
    let is_said = arguments.language != UNDETERMINED;
    if is_said && !normaliser.steps().iter().any(|step| step.is_lossy()) {
        output.remark(&format!(
            "--language {} changes nothing: {} does the same in all languages",
            arguments.language,
            normaliser.name()
        ));
    }
    if looks_like_a_file(&arguments.text) && !Path::new(&arguments.text).exists() {
        let text = &arguments.text;
        output.remark(&format!("there is no file {text}: it is taken as a text"));
    }
    let texts = texts(&arguments.text)?;
    let texts = texts
        .into_iter()
        .map(|text| steps(&normaliser, text, &arguments.language));
    let document = Document {
        schema: SCHEMA,
        ok: true,
        normalizer: normaliser.name(),
        language: &arguments.language,
        texts: texts.collect(),
        error: None,
    };
    output.result_of_texts(&document, || shown(&document))?;
    Ok(Exit::Done)
}

/// The text itself, or the lines of the file of that name.
fn texts(given: &str) -> Result<Vec<String>, Failure> {
    let path = Path::new(given);
    let mut bytes = Vec::new();
    let limit = MAX_FILE_BYTES as u64;
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Usage, "unreadable", format!("{given}: {error}"))
    };
    if given == "-" {
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    } else if path.is_file() {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        return Ok(vec![given.to_owned()]);
    }
    let decoded = decode(&bytes).map_err(|error| error.of(given))?;
    Ok(lines(&decoded.text)
        .map(|(_, line)| line.to_owned())
        .collect())
}

/// Applies the steps one after the other: each is the difference of two beginnings of
/// the list.
fn steps(normaliser: &Normaliser, text: String, language: &str) -> TextOf {
    let mut made = TextOf {
        normalised: normaliser.apply(&text, language),
        steps: Vec::new(),
        text,
    };
    let mut before = made.text.clone();
    for step in normaliser.steps() {
        let after = step.apply_to_text(&before, language);
        made.steps.push(StepOf {
            step: step.name(),
            changed: after != before,
            text: after.clone(),
        });
        before = after;
    }
    made
}

fn shown(document: &Document<'_>) -> String {
    let mut out = String::new();
    for text in &document.texts {
        let width = text
            .steps
            .iter()
            .map(|step| step.step.len())
            .max()
            .unwrap_or(0)
            .max(5);
        out += &format!("{:width$}  {}\n", "text", text.text);
        for step in text.steps.iter().filter(|step| step.changed) {
            out += &format!("{:width$}  {}\n", step.step, step.text);
        }
        if text.steps.iter().all(|step| !step.changed) {
            out += &format!("{:width$}  nothing changes\n", "");
        }
    }
    out
}
