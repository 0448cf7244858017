//! Poll tasks: the work of asking a provider, with one credential, for its
//! batches.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ProjectId, Timestamp};

/// The work of asking one provider, with one credential, for its batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollTask {
    /// The project that owns the credential.
    pub project: ProjectId,
    /// Vendor, by the name that credentials are kept for.
    pub provider: String,
    /// Id of the credential.
    pub credential: String,
    /// Polls since something last changed: the pause grows with it.
    #[serde(default)]
    pub quiet: u32,
    /// When unrecorded batches were last looked for.
    #[serde(default)]
    pub audited_at: Option<Timestamp>,
    /// The last batch that the latest audit looked at, if there are more behind it.
    #[serde(default)]
    pub audit_after: Option<String>,
    /// When every open batch was last asked for.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    /// Whether its key was refused when it was last asked with: then units say so, and are to
    /// say so no more once it is accepted.
    #[serde(default)]
    pub refused: bool,
    /// Whether an invocation holds the task; after a crash, until it is due again.
    #[serde(default)]
    pub busy: bool,
    /// Until then the credential is watched for unrecorded batches,
    /// whether or not it has open ones: a creation of unknown outcome may take
    /// effect late.
    #[serde(default)]
    pub watch_until: Option<Timestamp>,
    /// When to poll next.
    pub due_at: Option<Timestamp>,
    /// Revision, for conditional writes.
    #[serde(default)]
    pub rev: u64,
}

impl PollTask {
    /// A task that is not written yet.
    #[must_use]
    pub fn new(project: &ProjectId, provider: &str, credential: &str) -> Self {
        Self {
            project: project.clone(),
            provider: provider.to_owned(),
            credential: credential.to_owned(),
            quiet: 0,
            audited_at: None,
            audit_after: None,
            asked_at: None,
            refused: false,
            busy: false,
            watch_until: None,
            due_at: None,
            rev: 0,
        }
    }

    /// Due at a time because a unit was submitted. Never later than it is: steady
    /// submissions would put the poll off for good. Nor otherwise while it is held: the
    /// end of that poll sees to it.
    #[must_use]
    pub fn woken(self, poll_at: Timestamp) -> Self {
        let due_at = match self.due_at {
            Some(due_at) if self.busy || due_at <= poll_at => due_at,
            _ => poll_at,
        };
        Self {
            quiet: 0,
            due_at: Some(due_at),
            rev: self.rev + 1,
            ..self
        }
    }

    /// Watched for at least half of `watch` from now; `None` when it is already.
    #[must_use]
    pub fn watched(self, now: Timestamp, watch: Duration) -> Option<Self> {
        let until = self.watch_until;
        if until.is_some_and(|until| until >= now + watch / 2) {
            return None;
        }
        Some(Self {
            watch_until: Some(now + watch),
            due_at: self.due_at.or(Some(now)),
            rev: self.rev + 1,
            ..self
        })
    }

    /// Held until a time: until then no other invocation finds it due.
    #[must_use]
    pub fn claimed(self, until: Timestamp) -> Self {
        Self {
            due_at: Some(until),
            busy: true,
            rev: self.rev + 1,
            ..self
        }
    }

    /// Given back, to be polled again at a time.
    #[must_use]
    pub fn released(self, poll_at: Timestamp) -> Self {
        Self {
            due_at: Some(poll_at),
            busy: false,
            rev: self.rev + 1,
            ..self
        }
    }

    /// What is to be given back when the stored task is not as it was claimed. A
    /// submission meanwhile has woken it, and wants it to be asked again soon. `None`
    /// when the claim ran out, and another invocation has it.
    #[must_use]
    pub fn still_claimed(self, stored: &Self, until: Option<Timestamp>) -> Option<Self> {
        (stored.busy && stored.due_at == until).then(|| Self {
            quiet: 0,
            watch_until: self.watch_until.max(stored.watch_until),
            rev: stored.rev,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
    }

    fn task(due_at: Option<Timestamp>) -> PollTask {
        PollTask {
            quiet: 3,
            due_at,
            ..PollTask::new(&"demo".parse().unwrap(), "google", "c")
        }
    }

    #[test]
    fn a_submission_wakes_a_task_and_never_puts_it_off() {
        for (due, woken) in [(None, 10), (Some(5), 5), (Some(20), 10)] {
            let task = task(due.map(at)).woken(at(10));
            assert_eq!((task.due_at, task.quiet, task.rev), (Some(at(woken)), 0, 1));
        }
        let held = task(None).claimed(at(300)).woken(at(10));
        assert_eq!((held.due_at, held.busy), (Some(at(300)), true));
    }

    #[test]
    fn a_task_is_watched_for_half_of_the_time_at_least() {
        let hour = Duration::from_secs(3_600);
        let watched = task(None).watched(at(0), hour).unwrap();
        assert_eq!(watched.watch_until, Some(at(3_600)));
        assert_eq!(watched.due_at, Some(at(0)));
        assert_eq!(watched.clone().watched(at(1_800), hour), None);
        let again = watched.watched(at(1_801), hour).unwrap();
        assert_eq!(again.watch_until, Some(at(5_401)));
        assert_eq!(again.due_at, Some(at(0)), "not later");
    }

    #[test]
    fn a_claim_is_given_back_unless_it_ran_out() {
        let claimed = task(Some(at(0))).claimed(at(300));
        let stored = claimed.clone().woken(at(10));
        let mine = claimed.clone().still_claimed(&stored, claimed.due_at);
        let mine = mine.unwrap().released(at(60));
        assert_eq!((mine.quiet, mine.rev), (0, stored.rev + 1));
        assert_eq!((mine.due_at, mine.busy), (Some(at(60)), false));
        let others = claimed.clone().claimed(at(700));
        assert_eq!(claimed.clone().still_claimed(&others, claimed.due_at), None);
    }
}
