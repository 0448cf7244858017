//! Steps of the normaliser in words.

use stt_eval_wire::report::Step;

use crate::texts::Text;

/// What a step is called, and what it makes alike. `None` for one that is not known here.
pub(super) fn told(step: &str) -> Option<(&'static str, &'static str)> {
    Some(match step {
        "raw" => ("As written", "nothing is changed yet"),
        "nfc" => (
            "Unicode form",
            "a letter with its signs is always the same characters",
        ),
        "letters" => (
            "Ways to write a letter",
            "older sequences become one letter: Malayalam chillu, Bengali khanda ta",
        ),
        "invisible" => (
            "Invisible characters",
            "joiners, marks of direction and the like go",
        ),
        "case" => ("Capitals", "all letters become small"),
        "digits" => ("Digits", "those of every script become 0 to 9"),
        "digit-groups" => ("Digit groups", "1,25,000 and 125,000 become 125000"),
        "punctuation" => ("Punctuation", "signs become blanks"),
        "blanks" => ("Blanks", "several become one, those at the ends go"),
        "unwrap" => (
            "What is around a transcript",
            "prefaces, speaker labels, time stamps and the like go",
        ),
        "numbers" => ("Number words", "they become digits"),
        "fillers" => ("Filler words", "“um”, “uh” and the like go"),
        "nukta" => ("Nukta", "the dot below a letter goes"),
        "anusvara" => ("Anusvara", "chandrabindu becomes anusvara"),
        "compounds" => (
            "Compounds",
            "words that are written as one and as two become one",
        ),
        _ => return None,
    })
}

/// A step by its name in words, with that by which normalisers know it where it is another one.
pub(super) fn named(step: &Step) -> String {
    let known_as = &*step.step;
    let name =
        told(known_as).map_or_else(|| known_as.replace('_', " "), |(name, _)| name.to_owned());
    let is_other = !name.eq_ignore_ascii_case(known_as);
    match (is_other, step.lossy) {
        (true, true) => format!("{name} ({known_as}; {})", Text::Lossy),
        (true, false) => format!("{name} ({known_as})"),
        (false, true) => format!("{name} ({})", Text::Lossy),
        (false, false) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stt_eval_scoring::normalise::{LossyStep, Normaliser};

    #[test]
    fn every_step_of_every_normaliser_is_told_in_words() {
        let lossy = LossyStep::ALL.map(LossyStep::name).join("+");
        let name = format!("{}+{lossy}", Normaliser::default_name());
        let normaliser = Normaliser::by_name(&name).unwrap();
        assert!(normaliser.steps().len() > LossyStep::ALL.len());
        let steps = normaliser.steps().iter().map(|step| step.name());
        for step in std::iter::once("raw").chain(steps) {
            assert!(told(step).is_some(), "{step}");
        }
    }

    #[test]
    fn a_step_is_named_once_where_its_names_are_one() {
        let step = |step: &str, lossy| Step {
            step: step.to_owned(),
            lossy,
            wer: 0.0,
            errors: 0,
            forgiven: 0,
        };
        for (name, lossy, told) in [
            ("nfc", false, "Unicode form (nfc)"),
            ("punctuation", false, "Punctuation"),
            (
                "numbers",
                true,
                "Number words (numbers; hides real differences)",
            ),
            ("nukta", true, "Nukta (hides real differences)"),
        ] {
            assert_eq!(named(&step(name, lossy)), told);
        }
    }
}
