//! What a reference said before, and the button that lets it say that again.

use std::collections::BTreeMap;

use stt_eval_domain::KeyId;
use stt_eval_wire::datasets::{EarlierReference, Sample};

use crate::figures::{count, counted};
use crate::invisible::visible;
use crate::words::{Words, unmarked};

/// Names of keys.
pub type KeyNames = BTreeMap<KeyId, String>;

/// One of the wordings.
pub(crate) struct Wording {
    /// Which it is, by whom and of when.
    pub(crate) facts: String,
    pub(crate) version: String,
    pub(crate) words: Option<Words>,
    /// What a form sends to have it again.
    pub(crate) text: String,
    pub(crate) is_silent: bool,
}

/// All that is kept.
pub(crate) struct Earlier {
    pub(crate) wordings: Vec<Wording>,
    /// How many there are no more; empty when none.
    pub(crate) left_out: String,
}

fn facts(of: &EarlierReference, keys: &KeyNames) -> String {
    let mut facts = format!("version {}", count(of.reference_version.into()));
    let by = match (&of.writer_name, of.written_by) {
        (Some(name), _) => Some(format!("by {}", visible(name))),
        (None, Some(key)) => Some(match keys.get(&key) {
            Some(name) => format!("with the key “{}”", visible(name)),
            None => "with a key that is revoked".to_owned(),
        }),
        (None, None) => None,
    };
    // The day and the minute.
    let at = of.written_at.map(|at| at.to_string());
    let at = at.and_then(|at| Some(at.get(..16)?.replace('T', " ") + " UTC"));
    for fact in by.into_iter().chain(at) {
        facts.push_str(" · ");
        facts.push_str(&fact);
    }
    facts
}

/// Of a sample that has them; `None` where there were no others.
pub(crate) fn earlier(sample: &Sample, keys: &KeyNames) -> Option<Earlier> {
    let kept = sample.earlier.as_ref()?;
    if kept.references.is_empty() && kept.left_out == 0 {
        return None;
    }
    let wording = |of: &EarlierReference| Wording {
        facts: facts(of, keys),
        version: count(of.reference_version.into()),
        words: of
            .ground_truth
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(|text| unmarked(text, &sample.language)),
        text: of.ground_truth.clone().unwrap_or_default(),
        is_silent: of.ground_truth.as_deref() == Some(""),
    };
    Some(Earlier {
        wordings: kept.references.iter().map(wording).collect(),
        left_out: match kept.left_out {
            0 => String::new(),
            versions => counted(
                versions.into(),
                "older version is not kept: the last 10 are, as far as they fit.",
                "older versions are not kept: the last 10 are, as far as they fit.",
            ),
        },
    })
}
