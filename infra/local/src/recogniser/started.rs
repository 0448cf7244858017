//! All that a program has started, to be ended with it.
//!
//! Most of that is in the program's process group. What moved to a group or a session of its
//! own bears a mark: a variable of its environment, which children inherit. Linux shows the
//! environments of processes; elsewhere the group is all that is found. What has
//! emptied its environment and lost its parent as well hides on purpose, and lives on.

use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};
use stt_eval_shared::domain::Timestamp;
use tokio::process::Child;

/// The variable that is the mark.
pub(super) const VARIABLE: &str = "STT_EVAL_CALL";

/// A value of it that no other call has, of this process or of an earlier one.
pub(super) fn mark() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let now = Timestamp::now().millis();
    format!("{}-{now}-{call}", std::process::id())
}

/// A process and all that it started. Ended when it is dropped as well: a call may be
/// given up at any moment.
pub(super) struct Started {
    leader: Option<Pid>,
    mark: String,
}

impl Started {
    /// A child that was just started with the mark.
    pub(super) fn of(child: &Child, mark: String) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self {
            leader: id.and_then(Pid::from_raw),
            mark,
        }
    }

    pub(super) fn end(&self) {
        // First: of children that bear no mark only their parents are known, while these live.
        marked::end(&self.mark);
        if let Some(leader) = self.leader {
            // None is left, mostly.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(not(target_os = "linux"))]
mod marked {
    pub(super) fn end(_mark: &str) {}
}

#[cfg(target_os = "linux")]
mod marked {
    use std::collections::BTreeSet;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    /// How often is looked for what was started while others were ended.
    const ROUNDS: usize = 50;
    /// Pause between two looks: what was told to end takes a moment.
    const MOMENT: Duration = Duration::from_millis(2);

    /// Ends the processes that bear a mark, and those below them.
    pub(super) fn end(mark: &str) {
        for _ in 0..ROUNDS {
            let found = found(mark);
            if found.is_empty() {
                return;
            }
            for process in found {
                // One that has ended meanwhile is none.
                let _ = pidfd_send_signal(process, Signal::KILL);
            }
            std::thread::sleep(MOMENT);
        }
        tracing::warn!("a recogniser starts processes faster than they are ended");
    }

    /// A process, by a handle: its number may be another's by the time it is used.
    struct Running {
        pid: u32,
        parent: u32,
        is_marked: bool,
        handle: OwnedFd,
    }

    fn found(mark: &str) -> Vec<OwnedFd> {
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        let numbers = processes.flatten().filter_map(|entry| {
            let name = entry.file_name();
            name.to_str()?.parse::<u32>().ok()
        });
        let variable = format!("{}={mark}", super::VARIABLE);
        let mut running: Vec<Running> = numbers
            .filter_map(|pid| look_at(pid, variable.as_bytes()))
            .collect();
        let is_marked = |one: &&Running| one.is_marked;
        let mut known: BTreeSet<u32> = running
            .iter()
            .filter(is_marked)
            .map(|one| one.pid)
            .collect();
        if known.is_empty() {
            return Vec::new();
        }
        // Also children that have emptied their environment.
        loop {
            let below = |one: &&Running| known.contains(&one.parent) && !known.contains(&one.pid);
            let below: Vec<u32> = running.iter().filter(below).map(|one| one.pid).collect();
            if below.is_empty() {
                break;
            }
            known.extend(below);
        }
        running.retain(|one| known.contains(&one.pid));
        running.into_iter().map(|one| one.handle).collect()
    }

    /// What can be seen of a process; nothing of one that has ended, or is another user's.
    fn look_at(pid: u32, variable: &[u8]) -> Option<Running> {
        let of_system = Pid::from_raw(i32::try_from(pid).ok()?)?;
        let handle = pidfd_open(of_system, PidfdFlags::empty()).ok()?;
        let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in brackets, may have blanks and brackets; state and parent follow it.
        let (_, rest) = status.rsplit_once(')')?;
        Some(Running {
            pid,
            parent: rest.split_whitespace().nth(1)?.parse().ok()?,
            is_marked: environment
                .split(|byte| *byte == 0)
                .any(|one| one == variable),
            handle,
        })
    }
}
