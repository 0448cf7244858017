//! What flags of transcriptions mean, in words.

use std::collections::BTreeSet;

use stt_eval_wire::report::ModelReport;
use stt_eval_wire::scores::Flag;

use crate::words::flag as called;

/// What is suspicious about a transcription that has a flag.
const fn meaning(flag: Flag) -> &'static str {
    match flag {
        Flag::Empty => "nothing was transcribed although something was said",
        Flag::OutputOnSilence => "something was transcribed although nothing was said",
        Flag::LongInsertion => "many words in a row that nobody said",
        Flag::Loop => "one phrase again and again",
        Flag::TooFast => "more letters in a second than people speak",
        Flag::WrongScript => "most letters are of a script that the language does not use",
        Flag::StockPhrase => "a phrase of subtitles that models are known to make up",
        Flag::Wrapped => "more than the transcript: a preface, speaker labels, markup",
        Flag::CutShort => "it stops before the end of the recording",
    }
}

/// A flag that some model of a table has, and what it means.
pub(super) struct Explained {
    pub(super) name: String,
    pub(super) meaning: &'static str,
}

/// The flags of some models, each once.
pub(super) fn explained(models: &[ModelReport]) -> Vec<Explained> {
    let found = models.iter().flat_map(|model| &model.flags);
    let found: BTreeSet<Flag> = found
        .filter(|(_, times)| **times > 0)
        .map(|(flag, _)| *flag)
        .collect();
    let explain = |flag: Flag| Explained {
        name: called(&flag),
        meaning: meaning(flag),
    };
    found.into_iter().map(explain).collect()
}
