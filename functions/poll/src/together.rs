//! Doing together what comes at the same time. Whoever is first does it for all
//! who came until then; those who come meanwhile are the next one's.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{MutexGuard, oneshot};

/// Somebody who waits.
pub(crate) struct Waiting<T, R> {
    /// What is to be done for him.
    pub(crate) what: T,
    done: oneshot::Sender<R>,
}

impl<T, R> Waiting<T, R> {
    /// Tells him what came of it.
    pub(crate) fn tell(self, result: R) {
        // He may have broken off.
        let _ = self.done.send(result);
    }
}

/// Who waits for what, and what those who lead share.
pub(crate) struct Together<S, T, R> {
    waiting: Mutex<Vec<Waiting<T, R>>>,
    turn: tokio::sync::Mutex<S>,
}

impl<S: Default, T, R> Default for Together<S, T, R> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }
}

/// What one's turn came to.
pub(crate) enum Turn<'a, S, T, R> {
    /// Somebody else did it along with his own.
    Done(R),
    /// It is to be done for all of these, oneself among them, who is `told` as
    /// the others are.
    Lead {
        shared: MutexGuard<'a, S>,
        all: Vec<Waiting<T, R>>,
        told: Told<R>,
    },
}

/// What the one who leads is told by himself.
pub(crate) struct Told<R>(oneshot::Receiver<R>);

impl<R> Told<R> {
    /// The result; `None` when nobody told.
    pub(crate) fn result(mut self) -> Option<R> {
        self.0.try_recv().ok()
    }
}

impl<S, T, R> Together<S, T, R> {
    /// Waits for one's turn. Who breaks off while he leads leaves the others
    /// without a result: they lead an empty turn of their own.
    pub(crate) async fn turn(&self, what: T) -> Turn<'_, S, T, R> {
        let (done, mut told) = oneshot::channel();
        self.lock().push(Waiting { what, done });
        let shared = self.turn.lock().await;
        if let Ok(result) = told.try_recv() {
            return Turn::Done(result);
        }
        let all = std::mem::take(&mut *self.lock());
        Turn::Lead {
            shared,
            all,
            told: Told(told),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting<T, R>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn whoever_is_first_does_it_for_all_who_came_until_then() {
        let together: Arc<Together<u32, u32, u32>> = Arc::default();
        // Somebody leads; five come meanwhile.
        let Turn::Lead { shared, all, told } = together.turn(0).await else {
            panic!("nobody else is there");
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
    async fn one_who_breaks_off_while_he_leads_blocks_nobody() {
        let together: Together<(), u32, u32> = Together::default();
        drop(together.turn(1).await);
        assert!(matches!(together.turn(2).await, Turn::Lead { all, .. } if all.len() == 1));
    }
}
