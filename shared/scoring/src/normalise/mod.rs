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
mod fold;
mod lossy;
mod lossy_step;
mod numbers;
mod spoken;
pub(super) mod unwrap;

pub use lossy_step::LossyStep;

use super::text::{self, Pieces};

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

    /// Applies this step alone to a text; `language` as in [`Normaliser::apply`].
    pub fn apply_to_text(self, text: &str, language: &str) -> String {
        apply_steps(&[self], text, language)
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
/// use stt_eval_scoring::normalise::Normaliser;
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
        lossy.sort_unstable();
        let mut name = (*base).to_owned();
        for step in &lossy {
            name.push('+');
            name.push_str(step.name());
        }
        // Wrapping is known by what the base steps take away.
        let (first, last): (Vec<_>, Vec<_>) = lossy
            .into_iter()
            .partition(|step| *step == LossyStep::Unwrap);
        let steps = steps.iter().copied();
        let first = first.into_iter().map(Step::Lossy);
        let last = last.into_iter().map(Step::Lossy);
        Some(Self {
            name,
            steps: first.chain(steps).chain(last).collect(),
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

    /// All names in words, for messages.
    pub fn known() -> String {
        let names: Vec<&str> = Self::names().collect();
        let steps = LossyStep::ALL.map(|step| format!("+{}", step.name()));
        format!(
            "{}, each but raw-v1 also with {}",
            names.join(", "),
            steps.join(", ")
        )
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

    /// Normalises `text`, a transcription. `language` is a BCP-47 tag (`hi`, `hi-IN`, `hi-en` for
    /// code-mixed speech); only lossy steps look at it. Variant markup is not
    /// known here: it is taken apart before.
    pub fn apply(&self, text: &str, language: &str) -> String {
        apply_steps(&self.steps, text, language)
    }

    /// The normaliser that stops after so many steps.
    pub(crate) fn first_steps(&self, len: usize) -> Self {
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

    /// The steps for a reference, which is not a model's answer.
    fn reference_steps(&self) -> &[Step] {
        // A wrapping is taken off first or not at all.
        match self.steps.as_slice() {
            [Step::Lossy(LossyStep::Unwrap), steps @ ..] => steps,
            steps => steps,
        }
    }

    pub(super) fn apply_pieces_to_reference(&self, text: Pieces, language: &str) -> Pieces {
        self.reference_steps()
            .iter()
            .fold(text, |text, step| step.apply(text, language))
    }

    /// Normalises a reference without markup: what takes off the wrapping of a model's
    /// answer leaves it alone.
    pub fn apply_to_reference(&self, text: &str, language: &str) -> String {
        apply_steps(self.reference_steps(), text, language)
    }
}

/// Takes steps where it is not asked which characters stand for which.
fn apply_steps(steps: &[Step], text: &str, language: &str) -> String {
    let (_, indic_v1) = BASES[0];
    if let Some(rest) = steps.strip_prefix(indic_v1)
        && let Some(text) = fold::indic_v1(text)
    {
        return if rest.is_empty() {
            text
        } else {
            apply_steps(rest, &text, language)
        };
    }
    if steps.is_empty() {
        return text.to_owned();
    }
    let pieces = steps
        .iter()
        .fold(text::pieces(text), |text, step| step.apply(text, language));
    text::to_string(&pieces)
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
