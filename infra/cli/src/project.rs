//! `stt-eval.toml`: what a project has agreed on, as if it had been written on the command
//! line. What is written there goes before it.
//!
//! Such a file comes with a repository, so it names no address and no key, writes no file,
//! reads nothing outside of a source and agrees to no cost: only what is in [`TABLES`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use serde::Deserialize;

use crate::arguments::Cli;
use crate::failure::Failure;

/// Its name.
pub const NAME: &str = "stt-eval.toml";
/// Longest file that is read, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Tables of the file: the options they may have, and the commands that take them.
const TABLES: [(&str, &[&str], &[&str]); 4] = [
    (
        "read",
        &[
            "language",
            "format",
            "split",
            "text-column",
            "audio-column",
            "markup",
        ],
        &["check", "run"],
    ),
    (
        "run",
        &[
            "model",
            "limit",
            "sample-seed",
            "keyword",
            "prompt",
            "normalizer",
            "max-cost",
            "skip-broken",
        ],
        &["run"],
    ),
    ("score", &["normalizer", "language"], &["score"]),
    (
        "gate",
        &["fail-if", "baseline", "baseline-model", "allow-weak"],
        &["run", "score"],
    ),
];

/// A value of an option.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Value {
    Flag(bool),
    Whole(i64),
    Number(f64),
    Text(String),
    List(Vec<String>),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(f),
            Self::Whole(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::List(texts) => f.write_str(&texts.join(", ")),
        }
    }
}

/// What stands at the top of the file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Top {
    Table(BTreeMap<String, Value>),
    Other(serde::de::IgnoredAny),
}

type Tables = BTreeMap<String, BTreeMap<String, Value>>;

/// Why there are no arguments.
pub enum Wrong {
    /// The command line, or help was asked for.
    Usage(clap::Error),
    /// The file of the project.
    Project(Failure),
}

impl From<clap::Error> for Wrong {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Self::Project(failure)
    }
}

/// What the command line says. Of commands that take milliseconds the others are not described
/// first, which takes longer; whatever is wrong or asked about is left to the whole.
fn matches(words: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let quick = words.get(1).and_then(|name| Cli::alone(name.to_str()?));
    let quick = quick.and_then(|command| command.try_get_matches_from(words).ok());
    quick.map_or_else(|| Cli::command().try_get_matches_from(words), Ok)
}

/// The arguments of this process, and what to say of where some of them are from.
///
/// # Errors
/// The command line or the file of the project is wrong.
pub fn arguments() -> Result<(Cli, Option<String>), Wrong> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let matches = matches(&words)?;
    let wants = matches.subcommand_name().is_some_and(|name| {
        TABLES
            .iter()
            .any(|(_, _, commands)| commands.contains(&name))
    });
    let found = std::env::current_dir().ok().filter(|_| wants);
    let Some(path) = found.and_then(|folder| find(&folder)) else {
        return Ok((Cli::from_arg_matches(&matches)?, None));
    };
    let tables = read(&path)?;
    let added = added(&tables, &matches, &path)?;
    if added.is_empty() {
        return Ok((Cli::from_arg_matches(&matches)?, None));
    }
    let told: Vec<&str> = added.iter().map(String::as_str).collect();
    let told = format!("{}  {}", path.display(), told.join(" "));
    let with = with(&words, &added);
    let cli = Cli::command()
        .try_get_matches_from(&with)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| {
            // The command line alone was right: the file is not.
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            let line = line.strip_prefix("error: ").unwrap_or(line);
            Failure::usage(format!("{}: {line}", path.display()))
        })?;
    Ok((cli, Some(told)))
}

/// The file of this folder or of the nearest one above it, up to that of a repository or
/// the home.
fn find(folder: &Path) -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    for folder in folder.ancestors() {
        let path = folder.join(NAME);
        if path.is_file() {
            return Some(path);
        }
        if folder.join(".git").exists() || home.as_deref() == Some(folder) {
            return None;
        }
    }
    None
}

fn read(path: &Path) -> Result<Tables, Failure> {
    let told = |reason: String| Failure::usage(format!("{}: {reason}", path.display()));
    let facts = std::fs::metadata(path).map_err(|error| told(error.to_string()))?;
    if facts.len() > MAX_BYTES {
        return Err(told("is longer than 64 KiB".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    let top: BTreeMap<String, Top> =
        basic_toml::from_str(&text).map_err(|error| told(error.to_string()))?;
    let mut tables = Tables::new();
    for (name, value) in top {
        let Top::Table(values) = value else {
            // Not what it says: that may be a key.
            return Err(told(format!(
                "{name} must be a table of options, each a text, a number, true, false or a list of texts"
            )));
        };
        tables.insert(name, values);
    }
    for (name, values) in &tables {
        let Some((_, options, _)) = TABLES.iter().find(|(table, _, _)| table == name) else {
            let known: Vec<&str> = TABLES.iter().map(|(table, _, _)| *table).collect();
            let known = known.join(", ");
            return Err(told(format!(
                "there is no table [{name}]; there are {known}"
            )));
        };
        for option in values.keys() {
            if !options.contains(&option.replace('_', "-").as_str()) {
                let known = options.join(", ");
                let reason = format!("[{name}] has no {option}; it may have {known}");
                return Err(told(reason));
            }
        }
    }
    Ok(tables)
}

/// Options by their table and name, with their values.
pub type Agreed = Vec<(String, String)>;

/// The file of the project that holds here, and every option in it.
///
/// # Errors
/// The file is wrong.
pub fn agreed() -> Result<Option<(PathBuf, Agreed)>, Failure> {
    let folder = std::env::current_dir().ok();
    let Some(path) = folder.and_then(|folder| find(&folder)) else {
        return Ok(None);
    };
    let mut options = Vec::new();
    for (table, values) in read(&path)? {
        for (option, value) in values {
            let name = format!("[{table}] {}", option.replace('_', "-"));
            options.push((name, value.to_string()));
        }
    }
    Ok(Some((path, options)))
}

/// Options of the file that the command takes and that are not on the command line.
fn added(tables: &Tables, matches: &ArgMatches, path: &Path) -> Result<Vec<String>, Failure> {
    let mut added = Vec::new();
    let Some((name, given)) = matches.subcommand() else {
        return Ok(added);
    };
    let command = Cli::command();
    let command = command.find_subcommand(name);
    for (table, _, commands) in TABLES {
        let Some(values) = tables.get(table).filter(|_| commands.contains(&name)) else {
            continue;
        };
        for (option, value) in values {
            let option = option.replace('_', "-");
            let argument = command.and_then(|command| {
                let mut all = command.get_arguments();
                all.find(|one| one.get_long() == Some(option.as_str()))
            });
            let Some(argument) = argument else {
                let reason = format!("{}: {name} takes no --{option}", path.display());
                return Err(Failure::usage(reason));
            };
            let source = given.value_source(argument.get_id().as_str());
            if source == Some(ValueSource::CommandLine) {
                continue;
            }
            let is_flag = !argument.get_action().takes_values();
            let mut add = |text: &str| added.push(format!("--{option}={text}"));
            match value {
                Value::Flag(true) if is_flag => added.push(format!("--{option}")),
                Value::Flag(false) if is_flag => {}
                Value::Whole(number) if !is_flag => add(&number.to_string()),
                Value::Number(number) if !is_flag => add(&number.to_string()),
                Value::Text(text) if !is_flag && option == "baseline" => {
                    add(&beside(path, text)?.to_string_lossy());
                }
                Value::Text(text) if !is_flag && option == "keyword" => {
                    add(&words(path, text)?);
                }
                Value::Text(text) if !is_flag => add(text),
                Value::List(texts) if !is_flag && option == "keyword" => {
                    for text in texts {
                        add(&words(path, text)?);
                    }
                }
                Value::List(texts) if !is_flag => texts.iter().for_each(|text| add(text)),
                _ => {
                    let wanted = if is_flag {
                        "true or false"
                    } else {
                        "a text or a number"
                    };
                    let reason = format!("{}: {option} must be {wanted}", path.display());
                    return Err(Failure::usage(reason));
                }
            }
        }
    }
    Ok(added)
}

/// A file is meant as seen from the file of the project; what is none there is a run.
fn beside(path: &Path, text: &str) -> Result<PathBuf, Failure> {
    let file = inside(path, "baseline", text)?;
    Ok(if file.exists() { file } else { text.into() })
}

/// Words that matter, or a file of them: what is in it is sent, so it must be of the
/// project.
fn words(path: &Path, text: &str) -> Result<String, Failure> {
    match text.strip_prefix('@').filter(|name| !name.starts_with('@')) {
        Some(name) => Ok(format!("@{}", inside(path, "keyword", name)?.display())),
        None => Ok(text.to_owned()),
    }
}

/// A file in the folder of the file of the project, or below; also by its links.
fn inside(path: &Path, option: &str, text: &str) -> Result<PathBuf, Failure> {
    let out = || {
        let reason = format!("{}: {option} leads out of its folder", path.display());
        Failure::usage(reason)
    };
    let mut parts = Path::new(text).components();
    if !parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(out());
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let file = folder.join(text);
    match (file.canonicalize(), folder.canonicalize()) {
        (Ok(whole), Ok(folder)) if !whole.starts_with(&folder) => Err(out()),
        // What is not there is told by who reads it.
        _ => Ok(file),
    }
}

/// Words with more options, before what is no option any more.
fn with(words: &[OsString], added: &[String]) -> Vec<OsString> {
    let end = words.iter().position(|word| word == "--");
    let (options, rest) = words.split_at(end.unwrap_or(words.len()));
    let added = added.iter().map(OsString::from);
    options
        .iter()
        .cloned()
        .chain(added)
        .chain(rest.iter().cloned())
        .collect()
}
