//! The world of a schedule: clock, randomness, faults, and what all workers
//! share. One operation of a worker is one step; between two steps anything
//! may happen.

use std::cell::{Cell, RefCell, RefMut};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use stt_eval_domain::Timestamp;
use stt_eval_domain::unit::Policy;

use crate::protocol::Protocol;
use crate::provider::Provider;
use crate::reached::Reached;
use crate::tables::Tables;

/// Longest life of a function (`template.yaml`).
pub const FUNCTION: Duration = Duration::from_secs(300);
/// Clocks of two workers differ by up to twice this, in milliseconds.
const SKEW: u64 = 2_000;
/// First moment of every schedule.
const START: i64 = 1_800_000_000_000;

/// Seeded randomness.
pub struct Dice(Xoshiro256PlusPlus);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// `0..n`; 0 for nothing to choose from.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.0.next_u64() % n }
    }

    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// True `per_mille` times in 1,000.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// A duration of up to `most`.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_millis(self.below(most.as_millis() as u64 + 1))
    }
}

/// How often things go wrong, per mille. Each schedule has its own mixture, so
/// that there are calm ones with one kind of trouble and wild ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// A table or bucket does not answer: half of the time after the fact.
    pub storage: u64,
    /// A message is lost, doubled or late.
    pub queue: u64,
    /// The provider does not answer, or answers with a limit.
    pub provider: u64,
    /// The provider says once that there is no such batch, or no such output.
    pub denies: u64,
    /// The outcome of a creation is unknown.
    pub create: u64,
    /// A worker dies at a step.
    pub crash: u64,
    /// A worker stands still for up to its function's whole life.
    pub slow: u64,
    /// A batch ends in another way than it should.
    pub batch: u64,
    /// An index is behind its table.
    pub stale: u64,
}

impl Rates {
    pub fn roll(dice: &mut Dice) -> Self {
        let mut one = |most: u64| {
            if dice.chance(350) {
                0
            } else {
                dice.below(most) + 1
            }
        };
        Self {
            storage: one(60),
            queue: one(800),
            provider: one(150),
            denies: one(150),
            create: one(600),
            crash: one(40),
            slow: one(200),
            batch: one(400),
            stale: one(200),
        }
    }
}

/// What becomes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It works.
    None,
    /// It fails without effect.
    Before,
    /// It takes effect, and its answer is lost.
    After,
}

/// Everything that is shared.
pub struct World {
    pub clock: Timestamp,
    pub dice: Dice,
    pub rates: Rates,
    pub policy: Policy,
    pub protocol: Protocol,
    pub tables: Tables,
    pub queue: Queue,
    pub provider: Provider,
    /// Models whose vendor answers each item in its call.
    pub answers_calls: [bool; 2],
    /// What was seen that must never be.
    pub violations: Vec<String>,
    /// What the schedule came by, so that a test can't pass by testing nothing.
    pub reached: Reached,
    /// Tells what happens.
    pub talks: bool,
    next_fence: u64,
}

impl World {
    pub fn new(seed: u64, protocol: Protocol) -> Self {
        let mut dice = Dice::new(seed);
        let rates = Rates::roll(&mut dice);
        let mut policy = Policy {
            deadline: Duration::from_secs(7_200),
            refusal_window: Duration::from_secs(1_800),
            queue_window: Duration::from_secs(3_600),
            person_window: Duration::from_secs(3_600),
            resubmit: dice.chance(700),
            ..Policy::default()
        };
        if protocol.no_grace {
            policy.grace = Duration::ZERO;
            policy.call_lease = Duration::ZERO;
        }
        let answers_calls = [dice.chance(300), dice.chance(300)];
        Self {
            clock: Timestamp::from_millis(START),
            dice,
            rates,
            policy,
            protocol,
            tables: Tables::default(),
            queue: Queue::default(),
            provider: Provider::default(),
            answers_calls,
            violations: Vec::new(),
            reached: Reached::default(),
            talks: false,
            next_fence: 0,
        }
    }

    pub fn tell(&self, what: impl FnOnce() -> String) {
        if self.talks {
            let seconds = (self.clock.millis() - START) as f64 / 1e3;
            println!("{seconds:10.3}  {}", what());
        }
    }

    /// What becomes of an operation on tables or bucket.
    pub fn storage_fault(&mut self) -> Fault {
        self.fault(self.rates.storage)
    }

    pub fn fault(&mut self, rate: u64) -> Fault {
        match self.dice.chance(rate) {
            false => Fault::None,
            true if self.dice.chance(500) => Fault::Before,
            true => Fault::After,
        }
    }
}

/// The submission queue.
#[derive(Default)]
pub struct Queue {
    /// On their way: from when, what, how often delivered.
    pub messages: Vec<(Timestamp, Message, u32)>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub enum Message {
    RunAccepted,
    SubmitUnit(stt_eval_domain::unit::UnitKey),
}

/// Could not be done now; whatever asked for it comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

/// A worker's view of the world: its own clock and its own end.
#[derive(Clone)]
pub struct Cx {
    world: Rc<RefCell<World>>,
    skew: i64,
    ends: Timestamp,
    turn: Rc<Cell<bool>>,
}

impl Cx {
    pub fn new(world: &Rc<RefCell<World>>) -> Self {
        let mut w = world.borrow_mut();
        let skew = w.dice.below(2 * SKEW) as i64 - SKEW as i64;
        Self {
            world: Rc::clone(world),
            skew,
            ends: w.clock + FUNCTION,
            turn: Rc::default(),
        }
    }

    /// Waits for its turn; then the operation happens at once.
    pub async fn step(&self) -> RefMut<'_, World> {
        self.turn.set(false);
        poll_fn(|_| {
            if self.turn.replace(true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        self.world.borrow_mut()
    }

    /// Without waiting: for what is no operation.
    pub fn world(&self) -> RefMut<'_, World> {
        self.world.borrow_mut()
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.world.borrow().clock.millis() + self.skew)
    }

    pub fn policy(&self) -> Policy {
        self.world.borrow().policy
    }

    pub fn protocol(&self) -> Protocol {
        self.world.borrow().protocol
    }

    /// The platform kills it then.
    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    /// Whether at least `needed` is left of its life.
    pub fn allows(&self, needed: Duration) -> bool {
        self.ends.since(self.world.borrow().clock) >= needed
    }

    /// A new, unique claim.
    pub fn fence(&self) -> u64 {
        let mut w = self.world.borrow_mut();
        w.next_fence += 1;
        w.next_fence
    }

    /// Sends a message, which may be lost, doubled or late.
    pub async fn send(&self, message: Message) -> Result<(), Failed> {
        let mut w = self.step().await;
        let rate = w.rates.queue;
        match w.fault(rate) {
            Fault::Before => return Err(Failed),
            Fault::After => {
                let copies = w.dice.below(3);
                for _ in 0..copies {
                    let late = w.dice.up_to(Duration::from_secs(400));
                    let at = w.clock + late;
                    w.queue.messages.push((at, message, 0));
                }
            }
            Fault::None => {
                let at = w.clock;
                w.queue.messages.push((at, message, 0));
            }
        }
        Ok(())
    }
}
