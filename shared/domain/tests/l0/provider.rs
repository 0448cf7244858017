//! A model of a provider: batches with display names, creations that get lost
//! or are taken late, lists that are behind, odd ends and odd outputs.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use stt_eval_domain::Timestamp;
use stt_eval_domain::unit::BatchState;
use stt_eval_domain::unit::{Policy, UnitKey, UnitState};

use crate::tables::Item;
use crate::world::{Cx, Dice, Fault, World};

/// A creation is taken so much later at most, as a rule; with [`LIST_LAG`] and
/// the life of a function this is less than the protocol's grace.
const LATE: Duration = Duration::from_secs(150);
/// Now and then it is taken after the grace, by up to so much. No protocol can
/// do more then than find the batch and stop it.
const TARDY: Duration = Duration::from_secs(7_200);
/// A batch that is told to stop may go on for so long.
const STOPPING: Duration = Duration::from_secs(120);
/// A list is so far behind at most.
const LIST_LAG: Duration = Duration::from_secs(90);

/// Why a call gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallError {
    /// It may have happened.
    Ambiguous,
    /// Too much for now.
    Quota,
    /// The credential is not accepted.
    Unauthorized,
    /// There is no such thing.
    NotFound,
    /// It will never be taken.
    Invalid,
}

/// A line of an output: whose it says it is, and whose speech it has.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub key: Option<Item>,
    pub text: Option<Item>,
    /// Without words: for a reason that may pass.
    pub passing: bool,
}

/// How a batch ends unless it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Succeeds,
    SucceedsWithoutOutput,
    Fails,
    Expires,
    Vanishes,
    Hangs,
}

/// A batch.
pub struct Batch {
    pub name: String,
    pub display_name: String,
    pub key: UnitKey,
    pub input: (UnitKey, u32),
    pub created_at: Timestamp,
    listed_at: Timestamp,
    ends_at: Timestamp,
    /// The output can be had from here on.
    output_at: Timestamp,
    fate: Fate,
    odd_state: bool,
    /// It takes no notice of being told to stop.
    pub deaf: bool,
    /// When it stops because it was told to.
    pub stops_at: Option<Timestamp>,
    /// It was asked to stop, in time or not.
    pub disowned: bool,
    /// It was taken after the protocol's grace.
    tardy: bool,
    lines: Rc<Vec<Line>>,
}

impl Batch {
    /// Whether it is over, or will never be anything.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.is_stopped(now) || (self.fate != Fate::Hangs && self.ends_at <= now)
    }

    /// Whether it was stopped before it came to an end.
    pub fn is_stopped(&self, now: Timestamp) -> bool {
        self.stops_at.is_some_and(|at| at <= now)
    }

    /// Whether its items were worked on to the end: they cost money.
    pub fn has_results(&self, now: Timestamp) -> bool {
        self.fate == Fate::Succeeds && self.ends_at <= now && !self.is_stopped(now)
    }

    /// Whether the provider failed it or let it expire, which costs nothing. It
    /// may do so to a batch that was just told to stop.
    pub fn came_to_nothing(&self, now: Timestamp) -> bool {
        let nothing = matches!(self.fate, Fate::Expires | Fate::Fails);
        nothing && self.ends_at <= now && !self.is_stopped(now)
    }

    /// Whether it came so late that it could only be stopped, and no look at the
    /// list could see it running.
    pub fn is_excused(&self, audits: &[Timestamp]) -> bool {
        let seen = |at: &Timestamp| self.listed_at <= *at && !self.is_over(*at);
        self.tardy && !audits.iter().any(seen)
    }

    /// Whether it came after the protocol's grace.
    pub fn is_tardy(&self) -> bool {
        self.tardy
    }

    /// Whether the provider does not know it any more.
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        self.fate == Fate::Vanishes && self.ends_at <= now
    }

    fn state(&self, now: Timestamp) -> (BatchState, Option<String>) {
        let output = (self.output_at <= now).then(|| format!("output-{}", self.name));
        match self.fate {
            _ if self.is_stopped(now) => (BatchState::Cancelled, None),
            _ if self.ends_at > now && self.odd_state => {
                (BatchState::Unknown("PAUSED".into()), None)
            }
            _ if self.ends_at > now => (BatchState::Running, None),
            Fate::Succeeds => (BatchState::Succeeded, output),
            Fate::SucceedsWithoutOutput => (BatchState::Succeeded, None),
            Fate::Fails => (BatchState::Failed, None),
            Fate::Expires => (BatchState::Expired, None),
            Fate::Hangs | Fate::Vanishes => (BatchState::Running, None),
        }
    }
}

/// Access to the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    #[default]
    Good,
    /// The provider does not accept the credential any more.
    Revoked,
    /// People removed the credential here.
    Removed,
}

/// The provider.
#[derive(Default)]
pub struct Provider {
    pub batches: Vec<Batch>,
    pub access: Access,
    /// Calls that were answered or may have been, by unit and item, and whether
    /// their answers reached us.
    pub calls: Vec<((UnitKey, u16), bool)>,
    /// Creations that were not refused, by unit.
    pub creations: Vec<UnitKey>,
    pub deleted_inputs: Vec<(UnitKey, u32)>,
    pub deleted_outputs: BTreeSet<String>,
    /// When lists were made of which every unknown batch was stopped.
    pub audits: Vec<Timestamp>,
}

impl Provider {
    /// The batch of a name, when there is one by now.
    fn find(&self, name: &str, now: Timestamp) -> Option<usize> {
        self.batches.iter().position(|batch| {
            batch.name == name && batch.created_at <= now && !batch.is_forgotten(now)
        })
    }

    /// When something happens by itself next.
    pub fn next_event(&self, now: Timestamp) -> Option<Timestamp> {
        let made = self.batches.iter().map(|batch| batch.created_at);
        let stopped = self.batches.iter().filter_map(|batch| batch.stops_at);
        made.chain(stopped).filter(|at| *at > now).min()
    }
}

fn lines(items: &[Item], odd: u64, dice: &mut Dice) -> Vec<Line> {
    let mut lines = Vec::with_capacity(items.len());
    for item in items {
        if dice.chance(odd / 4) {
            continue;
        }
        let text = (!dice.chance(odd / 4)).then_some(*item);
        let passing = text.is_none() && dice.chance(500);
        lines.push(Line {
            key: Some(*item),
            text,
            passing,
        });
        if dice.chance(odd / 8) {
            lines.push(Line {
                key: Some(*item),
                text: None,
                passing: false,
            });
        }
        if dice.chance(odd / 8) {
            lines.push(Line {
                key: None,
                text: Some(*item),
                passing: false,
            });
        }
    }
    // Any order, but the first line of a key is the one that counts.
    for at in (1..lines.len()).rev() {
        let with = dice.index(at + 1);
        if lines[at].key != lines[with].key {
            lines.swap(at, with);
        }
    }
    lines
}

/// What a batch is created from.
pub struct Order {
    pub display_name: String,
    pub input: (UnitKey, u32),
    pub items: Vec<Item>,
}

impl World {
    fn accept(&mut self, order: &Order, late: Duration) -> String {
        self.one_at_a_time(order);
        let odd = self.rates.batch;
        let dice = &mut self.dice;
        // More often with what is made again: it has to end as well.
        let rate = if order.input.1 > 1 { odd } else { odd / 3 };
        let fate = if dice.chance(rate) {
            match dice.below(5) {
                0 => Fate::SucceedsWithoutOutput,
                1 => Fate::Fails,
                2 => Fate::Expires,
                3 => Fate::Vanishes,
                _ => Fate::Hangs,
            }
        } else {
            Fate::Succeeds
        };
        let created_at = self.clock + late;
        let longest = if dice.chance(400) { 10 } else { 1_200 };
        let ends_at = created_at + dice.up_to(Duration::from_secs(longest));
        // Some end about when they are given up.
        let ends_at = if dice.chance(odd / 6) {
            ends_at + (self.policy.deadline - Duration::from_secs(300))
        } else {
            ends_at
        };
        let name = format!("batch-{}", self.provider.batches.len());
        self.provider.batches.push(Batch {
            name: name.clone(),
            display_name: order.display_name.clone(),
            key: order.input.0,
            input: order.input,
            created_at,
            listed_at: created_at + dice.up_to(LIST_LAG),
            ends_at,
            output_at: ends_at
                + if dice.chance(odd / 3) {
                    dice.up_to(Duration::from_secs(300))
                } else {
                    Duration::ZERO
                },
            fate,
            odd_state: dice.chance(odd / 10),
            deaf: dice.chance(odd / 10),
            stops_at: None,
            disowned: false,
            tardy: late > LATE,
            lines: Rc::new(lines(&order.items, odd, dice)),
        });
        self.tell(|| {
            format!(
                "the provider takes {} as {name}, late by {late:?}: {fate:?}",
                order.display_name
            )
        });
        name
    }

    /// While a batch that its unit recorded is under way, no later attempt may
    /// make another.
    fn one_at_a_time(&mut self, order: &Order) {
        let (key, attempt) = order.input;
        let now = self.clock;
        let recorded = self.tables.recorded.iter();
        let earlier: Vec<&String> = recorded
            .filter(|((of, at), _)| *of == key && *at < attempt)
            .flat_map(|(_, names)| names)
            .collect();
        let mut runs = self.provider.batches.iter();
        if let Some(other) = runs.find(|b| earlier.contains(&&b.name) && !b.is_over(now)) {
            let violation = format!(
                "{} was made while {} was running",
                order.display_name, other.name
            );
            self.violations.push(violation);
        }
    }

    /// Whether the provider says that there is nothing, though there is.
    fn denies(&mut self) -> Result<(), CallError> {
        let rate = self.rates.denies;
        if self.dice.chance(rate) {
            self.reached.denied += 1;
            return Err(CallError::NotFound);
        }
        Ok(())
    }

    /// What is deleted has landed, unless people do not want it.
    fn unread(&mut self, output: &str) {
        let name = output.trim_start_matches("output-");
        let Some(batch) = self.provider.batches.iter().find(|b| b.name == name) else {
            return;
        };
        let landed = self.tables.landed.contains_key(&batch.input);
        let deleted = self.tables.run.as_ref().is_none_or(|run| run.deleting);
        if !landed && !batch.disowned && !deleted {
            let violation = format!("the output of {name} was deleted unread");
            self.violations.push(violation);
        }
    }

    /// Now and then, once: that the key is refused or the request wrong, though
    /// nothing is wrong.
    fn odd_answer(&mut self) -> Result<(), CallError> {
        let odd = self.rates.denies;
        if !self.dice.chance(odd / 4) {
            return Ok(());
        }
        self.reached.odd_answers += 1;
        Err(match self.dice.below(2) {
            0 => CallError::Unauthorized,
            _ => CallError::Invalid,
        })
    }

    /// What every call may answer.
    fn call_fault(&mut self) -> Result<Fault, CallError> {
        if self.provider.access != Access::Good {
            return Err(CallError::Unauthorized);
        }
        let rate = self.rates.provider;
        if self.dice.chance(rate / 8) {
            return Err(CallError::Quota);
        }
        match self.fault(rate) {
            Fault::Before => Err(CallError::Ambiguous),
            fault => Ok(fault),
        }
    }
}

impl Cx {
    /// Whether there is a credential to act with.
    pub async fn credential(&self) -> bool {
        self.step().await.provider.access != Access::Removed
    }

    /// Sends audio and request document. Takes its time; may be done again.
    pub async fn stage(&self) -> Result<(), CallError> {
        let mut w = self.step().await;
        let takes = w.dice.up_to(Duration::from_secs(30));
        w.clock = w.clock + takes;
        w.odd_answer()?;
        if w.call_fault()? == Fault::After {
            return Err(CallError::Ambiguous);
        }
        let rate = w.rates.provider;
        if w.dice.chance(rate / 16) {
            Err(CallError::Invalid)
        } else {
            Ok(())
        }
    }

    /// Creates a batch. Not idempotent: each call that is taken makes one.
    pub async fn create(&self, order: Order) -> Result<String, CallError> {
        let mut w = self.step().await;
        if w.provider.access != Access::Good {
            return Err(CallError::Unauthorized);
        }
        w.odd_answer()?;
        let rate = w.rates.create;
        if w.dice.chance(rate / 4) {
            return Err(match w.dice.below(8) {
                0 => CallError::Invalid,
                _ => CallError::Quota,
            });
        }
        w.provider.creations.push(order.input.0);
        if !w.dice.chance(rate) {
            return Ok(w.accept(&order, Duration::ZERO));
        }
        let takes = w.dice.up_to(Duration::from_secs(60));
        match w.dice.below(8) {
            0..3 => {}
            3..5 => {
                w.accept(&order, Duration::ZERO);
            }
            // Something on the way repeated the request.
            5 => {
                w.accept(&order, Duration::ZERO);
                w.accept(&order, Duration::from_secs(1));
            }
            _ => {
                let mut late = w.dice.up_to(LATE);
                if w.dice.chance(100) {
                    // The grace of the right protocol, whichever is at work.
                    late = Policy::default().grace + w.dice.up_to(TARDY);
                    w.reached.tardy += 1;
                }
                w.accept(&order, late);
            }
        }
        w.clock = w.clock + takes;
        Err(CallError::Ambiguous)
    }

    /// One paid request for one item. Not idempotent: each that is taken is paid.
    pub async fn call(&self, key: UnitKey, position: u16) -> Result<Line, CallError> {
        let mut w = self.step().await;
        let takes = w.dice.up_to(Duration::from_secs(20));
        w.clock = w.clock + takes;
        if w.provider.access != Access::Good {
            return Err(CallError::Unauthorized);
        }
        w.odd_answer()?;
        let rate = w.rates.create;
        if w.dice.chance(rate / 4) {
            return Err(match w.dice.below(8) {
                0 => CallError::Invalid,
                _ => CallError::Quota,
            });
        }
        w.reached.calls_made += 1;
        let earlier = w.provider.calls.iter();
        if earlier.filter(|(of, _)| *of == (key, position)).count() > 0 {
            let violation = format!("item {position} of {key} was called and paid for twice");
            w.violations.push(violation);
        }
        let lost = w.dice.chance(rate / 2);
        w.provider.calls.push(((key, position), !lost));
        if lost {
            w.reached.calls_lost += 1;
            return Err(CallError::Ambiguous);
        }
        let odd = w.rates.batch;
        let item = (key.model, position);
        let text = (!w.dice.chance(odd / 4)).then_some(item);
        let passing = text.is_none() && w.dice.chance(500);
        Ok(Line {
            key: Some(item),
            text,
            passing,
        })
    }

    /// Every batch of a display name that the list shows by now, oldest first.
    pub async fn list(&self, display_name: &str) -> Result<Vec<String>, CallError> {
        let mut w = self.step().await;
        w.odd_answer()?;
        if w.call_fault()? == Fault::After {
            return Err(CallError::Ambiguous);
        }
        let now = w.clock;
        let mut found: Vec<&Batch> = w.provider.batches.iter().collect();
        found.retain(|b| b.display_name == display_name && b.listed_at <= now);
        found.retain(|b| !b.is_forgotten(now));
        found.sort_by_key(|batch| batch.created_at);
        Ok(found.into_iter().map(|batch| batch.name.clone()).collect())
    }

    /// Every batch that the list shows as running by now, with its unit and
    /// attempt; and when that was.
    pub async fn list_running(
        &self,
    ) -> Result<(Timestamp, Vec<(String, (UnitKey, u32))>), CallError> {
        let mut w = self.step().await;
        w.odd_answer()?;
        if w.call_fault()? == Fault::After {
            return Err(CallError::Ambiguous);
        }
        let now = w.clock;
        let shown = |b: &&Batch| b.listed_at <= now && !b.is_over(now) && !b.is_forgotten(now);
        let running = w.provider.batches.iter().filter(shown);
        let running = running.map(|batch| (batch.name.clone(), batch.input));
        Ok((now, running.collect()))
    }

    /// Stops a batch that no unit has.
    pub async fn stop_unknown(&self, batch: &str) -> Result<(), CallError> {
        {
            let mut w = self.world();
            w.reached.audited += 1;
            let own = |state: &UnitState| matches!(state, UnitState::Submitted { batch: own, .. } if own == batch);
            let found = w.tables.units.values().find(|unit| own(&unit.state));
            if let Some(key) = found.map(|unit| unit.key) {
                let violation = format!("{batch} of {key} was taken for an unrecorded one");
                w.violations.push(violation);
            }
        }
        self.cancel(batch).await
    }

    /// State and output of a batch.
    pub async fn get(&self, batch: &str) -> Result<(BatchState, Option<String>), CallError> {
        let mut w = self.step().await;
        w.odd_answer()?;
        if w.call_fault()? == Fault::After {
            return Err(CallError::Ambiguous);
        }
        w.denies()?;
        let now = w.clock;
        let at = w.provider.find(batch, now).ok_or(CallError::NotFound)?;
        Ok(w.provider.batches[at].state(now))
    }

    /// Stops a batch. Over or unknown is no error.
    pub async fn cancel(&self, batch: &str) -> Result<(), CallError> {
        let mut w = self.step().await;
        w.odd_answer()?;
        let fault = w.call_fault()?;
        let now = w.clock;
        w.tell(|| format!("cancel {batch}"));
        if let Some(at) = w.provider.find(batch, now) {
            let lag = w.dice.up_to(STOPPING);
            let at_once = w.dice.chance(500);
            let batch = &mut w.provider.batches[at];
            let stops_at = if at_once { now } else { now + lag };
            let ends_first = batch.fate != Fate::Hangs && batch.ends_at <= stops_at;
            if batch.stops_at.is_none() && !batch.deaf && !ends_first {
                batch.stops_at = Some(stops_at);
            }
            batch.disowned = true;
        }
        if fault == Fault::After {
            Err(CallError::Ambiguous)
        } else {
            Ok(())
        }
    }

    /// The raw output.
    pub async fn download(&self, output: &str) -> Result<Rc<Vec<Line>>, CallError> {
        let mut w = self.step().await;
        w.odd_answer()?;
        if w.call_fault()? == Fault::After {
            return Err(CallError::Ambiguous);
        }
        w.denies()?;
        if w.provider.deleted_outputs.contains(output) {
            return Err(CallError::NotFound);
        }
        let name = output.trim_start_matches("output-");
        let batch = w.provider.batches.iter().find(|batch| batch.name == name);
        Ok(Rc::clone(&batch.ok_or(CallError::NotFound)?.lines))
    }

    /// Deletes an output. It must not be needed any more.
    pub async fn delete_output(&self, output: &str) -> Result<(), CallError> {
        let mut w = self.step().await;
        w.odd_answer()?;
        let fault = w.call_fault()?;
        w.unread(output);
        w.provider.deleted_outputs.insert(output.to_owned());
        if fault == Fault::After {
            Err(CallError::Ambiguous)
        } else {
            Ok(())
        }
    }

    /// Deletes a request document. It must not be needed any more.
    pub async fn delete_input(&self, input: (UnitKey, u32)) -> Result<(), CallError> {
        let mut w = self.step().await;
        w.odd_answer()?;
        let fault = w.call_fault()?;
        let now = w.clock;
        let needed = w.provider.batches.iter().find(|batch| {
            // One that came after the grace is of no unit: it is to be stopped.
            batch.input == input
                && batch.created_at <= now
                && !batch.disowned
                && !batch.is_tardy()
                && !batch.is_over(now)
        });
        if let Some(batch) = needed {
            let violation = format!("the request document of running {} was deleted", batch.name);
            w.violations.push(violation);
        }
        w.provider.deleted_inputs.push(input);
        if fault == Fault::After {
            Err(CallError::Ambiguous)
        } else {
            Ok(())
        }
    }
}
