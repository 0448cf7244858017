//! What is suspicious about a hypothesis, told without a model.
//!
//! Flags are reasons to listen, not errors: they never change a score. But for
//! [`Flag::Wrapped`] and [`Flag::CutShort`] they look at the normalised texts, and a peculiarity that the reference has too (a
//! speaker who says "no no no no") is not held against the hypothesis.

use super::characters;
use super::normalise::unwrap;
use super::tokens;
use serde::{Deserialize, Serialize};
use unicode_script::Script;

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
    /// The answer is not only the transcript: a code fence, JSON, a preface,
    /// speaker labels, time stamps, markup, quotation marks around everything.
    /// Set exactly where the normaliser step `unwrap` would change more than
    /// blanks, whether it is in use or not.
    Wrapped,
    /// Words are missing, and the vendor itself says that it heard nothing in the last
    /// [`MISSING_SECONDS`] and more: it stopped before the end of the audio. See
    /// [`SampleScore::heard`](super::SampleScore::heard).
    CutShort,
}

impl Flag {
    /// All of them, in the order in which a score lists them.
    pub const ALL: [Flag; 9] = [
        Flag::Empty,
        Flag::OutputOnSilence,
        Flag::LongInsertion,
        Flag::Loop,
        Flag::TooFast,
        Flag::WrongScript,
        Flag::StockPhrase,
        Flag::Wrapped,
        Flag::CutShort,
    ];

    /// Name as it is serialised.
    pub const fn name(self) -> &'static str {
        match self {
            Flag::Empty => "empty",
            Flag::OutputOnSilence => "output_on_silence",
            Flag::LongInsertion => "long_insertion",
            Flag::Loop => "loop",
            Flag::TooFast => "too_fast",
            Flag::WrongScript => "wrong_script",
            Flag::StockPhrase => "stock_phrase",
            Flag::Wrapped => "wrapped",
            Flag::CutShort => "cut_short",
        }
    }
}

/// Words inserted in a row from which on [`Flag::LongInsertion`] is set.
pub const LONG_INSERTION: u64 = 6;
/// Repetitions from which on [`Flag::Loop`] is set: of one word, of a phrase of
/// two to eight words, of one to four characters within a word.
pub const LOOP_REPEATS: [usize; 3] = [6, 4, 10];
/// Code points without blanks per second of audio; fast speech stays below 25.
pub const MAX_CHARS_PER_SECOND: f64 = 30.0;
/// Seconds at the end of the audio in which nothing was heard from which on, and beyond
/// the [share](MISSING_SHARE), [`Flag::CutShort`] is set.
pub const MISSING_SECONDS: f64 = 10.0;
/// Share of the audio that must be missing as well, for hours of speech may end with
/// a minute of applause.
pub const MISSING_SHARE: f64 = 0.1;
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
    /// As the model gave it.
    pub(super) raw_hypothesis: &'a str,
    /// Those of the language (see [`scripts_of`]).
    pub(super) scripts: &'a [Script],
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
    let is_wrapped = unwrap::is_wrapped(evidence.raw_hypothesis);
    if words.is_empty() {
        let said_something = evidence.reference_words > 0;
        let flags = [(Flag::Empty, said_something), (Flag::Wrapped, is_wrapped)];
        return applying(flags);
    }
    let checks = [
        (Flag::OutputOnSilence, tokens::trim(reference).is_empty()),
        (
            Flag::LongInsertion,
            evidence.longest_insertion >= LONG_INSERTION,
        ),
        (Flag::Loop, has_loop(&words, reference)),
        (Flag::TooFast, is_too_fast(evidence)),
        (Flag::WrongScript, is_wrong_script(evidence)),
        (Flag::StockPhrase, has_stock_phrase(&words, reference)),
        (Flag::Wrapped, is_wrapped),
    ];
    applying(checks)
}

/// Whether a vendor that heard something until a time left out the end of audio of a
/// length, both in seconds.
pub(super) fn ends_early(heard_until_seconds: f64, duration_seconds: f64) -> bool {
    let missing = duration_seconds - heard_until_seconds;
    missing > MISSING_SECONDS && missing > MISSING_SHARE * duration_seconds
}

fn applying<const N: usize>(checks: [(Flag, bool); N]) -> Vec<Flag> {
    checks
        .into_iter()
        .filter_map(|(flag, applies)| applies.then_some(flag))
        .collect()
}

/// Whether the words go round more often than those of the reference.
fn has_loop(words: &[&str], reference: &str) -> bool {
    let repeats = loops(words);
    repeats > 0 && repeats > loops(&tokens::words(reference))
}

/// Most repetitions in a row of one unit of `period` items, if they are at least `least`;
/// else 0.
fn most_repeats<T: PartialEq>(items: &[T], period: usize, least: usize) -> usize {
    let later = items.get(period..).unwrap_or_default();
    // So many items in a row equal the one a period before.
    let needed = period * (least - 1);
    // A run of that length has one item in each `needed`.
    let mut samples = (needed - 1..later.len()).step_by(needed);
    if !samples.any(|at| items[at] == later[at]) {
        return 0;
    }
    let (mut longest, mut run) = (0, 0);
    for (earlier, later) in items.iter().zip(later) {
        run = if earlier == later { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let repeats = longest / period + 1;
    if repeats >= least { repeats } else { 0 }
}

/// Repetitions beyond what is natural; 0 if none.
fn loops(words: &[&str]) -> usize {
    let [of_word, of_phrase, of_chars] = LOOP_REPEATS;
    let mut worst = most_repeats(words, 1, of_word);
    for period in 2..=LONGEST_LOOP_WORDS {
        worst = worst.max(most_repeats(words, period, of_phrase));
    }
    for word in words {
        // A repeated code point is at least a byte: short words cannot loop.
        if word.len() < of_chars
            || word.chars().count() < of_chars
            || word.bytes().all(|b| b.is_ascii_digit())
        {
            continue;
        }
        let chars: Vec<char> = word.chars().collect();
        for period in 1..=LONGEST_LOOP_CHARS {
            worst = worst.max(most_repeats(&chars, period, of_chars));
        }
    }
    worst
}

fn is_too_fast(evidence: &Evidence<'_>) -> bool {
    let seconds = evidence.duration_seconds.filter(|seconds| *seconds > 0.0);
    seconds.is_some_and(|seconds| {
        let is_too_many = |chars: usize| chars as f64 / seconds > MAX_CHARS_PER_SECOND;
        let text = evidence.hypothesis;
        // Blanks are looked for only if it depends on them.
        is_too_many(text.chars().count())
            && is_too_many(text.chars().filter(|c| !tokens::is_blank(*c)).count())
    })
}

/// Scripts of a language, by the first part of its tag and by a script part
/// (`pa-Arab`). Empty for a language not known here, for which only the reference
/// tells.
pub(super) fn scripts_of(language: &str) -> Vec<Script> {
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
        let script = characters::of(c).script;
        if matches!(script, Script::Common | Script::Inherited | Script::Unknown) {
            continue;
        }
        match counts.iter_mut().find(|(known, _)| *known == script) {
            Some((_, count)) => *count += 1,
            None => counts.push((script, 1)),
        }
    }
    counts
}

fn letters(scripts: &[(Script, usize)]) -> usize {
    scripts.iter().map(|(_, count)| count).sum()
}

fn is_wrong_script(evidence: &Evidence<'_>) -> bool {
    let mut foreign = scripts_in(evidence.hypothesis);
    let all = letters(&foreign);
    foreign.retain(|(script, _)| !evidence.scripts.contains(script));
    if letters(&foreign) * 2 <= all && !evidence.scripts.is_empty() {
        return false;
    }
    let reference = scripts_in(evidence.reference);
    let in_use = SCRIPT_IN_USE * letters(&reference) as f64;
    let is_used = |(_, count): &(Script, usize)| *count as f64 >= in_use;
    let used: Vec<Script> = reference
        .iter()
        .filter(|script| is_used(script))
        .map(|(script, _)| *script)
        .collect();
    foreign.retain(|(script, _)| !used.contains(script));
    let nothing_expected = evidence.scripts.is_empty() && used.is_empty();
    !nothing_expected && letters(&foreign) * 2 > all
}

/// A number by which most words that begin no stock phrase are told from those that do.
const fn sign(word: &[u8]) -> usize {
    match word {
        [] => 0,
        [first, .., last] => (word.len() * 31 + *first as usize * 7 + *last as usize) % 256,
        [only] => *only as usize,
    }
}

/// The signs of the first words of stock phrases.
const STOCK_SIGNS: [bool; 256] = {
    let mut signs = [false; 256];
    let mut at = 0;
    while at < STOCK_PHRASES.len() {
        let phrase = STOCK_PHRASES[at].as_bytes();
        let mut end = 0;
        while end < phrase.len() && phrase[end] != b' ' {
            end += 1;
        }
        signs[sign(phrase.split_at(end).0)] = true;
        at += 1;
    }
    signs
};

fn has_stock_phrase(words: &[&str], reference: &str) -> bool {
    let begins_with = |words: &[&str], phrase: &str| {
        let mut words = words.iter();
        phrase.split(' ').all(|word| words.next() == Some(&word))
    };
    let contains = |phrase: &str| {
        let words = tokens::words(reference);
        (0..words.len()).any(|at| begins_with(&words[at..], phrase))
    };
    let may_begin = |word: &str| STOCK_SIGNS[sign(word.as_bytes())];
    (0..words.len())
        .filter(|at| may_begin(words[*at]))
        .any(|at| {
            let mut phrases = STOCK_PHRASES.iter();
            phrases.any(|phrase| {
                phrase.starts_with(words[at])
                    && begins_with(&words[at..], phrase)
                    && !contains(phrase)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_stock_phrase_is_found_among_words() {
        for phrase in STOCK_PHRASES {
            let text = format!("one {phrase} two");
            assert!(
                has_stock_phrase(&tokens::words(&text), "one two"),
                "{phrase}"
            );
            assert!(!has_stock_phrase(&tokens::words(&text), &text), "{phrase}");
            let cut = text.replace(' ', "x ");
            assert!(!has_stock_phrase(&tokens::words(&cut), "one two"), "{cut}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn repeats_are_those_of_a_plain_count(
            items in "[ab]{0,12}(ab){0,9}(aab){0,6}b{0,12}[ab]{0,3}", period in 1usize..=8, least in 2usize..=10,
        ) {
            let items = items.as_bytes();
            let run = |from: usize| {
                (from..items.len().saturating_sub(period))
                    .take_while(|at| items[*at] == items[at + period])
                    .count()
            };
            let most = (0..items.len()).map(run).max().unwrap_or(0) / period + 1;
            let expected = if most >= least { most } else { 0 };
            prop_assert_eq!(most_repeats(items, period, least), expected);
        }
    }
}
