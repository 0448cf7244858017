//! Running a program: a file in, a text out, within bounds.

use std::ffi::OsString;
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::started::{Started, VARIABLE, mark};

/// What is kept of standard error, for the log.
const COMPLAINT: usize = 2 * 1024;
/// How long the output of a program that has ended is waited for: something that it
/// started may hold it open.
const REST: Duration = Duration::from_secs(1);

/// Most bytes of output: an hour of fast speech is a tenth of it.
const MAX_OUTPUT: usize = 1024 * 1024;

/// Why there is no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failed {
    #[error("it could not be started: {0}")]
    Start(String),
    #[error("it took longer than {0:?}")]
    Slow(Duration),
    #[error("it printed more than {MAX_OUTPUT} bytes")]
    Long,
    #[error("it ended with {status}, and said: {said}")]
    Status { status: String, said: String },
    #[error("its output is no UTF-8")]
    Encoding,
    #[error("its output could not be read: {0}")]
    Output(String),
}

/// Runs a program to its end and gives what it printed. Without a shell, without our
/// environment but for the path and a locale, without an input, in the directory that this
/// process was started in: paths in its arguments are those of a command line. All that it
/// started ends with it.
pub(super) async fn run(
    program: &Path,
    arguments: Vec<OsString>,
    limit: Duration,
) -> Result<String, Failed> {
    let mark = mark();
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C.UTF-8")
        .env(VARIABLE, &mark)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failed::Start(error.to_string()))?;
    let started = Started::of(&child, mark);
    let ended = tokio::time::timeout(limit, printed(&mut child, &started)).await;
    // Also what it left running.
    drop(started);
    let printed = ended.map_err(|_| Failed::Slow(limit))??;
    String::from_utf8(printed).map_err(|_| Failed::Encoding)
}

async fn printed(child: &mut Child, started: &Started) -> Result<Vec<u8>, Failed> {
    let (mut printed, mut said) = (Vec::new(), Vec::new());
    let output = whole(child.stdout.take(), &mut printed);
    let complaint = last_of(child.stderr.take(), &mut said);
    let status = {
        let mut streams = pin!(async { tokio::try_join!(output, complaint) });
        let mut open = true;
        let status = loop {
            tokio::select! {
                read = &mut streams, if open => {
                    read?;
                    open = false;
                }
                status = child.wait() => break status,
            }
        };
        if open {
            // What it left running holds them open, mostly.
            started.end();
            if let Ok(read) = tokio::time::timeout(REST, streams).await {
                read?;
            }
        }
        status.map_err(|error| Failed::Output(error.to_string()))?
    };
    if status.success() {
        return Ok(printed);
    }
    let said = String::from_utf8_lossy(&said);
    Err(Failed::Status {
        status: status.to_string(),
        said: said.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

async fn whole(output: Option<ChildStdout>, into: &mut Vec<u8>) -> Result<(), Failed> {
    let Some(mut output) = output else {
        return Ok(());
    };
    loop {
        let read = output.read_buf(into).await;
        if read.map_err(|error| Failed::Output(error.to_string()))? == 0 {
            return Ok(());
        }
        if into.len() > MAX_OUTPUT {
            return Err(Failed::Long);
        }
    }
}

/// The end of what was said, which tells most. That it can't be read is no failure.
async fn last_of(complaint: Option<ChildStderr>, into: &mut Vec<u8>) -> Result<(), Failed> {
    let Some(mut complaint) = complaint else {
        return Ok(());
    };
    while complaint.read_buf(into).await.is_ok_and(|read| read > 0) {
        if into.len() > 2 * COMPLAINT {
            into.drain(..into.len() - COMPLAINT);
        }
    }
    Ok(())
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
        let Err(Failed::Status { said, .. }) = sh("echo no model >&2; exit 1").await else {
            panic!("it ended well");
        };
        assert_eq!(said, "no model");
        let killed = sh("kill -9 $$").await;
        assert!(matches!(killed, Err(Failed::Status { .. })), "{killed:?}");
        assert_eq!(sh("printf '\\377\\376'").await, Err(Failed::Encoding));
        assert_eq!(sh("yes").await, Err(Failed::Long));
        let missing = run(Path::new("/no/such"), Vec::new(), Duration::from_secs(1)).await;
        assert!(matches!(missing, Err(Failed::Start(_))));
    }

    #[tokio::test]
    async fn what_it_leaves_running_is_not_waited_for() {
        assert_eq!(sh("sleep 60 & echo text").await.unwrap(), "text\n");
        // Also where that left the group, and holds the output open.
        let left = sh("setsid sleep 60 & echo text").await;
        assert_eq!(left.unwrap(), "text\n");
        // Much on standard error holds nothing up.
        let loud = sh("yes complaint | head -c 300000 >&2; echo text").await;
        assert_eq!(loud.unwrap(), "text\n");
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn what_hangs_ends_with_all_that_it_started() {
        let begun = Instant::now();
        // In the background; in a session of its own; there, and as the child of none; there,
        // and with nothing of its parent's environment.
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display();
        let late = format!("sleep 4; echo alive >> {path}");
        let script = format!(
            "({late}) & setsid sh -c '{late}' & (setsid sh -c '{late}' &) ; \
             env -i setsid sh -c '{late}' & sleep 100"
        );
        assert!(matches!(sh(&script).await, Err(Failed::Slow(_))));
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it did not wait to the end"
        );
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "");
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn what_ended_well_leaves_nothing_behind() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display();
        // It has moved to its session before the program ends.
        let script = format!(
            "setsid sh -c 'echo moved >> {path}; sleep 3; echo alive >> {path}' >/dev/null 2>&1 &
             until [ -s {path} ]; do :; done; echo text"
        );
        assert_eq!(sh(&script).await.unwrap(), "text\n");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "moved\n");
    }

    /// Calls beside it, of the same program, go on.
    #[tokio::test]
    async fn each_call_ends_its_own() {
        let other = sh("setsid sh -c 'sleep 1; echo text'");
        let (other, ended) = tokio::join!(other, sh("true"));
        assert_eq!(
            (other.unwrap(), ended.unwrap()),
            ("text\n".into(), String::new())
        );
    }
}
