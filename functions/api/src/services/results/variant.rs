//! A second wording that is right as well: what it would be for a clip of a run, and what
//! it would mean for its rates.

use stt_eval_shared::domain::result::Outcome;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::scoring::alternative::with_alternative;
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::{ScoreError, Scorer, align_words};

/// A reference that takes what a model heard as well; `None` where none can be proposed.
#[must_use]
pub fn of(run: &Run, reference: &str, outcome: &Outcome) -> Option<String> {
    let heard = outcome.transcription.as_deref()?;
    let normaliser = Normaliser::by_name(run.current_normalizer())?;
    // What is too long or too different to be aligned has no words that could be told.
    let steps = align_words(reference, heard, &outcome.language, &normaliser).ok()?;
    with_alternative(reference, heard, &steps)
}

/// The word error rate of a transcription by another reference than it was scored with;
/// `None` where there is nothing to score.
///
/// # Errors
/// When it can't be scored.
pub fn wer(run: &Run, reference: &str, outcome: &Outcome) -> Result<Option<f64>, ScoreError> {
    let normaliser = Normaliser::by_name(run.current_normalizer());
    let Some((heard, normaliser)) = outcome.transcription.as_deref().zip(normaliser) else {
        return Ok(None);
    };
    let mut scorer = Scorer::new(normaliser, &outcome.language);
    scorer.set_reference(reference)?;
    Ok(Some(scorer.score(heard, None)?.wer))
}
