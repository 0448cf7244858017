//! What other tools read: results and references as they write them.
//!
//! References go out as plain text, without markup: of a group its first alternative.

mod json;
mod sctk;
mod tables;
mod zip;

pub use json::{FAILED, failed, jsonl, label_studio, nemo, seg_lst};
pub use sctk::{Trn, for_sctk, not_for_sctk, stm, stm_id, trn, trn_id};
pub use tables::{
    AUDIOFOLDER_HEAD, audiofolder, audiofolder_name, audiofolder_rows, csv, csv_head, csv_rows,
};
pub use zip::Zip;

use std::collections::BTreeMap;

use stt_eval_scoring::reference::escape;

/// One sample to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Written {
    /// Id, unique.
    pub id: String,
    /// Name of its recording.
    pub audio: Option<String>,
    /// Length in seconds.
    pub seconds: Option<f64>,
    /// Language: a tag.
    pub language: Option<String>,
    /// Speaker.
    pub speaker: Option<String>,
    /// The reference, plain.
    pub reference: Option<String>,
    /// Where the reference came from, in words for tables, if that is known. It goes into
    /// our own formats.
    pub reference_from: Option<String>,
    /// One for each system, in its order; `None` where it failed.
    pub heard: Vec<Option<String>>,
    /// What else is known of what each system heard, in the same order; empty where only
    /// texts are known. It goes into our own formats.
    pub told: Vec<Told>,
    /// Free fields, by name. They go into our own formats.
    pub fields: BTreeMap<String, String>,
}

/// What is known of what a system heard in a sample, beside the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// Word error rate.
    pub wer: Option<f64>,
    /// Character error rate.
    pub cer: Option<f64>,
    /// What these rates were found with.
    pub scored_by: Option<ScoredBy>,
    /// Code of the failure, where there is no text.
    pub error: Option<String>,
    /// What people find of it.
    pub is_correct: Option<bool>,
    /// What they remark.
    pub comment: Option<String>,
    /// What each of them finds, in the order in which they first spoke.
    pub reviews: Vec<Reviewed>,
    /// References that they propose, which would take it as well; each once.
    pub proposed_references: Vec<String>,
    /// US dollars.
    pub cost_usd: Option<f64>,
    /// Milliseconds that it took.
    pub latency_ms: Option<u32>,
    /// Words of reference and text side by side, as JSON has them.
    pub alignment: Option<serde_json::Value>,
}

/// What a text was held against, and by what.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ScoredBy {
    /// What both texts went through before.
    pub normalizer: String,
    /// Version of the scorer.
    pub scorer_version: String,
    /// Which version of the reference it was.
    pub reference_version: u32,
}

impl std::fmt::Display for ScoredBy {
    /// For a cell: `indic-v1, scorer 3, reference version 1`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            normalizer,
            scorer_version,
            reference_version,
        } = self;
        write!(
            f,
            "{normalizer}, scorer {scorer_version}, reference version {reference_version}"
        )
    }
}

/// What one reviewer finds.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reviewed {
    /// Who.
    pub reviewer: String,
    /// `right`, `wrong` or `cannot_tell`; `None` where there is a remark only.
    pub verdict: Option<String>,
    /// Why, by their names in the API.
    pub reasons: Vec<String>,
    /// Remark.
    pub comment: Option<String>,
}

impl std::fmt::Display for Reviewed {
    /// A line for a cell: `Asha: wrong (name, number_or_date): the second digit`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdict = self.verdict.as_deref().unwrap_or("–");
        write!(f, "{}: {verdict}", self.reviewer)?;
        if !self.reasons.is_empty() {
            write!(f, " ({})", self.reasons.join(", "))?;
        }
        match &self.comment {
            Some(comment) => write!(f, ": {}", comment.replace(['\r', '\n'], " ")),
            None => Ok(()),
        }
    }
}

/// The text of a reference without markup: of groups the first alternative that has
/// words, and nothing for speech that is unclear.
#[must_use]
pub fn plain(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut chars = markup.char_indices();
    // Which alternative of a group is read: `None` outside.
    let mut group: Option<(String, bool)> = None;
    while let Some((at, c)) = chars.next() {
        let rest = markup.get(at + c.len_utf8()..).unwrap_or_default();
        let mut put = |c: char, group: &mut Option<(String, bool)>| match group {
            Some((text, false)) => text.push(c),
            Some((_, true)) => {}
            None => out.push(c),
        };
        match c {
            '\\' if rest.starts_with(['{', '}', '|', '\\', '<']) => {
                if let Some((_, escaped)) = chars.next() {
                    put(escaped, &mut group);
                }
            }
            '{' if group.is_none() => group = Some((String::new(), false)),
            '|' if group.is_some() => {
                if let Some((text, over)) = &mut group {
                    *over = !text.trim().is_empty();
                }
            }
            '}' if group.is_some() => {
                let text = group.take().map(|(text, _)| text).unwrap_or_default();
                out.push(' ');
                out += &text;
                out.push(' ');
            }
            '<' if group.is_none() && rest.starts_with("*>") => {
                chars.next();
                chars.next();
                out.push(' ');
            }
            c => put(c, &mut group),
        }
    }
    let words: Vec<&str> = out.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Whether a reference has markup, of which [`plain`] keeps one reading.
#[must_use]
pub fn is_marked(reference: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(' ').filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    words(&escape(&plain(reference))) != words(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes() {
        assert_eq!(
            plain("a {b c|d} <*> {|e}f \\{x\\} \\\\n"),
            "a b c e f {x} \\n"
        );
        for text in ["a {b|c} \\ <*> d", "x\\", "{", "a | b", "a <b> \t c"] {
            assert_eq!(plain(&escape(text)), text);
            assert!(!is_marked(&escape(text)));
        }
        for text in ["a {b|c}", "{a|}", "a <*>"] {
            assert!(is_marked(text), "{text}");
        }
    }
}
