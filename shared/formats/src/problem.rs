//! Why a source as a whole can't be used.

use std::fmt;

/// What kind of problem it is; the name that scripts may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// A file can't be read: it is not there, or the machine refuses.
    Unreadable,
    /// More than is read at once.
    TooLarge,
    /// Bytes that are no text.
    Undecodable,
    /// A file that does not hold what its format promises.
    Malformed,
    /// A format that is known, and not read; the message says what to do.
    Unsupported,
    /// Nothing that is known.
    UnknownFormat,
    /// Several readings are possible; one has to be chosen.
    Ambiguous,
    /// Several columns are possible, or the one that was asked for is not there.
    ChooseColumn,
    /// Two files that belong together do not agree.
    Mismatch,
    /// Nothing to do: no audio, no sample.
    Nothing,
}

impl Code {
    /// Its name in documents of JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::Undecodable => "undecodable",
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::UnknownFormat => "unknown_format",
            Self::Ambiguous => "ambiguous",
            Self::ChooseColumn => "choose_column",
            Self::Mismatch => "mismatch",
            Self::Nothing => "nothing",
        }
    }
}

/// Why a source as a whole can't be used: what, where, and what to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Kind.
    pub code: Code,
    /// The file, as it is called inside the source.
    pub file: Option<String>,
    /// Line, from 1, as an editor counts.
    pub line: Option<u64>,
    /// What is wrong; one sentence without its end.
    pub message: String,
    /// What helps.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of the whole.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            file: None,
            line: None,
            message: message.into(),
            hint: None,
        }
    }

    /// The same, in a file.
    #[must_use]
    pub fn file(mut self, name: &str) -> Self {
        self.file = Some(name.to_owned());
        self
    }

    /// The same, of a part of a file: an archive has files of its own.
    #[must_use]
    pub fn inside(mut self, name: &str) -> Self {
        self.file = Some(match self.file {
            Some(part) => format!("{name}: {part}"),
            None => name.to_owned(),
        });
        self
    }

    /// The same, on a line.
    #[must_use]
    pub fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same, with what helps.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file} line {line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            (None, _) => {}
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// A number with its noun, as texts have it: "1 line", "2,000 lines".
#[must_use]
pub fn counted(number: usize, one: &str, several: &str) -> String {
    let noun = if number == 1 { one } else { several };
    format!("{} {noun}", grouped(number as u64))
}

/// A number as texts have it: with commas between its thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
