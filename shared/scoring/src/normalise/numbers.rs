//! Number words to digits: English and Hindi, with lakh and crore.
//!
//! A number is read as people say it: units up to 99, hundreds, then thousand,
//! lakh, crore (and million, billion) in falling order. Words that do not
//! continue a number begin a new one: "two five" stays `2 5`, "one two three" is
//! `1 2 3`. Digits may stand for units before a scale (`10 हजार`, `2 lakh`). A
//! scale word without a number before it counts as one only where it is said so
//! ("hundred rupees", `सौ`), never for lakh and above (`करोड़` alone is a word).

use super::super::text::{self, Piece, Pieces};
use super::spoken::{push_word, speaks, words};

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sense {
    /// 0 to 99.
    Unit(u64),
    Hundred,
    /// A thousand and above.
    Scale(u64),
    /// "and" within an English number.
    And,
}

const ENGLISH: &[(&str, u64)] = &[
    ("zero", 0),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fourty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
];

/// 0 to 99, alternatives separated by a slash.
const HINDI: [&str; 100] = [
    "शून्य",
    "एक",
    "दो",
    "तीन",
    "चार",
    "पाँच/पांच",
    "छह/छः/छे/छ",
    "सात",
    "आठ",
    "नौ",
    "दस",
    "ग्यारह",
    "बारह",
    "तेरह",
    "चौदह",
    "पंद्रह/पन्द्रह",
    "सोलह",
    "सत्रह",
    "अठारह/अट्ठारह",
    "उन्नीस",
    "बीस",
    "इक्कीस",
    "बाईस/बाइस",
    "तेईस/तेइस",
    "चौबीस",
    "पच्चीस",
    "छब्बीस",
    "सत्ताईस/सत्ताइस",
    "अट्ठाईस/अट्ठाइस/अठाईस",
    "उनतीस/उन्तीस",
    "तीस",
    "इकतीस/इकत्तीस",
    "बत्तीस",
    "तैंतीस/तेंतीस",
    "चौंतीस",
    "पैंतीस",
    "छत्तीस",
    "सैंतीस",
    "अड़तीस",
    "उनतालीस/उन्तालीस",
    "चालीस",
    "इकतालीस",
    "बयालीस",
    "तैंतालीस/तेंतालीस",
    "चौवालीस/चवालीस",
    "पैंतालीस",
    "छियालीस",
    "सैंतालीस",
    "अड़तालीस",
    "उनचास/उन्चास",
    "पचास",
    "इक्यावन",
    "बावन",
    "तिरपन/तिरेपन",
    "चौवन",
    "पचपन",
    "छप्पन",
    "सत्तावन",
    "अट्ठावन/अठावन",
    "उनसठ",
    "साठ",
    "इकसठ",
    "बासठ",
    "तिरसठ/तिरेसठ",
    "चौंसठ",
    "पैंसठ",
    "छियासठ",
    "सड़सठ",
    "अड़सठ",
    "उनहत्तर",
    "सत्तर",
    "इकहत्तर",
    "बहत्तर",
    "तिहत्तर",
    "चौहत्तर",
    "पचहत्तर",
    "छिहत्तर",
    "सतहत्तर",
    "अठहत्तर",
    "उन्यासी/उनासी",
    "अस्सी",
    "इक्यासी",
    "बयासी",
    "तिरासी",
    "चौरासी",
    "पचासी",
    "छियासी",
    "सत्तासी",
    "अट्ठासी/अठासी",
    "नवासी",
    "नब्बे",
    "इक्यानवे/इक्यानबे",
    "बानवे/बानबे",
    "तिरानवे/तिरानबे",
    "चौरानवे/चौरानबे",
    "पचानवे/पचानबे/पंचानवे",
    "छियानवे/छियानबे",
    "सत्तानवे/सत्तानबे",
    "अट्ठानवे/अट्ठानबे/अठानवे",
    "निन्यानवे/निन्यानबे",
];

fn english(word: &str) -> Option<Sense> {
    Some(match word {
        "hundred" => Sense::Hundred,
        "thousand" => Sense::Scale(1_000),
        "lakh" | "lakhs" | "lac" | "lacs" => Sense::Scale(100_000),
        "million" => Sense::Scale(1_000_000),
        "crore" | "crores" => Sense::Scale(10_000_000),
        "billion" => Sense::Scale(1_000_000_000),
        "and" => Sense::And,
        _ => {
            let (_, value) = ENGLISH.iter().find(|(name, _)| *name == word)?;
            Sense::Unit(*value)
        }
    })
}

fn hindi(word: &str) -> Option<Sense> {
    // The nukta may be written as part of the letter or after it, or left out:
    // NFC ran before, so only the last remains.
    Some(match word {
        "सौ" => Sense::Hundred,
        "हज़ार" | "हजार" => Sense::Scale(1_000),
        "लाख" => Sense::Scale(100_000),
        "करोड़" | "करोड" => Sense::Scale(10_000_000),
        "अरब" => Sense::Scale(1_000_000_000),
        _ => {
            let named = |names: &&str| names.split('/').any(|name| same(name, word));
            Sense::Unit(HINDI.iter().position(named)? as u64)
        }
    })
}

/// Whether two spellings are the same but for how nukta is encoded.
fn same(name: &str, word: &str) -> bool {
    use unicode_normalization::UnicodeNormalization;
    name == word || name.nfc().eq(word.chars())
}

/// Both languages at once, for code-mixed speech.
fn sense(word: &str, language: &str) -> Option<Sense> {
    let of_english = || speaks(language, "en").then(|| english(word)).flatten();
    let of_hindi = || speaks(language, "hi").then(|| hindi(word)).flatten();
    of_english().or_else(of_hindi)
}

pub(super) fn to_digits(text: Pieces, language: &str) -> Pieces {
    if !speaks(language, "en") && !speaks(language, "hi") {
        return text;
    }
    let all: Vec<&[Piece]> = words(&text).collect();
    let strings: Vec<String> = all.iter().map(|word| text::to_string(word)).collect();
    let senses: Vec<Option<Sense>> = strings.iter().map(|word| sense(word, language)).collect();
    let mut out = Pieces::with_capacity(text.len());
    let mut at = 0;
    while at < all.len() {
        match read_number(&senses[at..], &strings[at..]) {
            Some((value, used)) => {
                let mut number = Pieces::new();
                let spoken = all[at..at + used].concat();
                text::replace(&spoken, value.to_string().chars(), &mut number);
                push_word(number.into_iter(), &mut out);
                at += used;
            }
            None => {
                push_word(all[at].iter().copied(), &mut out);
                at += 1;
            }
        }
    }
    out
}

/// The number that begins here: its value and how many words it takes.
fn read_number(senses: &[Option<Sense>], words: &[String]) -> Option<(u64, usize)> {
    let mut total: u64 = 0;
    let mut at = 0;
    // Scales have to fall: "two thousand three lakh" is two numbers.
    let mut ceiling = u64::MAX;
    loop {
        // An "and" only counts between parts of one number.
        let skip = usize::from(at > 0 && senses.get(at) == Some(&Some(Sense::And)));
        let Some((value, used)) = read_group(&senses[at + skip..], &words[at + skip..], at > 0)
        else {
            break;
        };
        let after = at + skip + used;
        match senses.get(after) {
            Some(Some(Sense::Scale(scale))) if *scale < ceiling && value > 0 => {
                let Some(part) = value.checked_mul(*scale) else {
                    break;
                };
                total = total.checked_add(part)?;
                ceiling = *scale;
                at = after + 1;
            }
            Some(Some(Sense::Scale(_))) if at > 0 => break,
            _ if value >= ceiling || (at > 0 && value == 0) => break,
            _ => {
                // Digits on their own are a number already.
                let spoken = at > 0 || senses[..after].iter().any(Option::is_some);
                return spoken.then_some((total.checked_add(value)?, after));
            }
        }
    }
    (at > 0).then_some((total, at))
}

/// Up to 999, or digits: value and words used. `within`: whether a larger part of
/// the same number came before, after which digits only count before a scale.
fn read_group(senses: &[Option<Sense>], words: &[String], within: bool) -> Option<(u64, usize)> {
    let first = *senses.first()?;
    let (mut value, mut at) = match first {
        Some(Sense::Unit(unit)) => read_units(senses, unit),
        // "hundred rupees", "thousand rupees": one is meant.
        Some(Sense::Hundred) => (1, 0),
        Some(Sense::Scale(1_000)) if !within => return Some((1, 0)),
        None => {
            let scaled = matches!(senses.get(1), Some(Some(Sense::Scale(_) | Sense::Hundred)));
            let digits = words.first()?;
            let short = digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit());
            if !scaled || !short || (within && digits.starts_with('0')) {
                return None;
            }
            (digits.parse().ok()?, 1)
        }
        _ => return None,
    };
    if senses.get(at) == Some(&Some(Sense::Hundred)) && value > 0 {
        value = value.checked_mul(100)?;
        at += 1;
        let skip = usize::from(senses.get(at) == Some(&Some(Sense::And)));
        if let Some(Some(Sense::Unit(unit @ 1..))) = senses.get(at + skip) {
            let (rest, used) = read_units(&senses[at + skip..], *unit);
            value = value.checked_add(rest)?;
            at += skip + used;
        }
    }
    Some((value, at))
}

/// "twenty" and "five" as 25; anything else is a unit of its own.
fn read_units(senses: &[Option<Sense>], first: u64) -> (u64, usize) {
    match senses.get(1) {
        Some(Some(Sense::Unit(unit @ 1..=9))) if first >= 20 && first.is_multiple_of(10) => {
            (first + unit, 2)
        }
        _ => (first, 1),
    }
}
