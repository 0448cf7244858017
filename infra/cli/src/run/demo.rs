//! `run --demo`: a machine of its own for one run, made by `stt-eval-local`, where models
//! are simulated. It is gone at the end, however that comes about: the program stops and
//! clears away when its standard input ends, which the system sees to.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use stt_eval_wire::secret::SecretText;
use tempfile::TempDir;

use super::plan::Plan;
use crate::deployment::http;
use crate::failure::{Exit, Failure};
use crate::journal::digest;
use crate::profiles::Target;
use crate::unpack::{ROOM, temporary};

/// The models that are simulated where none is named.
pub const MODELS: [&str; 2] = ["gemini-3.8-flash", "gemini-3.5-flash-lite"];
/// The program that makes the machine.
const PROGRAM: &str = "stt-eval-local";
/// The variable that names it.
const VARIABLE: &str = "STT_EVAL_LOCAL_BIN";
/// The project of the machine.
const PROJECT: &str = "demo";
/// The vendor whose stand-in tells models apart.
const BY_MODEL: &str = "google";
/// Recordings that a stand-in is told of at once.
const TOGETHER: usize = 500;
/// Longest wait until it is ready.
const START: Duration = Duration::from_secs(60);
/// Longest wait until it has cleared away.
const END: Duration = Duration::from_secs(10);
/// Between two looks whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Finds the program: named by a variable, beside this one, or where programs are.
///
/// # Errors
/// It is not on this machine.
pub fn program() -> Result<PathBuf, Failure> {
    let lacks = |message: String| {
        Failure::new(Exit::Failed, "no_demo", message).hint(format!(
            "cargo install --path infra/local makes {PROGRAM}; or name it in {VARIABLE}"
        ))
    };
    if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        return match named.is_file() {
            true => Ok(named),
            false => Err(lacks(format!(
                "{VARIABLE}: there is no file {}",
                named.display()
            ))),
        };
    }
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    beside
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            lacks(format!(
                "--demo needs {PROGRAM}, which is neither beside this program nor on PATH"
            ))
        })
}

/// What the program says when it is ready.
#[derive(Deserialize)]
struct Ready {
    url: String,
    api_keys: BTreeMap<String, SecretText>,
    /// Addresses of stand-ins, by vendor.
    providers: BTreeMap<String, String>,
}

impl Ready {
    /// Each stand-in once, by its control plane: most vendors share one process.
    fn stand_ins(&self) -> BTreeMap<String, String> {
        let mut by_origin = BTreeMap::new();
        for (vendor, url) in &self.providers {
            if let Ok(url) = reqwest::Url::parse(url) {
                let origin = url.origin().ascii_serialization();
                by_origin.insert(origin, vendor.clone());
            }
        }
        by_origin
            .into_iter()
            .map(|(url, vendor)| (vendor, url))
            .collect()
    }
}

/// A machine that is there for one run.
#[derive(Debug)]
pub struct Demo {
    child: Child,
    target: Target,
    stand_ins: BTreeMap<String, String>,
    folder: TempDir,
}

impl Demo {
    /// Makes one and waits until it is ready.
    ///
    /// # Errors
    /// The program does not start, or not in time.
    pub fn start(program: &Path) -> Result<Self, Failure> {
        let failed = |reason: String| {
            let message = format!("{}: {reason}", program.display());
            Failure::new(Exit::Failed, "no_demo", message)
                .hint("is it of the same release as this program?")
        };
        let folder = temporary()?;
        let log = folder.path().join("log");
        let lines = File::create(&log).map_err(|error| failed(error.to_string()))?;
        let mut child = Command::new(program)
            .args(["serve", "--transient", "--listen", "127.0.0.1:0"])
            .args(["--project", PROJECT, "--gemini", "sim", "--simulate-others"])
            .args(["--poll-interval", "250ms"])
            // Nothing of it asks a vendor, and it is no place for a key of one.
            .env_remove("GEMINI_API_KEY")
            .env("RUST_LOG", "error")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(lines)
            .spawn()
            .map_err(|error| failed(format!("can't be started: {error}")))?;
        let ready = ready(&mut child);
        let started = ready.and_then(|ready| {
            let key = ready.api_keys.get(PROJECT).cloned();
            let key = key.ok_or_else(|| format!("made no project {PROJECT}"))?;
            let stand_ins = ready.stand_ins();
            let target = Target {
                profile: None,
                url_from: "--demo".to_owned(),
                url: ready.url,
                key_from: "--demo".to_owned(),
                key,
            };
            Ok((target, stand_ins))
        });
        match started {
            Ok((target, stand_ins)) => Ok(Self {
                child,
                target,
                stand_ins,
                folder,
            }),
            Err(reason) => {
                end(&mut child);
                has_room(folder.path())?;
                let told = std::fs::read_to_string(&log).unwrap_or_default();
                let told = told.lines().find(|line| !line.trim().is_empty());
                Err(failed(match told {
                    Some(line) => format!("{reason}: {line}"),
                    None => reason,
                }))
            }
        }
    }

    /// Where it is.
    pub fn target(&self) -> Target {
        self.target.clone()
    }

    /// Tells the stand-ins what each model will have heard: the reference, with mistakes
    /// that the recording and the name of the model make up.
    ///
    /// # Errors
    /// A stand-in does not listen.
    pub async fn teach(&self, plan: &Plan, models: &[String]) -> Result<(), Failure> {
        let http = http()?;
        for clips in plan.clips.chunks(TOGETHER) {
            let mut lines = String::new();
            let mut texts = BTreeMap::new();
            for clip in clips {
                let sha256 = &clip.upload.sha256;
                let reference = clip.said.ground_truth.as_deref().unwrap_or_default();
                for model in models {
                    let text = misheard(reference, sha256, model);
                    let line = json!({"sha256": sha256, "model": model, "text": text});
                    lines += &format!("{line}\n");
                    texts.insert(sha256, text);
                }
            }
            for (vendor, url) in &self.stand_ins {
                let body = match vendor.as_str() {
                    // It tells models apart; the others share one memory.
                    BY_MODEL => lines.clone(),
                    _ => json!(texts).to_string(),
                };
                let told = http
                    .post(format!("{url}/_sim/recordings"))
                    .header("content-type", "application/json")
                    .body(body)
                    .send()
                    .await;
                if !told.is_ok_and(|answer| answer.status().is_success()) {
                    let message = format!("the stand-in for {vendor} can't be told what is said");
                    return Err(Failure::new(Exit::Failed, "no_demo", message));
                }
            }
        }
        Ok(())
    }

    /// A folder that goes with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Bytes that a machine needs at least.
const LEAST: usize = 1024 * 1024;

/// Whether there is room for a machine in a folder: without it the program can't even say
/// what it lacks.
fn has_room(folder: &Path) -> Result<(), Failure> {
    let file = folder.join("room");
    let written = std::fs::write(&file, vec![0; LEAST]);
    written.map_err(|error| {
        let message = format!("--demo has no room in {}: {error}", folder.display());
        Failure::new(Exit::Failed, "machine", message).hint(ROOM)
    })
}

/// The line by which it says that it is ready.
fn ready(child: &mut Child) -> Result<Ready, String> {
    let stdout = child.stdout.take().ok_or("has no output")?;
    let (tell, told) = mpsc::channel();
    // A read can't be given up, a thread can: it ends with the program.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        // Nothing waits for it any more if the time was up.
        let _ = tell.send(read.map(|_| line));
    });
    let line = told
        .recv_timeout(START)
        .map_err(|_| format!("was not ready within {} s", START.as_secs()))?
        .map_err(|error| format!("can't be read: {error}"))?;
    serde_json::from_str(&line).map_err(|_| "did not say that it is ready".to_owned())
}

/// Has it clear away and end; what does not end in time is ended.
fn end(child: &mut Child) {
    drop(child.stdin.take());
    let until = Instant::now() + END;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > until {
            // An error says that it has ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        std::thread::sleep(LOOK);
    }
}

/// A reference as a model might have heard it: of 256 words a few are dropped, doubled or
/// heard as the one before, more or fewer by the name of the model. The same for the same.
fn misheard(reference: &str, sha256: &str, model: &str) -> String {
    let byte = |text: String| {
        let first = digest(text.as_bytes());
        u8::from_str_radix(first.get(..2).unwrap_or_default(), 16).unwrap_or_default()
    };
    let mistakes = 8 + byte(model.to_owned()) % 40;
    let plain = reference.replace('\\', "");
    let mut heard: Vec<&str> = Vec::new();
    for (at, word) in plain.split_whitespace().enumerate() {
        let chance = byte(format!("{model} {sha256} {at}"));
        match chance {
            _ if chance >= mistakes => heard.push(word),
            _ if chance % 3 == 0 => {}
            _ if chance % 3 == 1 => heard.extend([word, word]),
            _ => heard.push(heard.last().copied().unwrap_or(model)),
        }
    }
    heard.join(" ")
}

/// Ctrl-C ends the machine, and with it all that is in it.
pub fn stopped(pressed: std::io::Result<()>) -> Failure {
    match pressed {
        Ok(()) => Failure::new(
            Exit::Interrupted,
            "interrupted",
            "stopped; nothing of the demonstration is kept",
        ),
        Err(error) => Failure::new(Exit::Failed, "machine", error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_few_and_always_the_same() {
        let reference = "one two three four five six seven eight nine ten ".repeat(20);
        let heard = misheard(&reference, "ab", "model-a");
        assert_eq!(heard, misheard(&reference, "ab", "model-a"));
        assert_ne!(heard, misheard(&reference, "ab", "model-b"));
        assert_ne!(heard, reference.trim());
        let words = heard.split(' ').count();
        assert!((160..=240).contains(&words), "{words}");
    }
}
