//! What failed, in archives that have no word for it: a list beside the others,
//! which our exports have. An empty line there is no result.

use std::collections::HashMap;

use crate::files::{Files, parent, text};
use crate::json;
use crate::problem::Problem;
use crate::write::FAILED;

/// A system as its file is called: `imported/a` has `hyp.imported-a.trn`.
fn as_file(system: &str) -> String {
    system.replace('/', "-")
}

/// Why systems have nothing, by system and id.
#[derive(Default)]
pub(super) struct Failed(HashMap<(String, String), String>);

impl Failed {
    /// The list beside a file, if there is one.
    pub(super) fn beside(files: &dyn Files, name: &str) -> Result<Self, Problem> {
        let own = match parent(name) {
            "" => FAILED.to_owned(),
            folder => format!("{folder}/{FAILED}"),
        };
        if !files.names().contains(&own) {
            return Ok(Self::default());
        }
        let told = text(files, &own)?.text;
        let rows = json::objects(&told, &own)?.rows;
        let one = |(_, row): (u64, serde_json::Value)| {
            let of = |field: &str| row.get(field)?.as_str().map(str::to_owned);
            Some(((as_file(&of("system")?), of("id")?), of("error")?))
        };
        Ok(Self(rows.into_iter().filter_map(one).collect()))
    }

    /// Why there is nothing of a system; of a text that is there nothing failed.
    pub(super) fn reason(&self, system: &str, id: Option<&str>, said: &str) -> Option<String> {
        if self.0.is_empty() || !said.is_empty() {
            return None;
        }
        let key = (as_file(system), id?.to_owned());
        self.0.get(&key).cloned()
    }
}
