//! How a command ends.

use std::process::ExitCode;

use stt_eval_domain::validate::FieldError;
use stt_eval_formats::{Code, Problem};

/// Exit codes; see the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Wrong usage.
    Usage,
    /// The input has findings, and nothing was changed.
    Findings,
    /// Not logged in, or the key is refused.
    Access,
    /// Nothing to do.
    Nothing,
    /// The run is still under way.
    Running,
    /// A gate failed.
    Gate,
    /// A gate could not be judged.
    NotJudged,
    /// Stopped by Ctrl-C.
    Interrupted,
    /// The reader of standard output is gone.
    ReaderGone,
}

/// What exit codes mean, for help and the manual page; a test holds them and the README
/// together.
pub const EXITS: [(u8, &str); 12] = [
    (0, "done"),
    (1, "failed: the machine said no"),
    (
        2,
        "wrong usage, or several readings are possible and one must be chosen",
    ),
    (3, "the input has findings; nothing was changed"),
    (
        4,
        "not logged in, the key is refused or too weak, or others can read the file it is in",
    ),
    (5, "nothing to do"),
    (8, "the run goes on: --timeout is over"),
    (70, "a bug of ours; a file has the trace"),
    (100, "a condition of the gate failed"),
    (101, "one could not be judged"),
    (130, "stopped by Ctrl-C; a run goes on"),
    (141, "the reader of standard output is gone"),
];

/// The same as a list, behind the help of the whole.
pub fn exits() -> String {
    let line = |(code, means): &(u8, &str)| format!("\n{code:>5}  {means}");
    let lines: String = EXITS.iter().map(line).collect();
    format!("Exit codes:{lines}")
}

impl Exit {
    /// The code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Findings => 3,
            Self::Access => 4,
            Self::Nothing => 5,
            Self::Running => 8,
            Self::Gate => 100,
            Self::NotJudged => 101,
            Self::Interrupted => 130,
            Self::ReaderGone => 141,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How it ends.
    pub exit: Exit,
    /// Name of the kind, for scripts.
    pub code: &'static str,
    /// What and where.
    pub message: String,
    /// What now.
    pub hint: Option<String>,
    /// The fields of a request that are wrong.
    pub rows: Vec<FieldError>,
}

impl Failure {
    /// One of a kind.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code,
            message: message.into(),
            hint: None,
            rows: Vec::new(),
        }
    }

    /// Wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// With what helps.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let exit = match problem.code {
            Code::Nothing => Exit::Nothing,
            Code::Unreadable | Code::UnknownFormat | Code::Ambiguous | Code::ChooseColumn => {
                Exit::Usage
            }
            Code::TooLarge
            | Code::Undecodable
            | Code::Malformed
            | Code::Unsupported
            | Code::Mismatch => Exit::Findings,
        };
        Self {
            exit,
            code: problem.code.name(),
            message: problem.to_string(),
            hint: problem.hint,
            rows: Vec::new(),
        }
    }
}
