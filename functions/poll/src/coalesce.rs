//! Doing together what comes at the same time. The first task to come has the
//! turn, and works for all that came until then; those that come meanwhile are left
//! to the next turn, which one of them takes.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{MutexGuard, oneshot};

/// A piece of work, and the task that waits for it.
pub(crate) struct Enlisted<T, R> {
    /// What is to be done.
    pub(crate) what: T,
    done: oneshot::Sender<R>,
}

impl<T, R> Enlisted<T, R> {
    /// Tells the task that waits what came of it.
    pub(crate) fn tell(self, result: R) {
        // The task may have been dropped.
        let _ = self.done.send(result);
    }
}

/// The pieces of work that wait for a turn, and what the turns share.
pub(crate) struct Coalesce<S, T, R> {
    waiting: Mutex<Vec<Enlisted<T, R>>>,
    turn: tokio::sync::Mutex<S>,
}

impl<S: Default, T, R> Default for Coalesce<S, T, R> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }
}

/// How a wait for the turn ended.
pub(crate) enum Turn<'a, S, T, R> {
    /// Another task had the turn, and did this piece along with its own.
    Done(R),
    /// This task has the turn. It is to do all of these, and to tell each result;
    /// that of its own piece, which is among them, arrives at `told`.
    Lead {
        shared: MutexGuard<'a, S>,
        all: Vec<Enlisted<T, R>>,
        told: OwnResult<R>,
    },
}

/// The result of the leading task's own piece.
pub(crate) struct OwnResult<R>(oneshot::Receiver<R>);

impl<R> OwnResult<R> {
    /// The result; `None` when its piece was dropped without one.
    pub(crate) fn result(mut self) -> Option<R> {
        self.0.try_recv().ok()
    }
}

impl<S, T, R> Coalesce<S, T, R> {
    /// Waits for the turn, or for the result of a turn that another task has.
    ///
    /// When the leading task is dropped, the pieces that it had taken are dropped with
    /// it. Each task that waits for one of them then leads a turn in which its own piece
    /// is missing, and [`OwnResult::result`] gives `None`.
    pub(crate) async fn turn(&self, what: T) -> Turn<'_, S, T, R> {
        let (done, mut told) = oneshot::channel();
        self.lock().push(Enlisted { what, done });
        let shared = self.turn.lock().await;
        if let Ok(result) = told.try_recv() {
            return Turn::Done(result);
        }
        let all = std::mem::take(&mut *self.lock());
        Turn::Lead {
            shared,
            all,
            told: OwnResult(told),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Enlisted<T, R>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn the_first_caller_does_it_for_all_that_came_until_then() {
        let together: Arc<Coalesce<u32, u32, u32>> = Arc::default();
        // One leads; five come meanwhile.
        let Turn::Lead { shared, all, told } = together.turn(0).await else {
            panic!("there is no other");
        };
        let others: Vec<_> = (1..=5)
            .map(|number| {
                let together = Arc::clone(&together);
                tokio::spawn(async move {
                    match together.turn(number).await {
                        Turn::Done(result) => (result, 0),
                        Turn::Lead { all, told, .. } => {
                            let led = all.len();
                            for waiting in all {
                                let result = waiting.what * 10;
                                waiting.tell(result);
                            }
                            (told.result().unwrap(), led)
                        }
                    }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        all.into_iter().for_each(|waiting| waiting.tell(7));
        assert_eq!(told.result(), Some(7));
        drop(shared);
        let mut led = Vec::new();
        for (number, other) in (1..).zip(others) {
            let (result, count) = other.await.unwrap();
            assert_eq!(result, number * 10);
            led.push(count);
        }
        assert_eq!(led, [5, 0, 0, 0, 0]);
    }

    #[tokio::test]
    async fn a_leader_that_breaks_off_blocks_no_other_caller() {
        let together: Coalesce<(), u32, u32> = Coalesce::default();
        drop(together.turn(1).await);
        assert!(matches!(together.turn(2).await, Turn::Lead { all, .. } if all.len() == 1));
    }
}
