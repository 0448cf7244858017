//! What can be asked for.

mod deployment;
mod keywords;

pub use deployment::{
    CredentialsCommand, DiffArguments, ExportArguments, FormatName, Here, KeysCommand,
    ListArguments, LoginArguments, LogoutArguments, MadeBy, OneRun, ReportArguments,
    RescoreArguments, ResultsArguments, RetryArguments, RunArguments, RunsArguments, ToExport,
};
pub use keywords::Keywords;

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stt_eval_domain::language::{self, LanguageError};
use stt_eval_formats::language::tag_of;
use stt_eval_formats::{Format, markup::Markup};

/// Speech to text, evaluated: a folder of audio or two files of texts in, a verdict out.
#[derive(Debug, Parser)]
#[command(
    name = "stt-eval",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_long_help = crate::failure::exits()
)]
pub struct Cli {
    #[command(flatten)]
    pub shared: Shared,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// One command without the others, of those that are done at once.
    pub fn alone(name: &str) -> Option<clap::Command> {
        let own = match name {
            "check" => CheckArguments::augment_args(clap::Command::new("check")),
            "score" => ScoreArguments::augment_args(clap::Command::new("score")),
            _ => return None,
        };
        let command = clap::Command::new("stt-eval").subcommand_required(true);
        Some(Shared::augment_args(command).subcommand(own))
    }
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Of every command")]
pub struct Shared {
    /// One document of JSON on standard output, also on failure
    #[arg(long, global = true)]
    pub json: bool,
    /// Nothing on standard error but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Each request to the deployment, and what it is answered with, on standard error
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// How it is shown how far things are, on standard error
    #[arg(long, global = true, value_enum, default_value_t = Style::Auto, value_name = "HOW")]
    pub progress: Style,
    /// JSON on standard error, an object a line, for programs; asks nothing
    #[arg(long, global = true, conflicts_with = "quiet")]
    pub events: bool,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
    /// The deployment, by the name of its profile
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// How many seconds a deployment that does not answer is asked again [default: 60]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub patience: Option<u32>,
    /// Agree to the estimate of what a run costs
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
    /// Ask nothing
    #[arg(long, global = true)]
    pub no_input: bool,
}

impl Shared {
    /// Seconds that it is asked again, unless others are named.
    const PATIENCE: u32 = 60;

    /// How long a deployment that does not answer is asked again.
    pub fn patience(&self) -> std::time::Duration {
        let seconds = self.patience.unwrap_or(Self::PATIENCE);
        std::time::Duration::from_secs(u64::from(seconds))
    }
}

/// How it is shown how far things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// A bar on a terminal, lines elsewhere and where `CI` is set
    Auto,
    /// A bar on every terminal, lines elsewhere
    Bar,
    /// A line now and then
    Lines,
    /// Not at all
    None,
}

/// When there are colours. `auto` looks at `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `TERM` and
/// whether there is a terminal, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Reads a folder or a manifest and tells what is wrong with it; changes nothing
    Check(CheckArguments),
    /// Scores hypotheses against references, on this machine
    Score(Box<ScoreArguments>),
    /// Shows what each step of a normaliser does to a text
    #[command(alias = "normalize")]
    Normalise(NormaliseArguments),
    /// Judges a folder, uploads it, transcribes it with several models and tells which is better
    Run(Box<RunArguments>),
    /// Tells how far a run is
    Status(OneRun),
    /// Shows what models made of single utterances
    Results(ResultsArguments),
    /// Tells the figures of a run, and how its models compare
    Report(ReportArguments),
    /// Saves a run as a file: a table, JSON lines, what other tools read, or the report
    Export(ExportArguments),
    /// Compares a run with another one over the same dataset, model by model
    Diff(DiffArguments),
    /// Stops a run
    Cancel(OneRun),
    /// Asks again for what failed in a run
    Retry(RetryArguments),
    /// Scores a run again, without asking a model
    Rescore(RescoreArguments),
    /// Lists runs
    Runs(RunsArguments),
    /// Lists datasets
    Datasets(ListArguments),
    /// Lists files
    Files(ListArguments),
    /// Lists the models that runs can use
    Models,
    /// Lists the languages that samples can be in
    Languages,
    /// API keys of the project
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Keys of providers
    #[command(subcommand)]
    Credentials(CredentialsCommand),
    /// Keeps the address of a deployment and a key for it
    Login(LoginArguments),
    /// Forgets the key of a profile
    Logout(LogoutArguments),
    /// Tells which deployment is talked to, and with which key
    Whoami,
    /// Lists the deployments that are configured, and where each value that is used comes from
    Profiles,
    /// Prints completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Prints the manual page, or writes all pages into a folder
    Man {
        /// Where the pages go
        folder: Option<PathBuf>,
    },
}

/// What `check` takes.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// A folder, or a manifest in it
    pub source: PathBuf,
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// Leave audio alone: find it, but don't look into it
    #[arg(long)]
    pub no_probe: bool,
}

/// How a source is read.
#[derive(Debug, Args)]
pub struct ReadingArguments {
    /// Language of what does not name its own: a tag (hi, ta-IN) or a name
    #[arg(long)]
    pub language: Option<String>,
    /// Read as this format
    #[arg(long, value_parser = format)]
    pub format: Option<Format>,
    /// Which split is taken: test, dev, train …
    #[arg(long)]
    pub split: Option<String>,
    /// The column of the text
    #[arg(long, value_name = "NAME")]
    pub text_column: Option<String>,
    /// The column of the recording
    #[arg(long, value_name = "NAME")]
    pub audio_column: Option<String>,
    /// What braces in references mean
    #[arg(long, value_enum)]
    pub markup: Option<Braces>,
    /// Take files that lie outside of the folder
    #[arg(long)]
    pub allow_outside: bool,
    /// Columns of transcripts that were made elsewhere, one for each system: `run` scores them
    /// beside the models, as `imported/A` and `imported/B`
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub hyp: Vec<String>,
}

/// What braces mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Braces {
    /// Plain text
    None,
    /// `{a|b}` and `<*>`, as in this project
    #[value(name = "braces")]
    Ours,
    /// As `asr_eval` writes them
    #[value(name = "asr_eval")]
    AsrEval,
}

impl From<Braces> for Markup {
    fn from(braces: Braces) -> Self {
        match braces {
            Braces::None => Self::None,
            Braces::Ours => Self::Braces,
            Braces::AsrEval => Self::AsrEval,
        }
    }
}

/// What `score` takes.
#[derive(Debug, Args)]
pub struct ScoreArguments {
    /// References: a file, or a folder with a file for each recording; `-` is standard input
    pub references: PathBuf,
    /// Hypotheses: a source for each system, or a table with a column for each; none if they are
    /// columns of the references
    pub hypotheses: Vec<PathBuf>,
    /// Columns of hypotheses, one for each system: of HYPOTHESES, without these of the references
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub hyp: Vec<String>,
    /// The normaliser
    #[arg(
        long,
        visible_alias = "normaliser",
        value_name = "NAME",
        default_value = "indic-v1"
    )]
    pub normalizer: String,
    /// Language of what does not name its own: a tag, or a name
    #[arg(long, default_value = "und", value_parser = tag)]
    pub language: String,
    /// Read both sides as this format
    #[arg(long, value_parser = format)]
    pub format: Option<Format>,
    /// The column of the reference
    #[arg(long, value_name = "NAME")]
    pub text_column: Option<String>,
    /// What braces in references mean
    #[arg(long, value_enum)]
    pub markup: Option<Braces>,
    /// Which channel is taken where several were recognised, from 0
    #[arg(long, default_value_t = 0)]
    pub channel: usize,
    /// Draw no intervals: of long lists they take most of the time. A gate draws what its
    /// conditions need
    #[arg(long)]
    pub no_intervals: bool,
    /// Write the score as one page of HTML, with the texts that have the highest error rates; `-`
    /// is standard output
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub gate: GateArguments,
}

/// When a score is not good enough.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Gate")]
pub struct GateArguments {
    /// A condition that fails: 'wer>0.18', 'wer.high>0.2', 'regression>0.01 p<0.05', with
    /// 'model=NAME' or 'group=language:hi'; rates are fractions, `latency_p95` is in milliseconds
    #[arg(long, value_name = "CONDITION")]
    pub fail_if: Vec<String>,
    /// What regressions are measured against: hypotheses for the same references, or a saved
    /// document; of `run` also a run
    #[arg(long, value_name = "FILE|RUN")]
    pub baseline: Option<PathBuf>,
    /// The system of the baseline, if it has several and no name agrees
    #[arg(long, value_name = "NAME")]
    pub baseline_model: Option<String>,
    /// Judge also where too few samples can't show what is asked
    #[arg(long)]
    pub allow_weak: bool,
    /// Write the gate as XML of `JUnit`
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// The utterances of each system with the highest error rates as cases that pass, with their
    /// texts: worst=50
    #[arg(long, value_name = "worst=N", value_parser = samples, requires = "junit")]
    pub junit_samples: Option<NonZeroUsize>,
    /// Write the result as Markdown; appended, as `$GITHUB_STEP_SUMMARY` wants it
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// End with 0 although the gate failed
    #[arg(long)]
    pub exit_zero: bool,
}

/// What `normalise` takes.
#[derive(Debug, Args)]
pub struct NormaliseArguments {
    /// A text, a file of lines, or `-` for standard input
    pub text: String,
    /// The normaliser
    #[arg(
        long,
        visible_alias = "normaliser",
        value_name = "NAME",
        default_value = "indic-v1"
    )]
    pub normalizer: String,
    /// Language: a tag, or a name
    #[arg(long, default_value = "und", value_parser = tag)]
    pub language: String,
}

/// How many samples: `worst=N`.
fn samples(text: &str) -> Result<NonZeroUsize, String> {
    let number = text
        .strip_prefix("worst=")
        .and_then(|number| number.parse().ok());
    number.ok_or_else(|| "such as worst=50".to_owned())
}

/// The tag of a language that may be named (`Hindi`), as manifests name theirs.
fn tag(text: &str) -> Result<String, Infallible> {
    let tag = match language::resolve(text) {
        Err(LanguageError::Malformed) => tag_of(text),
        _ => None,
    };
    Ok(tag.unwrap_or_else(|| text.to_owned()))
}

fn format(name: &str) -> Result<Format, String> {
    Format::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        format!("known are {}", names.join(", "))
    })
}
