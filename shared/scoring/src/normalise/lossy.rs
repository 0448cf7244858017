//! Opt-in steps. But for `unwrap` they run after the base steps, on words with single spaces.

use super::super::text::{self, Piece, Pieces};
use super::lossy_step::LossyStep;
use super::spoken::{push_word, speaks, words};
use super::{charsteps, numbers, unwrap};

pub(super) fn apply(step: LossyStep, mut text: Pieces, language: &str) -> Pieces {
    match step {
        LossyStep::Unwrap => unwrap::unwrap(text),
        LossyStep::Numbers => numbers::to_digits(text, language),
        LossyStep::Fillers => drop_fillers(&text, language),
        LossyStep::Nukta => {
            text.retain(|p| !is_nukta(p.ch));
            // One that stood alone leaves blanks, one between others brings them
            // together.
            charsteps::nfc(charsteps::blanks(text))
        }
        LossyStep::Anusvara => {
            for piece in &mut text {
                piece.ch = anusvara(piece.ch);
            }
            text
        }
        LossyStep::Compounds => join_compounds(text, language),
    }
}

/// Nukta of Devanagari, Bengali, Gurmukhi, Gujarati, Odia, Kannada. After NFC
/// every letter with nukta of these scripts is a letter and a mark, but for
/// Devanagari ऩ ऱ ऴ, which are letters of their own.
fn is_nukta(c: char) -> bool {
    matches!(
        c,
        '\u{93c}' | '\u{9bc}' | '\u{a3c}' | '\u{abc}' | '\u{b3c}' | '\u{cbc}'
    )
}

/// Chandrabindu of the scripts that also have an anusvara (Gurmukhi: adak bindi to
/// bindi).
fn anusvara(c: char) -> char {
    match c {
        '\u{901}' => '\u{902}',
        '\u{981}' => '\u{982}',
        '\u{a01}' => '\u{a02}',
        '\u{a81}' => '\u{a82}',
        '\u{b01}' => '\u{b02}',
        '\u{c01}' => '\u{c02}',
        '\u{c81}' => '\u{c82}',
        '\u{d01}' => '\u{d02}',
        other => other,
    }
}

const FILLERS: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "uh", "um", "uhm", "umm", "uhh", "er", "erm", "hm", "hmm", "mm", "mhm", "mmm", "ah",
            "eh",
        ],
    ),
    ("hi", &["हम्म", "उम्म", "अम्म", "ऊं", "उँ", "अं", "आं", "उह", "एह"]),
    ("mr", &["हम्म", "अं", "उम्म"]),
    ("bn", &["হুম", "উম", "আম", "উহ"]),
    ("ta", &["ம்ம்", "ம்", "ஹ்ம்"]),
    ("te", &["హ్మ్", "ఉమ్", "మ్మ్"]),
    ("kn", &["ಹ್ಮ್", "ಉಮ್"]),
    ("ml", &["ഉം", "ഹ്മ്"]),
    ("gu", &["હમ્મ", "અમ્મ"]),
    ("ur", &["ہمم", "اممم"]),
];

fn drop_fillers(text: &[Piece], language: &str) -> Pieces {
    let known: Vec<&str> = FILLERS
        .iter()
        .filter(|(of, _)| speaks(language, of))
        .flat_map(|(_, words)| words.iter().copied())
        .collect();
    let mut out = Pieces::with_capacity(text.len());
    for word in words(text) {
        if !known.contains(&text::to_string(word).as_str()) {
            push_word(word.iter().copied(), &mut out);
        }
    }
    out
}

/// Pairs that are written as one word or two.
const COMPOUNDS: &[(&str, &[(&str, &str)])] = &[
    (
        "hi",
        &[
            ("आज", "कल"),
            ("के", "लिए"),
            ("इस", "लिए"),
            ("हालाँ", "कि"),
            ("हालां", "कि"),
            ("क्यों", "कि"),
            ("जब", "कि"),
            ("बल", "कि"),
            ("चूँ", "कि"),
            ("चूं", "कि"),
            ("टीका", "करण"),
        ],
    ),
    ("mr", &[("आज", "काल"), ("काय", "तरी"), ("कोणी", "तरी")]),
    ("bn", &[("আজ", "কাল"), ("সময়", "মতো"), ("টিকা", "করণ")]),
    (
        "en",
        &[
            ("any", "one"),
            ("any", "thing"),
            ("every", "one"),
            ("every", "thing"),
            ("some", "one"),
            ("some", "thing"),
            ("can", "not"),
            ("e", "mail"),
            ("web", "site"),
            ("health", "care"),
        ],
    ),
];

fn join_compounds(text: Pieces, language: &str) -> Pieces {
    let known: Vec<(&str, &str)> = COMPOUNDS
        .iter()
        .filter(|(of, _)| speaks(language, of))
        .flat_map(|(_, pairs)| pairs.iter().copied())
        .collect();
    if known.is_empty() {
        return text;
    }
    let all: Vec<&[Piece]> = words(&text).collect();
    let strings: Vec<String> = all.iter().map(|word| text::to_string(word)).collect();
    let mut out = Pieces::with_capacity(text.len());
    let mut at = 0;
    while at < all.len() {
        let next = strings.get(at + 1).map(String::as_str);
        let joins = next.is_some_and(|next| known.contains(&(strings[at].as_str(), next)));
        if joins {
            push_word(all[at].iter().chain(all[at + 1]).copied(), &mut out);
            at += 2;
        } else {
            push_word(all[at].iter().copied(), &mut out);
            at += 1;
        }
    }
    out
}
