//! The tables and the bucket: conditional writes by revision, and indexes that
//! may be behind. Same operations as `shared::store`.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use stt_eval_domain::Timestamp;
use stt_eval_domain::call::Call;
use stt_eval_domain::run::Run;
use stt_eval_domain::unit::{Unit, UnitKey, UnitState};

use crate::provider::Line;
use crate::world::{Cx, Failed, Fault, World};

/// Place of an item: provider, position.
pub type Item = (u8, u16);

/// An outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whose speech was transcribed; `None` for a failed item.
    pub text: Option<Item>,
    /// What it cost.
    pub cost: u64,
    /// Of a failure: it may pass.
    pub passing: bool,
    /// Of a failure: the item may have been transcribed and paid for.
    pub unknown: bool,
}

/// The work of asking the provider for open batches.
#[derive(Debug, Clone, Copy)]
pub struct PollTask {
    pub quiet: u32,
    pub audited_at: Option<Timestamp>,
    /// A worker holds it.
    pub busy: bool,
    pub due_at: Timestamp,
    pub rev: u64,
}

/// What is stored.
#[derive(Default)]
pub struct Tables {
    pub run: Option<Rc<Run>>,
    /// When the outbox item of the run is due.
    pub outbox: Option<Timestamp>,
    pub units: BTreeMap<UnitKey, Rc<Unit>>,
    pub outcomes: BTreeMap<(Item, u16), Outcome>,
    pub poll_task: Option<PollTask>,
    /// Raw outputs in the bucket, by unit and attempt.
    pub landed: BTreeMap<(UnitKey, u32), Rc<Vec<Line>>>,
    /// What is known of each item's call.
    pub calls: BTreeMap<(UnitKey, u16), Call>,
    /// Answers of calls in the bucket.
    pub parts: BTreeMap<(UnitKey, u16), Line>,
    /// Batches that a unit ever recorded, by unit and attempt.
    pub recorded: BTreeMap<(UnitKey, u32), Vec<String>>,
}

/// Why a write did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreError {
    /// The condition does not hold.
    Conflict,
    /// No answer: it may have happened.
    Unavailable,
}

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    Yes,
    /// The unit is not as it was.
    Changed,
    /// The run does not want it any more.
    Unwanted,
}

impl From<StoreError> for Failed {
    fn from(_: StoreError) -> Self {
        Self
    }
}

impl World {
    /// A write under a condition, with faults. The SDK tries again by itself
    /// when it gets no answer; what is left of that is [`Fault::After`].
    fn write(&mut self, commit: impl FnOnce(&mut Self) -> bool) -> Result<(), StoreError> {
        let fault = self.storage_fault();
        if fault == Fault::Before {
            return Err(StoreError::Unavailable);
        }
        match commit(self) {
            _ if fault == Fault::After => Err(StoreError::Unavailable),
            true => Ok(()),
            false => Err(StoreError::Conflict),
        }
    }

    fn fits(&self, unit: &Unit) -> bool {
        match self.tables.units.get(&unit.key) {
            None => unit.rev <= 1,
            Some(stored) => stored.rev + 1 == unit.rev,
        }
    }

    fn put(&mut self, unit: &Unit) {
        if let UnitState::Submitted { batch, .. } = &unit.state {
            let recorded = self
                .tables
                .recorded
                .entry((unit.key, unit.attempt))
                .or_default();
            if !recorded.contains(batch) {
                recorded.push(batch.clone());
            }
        }
        self.tell(|| {
            format!(
                "{} #{} a{} {:?}",
                unit.key, unit.rev, unit.attempt, unit.state
            )
        });
        self.reached.note(unit);
        let run = self.tables.run.as_ref();
        if matches!(
            unit.state,
            UnitState::Creating { .. } | UnitState::Calling { .. }
        ) && !run.is_some_and(|run| run.wants(unit.key, unit.generation))
        {
            self.violations.push(format!(
                "{} was claimed for a run that people had stopped",
                unit.key
            ));
        }
        if unit.due_at.is_some() == unit.is_done() {
            self.violations
                .push(format!("{} is due wrongly: {:?}", unit.key, unit.state));
        }
        self.tables.units.insert(unit.key, Rc::new(unit.clone()));
    }

    fn fits_run(&self, run: &Run) -> bool {
        self.tables
            .run
            .as_ref()
            .is_some_and(|stored| stored.rev + 1 == run.rev && stored.deleting == run.deleting)
    }

    pub fn put_run(&mut self, run: &Run) {
        let over = run
            .models
            .iter()
            .any(|p| p.completed + p.failed > run.sample_count);
        let units = run.units_total.is_some_and(|total| run.units_done > total);
        if over || units {
            self.violations.push(format!(
                "the run counts more than there is: {} + {} of {}, units {} of {:?}",
                run.completed(),
                run.failed(),
                run.total_items(),
                run.units_done,
                run.units_total
            ));
        }
        self.tell(|| {
            let (done, total) = (run.units_done, run.units_total);
            format!(
                "run #{} g{} r{} {:?} {done} of {total:?} units, {} + {} items{}{}",
                run.rev,
                run.generation,
                run.round,
                run.status,
                run.completed(),
                run.failed(),
                if run.closing { ", closing" } else { "" },
                if run.deleting { ", deleting" } else { "" },
            )
        });
        let before = self.tables.run.as_ref();
        let begins = before.is_some_and(|before| before.round != run.round);
        self.reached.asked_again += u64::from(run.automatic && begins);
        self.tables.run = Some(Rc::new(run.clone()));
    }
}

impl Cx {
    async fn read<T>(&self, read: impl FnOnce(&mut World) -> T) -> Result<T, Failed> {
        let mut w = self.step().await;
        match w.storage_fault() {
            Fault::None => Ok(read(&mut w)),
            _ => Err(Failed),
        }
    }

    async fn write(&self, commit: impl FnOnce(&mut World) -> bool) -> Result<(), StoreError> {
        self.step().await.write(commit)
    }

    pub async fn unit(&self, key: UnitKey) -> Result<Option<Rc<Unit>>, Failed> {
        self.read(|w| w.tables.units.get(&key).cloned()).await
    }

    pub async fn units(&self) -> Result<Vec<Rc<Unit>>, Failed> {
        self.read(|w| w.tables.units.values().cloned().collect())
            .await
    }

    /// The run, while it is visible.
    pub async fn run(&self) -> Result<Option<Rc<Run>>, Failed> {
        self.read(|w| w.tables.run.clone().filter(|run| !run.deleting))
            .await
    }

    /// The run, while it is being deleted.
    pub async fn deleting_run(&self) -> Result<Option<Rc<Run>>, Failed> {
        self.read(|w| w.tables.run.clone().filter(|run| run.deleting))
            .await
    }

    pub async fn save_unit(&self, unit: &Unit) -> Result<(), StoreError> {
        self.write(|w| {
            w.fits(unit) && {
                w.put(unit);
                true
            }
        })
        .await
    }

    /// Writes new units; ones that exist stay as they are.
    pub async fn create_units(&self, units: &[Unit]) -> Result<(), Failed> {
        for unit in units {
            match self.save_unit(unit).await {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes an intent, unless people stopped the run.
    pub async fn save_claimed(&self, unit: &Unit) -> Result<Claimed, StoreError> {
        let mut unwanted = false;
        let written = self.write(|w| {
            let run = w.tables.run.as_ref();
            let wanted = run.is_some_and(|run| run.wants(unit.key, unit.generation));
            unwanted = !wanted && !w.protocol.claims_blindly;
            let fits = w.fits(unit) && !unwanted;
            // The unit is the first condition: it is told before the run.
            unwanted &= w.fits(unit);
            w.reached.claims_denied += u64::from(unwanted);
            if fits {
                w.put(unit);
            }
            fits
        });
        match written.await {
            Ok(()) => Ok(Claimed::Yes),
            Err(StoreError::Conflict) if unwanted => Ok(Claimed::Unwanted),
            Err(StoreError::Conflict) => Ok(Claimed::Changed),
            Err(error) => Err(error),
        }
    }

    /// Writes a unit that is at its provider, and makes sure that it is polled:
    /// never later than it would be, and by the worker that holds it at its end.
    pub async fn save_submitted(&self, unit: &Unit, at: Timestamp) -> Result<(), StoreError> {
        self.write(|w| {
            let fits = w.fits(unit);
            if fits {
                w.put(unit);
                let task = w.tables.poll_task.unwrap_or(PollTask {
                    quiet: 0,
                    audited_at: None,
                    busy: false,
                    due_at: at,
                    rev: 0,
                });
                let due_at = if task.busy {
                    task.due_at
                } else {
                    task.due_at.min(at)
                };
                w.tables.poll_task = Some(PollTask {
                    quiet: 0,
                    due_at,
                    rev: task.rev + 1,
                    ..task
                });
            }
            fits
        })
        .await
    }

    pub async fn save_collected(&self, unit: &Unit, run: &Run) -> Result<(), StoreError> {
        self.write(|w| {
            let fits = w.fits(unit) && w.fits_run(run);
            if fits {
                w.put(unit);
                w.put_run(run);
            }
            fits
        })
        .await
    }

    pub async fn save_run(&self, run: &Run) -> Result<(), StoreError> {
        self.write(|w| {
            w.fits_run(run) && {
                w.put_run(run);
                true
            }
        })
        .await
    }

    /// Writes a run and what becomes of its outbox with it.
    pub async fn save_run_and_outbox(
        &self,
        run: &Run,
        outbox: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.write(|w| {
            let fits = w.fits_run(run);
            if fits {
                w.put_run(run);
                w.tables.outbox = outbox;
            }
            fits
        })
        .await
    }

    /// Makes the run unreachable; its outbox goes with it.
    pub async fn begin_delete(&self, gone: &Run) -> Result<(), StoreError> {
        self.write(|w| {
            let stored = w.tables.run.as_ref();
            let fits = stored.is_some_and(|run| !run.deleting && run.rev + 1 == gone.rev);
            if fits {
                w.put_run(gone);
                w.tables.outbox = None;
            }
            fits
        })
        .await
    }

    pub async fn delete_outbox(&self) -> Result<(), Failed> {
        let done = self.write(|w| {
            w.tables.outbox = None;
            true
        });
        Ok(done.await?)
    }

    pub async fn postpone_outbox(&self, until: Timestamp) -> Result<(), Failed> {
        let done = self.write(|w| {
            if let Some(due) = &mut w.tables.outbox {
                *due = until;
            }
            true
        });
        Ok(done.await?)
    }

    /// Writes outcomes, two to a request.
    pub async fn write_outcomes(
        &self,
        round: u16,
        outcomes: &[(Item, Outcome)],
    ) -> Result<(), Failed> {
        for part in outcomes.chunks(2) {
            self.write(|w| {
                for (item, outcome) in part {
                    let before = w.tables.outcomes.insert((*item, round), outcome.clone());
                    if before.is_some_and(|before| before != *outcome) {
                        w.violations
                            .push(format!("the outcome of {item:?} changed in round {round}"));
                    }
                }
                true
            })
            .await?;
        }
        Ok(())
    }

    /// The latest outcome of each item of a provider, with its round.
    pub async fn latest(&self, provider: u8) -> Result<BTreeMap<u16, (u16, Outcome)>, Failed> {
        self.read(|w| {
            let rows = w.tables.outcomes.iter();
            // In order of rounds, so that the last one stays.
            rows.filter(|(((p, _), _), _)| *p == provider)
                .map(|(((_, position), round), row)| (*position, (*round, row.clone())))
                .collect()
        })
        .await
    }

    /// Units that are at the provider. The index may be behind.
    pub async fn open_units(&self) -> Result<Vec<(UnitKey, String)>, Failed> {
        self.read(|w| {
            let mut open = Vec::new();
            let World {
                tables,
                dice,
                rates,
                ..
            } = w;
            for unit in tables.units.values() {
                if let UnitState::Submitted { batch, .. } = &unit.state
                    && !dice.chance(rates.stale)
                {
                    open.push((unit.key, batch.clone()));
                }
            }
            open
        })
        .await
    }

    /// Units whose time has come. The index may be behind.
    pub async fn due_units(&self) -> Result<Vec<UnitKey>, Failed> {
        let now = self.now();
        self.read(|w| {
            let World {
                tables,
                dice,
                rates,
                ..
            } = w;
            let units = tables.units.values();
            units
                .filter(|unit| unit.due_at.is_some_and(|due| due <= now))
                .filter(|_| !dice.chance(rates.stale))
                .map(|unit| unit.key)
                .collect()
        })
        .await
    }

    pub async fn poll_task(&self) -> Result<Option<PollTask>, Failed> {
        self.read(|w| w.tables.poll_task).await
    }

    pub async fn save_poll_task(&self, task: Option<PollTask>, rev: u64) -> Result<(), StoreError> {
        self.write(|w| {
            let fits = w.tables.poll_task.is_some_and(|stored| stored.rev == rev);
            if fits {
                w.tables.poll_task = task;
            }
            fits
        })
        .await
    }

    pub async fn landed(&self, unit: &Unit) -> Result<Option<Rc<Vec<Line>>>, Failed> {
        self.read(|w| w.tables.landed.get(&(unit.key, unit.attempt)).cloned())
            .await
    }

    pub async fn land(&self, unit: &Unit, lines: Rc<Vec<Line>>) -> Result<(), Failed> {
        let done = self.write(|w| {
            w.tables.landed.insert((unit.key, unit.attempt), lines);
            true
        });
        Ok(done.await?)
    }

    /// What is known of the calls of a unit.
    pub async fn calls(&self, key: UnitKey) -> Result<Vec<Call>, Failed> {
        self.read(|w| {
            let calls = w.tables.calls.range((key, 0)..=(key, u16::MAX));
            calls.map(|(_, call)| call.clone()).collect()
        })
        .await
    }

    pub async fn save_call(&self, call: &Call) -> Result<(), StoreError> {
        self.write(|w| {
            let place = (call.unit, call.position);
            let stored = w.tables.calls.get(&place).map_or(0, |stored| stored.rev);
            let fits = stored + 1 == call.rev;
            if fits {
                w.tell(|| format!("{} item {} {:?}", call.unit, call.position, call.state));
                w.tables.calls.insert(place, call.clone());
            }
            fits
        })
        .await
    }

    /// Puts the answer of a call into the bucket.
    pub async fn put_part(&self, key: UnitKey, position: u16, line: Line) -> Result<(), Failed> {
        let done = self.write(|w| {
            w.tables.parts.insert((key, position), line);
            true
        });
        Ok(done.await?)
    }

    /// Every answer of a unit in the bucket.
    pub async fn parts(&self, key: UnitKey) -> Result<Vec<Line>, Failed> {
        self.read(|w| {
            let parts = w.tables.parts.range((key, 0)..=(key, u16::MAX));
            parts.map(|(_, line)| *line).collect()
        })
        .await
    }

    pub async fn part(&self, key: UnitKey, position: u16) -> Result<Option<Line>, Failed> {
        self.read(|w| w.tables.parts.get(&(key, position)).copied())
            .await
    }

    pub async fn delete_outcomes(&self) -> Result<(), Failed> {
        let done = self.write(|w| {
            w.tables.outcomes.clear();
            true
        });
        Ok(done.await?)
    }

    pub async fn delete_landed(&self) -> Result<(), Failed> {
        let done = self.write(|w| {
            w.tables.landed.clear();
            w.tables.parts.clear();
            true
        });
        Ok(done.await?)
    }

    pub async fn delete_units(&self, keys: &[UnitKey]) -> Result<(), Failed> {
        let done = self.write(|w| {
            w.tables.units.retain(|key, _| !keys.contains(key));
            w.tables.calls.retain(|(key, _), _| !keys.contains(key));
            true
        });
        Ok(done.await?)
    }

    pub async fn finish_delete_run(&self) -> Result<(), Failed> {
        let done = self.write(|w| {
            w.tables.run = None;
            true
        });
        Ok(done.await?)
    }
}

/// After this an outbox item is sent again.
pub const OUTBOX: Duration = Duration::from_secs(30);
