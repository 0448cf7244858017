//! What goes to the terminal, and the one document that goes to standard output.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use stt_eval_domain::validate::FieldError;

use crate::arguments::{Colour, Shared, Style};
use crate::deployment::as_commands;
use crate::events;
use crate::failure::{Exit, Failure};
use crate::gate;
use crate::unshown::without_keys;

/// Version of the documents.
pub const SCHEMA: u32 = 1;

/// How to tell things.
#[derive(Debug, Clone)]
pub struct Output {
    /// Nothing is asked of a person.
    pub no_input: bool,
    /// One document of JSON on standard output.
    pub json: bool,
    /// Nothing on standard error but errors.
    pub quiet: bool,
    /// How it is shown how far things are.
    pub progress: Style,
    fancy: bool,
    /// What was noticed, for the document.
    noticed: Arc<Mutex<Vec<String>>>,
}

impl Output {
    /// As was asked.
    pub fn new(shared: &Shared) -> Self {
        let choice = match shared.color {
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
            Colour::Auto if is_not_forced() => match is_plain() {
                true => anstream::ColorChoice::Never,
                false => anstream::ColorChoice::Always,
            },
            Colour::Auto => anstream::ColorChoice::Auto,
        };
        choice.write_global();
        if shared.events {
            events::want();
        }
        VERBOSE.store(shared.verbose, Ordering::Relaxed);
        Self {
            json: shared.json,
            // A program that reads events answers no questions.
            no_input: shared.no_input || shared.events,
            quiet: shared.quiet,
            progress: shared.progress,
            fancy: is_utf8(),
            noticed: Arc::default(),
        }
    }

    /// A line on standard error, unless quiet was asked for.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            to_stderr(text);
        }
    }

    /// What was noticed: a line on standard error, and one of the document's `remarks`. So
    /// scripts are told what people read.
    pub fn remark(&self, text: &str) {
        self.note(&format!("note: {text}"));
        self.keep(text);
    }

    /// The same of what people are told in other words, or elsewhere. What is told twice stands
    /// in the document once.
    pub fn keep(&self, text: &str) {
        let text = without_keys(text).into_owned();
        let mut noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if !noticed.contains(&text) {
            noticed.push(text);
        }
    }

    /// What was noticed until now, in the order it was told.
    pub fn remarks(&self) -> Vec<String> {
        let noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        noticed.clone()
    }

    /// A step that was taken: words, or an event with its facts.
    pub fn step(&self, event: &str, facts: Value, words: &str) {
        self.event(event, facts);
        if !events::are_wanted() {
            self.note(words);
        }
    }

    /// A step that only programs are told of by itself: words say it with another one.
    pub fn event(&self, event: &str, facts: Value) {
        if events::are_wanted() {
            tell(event, facts);
        }
    }

    /// A mark for what is right or wrong; words stand beside it.
    pub fn mark(&self, right: bool) -> &'static str {
        match (self.fancy, right) {
            (true, true) => "\u{1b}[32m✔\u{1b}[0m",
            (true, false) => "\u{1b}[31m✘\u{1b}[0m",
            (false, true) => "ok  ",
            (false, false) => "FAIL",
        }
    }

    /// A mark for what is neither.
    pub const fn open_mark(&self) -> &'static str {
        match self.fancy {
            true => "?",
            false => "?   ",
        }
    }

    /// The result: a document, or text.
    pub fn result<T: Serialize>(
        &self,
        document: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            document_to(document)
        } else {
            to_stdout(&in_locale(text().into()))
        }
    }

    /// The same of a result that is others' texts, which stay as they are.
    pub fn result_of_texts<T: Serialize>(
        &self,
        document: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        match self.json {
            true => document_to(document),
            false => to_stdout(&text()),
        }
    }

    /// A bar of what is done.
    pub fn bar(&self, share: f64) -> String {
        const CELLS: usize = 18;
        let (full, empty) = match self.fancy {
            true => ("█", "░"),
            false => ("#", "-"),
        };
        let done = (share.clamp(0.0, 1.0) * CELLS as f64) as usize;
        full.repeat(done) + &empty.repeat(CELLS - done)
    }

    /// Tells a failure: in words, and as the document if one was asked for.
    pub fn failed(&self, failure: &Failure) {
        if failure.exit == Exit::ReaderGone {
            return;
        }
        let failed = Failed::of(failure);
        if self.json {
            // Where it can't be written, words are all there is.
            let written = document_to(&failed);
            drop(written);
        }
        failed.error.tell();
    }
}

fn is_set(name: &str, to: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == to)
}

/// `CLICOLOR_FORCE=0` forces nothing; the library that looks at it takes any value.
fn is_not_forced() -> bool {
    is_set("CLICOLOR_FORCE", "0")
}

/// Whether there are no colours where none are forced.
fn is_plain() -> bool {
    let none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    none || is_set("CLICOLOR", "0") || is_set("TERM", "dumb") || !is_terminal
}

/// Whether the locale says that marks beyond ASCII can be shown.
fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    match set {
        Some(locale) => {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        None => cfg!(not(unix)),
    }
}

/// Whether what is told was made up.
static SIMULATED: AtomicBool = AtomicBool::new(false);

/// Marks every line from now on, on either output: what is told was made up.
pub fn mark_simulated() {
    SIMULATED.store(true, Ordering::Relaxed);
}

fn is_simulated() -> bool {
    SIMULATED.load(Ordering::Relaxed)
}

/// An event.
pub fn tell(event: &str, facts: Value) {
    events::write(event, facts, is_simulated());
}

/// Text with the mark on each of its lines, if there is one.
fn marked(text: &str) -> Cow<'_, str> {
    if !is_simulated() {
        return Cow::Borrowed(text);
    }
    let lines = text.split_inclusive('\n');
    Cow::Owned(lines.map(|line| format!("SIMULATED  {line}")).collect())
}

/// Marks of our own, and what stands for them where only ASCII can be shown.
const IN_ASCII: [(char, &str); 6] = [
    ('…', "..."),
    ('“', "\""),
    ('”', "\""),
    ('–', "-"),
    ('×', "x"),
    ('→', "->"),
];

/// Text for where only ASCII can be shown: our own marks are written out. What stands in
/// others' texts can't be helped.
pub fn in_locale(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || is_utf8() {
        return text;
    }
    let mut plain = text.into_owned();
    for (mark, ascii) in IN_ASCII {
        plain = plain.replace(mark, ascii);
    }
    Cow::Owned(plain)
}

/// A line on standard error. There is nobody to tell that it can't be written.
pub fn to_stderr(text: &str) {
    let text = &without_keys(text);
    if events::are_wanted() {
        let message = anstream::adapter::strip_str(text).to_string();
        tell("note", json!({ "message": message.trim() }));
        return;
    }
    let mut stderr = anstream::stderr().lock();
    let written = writeln!(stderr, "{}", harmless(&in_locale(marked(text))));
    drop(written);
}

/// Whether details are asked for.
static VERBOSE: AtomicBool = AtomicBool::new(false);

/// Whether details are asked for (`-v`).
pub fn is_verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// Text without what would steer a terminal, our own colours aside: names of files and
/// words of manifests are others'.
pub fn harmless(text: &str) -> String {
    let ours = ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[0m"];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(colour) = ours.iter().find(|colour| rest.starts_with(**colour)) {
            out += colour;
            rest = &rest[colour.len()..];
            continue;
        }
        let steers = c.is_control() && c != '\n';
        out.push(if steers { '\u{fffd}' } else { c });
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Help, which is written as it comes where everything in it can be shown.
pub fn help(error: &clap::Error) -> std::io::Result<()> {
    if is_utf8() {
        return error.print();
    }
    let text = error.render().ansi().to_string().replace('…', "...");
    match error.use_stderr() {
        true => anstream::stderr().lock().write_all(text.as_bytes()),
        false => anstream::stdout().lock().write_all(text.as_bytes()),
    }
}

/// Text on standard output.
pub fn to_stdout(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    let written = stdout
        .write_all(harmless(&marked(text)).as_bytes())
        .and_then(|()| stdout.flush());
    written.map_err(|error| of_writing(&error))
}

/// Bytes on standard output as they are: completions, pages.
pub fn raw_to_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    written.map_err(|error| of_writing(&error))
}

fn of_writing(error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Failure::new(Exit::ReaderGone, "reader_gone", "the reader is gone");
    }
    Failure::new(Exit::Failed, "output", format!("standard output: {error}"))
}

fn document_to<T: Serialize>(value: &T) -> Result<(), Failure> {
    let mut bytes = serde_json::to_vec(value)
        .map_err(|error| Failure::new(Exit::Failed, "output", error.to_string()))?;
    bytes.push(b'\n');
    raw_to_stdout(&bytes)
}

/// A document; if it can't be written, the exit code says so by itself.
pub fn document<T: Serialize>(value: &T) {
    if let Err(failure) = document_to(value)
        && failure.exit != Exit::ReaderGone
    {
        to_stderr(&format!("error: {}", failure.message));
    }
}

/// The document of `--version --json`.
#[derive(Serialize)]
struct Version {
    schema: u32,
    ok: bool,
    version: &'static str,
    error: Option<ErrorOf>,
}

/// Tells the version as a document.
pub fn version() -> Exit {
    let told = document_to(&Version {
        schema: SCHEMA,
        ok: true,
        version: env!("CARGO_PKG_VERSION"),
        error: None,
    });
    told.map_or_else(|failure| failure.exit, |()| Exit::Done)
}

/// What went wrong, in documents.
#[derive(Debug, Serialize)]
pub struct ErrorOf {
    code: String,
    message: String,
    hint: Option<String>,
    rows: Vec<FieldError>,
}

impl ErrorOf {
    /// Of a kind.
    pub fn new(code: &str, message: impl Into<String>, hint: Option<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: without_keys(&message.into()).into_owned(),
            hint: hint.map(|hint| without_keys(&hint).into_owned()),
            rows: Vec::new(),
        }
    }
}

impl ErrorOf {
    /// In words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Tells it on standard error, with what helps.
    pub fn tell(&self) {
        if events::are_wanted() {
            tell("error", json!(self));
            return;
        }
        to_stderr(&format!("\u{1b}[31merror\u{1b}[0m: {}", self.message));
        gate::annotate_error(&self.message);
        for row in &self.rows {
            let told = as_commands(&format!("{}: {}", row.field, row.message));
            // Of a single field the message may say it all.
            if !self.message.contains(&told) {
                to_stderr(&format!("  {told}"));
            }
        }
        if let Some(hint) = &self.hint {
            to_stderr(&format!("hint: {hint}"));
        }
    }
}

/// A field of a request, without what may be a key.
fn shown(row: &FieldError) -> FieldError {
    FieldError {
        field: without_keys(&row.field).into_owned(),
        message: without_keys(&row.message).into_owned(),
    }
}

/// The document of a command that failed.
#[derive(Debug, Serialize)]
pub struct Failed {
    schema: u32,
    ok: bool,
    error: ErrorOf,
}

impl Failed {
    /// As an event.
    pub fn as_event(&self) {
        tell("error", json!(self.error));
    }

    /// Of a failure.
    pub fn of(failure: &Failure) -> Self {
        Self {
            schema: SCHEMA,
            ok: false,
            error: ErrorOf {
                rows: failure.rows.iter().map(shown).collect(),
                ..ErrorOf::new(failure.code, failure.message.clone(), failure.hint.clone())
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_not_steered_by_what_is_shown() {
        assert_eq!(
            harmless("a\u{1b}]0;x\u{7}\u{1b}[31mb\u{1b}[0m\n"),
            "a\u{fffd}]0;x\u{fffd}\u{1b}[31mb\u{1b}[0m\n"
        );
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        let output = |fancy| Output {
            no_input: true,
            json: false,
            quiet: false,
            progress: Style::Auto,
            fancy,
            noticed: Arc::default(),
        };
        let drawn = [0.0, 0.5, 0.999, 1.0, 7.0].map(|share| output(false).bar(share));
        let wanted = [
            "------------------",
            "#########---------",
            "#################-",
            "##################",
            "##################",
        ];
        assert_eq!(drawn, wanted);
        assert_eq!(
            output(true).bar(0.25),
            format!("{}{}", "█".repeat(4), "░".repeat(14))
        );
    }
}
