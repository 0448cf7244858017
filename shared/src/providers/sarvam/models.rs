//! Its models: one for each mode that transcribes.

use time::Date;
use time::macros::date;

use crate::providers::model::{Languages, Model, Takes};
use crate::providers::price::{AudioPrice, Charge, Currency, Price};

/// What the vendor calls a model of ours, and the mode that it is asked in.
///
/// The mode changes error rates more than the model does, so each is a model of its own
/// here. Those that translate or write in Latin letters are no transcriptions.
pub(super) const MODES: &[(&str, &str, &str)] = &[
    (TRANSCRIBE, "saaras:v4", "transcribe"),
    (VERBATIM, "saaras:v4", "verbatim"),
];
const TRANSCRIBE: &str = "saaras:v4";
const VERBATIM: &str = "saaras:v4/verbatim";

const READ_ON: Date = date!(2026 - 09 - 20);

/// All 22 languages of the constitution, and English: the vendor's own table.
const LANGUAGES: &[(&str, &str)] = &[
    ("as", "as-IN"),
    ("bn", "bn-IN"),
    ("brx", "brx-IN"),
    ("doi", "doi-IN"),
    ("en", "en-IN"),
    ("gu", "gu-IN"),
    ("hi", "hi-IN"),
    ("kn", "kn-IN"),
    ("kok", "kok-IN"),
    ("ks", "ks-IN"),
    ("mai", "mai-IN"),
    ("ml", "ml-IN"),
    ("mni", "mni-IN"),
    ("mr", "mr-IN"),
    ("ne", "ne-IN"),
    ("or", "od-IN"),
    ("pa", "pa-IN"),
    ("sa", "sa-IN"),
    ("sat", "sat-IN"),
    ("sd", "sd-IN"),
    ("ta", "ta-IN"),
    ("te", "te-IN"),
    ("ur", "ur-IN"),
];

const SAARAS_V4: Model = Model {
    id: "sarvam/saaras-v4",
    provider: "sarvam",
    model: TRANSCRIBE,
    display_name: "Sarvam Saaras v4",
    languages: Languages::Table(LANGUAGES),
    prices: &[Price {
        valid_from: READ_ON,
        read_on: READ_ON,
        currency: Currency::RUPEE,
        charge: Charge::Audio(AudioPrice::by_the_second(30.0)),
        audio_confirmed: true,
    }],
    notes: "Spoken numbers are written as digits and fillers are left out, which counts as errors \
            where references have what was said: there, compare the verbatim one. The price is in \
            rupees, told in dollars at a rate that the operator sets. Jobs can't be stopped or deleted \
            at the vendor.",
    takes: Takes::NOTHING,
    ..Model::OF_CALLS
};

pub(super) const MODELS: &[Model] = &[
    SAARAS_V4,
    Model {
        id: "sarvam/saaras-v4-verbatim",
        model: VERBATIM,
        display_name: "Sarvam Saaras v4, verbatim",
        notes: "Every word as it was said, fillers included, numbers in words. The price is in \
                rupees, told in dollars at a rate that the operator sets. Jobs can't be stopped or \
                deleted at the vendor.",
        ..SAARAS_V4
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language;

    #[test]
    fn every_language_of_ours_and_every_mode_is_known() {
        for model in MODELS {
            assert_eq!(model.supported_languages().len(), language::all().len());
            assert!(MODES.iter().any(|(ours, ..)| *ours == model.model));
        }
        assert_eq!(SAARAS_V4.language_code("or-IN"), Some("od-IN"));
    }
}
