//! Models of transcripts that join a run, new or at its end.

use super::Timestamp;
use super::imported::{Imported, VENDOR, model_id};
use super::run::{NotAllowed, Run, RunModel, RunStatus};
use crate::transcribe::ModelConfig;

impl RunModel {
    /// The model that transcripts of this name become, with nothing counted yet.
    #[must_use]
    pub fn of_transcripts(name: &str, imported: Imported) -> Self {
        let config = ModelConfig {
            model: name.to_owned(),
            prompt: None,
            temperature: None,
            prompt_version: None,
            endpoint: None,
        };
        Self {
            imported: Some(imported),
            ..Self::new(model_id(name), VENDOR.to_owned(), config)
        }
    }
}

impl Run {
    /// Whether transcripts can be added to it now.
    ///
    /// # Errors
    /// It has not come to its end, or is being scored again.
    pub fn can_be_joined(&self) -> Result<(), NotAllowed> {
        let refused = match self.status {
            RunStatus::Pending | RunStatus::Processing => Some(format!(
                "the run is {}; transcripts can be added once it has ended",
                self.status.as_str()
            )),
            RunStatus::Cancelled => Some(
                "the run was cancelled; transcripts can be added to one that came to its end"
                    .to_owned(),
            ),
            RunStatus::Completed | RunStatus::Failed => self
                .pending_scoring()
                .map(|_| "the run is being scored again; try again in a moment".to_owned()),
        };
        refused.map_or(Ok(()), |refused| Err(NotAllowed(refused)))
    }

    /// The run with further models of transcripts. It is under way until these are
    /// scored; its round goes on with them, so that whatever it has stays as it is.
    ///
    /// # Errors
    /// It is under way, was cancelled, or is being scored again.
    pub fn joined(
        &self,
        models: Vec<RunModel>,
        now: Timestamp,
        outbox_due: Timestamp,
    ) -> Result<Self, NotAllowed> {
        self.can_be_joined()?;
        let first = u8::try_from(self.models.len()).unwrap_or(u8::MAX);
        let mut run = Self {
            status: RunStatus::Pending,
            generation: self.generation + 1,
            joining: Some(first),
            units_total: None,
            units_done: 0,
            error_message: None,
            finished_at: None,
            closing: false,
            due_at: Some(outbox_due),
            updated_at: now,
            rev: self.rev + 1,
            ..self.clone()
        };
        run.models.extend(models);
        Ok(run)
    }

    /// Whether this round's units of a model are still to be planned: of all models,
    /// or of those alone that are being added.
    #[must_use]
    pub fn plans(&self, model: u8) -> bool {
        self.joining.is_none_or(|first| model >= first)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::run::Tally;
    use super::super::run::tests::accepted;
    use super::super::unit::UnitKey;
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
    }

    fn brings(run: &Run, model: u8, completed: u32, failed: u32) -> Run {
        let key = UnitKey {
            model,
            round: run.round,
            chunk: 0,
        };
        let tally = Tally {
            completed,
            failed,
            ..Tally::default()
        };
        run.with_unit(key, &tally, at(5))
    }

    /// A run of one model that has ended with a failed item.
    fn ended() -> Run {
        let run = accepted(3, 1).planned(1, at(1), at(600)).unwrap();
        let run = brings(&run, 0, 2, 1).closed();
        assert_eq!(run.status, RunStatus::Completed);
        run
    }

    fn imported(name: &str) -> RunModel {
        let digest = "d".to_owned();
        RunModel::of_transcripts(
            name,
            Imported {
                digest,
                transcripts: 3,
            },
        )
    }

    #[test]
    fn models_join_a_run_and_nothing_else_of_it_changes() {
        let ended = ended();
        let joined = ended.joined(vec![imported("a"), imported("b")], at(9), at(20));
        let joined = joined.unwrap();
        assert!(joined.status.is_active() && joined.generation > ended.generation);
        assert_eq!(
            (joined.round, joined.automatic),
            (ended.round, ended.automatic)
        );
        let plans: Vec<u8> = (0..3).filter(|model| joined.plans(*model)).collect();
        assert_eq!(plans, [1, 2]);
        // What had failed stays failed, and is asked for by no one.
        assert!(!joined.replaces(ended.round, false));
        assert_eq!((joined.failed(), joined.pending()), (1, 6));
        assert!(joined.cancelled(at(10)).is_err());
        assert!(joined.joined(vec![imported("c")], at(10), at(20)).is_err());
        let planned = joined.planned(2, at(10), at(600)).unwrap();
        let run = brings(&brings(&planned, 1, 3, 0), 2, 0, 3);
        assert_eq!(run.status, RunStatus::Completed);
        assert_eq!(run.models.first(), ended.models.first());
        assert_eq!((run.completed(), run.failed(), run.pending()), (5, 4, 0));
        assert!(run.closing && run.joining.is_none());
        assert!((0..3).all(|model| run.plans(model)));
        // A retry is of all that failed, as ever.
        let retried = run.retried(at(30), at(40)).unwrap();
        assert!((0..3).all(|model| retried.plans(model)));
    }

    #[test]
    fn transcripts_bring_a_run_that_failed_to_its_end() {
        let run = accepted(3, 1).planned(1, at(1), at(600)).unwrap();
        let failed = brings(&run, 0, 0, 3);
        assert_eq!(failed.status, RunStatus::Failed);
        let joined = failed.joined(vec![imported("a")], at(9), at(20)).unwrap();
        let joined = joined.planned(1, at(10), at(600)).unwrap();
        let run = brings(&joined, 1, 3, 0);
        assert_eq!(run.status, RunStatus::Completed);
        assert_eq!(run.error_message, None);
    }

    #[test]
    fn only_a_run_that_came_to_its_end_is_joined() {
        let run = accepted(3, 1);
        let cancelled = run.cancelled(at(1)).unwrap();
        let (rescoring, _) = ended().rescored("raw-v1".into(), at(1)).unwrap();
        for run in [run, cancelled, rescoring] {
            let joined = run.joined(vec![imported("a")], at(9), at(20));
            assert!(joined.is_err(), "{}", run.status.as_str());
        }
    }
}
