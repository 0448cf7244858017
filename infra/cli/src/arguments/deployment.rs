//! What commands take that talk to a deployment.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Args, Command, Subcommand, ValueEnum};
use stt_eval_wire::access::Role;
use stt_eval_wire::export::ExportFormat;

use super::keywords::{Keywords, keywords};
use super::{GateArguments, ReadingArguments};

/// Least that a run may be said to cost at most, in US dollars: deployments count millionths.
const LEAST_USD: f64 = 0.000_001;
/// Most that it may be said to cost.
const MOST_USD: f64 = 1e6;

fn at_most(written: &str) -> Result<f64, String> {
    let usd: f64 = written.parse().map_err(|_| "is no number".to_owned())?;
    if (LEAST_USD..=MOST_USD).contains(&usd) {
        Ok(usd)
    } else {
        Err(format!("must be from {LEAST_USD} to {MOST_USD}"))
    }
}

/// What `login` takes.
#[derive(Debug, Args)]
pub struct LoginArguments {
    /// The address of a deployment, or the name of a profile
    #[arg(value_name = "URL|PROFILE")]
    pub deployment: Option<String>,
    /// Where the API key is read from; `-` is standard input, which is read without this too
    /// where it is no terminal
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// What `logout` takes.
#[derive(Debug, Args)]
pub struct LogoutArguments {
    /// The profile
    #[arg(value_name = "PROFILE")]
    pub profile_name: Option<String>,
}

/// What lists take.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Most that are shown
    #[arg(long, default_value = "50", value_name = "N", value_parser = at_least_one)]
    pub limit: NonZeroUsize,
}

/// What `runs` takes.
#[derive(Debug, Args)]
pub struct RunsArguments {
    /// Those in this state
    #[arg(long, value_name = "STATE", value_parser = ["pending", "processing", "completed", "failed", "cancelled"])]
    pub status: Option<String>,
    /// Those over this dataset
    #[arg(long, value_name = "ID")]
    pub dataset: Option<String>,
    #[command(flatten)]
    pub list: ListArguments,
}

/// Which run.
#[derive(Debug, Args)]
pub struct OneRun {
    /// A run: its id, the beginning of its name, or `latest`, the last one made from this folder
    pub run: String,
}

/// What `results` takes.
#[derive(Debug, Args)]
pub struct ResultsArguments {
    #[command(flatten)]
    pub of: OneRun,
    /// Those of this model
    #[arg(long, short = 'p', value_name = "MODEL")]
    pub model: Option<String>,
    /// Those in this state
    #[arg(long, value_name = "STATE", value_parser = ["pending", "completed", "failed"])]
    pub status: Option<String>,
    /// The highest error rates first
    #[arg(long)]
    pub worst: bool,
    #[command(flatten)]
    pub list: ListArguments,
}

/// What `report` takes.
#[derive(Debug, Args)]
pub struct ReportArguments {
    #[command(flatten)]
    pub of: OneRun,
    /// Write the report as one page of HTML; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// The field of samples that makes blocks; otherwise speaker, where speakers are known
    #[arg(long, value_name = "FIELD")]
    pub block_by: Option<String>,
    /// The field of samples that makes parts
    #[arg(long, value_name = "FIELD")]
    pub group_by: Option<String>,
}

/// What `export` takes.
#[derive(Debug, Args)]
pub struct ExportArguments {
    #[command(flatten)]
    pub of: OneRun,
    /// As what
    #[arg(long, value_parser = Exported, value_name = "FORMAT")]
    pub format: FormatName,
    /// Where it goes; `-` is standard output. Without it, a file here that is called as the run
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What a run can be exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// A table for spreadsheets, with columns for each model
    Csv,
    /// A JSON object a line, with words side by side
    Jsonl,
    /// A manifest of `NeMo`, for its Speech Data Explorer
    Nemo,
    /// A ZIP archive for sclite: ref.trn and hyp.MODEL.trn, as they were scored
    Trn,
    /// The report as one page
    Html,
    /// A ZIP archive for `meeteval`: ref.seglst.json and hyp.MODEL.seglst.json
    Seglst,
    /// A ZIP archive for `meeteval` and SCTK: ref.stm and hyp.MODEL.stm
    Stm,
    /// Tasks of Label Studio, with a prediction of each model
    #[value(name = "label_studio")]
    LabelStudio,
    /// A ZIP archive of the recordings with metadata.csv, as Hugging Face's `datasets` reads it
    Audiofolder,
}

/// CTM, which a tip would take for a slip of the pen.
const CTM: &str = "ctm";
/// Why there is none.
const NO_CTM: &str = "CTM has a line for each word with its time, and times of words are not \
                      kept; stm has a segment for each utterance";

/// Reads a format.
#[derive(Clone)]
struct Exported;

impl TypedValueParser for Exported {
    type Value = FormatName;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<FormatName, clap::Error> {
        if value.eq_ignore_ascii_case(CTM) {
            let error = clap::Error::raw(ErrorKind::InvalidValue, format!("{NO_CTM}\n"));
            return Err(error.with_cmd(command));
        }
        EnumValueParser::<FormatName>::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let all = FormatName::value_variants().iter();
        Some(Box::new(all.filter_map(ValueEnum::to_possible_value)))
    }
}

/// Who makes a file of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeBy {
    /// The deployment.
    Deployment(ExportFormat),
    /// This program.
    Here(Here),
}

/// Formats that are made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// The report as one page, as `report --html` writes it.
    Html,
    /// Lines of SCTK as the deployment writes them, with what failed.
    Trn,
    /// Segments of `meeteval`, one for each sample.
    SegLst,
    /// Segments of SCTK, likewise.
    Stm,
    /// Tasks with predictions.
    LabelStudio,
    /// Recordings and `metadata.csv`.
    Audiofolder,
}

impl FormatName {
    /// Who makes it.
    pub const fn made(self) -> MadeBy {
        match self {
            Self::Csv => MadeBy::Deployment(ExportFormat::Csv),
            Self::Jsonl => MadeBy::Deployment(ExportFormat::Jsonl),
            Self::Nemo => MadeBy::Deployment(ExportFormat::Nemo),
            Self::Trn => MadeBy::Here(Here::Trn),
            Self::Html => MadeBy::Here(Here::Html),
            Self::Seglst => MadeBy::Here(Here::SegLst),
            Self::Stm => MadeBy::Here(Here::Stm),
            Self::LabelStudio => MadeBy::Here(Here::LabelStudio),
            Self::Audiofolder => MadeBy::Here(Here::Audiofolder),
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self.made() {
            MadeBy::Deployment(format) => format.name(),
            MadeBy::Here(Here::Html) => "html",
            MadeBy::Here(Here::Trn) => ExportFormat::Trn.name(),
            MadeBy::Here(Here::SegLst) => "seglst",
            MadeBy::Here(Here::Stm) => "stm",
            MadeBy::Here(Here::LabelStudio) => "label_studio",
            MadeBy::Here(Here::Audiofolder) => "audiofolder",
        }
    }

    /// How the name of such a file ends.
    pub fn extension(self) -> &'static str {
        match self.made() {
            MadeBy::Deployment(format) => format.extension(),
            MadeBy::Here(Here::Html) => "html",
            MadeBy::Here(Here::Trn) => ExportFormat::Trn.extension(),
            MadeBy::Here(Here::SegLst) => "seglst.zip",
            MadeBy::Here(Here::Stm) => "stm.zip",
            MadeBy::Here(Here::LabelStudio) => "label_studio.json",
            MadeBy::Here(Here::Audiofolder) => "audiofolder.zip",
        }
    }
}

/// A file that a run is saved as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToExport {
    /// As what.
    pub format: FormatName,
    /// Where; without it, a file here that is called as the run.
    pub file: Option<PathBuf>,
}

fn to_export(text: &str) -> Result<ToExport, String> {
    let (name, file) = match text.split_once(':') {
        Some((name, file)) => (name, Some(file)),
        None => (text, None),
    };
    if name.eq_ignore_ascii_case(CTM) {
        return Err(NO_CTM.to_owned());
    }
    let known: Vec<String> = FormatName::value_variants()
        .iter()
        .filter_map(|one| Some(one.to_possible_value()?.get_name().to_owned()))
        .collect();
    let format = FormatName::from_str(name, false)
        .map_err(|_| format!("{name:?} is no format; known are {}", known.join(", ")))?;
    match file {
        Some("") => Err(format!("no file is named after {name}:")),
        Some("-") => Err("standard output has the verdict; name a file".to_owned()),
        file => Ok(ToExport {
            format,
            file: file.map(PathBuf::from),
        }),
    }
}

/// What `diff` takes.
#[derive(Debug, Args)]
pub struct DiffArguments {
    #[command(flatten)]
    pub of: OneRun,
    /// The run to compare with, named in the same ways
    pub other: String,
    /// The field of samples that makes blocks; otherwise speaker, where speakers are known
    #[arg(long, value_name = "FIELD")]
    pub block_by: Option<String>,
    /// Compare the scorings with this normaliser
    #[arg(long, visible_alias = "normaliser", value_name = "NAME")]
    pub normalizer: Option<String>,
}

/// What `retry` takes.
#[derive(Debug, Args)]
pub struct RetryArguments {
    #[command(flatten)]
    pub of: OneRun,
    /// Another most that the run may cost in US dollars, all its rounds together
    #[arg(long, value_name = "USD", value_parser = at_most)]
    pub max_cost: Option<f64>,
}

/// What `rescore` takes.
#[derive(Debug, Args)]
pub struct RescoreArguments {
    #[command(flatten)]
    pub of: OneRun,
    /// The normaliser
    #[arg(long, visible_alias = "normaliser", value_name = "NAME")]
    pub normalizer: Option<String>,
}

/// What `keys` takes.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Lists the API keys of the project
    List,
    /// Makes one, and prints it this once
    New {
        /// Its name
        name: String,
        /// What it may do
        #[arg(long, value_enum)]
        role: RoleName,
    },
    /// Makes one useless
    Revoke {
        /// Its id
        id: String,
    },
}

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Reads
    Viewer,
    /// Gives feedback too
    Reviewer,
    /// Makes files, datasets and runs too
    Editor,
    /// Keeps keys and credentials too
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Reviewer => Self::Reviewer,
            RoleName::Editor => Self::Editor,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// What `credentials` takes.
#[derive(Debug, Subcommand)]
pub enum CredentialsCommand {
    /// Lists the providers, and which have a key
    List,
    /// Keeps the key of a provider
    Set {
        /// The provider
        provider: String,
        /// Where the key is read from; `-` is standard input, which is read without this too
        /// where it is no terminal
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// Where the provider is to work on what it is sent, of those that it has (`eu` …)
        #[arg(long, value_name = "REGION")]
        region: Option<String>,
        /// Keep it without asking the provider
        #[arg(long)]
        no_validate: bool,
    },
    /// Forgets the key of a provider
    Remove {
        /// The provider
        provider: String,
    },
}

/// What `run` takes.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// A folder, or a manifest in it
    pub source: PathBuf,
    /// A model (`stt-eval models`); give it once for each, here or in `stt-eval.toml`. None is
    /// needed with --hyp
    #[arg(long = "model", short = 'p', value_name = "MODEL")]
    pub models: Vec<String>,
    #[command(flatten)]
    pub reading: ReadingArguments,
    /// Name of dataset and run; otherwise that of the folder and a digest of what is in it
    #[arg(long)]
    pub name: Option<String>,
    /// Only the first N utterances, in an order that their audio alone makes
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub limit: Option<NonZeroUsize>,
    /// Another N of them for each number; the same ones for the same number
    #[arg(long, value_name = "NUMBER")]
    pub sample_seed: Option<u64>,
    /// Where a dataset with the name of --name has other content, run it as it is
    #[arg(long, requires = "name", conflicts_with = "demo")]
    pub reuse: bool,
    /// Only judge what is there, as `check` does; changes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// A word or phrase that matters, again for each; or a file with one on each line
    #[arg(long, value_name = "WORDS|@FILE", value_parser = keywords)]
    pub keyword: Vec<Keywords>,
    /// The prompt in place of the usual one
    #[arg(long)]
    pub prompt: Option<String>,
    /// The normaliser of the scores
    #[arg(long, visible_alias = "normaliser", value_name = "NAME")]
    pub normalizer: Option<String>,
    /// The most that the run may cost in US dollars
    #[arg(long, value_name = "USD", value_parser = at_most)]
    pub max_cost: Option<f64>,
    /// Send WAV as FLAC to models that list it, or with =false every recording as it is;
    /// otherwise as the deployment is set
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub lossless_flac: Option<bool>,
    /// Leave out what can't be used
    #[arg(long)]
    pub skip_broken: bool,
    /// Files that are uploaded at once
    #[arg(short = 'j', default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=32), value_name = "N")]
    pub at_once: u8,
    /// End when the run has begun
    #[arg(long)]
    pub detach: bool,
    /// How long the run is waited for: 90s, 30m, 2h; then the exit code is 8
    #[arg(long, value_parser = duration)]
    pub timeout: Option<std::time::Duration>,
    /// A new run although the same one was made before
    #[arg(long)]
    pub new: bool,
    /// Save the run as a file when it is over, as `export` does (csv, jsonl, nemo, …), here
    /// and called as the run, or in FILE; again for each
    #[arg(
        long,
        value_parser = to_export,
        value_name = "FORMAT[:FILE]",
        conflicts_with_all = ["detach", "demo"],
    )]
    pub export: Vec<ToExport>,
    /// Show the flow on models that are simulated (two, if none is named), in a machine that
    /// `stt-eval-local` makes here and that is gone at the end; every line says SIMULATED
    #[arg(
        long,
        conflicts_with_all = ["detach", "timeout", "new", "junit", "summary", "baseline", "hyp"],
    )]
    pub demo: bool,
    #[command(flatten)]
    pub gate: GateArguments,
}

/// A length of time: a number with `s`, `m` or `h`.
fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<usize>().ok().and_then(NonZeroUsize::new);
    number.ok_or_else(|| "a whole number from 1 on is needed".to_owned())
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3_600),
        _ => (text, 1),
    };
    let number: u32 = number
        .parse()
        .map_err(|_| "such as 90s, 30m or 2h".to_owned())?;
    Ok(std::time::Duration::from_secs(u64::from(number) * unit))
}
