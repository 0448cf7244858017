//! How uploads come to their end before all is sent.

use std::cell::Cell;

/// Whether uploads are to come to their end, and how many are under way.
#[derive(Debug, Default)]
pub struct Stopping {
    is_asked: Cell<bool>,
    under_way: Cell<usize>,
}

impl Stopping {
    /// From now on none begins. Gives how many there are that have begun.
    pub fn begin(&self) -> usize {
        self.is_asked.set(true);
        self.under_way.get()
    }

    /// Whether it has begun.
    pub fn is_asked(&self) -> bool {
        self.is_asked.get()
    }

    /// One more is under way, as long as this is there.
    pub fn one(&self) -> UnderWay<'_> {
        self.under_way.set(self.under_way.get() + 1);
        UnderWay(self)
    }
}

/// An upload, as long as it is under way.
#[derive(Debug)]
pub struct UnderWay<'a>(&'a Stopping);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let count = &self.0.under_way;
        count.set(count.get().saturating_sub(1));
    }
}
