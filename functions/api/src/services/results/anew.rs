//! A result by another reference than it was scored with. Its figures and those of its run stay
//! as they are until the run is scored again.

use stt_eval_shared::App;
use stt_eval_shared::domain::result::Outcome;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ResultId, SampleId};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::{ScoreError, Scorer};
use stt_eval_shared::wire::results::{ScoredAnew, ScoredBy};

use super::show::find;
use crate::actor::Actor;
use crate::refusal::Refusal;
use crate::services::datasets::draft::reference;

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

/// What the word error rate of a result is by a reference: one that is given, or else the one
/// that its sample has now.
///
/// # Errors
/// When there is no such result, or its model is hidden; when there is nothing to score, or it
/// can't be scored.
pub async fn score(
    app: &App,
    actor: &Actor,
    id: ResultId,
    by: ScoredBy,
) -> Result<ScoredAnew, Refusal> {
    let given = by.ground_truth.map(|text| reference("ground_truth", &text));
    let given = given.transpose()?;
    let (run, entry) = find(app, actor, id).await?;
    let nothing = || Refusal::conflict("the result has no transcription that could be scored");
    let outcome = entry.ok_or_else(nothing)?.outcome;
    let (reference, version) = match given {
        Some(text) => (text, None),
        None => {
            let sample = SampleId::new(run.dataset, id.position());
            let sample = app.store.sample(&actor.project, sample).await?;
            let sample = sample.ok_or_else(|| Refusal::no_such("result"))?;
            let text = sample.ground_truth.ok_or_else(|| {
                Refusal::conflict("its sample has no reference; give one as ground_truth")
            })?;
            (text, Some(sample.reference_version))
        }
    };
    let now = wer(&run, &reference, &outcome)
        .map_err(|error| Refusal::conflict(format!("it can't be scored: {error}")))?;
    Ok(ScoredAnew {
        result_id: id,
        ground_truth: reference,
        reference_version: version,
        scored_ground_truth: outcome.ground_truth,
        scored_reference_version: outcome.reference_version,
        scored_wer: outcome.score.map(|score| score.wer),
        wer: now.ok_or_else(nothing)?,
        normalizer: run.current_normalizer().to_owned(),
    })
}
