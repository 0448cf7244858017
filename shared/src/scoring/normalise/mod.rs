//! Normalisers: named, versioned, ordered lists of steps.
//!
//! A score is stored with the name of its normaliser. The steps behind a name
//! never change; another list of steps gets another name.
//!
//! - `indic-v1` (the default): forgives what is spelling of the same text and
//!   keeps every vowel sign, anusvara, virama and nukta. The usual normaliser of
//!   Whisper turns each Unicode mark into a blank, which deletes Indic vowel
//!   signs and can flip the ranking of models (arXiv 2409.02449).
//! - `nfc-v1`: only Unicode NFC and the folding of blanks.
//! - `raw-v1`: nothing at all.
//! - A base name with opt-in lossy steps, for instance
//!   `indic-v1+nukta+numbers`: see [`LossyStep`]. They hide differences that a
//!   reader may care about, so they are never on by default.

mod charsteps;
mod lossy;
mod numbers;
mod waterfall;

use super::text::{self, Pieces};
pub use waterfall::{Waterfall, WaterfallRow};

/// One step of a normaliser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Unicode NFC. Not NFKC, which would also unify what reads differently
    /// (`²` and `2`).
    Nfc,
    /// One code point for one letter where older texts use a sequence: Malayalam
    /// chillu (ന് + ZWJ → ൻ), Bengali khanda ta (ত্ + ZWJ, or ত্ at the end of a
    /// word → ৎ). Assamese ৰ and ৱ stay what they are.
    UnifyLetters,
    /// Removes zero-width joiner, non-joiner and space, word joiner, byte order
    /// mark, soft hyphen and the marks and controls of writing direction.
    DropInvisible,
    /// Lower case, character by character (so ς and σ stay distinct).
    LowerCase,
    /// Decimal digits of every script to ASCII.
    Digits,
    /// Joins digit groups: `1,25,000` and `125,000` → `125000`.
    DigitGroups,
    /// General category P (danda, Arabic comma and the like included) to a blank.
    Punctuation,
    /// Runs of blanks to one space, none at the ends.
    Blanks,
    /// An opt-in step.
    Lossy(LossyStep),
}

impl Step {
    /// Name of the step, as a waterfall shows it.
    pub fn name(self) -> &'static str {
        match self {
            Step::Nfc => "nfc",
            Step::UnifyLetters => "letters",
            Step::DropInvisible => "invisible",
            Step::LowerCase => "case",
            Step::Digits => "digits",
            Step::DigitGroups => "digit-groups",
            Step::Punctuation => "punctuation",
            Step::Blanks => "blanks",
            Step::Lossy(step) => step.name(),
        }
    }

    /// Whether the step can make different texts equal that a reader would tell
    /// apart.
    pub fn is_lossy(self) -> bool {
        matches!(self, Step::Lossy(_))
    }

    fn apply(self, text: Pieces, language: &str) -> Pieces {
        match self {
            Step::Nfc => charsteps::nfc(text),
            Step::UnifyLetters => charsteps::unify_letters(text),
            Step::DropInvisible => charsteps::drop_invisible(text),
            Step::LowerCase => charsteps::lower_case(text),
            Step::Digits => charsteps::digits(text),
            Step::DigitGroups => charsteps::digit_groups(text),
            Step::Punctuation => charsteps::punctuation(text),
            Step::Blanks => charsteps::blanks(text),
            Step::Lossy(step) => lossy::apply(step, text, language),
        }
    }
}

/// Opt-in steps that forgive more than spelling. Each works on text that went
/// through the base steps, and only in the languages it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossyStep {
    /// `numbers`: number words to digits, with hundred, thousand, lakh and crore,
    /// in English (`en`) and Hindi (`hi`); in a code-mixed tag (`hi-en`) both.
    Numbers,
    /// `fillers`: removes filler words (`um`, `uh`, `हम्म`, …).
    Fillers,
    /// `nukta`: removes nukta (फ़ → फ), in the scripts that have one.
    Nukta,
    /// `anusvara`: chandrabindu to anusvara (हाँ → हां).
    Anusvara,
    /// `compounds`: joins words that are written both ways (आज कल → आजकल).
    Compounds,
}

impl LossyStep {
    /// All of them, in the order in which they are applied.
    pub const ALL: [LossyStep; 5] = [
        LossyStep::Numbers,
        LossyStep::Fillers,
        LossyStep::Nukta,
        LossyStep::Anusvara,
        LossyStep::Compounds,
    ];

    /// Name as it stands after the `+` of a normaliser's name.
    pub fn name(self) -> &'static str {
        match self {
            LossyStep::Numbers => "numbers",
            LossyStep::Fillers => "fillers",
            LossyStep::Nukta => "nukta",
            LossyStep::Anusvara => "anusvara",
            LossyStep::Compounds => "compounds",
        }
    }
}

/// A base: name and steps. The last NFC is there because dropping a joiner or
/// lowering a letter can bring a letter and a mark together.
const BASES: [(&str, &[Step]); 3] = [
    (
        "indic-v1",
        &[
            Step::Nfc,
            Step::UnifyLetters,
            Step::DropInvisible,
            Step::LowerCase,
            Step::Digits,
            Step::DigitGroups,
            Step::Punctuation,
            Step::Blanks,
            Step::Nfc,
        ],
    ),
    ("nfc-v1", &[Step::Nfc, Step::Blanks]),
    ("raw-v1", &[]),
];

/// A named, versioned, ordered list of steps.
///
/// ```
/// use stt_eval_shared::scoring::normalise::Normaliser;
///
/// let normaliser = Normaliser::by_name("indic-v1").ok_or("unknown")?;
/// assert_eq!(normaliser.apply("उम्र २५, साल।", "hi"), "उम्र 25 साल");
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normaliser {
    name: String,
    steps: Vec<Step>,
}

impl Normaliser {
    /// The normaliser of that name: a base, then any number of `+` and the name
    /// of a lossy step, each at most once and in any order. [`Normaliser::name`]
    /// gives the canonical form. `None` for a name that is not known, and for
    /// lossy steps on `raw-v1`, which by its name changes nothing.
    pub fn by_name(name: &str) -> Option<Self> {
        let mut parts = name.split('+');
        let wanted = parts.next()?;
        let (base, steps) = BASES.iter().find(|(base, _)| *base == wanted)?;
        let mut lossy = Vec::new();
        for part in parts {
            let step = LossyStep::ALL.into_iter().find(|s| s.name() == part)?;
            if lossy.contains(&step) || steps.is_empty() {
                return None;
            }
            lossy.push(step);
        }
        lossy.sort();
        let mut name = (*base).to_owned();
        for step in &lossy {
            name.push('+');
            name.push_str(step.name());
        }
        let steps = steps.iter().copied();
        Some(Self {
            name,
            steps: steps.chain(lossy.into_iter().map(Step::Lossy)).collect(),
        })
    }

    /// Name of the normaliser used where none is asked for.
    pub fn default_name() -> &'static str {
        "indic-v1"
    }

    /// Names of the bases. [`LossyStep::ALL`] can be added to each but `raw-v1`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BASES.iter().map(|(name, _)| *name)
    }

    /// The normaliser that changes nothing, `raw-v1`.
    pub fn raw() -> Self {
        Self {
            name: "raw-v1".to_owned(),
            steps: Vec::new(),
        }
    }

    /// Canonical name, stored with each score.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Normalises `text`. `language` is a BCP-47 tag (`hi`, `hi-IN`, `hi-en` for
    /// code-mixed speech); only lossy steps look at it. Variant markup is not
    /// known here: it is taken apart before.
    pub fn apply(&self, text: &str, language: &str) -> String {
        if self.steps.is_empty() {
            return text.to_owned();
        }
        text::to_string(&self.apply_pieces(text::pieces(text), language))
    }

    /// The normaliser that stops after so many steps.
    fn first_steps(&self, len: usize) -> Self {
        Self {
            name: self.name.clone(),
            steps: self.steps.iter().copied().take(len).collect(),
        }
    }

    pub(super) fn apply_pieces(&self, text: Pieces, language: &str) -> Pieces {
        self.steps
            .iter()
            .fold(text, |text, step| step.apply(text, language))
    }
}

impl Default for Normaliser {
    /// `indic-v1`.
    fn default() -> Self {
        let (name, steps) = BASES[0];
        Self {
            name: name.to_owned(),
            steps: steps.to_vec(),
        }
    }
}
