//! Samples: what is shown of them, and changes.

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::{Metadata, Sample, SampleChange};
use stt_eval_shared::domain::validate::Errors;
use stt_eval_shared::domain::{SampleId, Timestamp};
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::store::{Page, Store};
use stt_eval_shared::wire;
use stt_eval_shared::wire::datasets::SamplePatch;

use super::datasets::draft;
use super::{MAX_PAGE_BYTES, signing};
use crate::actor::Actor;
use crate::refusal::{Refusal, finish};
use crate::views;

/// The samples of a page, as many as fit into an answer, and where the next
/// page begins.
pub async fn show(
    app: &App,
    page: Page<Sample>,
    signed: bool,
) -> (Vec<wire::datasets::Sample>, Option<String>) {
    let mut shown = Vec::with_capacity(page.items.len());
    let mut bytes = 0;
    let mut samples = page.items.into_iter();
    while let Some(sample) = samples.next() {
        let place = Store::sample_place(&sample);
        let url = signing::sample_url(app, &sample, signed).await;
        let sample = views::datasets::sample(sample, url);
        bytes += views::datasets::weight(&sample);
        shown.push(sample);
        if bytes > MAX_PAGE_BYTES && samples.len() > 0 {
            return (shown, Some(place));
        }
    }
    (shown, page.next)
}

/// Checks a change of a sample.
///
/// # Errors
/// When it changes nothing, or something in it is not valid.
pub fn check(patch: SamplePatch) -> Result<SampleChange, Refusal> {
    let SamplePatch {
        ground_truth,
        language,
        metadata,
    } = patch;
    let mut errors = Errors::new();
    if ground_truth.is_none() && language.is_none() && metadata.is_none() {
        errors.push("body", "give ground_truth, language or metadata");
    }
    let ground_truth = ground_truth
        .map(|text| text.and_then(|text| errors.keep(draft::reference("ground_truth", &text))));
    let language =
        language.map(|tag| tag.and_then(|tag| errors.keep(draft::language_tag("language", &tag))));
    let metadata = metadata.map(|fields| match fields {
        Some(fields) => draft::metadata("metadata", &fields, &mut errors),
        None => Metadata::new(),
    });
    finish(errors)?;
    Ok(SampleChange {
        ground_truth,
        language,
        metadata,
    })
}

/// Changes a sample, together with what its dataset counts.
///
/// # Errors
/// When there is no such sample, or it would not fit where it is kept.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: SampleId,
    change: &SampleChange,
) -> Result<Sample, Refusal> {
    let no_such = || Refusal::no_such("sample");
    let mut tries = Tries::default();
    loop {
        // Only samples of a dataset that can be seen can be seen.
        let (dataset, sample) = futures::future::try_join(
            app.store.dataset(&actor.project, id.dataset()),
            app.store.sample(&actor.project, id),
        )
        .await?;
        let (dataset, sample) = dataset.zip(sample).ok_or_else(no_such)?;
        let now = Timestamp::now();
        let next = sample.changed(change, &dataset, actor.key, now);
        draft::size("body", next.ground_truth.as_deref(), &next.metadata)?;
        let saved = match dataset.with_changed(&sample, &next, now) {
            None => app.store.save_sample(&actor.project, &next).await,
            Some(counted) => app.store.save_sample_and_dataset(&next, &counted).await,
        };
        match saved {
            Ok(()) => return Ok(next),
            Err(error) => tries.after(error).await?,
        }
    }
}
