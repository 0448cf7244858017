//! Completions and manual pages, from the same command as everything else.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use serde::Serialize;

use crate::arguments::Cli;
use crate::failure::{EXITS, Exit, Failure};
use crate::output::{ErrorOf, Output, SCHEMA, raw_to_stdout};

/// Variables of the environment, and what they say.
const ENVIRONMENT: [(&str, &str); 10] = [
    (
        "STT_EVAL_PROFILE",
        "The deployment, by the name of its profile",
    ),
    (
        "STT_EVAL_URL",
        "Its address, without a profile; takes STT_EVAL_API_KEY beside it",
    ),
    (
        "STT_EVAL_API_KEY",
        "The key; goes before the one that is kept",
    ),
    ("STT_EVAL_CONFIG", "The file of profiles"),
    ("STT_EVAL_LOCAL_BIN", "The program that run --demo starts"),
    (
        "XDG_CONFIG_HOME, XDG_STATE_HOME",
        "Where the file of profiles and journals are",
    ),
    ("TMPDIR", "Where archives are unpacked"),
    (
        "NO_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM",
        "Whether there are colours, in this order",
    ),
    ("CI", "Set: nothing is asked, and no bar is drawn"),
    (
        "GITHUB_ACTIONS",
        "true: what failed is an annotation too (::error::)",
    ),
];
/// Files, and what is in them.
const FILES: [(&str, &str); 4] = [
    ("~/.config/stt-eval/config.toml", "Profiles"),
    (
        "~/.config/stt-eval/credentials.toml",
        "Keys; no one else may read it",
    ),
    (
        "~/.local/state/stt-eval",
        "Journals: what was uploaded and made, so that nothing is twice",
    ),
    (
        "stt-eval.toml",
        "What a project has agreed on, here or in a folder above",
    ),
];

/// Refuses `--json` where there is no document.
fn is_no_document(what: &str, output: &Output) -> Result<(), Failure> {
    match output.json {
        true => {
            Err(Failure::usage(format!("{what} is no document of JSON")).hint("without --json"))
        }
        false => Ok(()),
    }
}

/// Prints completions.
pub fn completions(shell: clap_complete::Shell, output: &Output) -> Result<Exit, Failure> {
    is_no_document("a list of completions", output)?;
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "stt-eval", &mut bytes);
    if shell == clap_complete::Shell::Bash {
        // The hyphen of the name is written in two ways there, and nothing but the name of a
        // command would be completed.
        let text = String::from_utf8_lossy(&bytes);
        bytes = text.replace("stt__subcmd__eval", "stt__eval").into_bytes();
    }
    raw_to_stdout(&bytes)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Written {
    schema: u32,
    ok: bool,
    folder: PathBuf,
    error: Option<ErrorOf>,
}

/// Prints the page of the command, or writes all pages.
pub fn pages(folder: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = folder else {
        is_no_document("a manual page", output)?;
        let (_, page) = page(&command).map_err(|error| failed(None, &error))?;
        raw_to_stdout(page.as_bytes())?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| all(&command, folder))
        .map_err(|error| failed(Some(folder), &error))?;
    let document = Written {
        schema: SCHEMA,
        ok: true,
        folder: folder.to_owned(),
        error: None,
    };
    if output.json {
        output.result(&document, String::new)?;
    } else {
        output.note(&format!("manual pages are in {}", folder.display()));
    }
    Ok(Exit::Done)
}

fn failed(folder: Option<&Path>, error: &std::io::Error) -> Failure {
    let Some(folder) = folder else {
        return Failure::new(Exit::Failed, "output", error.to_string());
    };
    let message = format!(
        "manual pages can't be written into {}: {error}",
        folder.display()
    );
    Failure::new(Exit::Failed, "output", message)
        .hint("name a folder that can be written to; without one, the page is printed")
}

/// Pages of a command and of those below it.
fn all(command: &clap::Command, folder: &Path) -> std::io::Result<()> {
    for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        all(below, folder)?;
    }
    let (name, page) = page(command)?;
    std::fs::write(folder.join(name), page)
}

/// Name of a page, and its text.
fn page(command: &clap::Command) -> std::io::Result<(String, String)> {
    let is_whole = command.has_subcommands() && command.get_name() == "stt-eval";
    // Codes have a section of their own here.
    let man = clap_mangen::Man::new(command.clone().after_long_help(""));
    let mut bytes = Vec::new();
    man.render(&mut bytes)?;
    let mut page = String::from_utf8_lossy(&bytes).into_owned();
    for option in command.get_arguments() {
        let (Some([value, ..]), true) =
            (option.get_value_names(), option.get_action().takes_values())
        else {
            continue;
        };
        // A synopsis leaves out that an option takes a value, and marks one that must be there
        // as a value.
        let value = escaped(value);
        match (option.get_long(), option.get_short()) {
            (Some(long), _) => {
                let bare = format!("\\-\\-{}\\fR", long.replace('-', "\\-"));
                let full = format!("{bare} \\fI{value}\\fR");
                page = page.replacen(&format!("{bare}]"), &format!("{full}]"), 1);
                page = page.replacen(&format!("<\\fB{bare}>"), &format!("\\fB{full}"), 1);
            }
            (None, Some(short)) => {
                let bare = format!("\\fB\\-{short} \\fR]");
                let full = format!("\\fB\\-{short}\\fR \\fI{value}\\fR]");
                page = page.replacen(&bare, &full, 1);
            }
            (None, None) => {}
        }
    }
    if is_whole {
        let codes: Vec<(String, &str)> = EXITS
            .iter()
            .map(|(code, means)| (code.to_string(), *means))
            .collect();
        let codes = codes.iter().map(|(code, means)| (code.as_str(), *means));
        let more = section("EXIT STATUS", codes)
            + &section("ENVIRONMENT", ENVIRONMENT)
            + &section("FILES", FILES);
        let end = page.find(".SH VERSION").unwrap_or(page.len());
        page.insert_str(end, &more);
    }
    Ok((man.get_filename(), page))
}

/// Text of a page: hyphens are hyphens, and no line is a request.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq")
}

/// A section of terms and what they mean.
fn section<'a>(name: &str, terms: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = format!(".SH \"{name}\"\n");
    for (term, means) in terms {
        // A text takes all that is written to it.
        let _ = write!(out, ".TP\n\\fB{}\\fR\n{}\n", escaped(term), escaped(means));
    }
    out
}
