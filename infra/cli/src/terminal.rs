//! What a person is asked, and what is shown to a terminal alone.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use stt_eval_wire::secret::SecretText;

use crate::arguments::Style;
use crate::events;
use crate::failure::{Exit, Failure};
use crate::hidden;
use crate::output::{Output, harmless, in_locale, to_stderr};

/// Longest key that is read.
const LONGEST_KEY: u64 = 4_096;

/// Whether a person can be asked.
pub fn can_ask(output: &Output) -> bool {
    !output.no_input
        && std::io::stdin().is_terminal()
        && std::io::stderr().is_terminal()
        && std::env::var_os("CI").is_none_or(|value| value.is_empty() || value == "false")
}

/// Where there is nobody who could answer.
const NO_TERMINAL: &str = "there is no terminal to ask on";

/// Why nobody is asked.
pub fn unasked(output: &Output) -> &'static str {
    match () {
        () if events::are_wanted() => "--events asks nothing",
        () if output.no_input => "--no-input asks nothing",
        () if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => {
            "CI is set, where nothing is asked"
        }
        () => NO_TERMINAL,
    }
}

/// Whether standard error is a terminal that can be drawn on.
pub fn can_draw(output: &Output) -> bool {
    let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    !output.quiet && !ci && !dumb && std::io::stderr().is_terminal()
}

/// A question that is answered by yes or no; no answer is no.
///
/// # Errors
/// Standard input can't be read.
pub fn agrees(question: &str) -> Result<bool, Failure> {
    let mut stderr = std::io::stderr().lock();
    let asked = write!(stderr, "{} [y/N]  ", harmless(&in_locale(question.into())))
        .and_then(|()| stderr.flush());
    drop(asked);
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(100)
        .read_line(&mut line)
        .map_err(|error| Failure::new(Exit::Failed, "input", error.to_string()))?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// A secret: from a file, from standard input (`-`, or where that is no terminal), or typed
/// unseen.
///
/// # Errors
/// It can't be read, or there is no terminal to ask on.
pub fn secret(from: Option<&Path>, what: &str, output: &Output) -> Result<SecretText, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Failed,
            "input",
            format!("{what} can't be read: {error}"),
        )
    };
    let nobody = || {
        let message = match unasked(output) {
            NO_TERMINAL => format!("there is no terminal to ask for {what}"),
            why => format!("{what} is needed, and {why}"),
        };
        Failure::usage(message).hint("give it on standard input, or by --key-file")
    };
    let mut text = String::new();
    match from {
        Some(path) if path == Path::new("-") => {
            text = piped().map_err(failed)?;
        }
        Some(path) => {
            let file = std::fs::File::open(path);
            let read = file.and_then(|file| file.take(LONGEST_KEY).read_to_string(&mut text));
            read.map_err(|error| {
                let message = format!("{what} can't be read: {}: {error}", path.display());
                Failure::usage(message).hint("--key-file - reads it from standard input")
            })?;
        }
        None if can_ask(output) => {
            text = hidden::prompt(what).map_err(|error| match error.kind() {
                std::io::ErrorKind::Interrupted => Failure::new(
                    Exit::Interrupted,
                    "interrupted",
                    "stopped; nothing was kept",
                ),
                _ => failed(error),
            })?;
        }
        None if std::io::stdin().is_terminal() => return Err(nobody()),
        None => {
            text = piped().map_err(failed)?;
            if text.trim().is_empty() {
                return Err(nobody());
            }
        }
    }
    let key = text.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage(format!(
            "{what} must be visible ASCII characters"
        )));
    }
    Ok(SecretText::from(key.to_owned()))
}

/// What standard input holds, as far as it can be a key.
fn piped() -> std::io::Result<String> {
    let mut text = String::new();
    let stdin = std::io::stdin().lock();
    stdin.take(LONGEST_KEY).read_to_string(&mut text)?;
    Ok(text)
}

/// How it is shown how far things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Lines that are drawn over and over.
    Drawn,
    /// A line now and then.
    Lines,
    /// An event now and then.
    Events,
    /// Not at all.
    Silent,
}

impl Manner {
    fn of(output: &Output) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        match output.progress {
            _ if output.quiet => Self::Silent,
            _ if events::are_wanted() => Self::Events,
            Style::None => Self::Silent,
            Style::Bar if is_terminal => Self::Drawn,
            Style::Auto if can_draw(output) => Self::Drawn,
            Style::Bar | Style::Auto | Style::Lines => Self::Lines,
        }
    }

    /// Between two lines, unless a tenth was done meanwhile.
    const fn seldom(self) -> Duration {
        match self {
            Self::Events => Duration::from_secs(1),
            _ => Duration::from_secs(30),
        }
    }
}

/// Tells the terminal something that is not seen.
fn steer(sequence: &str) {
    let written = std::io::stderr().lock().write_all(sequence.as_bytes());
    drop(written);
}

/// How far things are.
#[derive(Debug)]
pub struct Progress<'a> {
    output: &'a Output,
    manner: Manner,
    drawn: usize,
    told: Option<(Instant, f64)>,
}

impl<'a> Progress<'a> {
    /// Nothing is shown yet.
    pub fn new(output: &'a Output) -> Self {
        Self {
            output,
            manner: Manner::of(output),
            drawn: 0,
            told: None,
        }
    }

    /// Shows how far things are: lines for a terminal, one line for a log, facts for a
    /// program, and the share that is done.
    pub fn show(
        &mut self,
        lines: &[String],
        line: &str,
        (event, facts): (&str, impl FnOnce() -> Value),
        share: f64,
    ) {
        if self.manner == Manner::Drawn {
            self.clear();
            // A line that is too long ends at the edge: one that went on below it would not be
            // taken away.
            steer("\u{1b}[?7l");
            for line in lines {
                to_stderr(line);
            }
            steer("\u{1b}[?7h");
            self.drawn = lines.len();
            return;
        }
        let due = self.told.is_none_or(|(at, before)| {
            at.elapsed() >= self.manner.seldom() || share - before >= 0.1
        });
        if due && self.manner != Manner::Silent {
            self.told = Some((Instant::now(), share));
            self.output.step(event, facts(), line);
        }
    }

    /// Leaves a line of how things were at their end, unless it was the last one.
    pub fn end(&mut self, line: &str, (event, facts): (&str, impl FnOnce() -> Value)) {
        self.clear();
        let is_told = self.told.is_some_and(|(_, share)| share >= 1.0);
        if !is_told && self.manner != Manner::Silent {
            self.output.step(event, facts(), line);
        }
    }

    /// Takes away what was drawn.
    pub fn clear(&mut self) {
        if self.drawn > 0 {
            steer(&format!("\u{1b}[{}A\u{1b}[J", self.drawn));
        }
        self.drawn = 0;
    }
}
