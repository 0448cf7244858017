//! Tiers of annotations: which of them is the transcript, and its text in order of time.

use crate::problem::{Code, Problem, counted};

/// Names of the tier that has the transcript, where there are several; the first is taken.
const USUAL: [&str; 10] = [
    "transcription",
    "transcript",
    "text",
    "utterances",
    "utterance",
    "sentences",
    "sentence",
    "ortho",
    "words",
    "word",
];
/// Marks of silence that aligners write; they are no words.
const SILENCE: [&str; 4] = ["sil", "sp", "<sil>", "<eps>"];

/// A tier.
#[derive(Debug, Default)]
pub(super) struct Tier {
    pub(super) name: String,
    /// Who speaks, if the tier says it.
    pub(super) speaker: Option<String>,
    /// Whether it stands for itself: others translate or split up the pieces of one.
    pub(super) is_own: bool,
    /// Seconds, and what is said from there on.
    pub(super) pieces: Vec<(f64, String)>,
}

/// The transcript: that of the tier `asked`, of the only one, of one with a usual name, or
/// of all where each has a speaker of its own; and what is to be told of it.
pub(super) fn transcript(
    tiers: Vec<Tier>,
    asked: Option<&str>,
    file: &str,
) -> Result<(String, Option<String>), Problem> {
    let names = |tiers: &[Tier]| {
        let names: Vec<String> = tiers
            .iter()
            .map(|tier| format!("{:?}", tier.name))
            .collect();
        names.join(", ")
    };
    let same = |name: &str, other: &str| name.trim().eq_ignore_ascii_case(other);
    if let Some(asked) = asked {
        let message = format!("has no tier {asked:?}; there are {}", names(&tiers));
        let found: Vec<Tier> = tiers
            .into_iter()
            .filter(|tier| tier.name == asked)
            .collect();
        if found.is_empty() {
            let problem = Problem::new(Code::ChooseColumn, message).file(file);
            return Err(problem.hint("--text-column with one of these"));
        }
        return Ok((joined(found), None));
    }
    let mut own: Vec<Tier> = tiers
        .into_iter()
        .filter(|tier| tier.is_own && tier.pieces.iter().any(|(_, text)| is_word(text)))
        .collect();
    if own.len() < 2 {
        return Ok((joined(own), None));
    }
    let mut usual = USUAL.iter();
    if let Some(name) = usual.find(|name| own.iter().any(|tier| same(&tier.name, name))) {
        own.retain(|tier| same(&tier.name, name));
        return Ok((joined(own), None));
    }
    let mut speakers: Vec<&str> = own
        .iter()
        .filter_map(|tier| tier.speaker.as_deref())
        .collect();
    speakers.sort_unstable();
    speakers.dedup();
    if speakers.len() == own.len() {
        let remark = format!(
            "{file}: {}, joined by time to one text",
            counted(own.len(), "speaker", "speakers")
        );
        return Ok((joined(own), Some(remark)));
    }
    let message = format!(
        "{} tiers could be the transcript: {}",
        own.len(),
        names(&own)
    );
    let hint = own
        .first()
        .map(|tier| format!("choose: --text-column {:?}", tier.name));
    let problem = Problem::new(Code::ChooseColumn, message).file(file);
    Err(problem.hint(hint.unwrap_or_default()))
}

fn is_word(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && !SILENCE.contains(&text)
}

/// What is said in some tiers, in order of time.
fn joined(tiers: Vec<Tier>) -> String {
    let mut pieces: Vec<(f64, String)> = tiers.into_iter().flat_map(|tier| tier.pieces).collect();
    pieces.retain(|(_, text)| is_word(text));
    pieces.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let words: Vec<&str> = pieces
        .iter()
        .flat_map(|(_, text)| text.split_whitespace())
        .collect();
    words.join(" ")
}
