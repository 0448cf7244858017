//! What is suspicious about a hypothesis, told without a model.
//!
//! Flags are reasons to listen, not errors: they never change a score. They look
//! at the normalised texts, and a peculiarity that the reference has too (a
//! speaker who says "no no no no") is not held against the hypothesis.

use super::tokens;
use serde::{Deserialize, Serialize};
use unicode_script::{Script, UnicodeScript};

/// A reason to look at a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Nothing was transcribed although something was said.
    Empty,
    /// Something was transcribed although nothing was said.
    OutputOnSilence,
    /// [`LONG_INSERTION`] or more words inserted in a row.
    LongInsertion,
    /// A phrase of one to eight words, or a few characters within a word, again
    /// and again: see [`LOOP_REPEATS`].
    Loop,
    /// More than [`MAX_CHARS_PER_SECOND`] characters for each second of audio.
    TooFast,
    /// Most letters belong to a script that neither the language nor the
    /// reference uses.
    WrongScript,
    /// A phrase that models trained on subtitles are known to invent.
    StockPhrase,
}

/// Words inserted in a row from which on [`Flag::LongInsertion`] is set.
pub const LONG_INSERTION: u64 = 6;
/// Repetitions from which on [`Flag::Loop`] is set: of one word, of a phrase of
/// two to eight words, of one to four characters within a word.
pub const LOOP_REPEATS: [usize; 3] = [6, 4, 10];
/// Code points without blanks per second of audio; fast speech stays below 25.
pub const MAX_CHARS_PER_SECOND: f64 = 30.0;
const LONGEST_LOOP_WORDS: usize = 8;
const LONGEST_LOOP_CHARS: usize = 4;
/// Share of the letters from which on a script counts as used by a text.
const SCRIPT_IN_USE: f64 = 0.1;

/// Phrases that subtitles end or begin with, as `indic-v1` leaves them.
const STOCK_PHRASES: &[&str] = &[
    "thank you for watching",
    "thanks for watching",
    "please subscribe",
    "subscribe to my channel",
    "subscribe to the channel",
    "like and subscribe",
    "see you in the next video",
    "subtitles by the amara org community",
    "transcription by castingwords",
    "देखने के लिए धन्यवाद",
    "वीडियो देखने के लिए धन्यवाद",
    "चैनल को सब्सक्राइब",
    "सब्सक्राइब करें",
    "সাবস্ক্রাইব করুন",
    "দেখার জন্য ধন্যবাদ",
    "பார்த்ததற்கு நன்றி",
    "சப்ஸ்கிரைப் செய்யுங்கள்",
    "చూసినందుకు ధన్యవాదాలు",
    "ವೀಕ್ಷಿಸಿದ್ದಕ್ಕಾಗಿ ಧನ್ಯವಾದಗಳು",
    "കണ്ടതിന് നന്ദി",
    "જોવા બદલ આભાર",
    "دیکھنے کے لیے شکریہ",
];

/// What flags are told from.
pub(super) struct Evidence<'a> {
    /// Normalised, all alternatives one after the other.
    pub(super) reference: &'a str,
    /// Normalised.
    pub(super) hypothesis: &'a str,
    /// BCP-47.
    pub(super) language: &'a str,
    pub(super) duration_seconds: Option<f64>,
    pub(super) reference_words: u64,
    pub(super) longest_insertion: u64,
}

/// All flags that apply, in the order of [`Flag`].
pub(super) fn detect(evidence: &Evidence<'_>) -> Vec<Flag> {
    let Evidence {
        reference,
        hypothesis,
        ..
    } = *evidence;
    let words = tokens::words(hypothesis);
    if words.is_empty() {
        let said_something = evidence.reference_words > 0;
        return said_something.then_some(Flag::Empty).into_iter().collect();
    }
    let reference_words = tokens::words(reference);
    let checks = [
        (Flag::OutputOnSilence, reference_words.is_empty()),
        (
            Flag::LongInsertion,
            evidence.longest_insertion >= LONG_INSERTION,
        ),
        (Flag::Loop, loops(&words) > loops(&reference_words)),
        (Flag::TooFast, is_too_fast(evidence)),
        (Flag::WrongScript, is_wrong_script(evidence)),
        (
            Flag::StockPhrase,
            has_stock_phrase(&words, &reference_words),
        ),
    ];
    checks
        .into_iter()
        .filter_map(|(flag, applies)| applies.then_some(flag))
        .collect()
}

/// Most repetitions in a row of one unit of `period` items.
fn most_repeats<T: PartialEq>(items: &[T], period: usize) -> usize {
    let (mut longest, mut run) = (0, 0);
    for (earlier, later) in items.iter().zip(items.iter().skip(period)) {
        run = if earlier == later { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest / period + 1
}

/// Repetitions beyond what is natural; 0 if none.
fn loops(words: &[&str]) -> usize {
    let [of_word, of_phrase, of_chars] = LOOP_REPEATS;
    let mut worst = 0;
    let mut note = |repeats: usize, limit: usize| {
        if repeats >= limit {
            worst = worst.max(repeats);
        }
    };
    note(most_repeats(words, 1), of_word);
    for period in 2..=LONGEST_LOOP_WORDS {
        note(most_repeats(words, period), of_phrase);
    }
    for word in words {
        // A repeated code point is at least a byte: short words cannot loop.
        if word.len() < of_chars || word.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let chars: Vec<char> = word.chars().collect();
        for period in 1..=LONGEST_LOOP_CHARS {
            note(most_repeats(&chars, period), of_chars);
        }
    }
    worst
}

fn is_too_fast(evidence: &Evidence<'_>) -> bool {
    let seconds = evidence.duration_seconds.filter(|seconds| *seconds > 0.0);
    seconds.is_some_and(|seconds| {
        let chars = evidence
            .hypothesis
            .chars()
            .filter(|c| !tokens::is_blank(*c));
        chars.count() as f64 / seconds > MAX_CHARS_PER_SECOND
    })
}

/// Scripts of a language, by the first part of its tag and by a script part
/// (`pa-Arab`). Empty for a language not known here, for which only the reference
/// tells.
fn scripts_of(language: &str) -> Vec<Script> {
    let by_part = |part: &str| -> Option<Script> {
        Some(match part.to_ascii_lowercase().as_str() {
            "hi" | "mr" | "ne" | "sa" | "kok" | "doi" | "mai" | "brx" | "bho" | "mag" | "hne"
            | "raj" | "awa" | "deva" => Script::Devanagari,
            "bn" | "as" | "beng" => Script::Bengali,
            "ta" | "taml" => Script::Tamil,
            "te" | "telu" => Script::Telugu,
            "kn" | "tcy" | "knda" => Script::Kannada,
            "ml" | "mlym" => Script::Malayalam,
            "gu" | "gujr" => Script::Gujarati,
            "pa" | "guru" => Script::Gurmukhi,
            "or" | "ory" | "orya" => Script::Oriya,
            "ur" | "ks" | "sd" | "ar" | "fa" | "arab" | "aran" => Script::Arabic,
            "sat" | "olck" => Script::Ol_Chiki,
            "mni" | "mtei" => Script::Meetei_Mayek,
            "en" | "latn" => Script::Latin,
            _ => return None,
        })
    };
    // Several languages are written in two scripts.
    let also = match language.split(['-', '_']).next().unwrap_or_default() {
        "sd" | "ks" => vec![Script::Devanagari],
        "mni" => vec![Script::Bengali],
        _ => Vec::new(),
    };
    let parts = language.split(['-', '_']).enumerate();
    parts
        // A part of two letters after the first is a region (`hi-IN`), except `en`
        // in the tags of code-mixed speech (`hi-en`).
        .filter(|(i, part)| *i == 0 || part.len() == 4 || *part == "en")
        .filter_map(|(_, part)| by_part(part))
        .chain(also)
        .collect()
}

/// Letters and marks per script, without those that many scripts share.
fn scripts_in(text: &str) -> Vec<(Script, usize)> {
    let mut counts: Vec<(Script, usize)> = Vec::new();
    for c in text.chars() {
        let script = if c.is_ascii_alphabetic() {
            Script::Latin
        } else if c.is_ascii() {
            continue;
        } else {
            c.script()
        };
        match counts.iter_mut().find(|(known, _)| *known == script) {
            Some((_, count)) => *count += 1,
            None => counts.push((script, 1)),
        }
    }
    let shared = [Script::Common, Script::Inherited, Script::Unknown];
    counts.retain(|(script, _)| !shared.contains(script));
    counts
}

fn is_wrong_script(evidence: &Evidence<'_>) -> bool {
    let letters = |scripts: &[(Script, usize)]| scripts.iter().map(|(_, n)| n).sum::<usize>();
    let mut expected = scripts_of(evidence.language);
    let reference = scripts_in(evidence.reference);
    let in_use = SCRIPT_IN_USE * letters(&reference) as f64;
    let used = reference
        .iter()
        .filter(|(_, count)| *count as f64 >= in_use);
    expected.extend(used.map(|(script, _)| *script));

    let mut hypothesis = scripts_in(evidence.hypothesis);
    let all = letters(&hypothesis);
    hypothesis.retain(|(script, _)| !expected.contains(script));
    !expected.is_empty() && letters(&hypothesis) * 2 > all
}

fn has_stock_phrase(words: &[&str], reference: &[&str]) -> bool {
    let contains = |words: &[&str], phrase: &[&str]| {
        words.windows(phrase.len()).any(|window| window == phrase)
    };
    STOCK_PHRASES.iter().any(|phrase| {
        let phrase = tokens::words(phrase);
        contains(words, &phrase) && !contains(reference, &phrase)
    })
}
