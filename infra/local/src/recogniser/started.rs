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

    /// A process as it was seen.
    struct Seen {
        pid: u32,
        parent: u32,
        /// When it was started: another one that gets its number was started later.
        began: u64,
        is_marked: bool,
    }

    /// Handles of those that bear a mark, and of those below them.
    fn found(mark: &str) -> Vec<OwnedFd> {
        let Ok(processes) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        let numbers = processes.flatten().filter_map(|entry| {
            let name = entry.file_name();
            name.to_str()?.parse::<u32>().ok()
        });
        let variable = format!("{}={mark}", super::VARIABLE);
        let variable = variable.as_bytes();
        let all: Vec<Seen> = numbers.filter_map(|pid| look_at(pid, variable)).collect();
        let marked = all.iter().filter(|one| one.is_marked);
        let mut known: BTreeSet<u32> = marked.map(|one| one.pid).collect();
        // Also children that have emptied their environment.
        loop {
            let below = |one: &&Seen| known.contains(&one.parent) && !known.contains(&one.pid);
            let below: Vec<u32> = all.iter().filter(below).map(|one| one.pid).collect();
            if below.is_empty() {
                break;
            }
            known.extend(below);
        }
        let known = all.iter().filter(|one| known.contains(&one.pid));
        known.filter_map(|one| handle(one, variable)).collect()
    }

    /// A handle of a process: its number may be another's by the time it is used, so it is
    /// looked at once more behind the handle.
    fn handle(seen: &Seen, variable: &[u8]) -> Option<OwnedFd> {
        let pid = Pid::from_raw(i32::try_from(seen.pid).ok()?)?;
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let again = look_at(seen.pid, variable)?;
        (again.began == seen.began).then_some(handle)
    }

    /// What can be seen of a process; nothing of one that has ended, or is another user's.
    fn look_at(pid: u32, variable: &[u8]) -> Option<Seen> {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in brackets, may have blanks and brackets; state and parent follow it, and
        // the start 18 places behind the parent (proc_pid_stat(5)).
        let (_, rest) = status.rsplit_once(')')?;
        let mut fields = rest.split_whitespace().skip(1);
        Some(Seen {
            pid,
            parent: fields.next()?.parse().ok()?,
            began: fields.nth(17)?.parse().ok()?,
            is_marked: environment
                .split(|byte| *byte == 0)
                .any(|one| one == variable),
        })
    }
}
