//! Pages of lists, by cursors.

use serde::Serialize;
use stt_eval_shared::store::Page;
use stt_eval_shared::wire::envelope::{Cursor, PageMeta};

use crate::http::auth::Caller;
use crate::http::cursor::Cursors;
use crate::http::envelope::list;
use crate::http::error::Answer;
use crate::http::query::Paging;
use crate::refusal::Refusal;

/// A page of a list, as a request asks for it.
pub struct Pager {
    cursors: Cursors,
    /// Most items of the page.
    pub limit: usize,
    from: Option<String>,
}

impl Pager {
    /// A page of one of the caller's lists. `filters` must tell every query apart
    /// that gives another list; the page size is no filter.
    ///
    /// # Errors
    /// When the cursor is not one of this list.
    pub fn new(
        caller: &Caller,
        list: &str,
        filters: &[&str],
        paging: Paging,
    ) -> Result<Self, Refusal> {
        let cursors = Cursors::new(&caller.cursor_secret, &caller.actor.project, list, filters);
        let Paging { limit, cursor } = paging;
        let from = cursor.map(|cursor| cursors.open(&cursor)).transpose()?;
        Ok(Self {
            cursors,
            limit,
            from,
        })
    }

    /// Where the page begins; `None` at the start of the list.
    #[must_use]
    pub fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }

    /// About the page: of how many in all, and where the next one begins.
    #[must_use]
    pub fn meta(&self, total: u64, next: Option<&str>) -> PageMeta {
        PageMeta {
            total,
            limit: self.limit as u64,
            next_cursor: self.cursor(next),
        }
    }

    /// The cursor of a position of the list.
    #[must_use]
    pub fn cursor(&self, position: Option<&str>) -> Option<Cursor> {
        position.map(|position| Cursor(self.cursors.seal(position)))
    }

    /// The answer with a page of the store, each item as `view` shows it.
    ///
    /// # Errors
    /// When the answer can't be written.
    pub fn answer<T, V: Serialize>(
        &self,
        (page, total): (Page<T>, u64),
        view: impl FnMut(T) -> V,
    ) -> Answer {
        let meta = self.meta(total, page.next.as_deref());
        list(page.items.into_iter().map(view).collect(), meta)
    }
}
