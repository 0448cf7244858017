//! Running a program: a file in, a text out, within bounds.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

/// Most bytes of output: an hour of fast speech is a tenth of it.
const MAX_OUTPUT: u64 = 1024 * 1024;

/// Why there is no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failed {
    #[error("it could not be started: {0}")]
    Start(String),
    #[error("it took longer than {0:?}")]
    Slow(Duration),
    #[error("it printed more than {MAX_OUTPUT} bytes")]
    Long,
    #[error("it ended with {0}")]
    Status(String),
    #[error("its output is no UTF-8")]
    Encoding,
    #[error("its output could not be read: {0}")]
    Output(String),
}

/// Runs a program to its end and gives what it printed. Without a shell, without our
/// environment but for the path and a locale, without an input; all that it started
/// ends with it.
pub(super) async fn run(
    program: &Path,
    arguments: Vec<OsString>,
    limit: Duration,
) -> Result<String, Failed> {
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C.UTF-8")
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failed::Start(error.to_string()))?;
    let group = Group::of(&child);
    let ended = tokio::time::timeout(limit, printed(&mut child)).await;
    // Also what it left running.
    group.kill();
    let printed = ended.map_err(|_| Failed::Slow(limit))??;
    String::from_utf8(printed).map_err(|_| Failed::Encoding)
}

async fn printed(child: &mut Child) -> Result<Vec<u8>, Failed> {
    let mut printed = Vec::new();
    if let Some(output) = child.stdout.take() {
        let read = output.take(MAX_OUTPUT + 1).read_to_end(&mut printed).await;
        read.map_err(|error| Failed::Output(error.to_string()))?;
    }
    if u64::try_from(printed.len()).unwrap_or(u64::MAX) > MAX_OUTPUT {
        return Err(Failed::Long);
    }
    let status = child
        .wait()
        .await
        .map_err(|error| Failed::Output(error.to_string()))?;
    if status.success() {
        Ok(printed)
    } else {
        Err(Failed::Status(status.to_string()))
    }
}

/// A process and all that it started. Killed when it is dropped as well: a call may be
/// given up at any moment.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    fn kill(&self) {
        if let Some(leader) = self.0 {
            // None is left, mostly.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    async fn sh(script: &str) -> Result<String, Failed> {
        let limit = Duration::from_secs(2);
        run(
            Path::new("/bin/sh"),
            vec!["-c".into(), script.into()],
            limit,
        )
        .await
    }

    #[tokio::test]
    async fn what_it_prints_is_given() {
        assert_eq!(sh("printf 'नमस्ते\\n'").await.unwrap(), "नमस्ते\n");
        assert_eq!(sh("true").await.unwrap(), "");
        // Nothing of our environment is seen, and there is no input.
        assert_eq!(sh("echo $HOME; cat; echo noise >&2").await.unwrap(), "\n");
    }

    #[tokio::test]
    async fn what_it_does_wrong_is_told() {
        assert!(matches!(sh("exit 1").await, Err(Failed::Status(_))));
        assert!(matches!(sh("kill -9 $$").await, Err(Failed::Status(_))));
        assert_eq!(sh("printf '\\377\\376'").await, Err(Failed::Encoding));
        assert_eq!(sh("yes").await, Err(Failed::Long));
        let missing = run(Path::new("/no/such"), Vec::new(), Duration::from_secs(1)).await;
        assert!(matches!(missing, Err(Failed::Start(_))));
    }

    #[tokio::test]
    async fn what_hangs_ends_with_all_that_it_started() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display();
        // A child in the background, that would write long after.
        let script = format!("(sleep 4; echo alive >> {path}) & sleep 100");
        let begun = Instant::now();
        assert!(matches!(sh(&script).await, Err(Failed::Slow(_))));
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it did not wait to the end"
        );
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "");
    }
}
