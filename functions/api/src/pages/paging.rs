//! Lists page by page, by links.

use stt_eval_shared::wire::envelope::PageMeta;

use crate::http::query::{DEFAULT_LIMIT, Paging, Pairs, encoded};

/// The link to what is older.
pub struct Older;

impl Older {
    /// The page that a query asks for.
    #[must_use]
    pub fn asked(query: Option<String>) -> Paging {
        let query = Pairs::any(query.as_deref().unwrap_or_default());
        Self::asked_by(&query, "cursor")
    }

    /// The page that a query asks for by a parameter, where a page shows several lists.
    #[must_use]
    pub fn asked_by(query: &Pairs, parameter: &str) -> Paging {
        Paging {
            limit: DEFAULT_LIMIT,
            cursor: query.text(parameter).map(str::to_owned),
        }
    }

    /// The address of the page after one; `None` at the end.
    #[must_use]
    pub fn address(list: &str, meta: &PageMeta) -> Option<String> {
        let cursor = meta.next_cursor.as_ref()?.to_string();
        Some(format!("{list}?cursor={}", encoded(&cursor)))
    }
}
