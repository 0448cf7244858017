//! One schedule: workers take steps in an order that the seed decides, die,
//! stand still; messages come twice, late or never; people interfere. Then
//! everything heals, and what is left is judged.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use stt_eval_domain::Timestamp;

use crate::judge;
use crate::people::{self, Wish};
use crate::protocol::Protocol;
use crate::provider::Access;
use crate::reached::Reached;
use crate::world::{Cx, FUNCTION, Failed, Message, Rates, World};
use crate::{poll, submit};

/// Most steps of a healthy world until everything has ended.
const HEALING: u32 = 20_000;
/// The schedule of the poller.
const EVERY: Duration = Duration::from_secs(60);
/// A message that was not done comes again after this, up to `DELIVERIES` times.
const VISIBILITY: Duration = Duration::from_secs(600);
const DELIVERIES: u32 = 3;

type Work = Pin<Box<dyn Future<Output = Result<(), Failed>>>>;

struct Worker {
    work: Work,
    ends: Timestamp,
    /// Stands still until then.
    sleeps: Timestamp,
    /// The message that it works on.
    message: Option<(Message, u32)>,
}

/// What a schedule came to.
pub struct Verdict {
    pub violations: Vec<String>,
    pub reached: Reached,
    /// Of everything in the world at the end: equal for equal schedules.
    pub digest: u64,
}

struct Schedule {
    world: Rc<RefCell<World>>,
    workers: Vec<Worker>,
    last_poll: Timestamp,
}

/// Runs the schedule of a seed.
pub fn run(seed: u64, protocol: Protocol, talks: bool) -> Verdict {
    let mut world = World::new(seed, protocol);
    world.talks = talks;
    people::accept_run(&mut world);
    let last_poll = world.clock;
    let mut schedule = Schedule {
        world: Rc::new(RefCell::new(world)),
        workers: Vec::new(),
        last_poll,
    };
    schedule.people(None);
    let rates = schedule.world.borrow().rates;
    let phases = if schedule.world.borrow_mut().dice.chance(300) {
        2
    } else {
        1
    };
    for phase in 0..phases {
        schedule.world.borrow_mut().rates = rates;
        if phase > 0 {
            schedule.people(Some(Wish::Retry));
        }
        schedule.trouble();
        schedule.world.borrow_mut().rates = Rates::default();
        schedule.world.borrow().tell(|| "healed".into());
        if !schedule.heal() {
            let mut w = schedule.world.borrow_mut();
            w.violations.push("it does not end".into());
            break;
        }
    }
    let mut w = schedule.world.borrow_mut();
    judge::judge(&mut w);
    let digest = w.dice.below(u64::MAX) ^ w.clock.millis().unsigned_abs();
    Verdict {
        violations: std::mem::take(&mut w.violations),
        reached: w.reached,
        digest,
    }
}

impl Schedule {
    fn trouble(&mut self) {
        let (steps, restless, access) = {
            let mut w = self.world.borrow_mut();
            let steps = 60 + w.dice.below(240);
            let restless = if w.dice.chance(500) {
                0
            } else {
                w.dice.below(50)
            };
            (
                steps,
                restless,
                w.dice.chance(50).then(|| w.dice.below(steps)),
            )
        };
        for step in 0..steps {
            if access == Some(step) {
                let mut w = self.world.borrow_mut();
                let revoked = w.dice.chance(500);
                w.provider.access = if revoked {
                    Access::Revoked
                } else {
                    Access::Removed
                };
                w.reached.access_lost += 1;
                w.tell(|| "access to the provider is lost".into());
            }
            let wish = {
                let mut w = self.world.borrow_mut();
                w.dice.chance(restless).then(|| Wish::roll(&mut w.dice))
            };
            if wish.is_some() {
                self.people(wish);
            }
            self.turn();
        }
    }

    /// True when everything came to rest.
    fn heal(&mut self) -> bool {
        for _ in 0..HEALING {
            let resting = self.workers.is_empty()
                && self.world.borrow().queue.messages.is_empty()
                && self.next_due().is_none();
            if resting {
                return true;
            }
            self.turn();
        }
        false
    }

    /// One thing happens.
    fn turn(&mut self) {
        self.kill_expired();
        let awake: Vec<usize> = {
            let now = self.world.borrow().clock;
            (0..self.workers.len())
                .filter(|at| self.workers[*at].sleeps <= now)
                .collect()
        };
        let (pick, impatient) = {
            let mut w = self.world.borrow_mut();
            let pick = awake.get(w.dice.index(awake.len())).copied();
            (pick.filter(|_| !w.dice.chance(150)), w.dice.chance(30))
        };
        match pick {
            Some(worker) => self.advance(worker),
            None if self.deliver() => {}
            None if self.poll_is_due() || impatient => self.spawn_poll(),
            None if awake.is_empty() => self.wait(),
            None => {}
        }
    }

    fn advance(&mut self, at: usize) {
        let (crashes, slow) = {
            let mut w = self.world.borrow_mut();
            let takes = Duration::from_millis(w.dice.below(200));
            w.clock = w.clock + takes;
            w.reached.steps += 1;
            let rates = w.rates;
            let slow = w.dice.chance(rates.slow).then(|| w.dice.up_to(FUNCTION));
            (w.dice.chance(rates.crash), slow)
        };
        if crashes {
            self.world.borrow_mut().reached.crashes += 1;
            self.end(at, Err(Failed));
        } else if let Some(slow) = slow {
            self.workers[at].sleeps = self.world.borrow().clock + slow;
        } else {
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(result) = self.workers[at].work.as_mut().poll(&mut context) {
                self.end(at, result);
            }
        }
    }

    /// A worker is gone; what it did not do comes again.
    fn end(&mut self, at: usize, result: Result<(), Failed>) {
        let worker = self.workers.swap_remove(at);
        if let (Err(Failed), Some((message, deliveries))) = (result, worker.message)
            && deliveries < DELIVERIES
        {
            let mut w = self.world.borrow_mut();
            let again = w.clock + VISIBILITY;
            w.queue.messages.push((again, message, deliveries));
        }
    }

    fn kill_expired(&mut self) {
        let now = self.world.borrow().clock;
        while let Some(at) = self.workers.iter().position(|worker| worker.ends <= now) {
            self.world.borrow_mut().reached.timeouts += 1;
            self.end(at, Err(Failed));
        }
    }

    fn spawn(&mut self, message: Option<(Message, u32)>, work: impl FnOnce(Cx) -> Work) {
        let cx = Cx::new(&self.world);
        let ends = cx.ends();
        let sleeps = self.world.borrow().clock;
        self.workers.push(Worker {
            work: work(cx),
            ends,
            sleeps,
            message,
        });
    }

    fn people(&mut self, wish: Option<Wish>) {
        self.spawn(None, |cx| {
            Box::pin(async move { people::act(&cx, wish).await })
        });
    }

    fn spawn_poll(&mut self) {
        self.last_poll = self.world.borrow().clock;
        self.spawn(None, |cx| Box::pin(async move { poll::handle(&cx).await }));
    }

    /// Hands out a message whose time has come.
    fn deliver(&mut self) -> bool {
        let (message, deliveries) = {
            let mut w = self.world.borrow_mut();
            let now = w.clock;
            let Some(at) = w.queue.messages.iter().position(|(at, ..)| *at <= now) else {
                return false;
            };
            let (_, message, deliveries) = w.queue.messages.swap_remove(at);
            (message, deliveries + 1)
        };
        self.spawn(Some((message, deliveries)), |cx| {
            Box::pin(async move {
                match message {
                    Message::RunAccepted => submit::plan(&cx).await,
                    Message::SubmitUnit(key) => submit::submit(&cx, key).await,
                }
            })
        });
        true
    }

    /// When the poller will find something to do.
    fn next_due(&self) -> Option<Timestamp> {
        let w = self.world.borrow();
        let units = w.tables.units.values().filter_map(|unit| unit.due_at);
        let run = w.tables.run.as_ref().and_then(|run| run.due_at);
        let task = w.tables.poll_task.map(|task| task.due_at);
        let due = units.chain(run).chain(task).chain(w.tables.outbox).min();
        // Clocks differ a little: what one finds due another does not yet.
        due.map(|due| (due + Duration::from_secs(3)).max(self.last_poll + EVERY))
    }

    fn poll_is_due(&self) -> bool {
        self.next_due()
            .is_some_and(|due| due <= self.world.borrow().clock)
    }

    /// No worker has anything to do: time passes until one has.
    fn wait(&self) {
        let due = self.next_due();
        let mut w = self.world.borrow_mut();
        let messages = w.queue.messages.iter().map(|(at, ..)| *at);
        let workers = self
            .workers
            .iter()
            .map(|worker| worker.sleeps.min(worker.ends));
        let provider = w.provider.next_event(w.clock);
        let next = messages.chain(workers).chain(due).chain(provider).min();
        if let Some(next) = next {
            w.clock = w.clock.max(next);
        }
    }
}
