//! Samples: what is shown of them, and changes.

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::{Dataset, Metadata, Sample, SampleChange};
use stt_eval_shared::domain::reference_origin::{MAX_TAKEN, Taken};
use stt_eval_shared::domain::validate::Errors;
use stt_eval_shared::domain::wordings::Wordings;
use stt_eval_shared::domain::{ProjectId, SampleId, Timestamp};
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::store::{Page, Store};
use stt_eval_shared::wire;
use stt_eval_shared::wire::datasets::SamplePatch;

use super::datasets::draft;
use super::{MAX_PAGE_BYTES, signing};
use crate::actor::Actor;
use crate::refusal::{Kind, Refusal, finish};
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
        taken: None,
        language,
        metadata,
    })
}

/// Checks a reference that takes words of a model.
///
/// # Errors
/// When it is none.
pub fn check_taken(text: String, taken: Taken) -> Result<SampleChange, Refusal> {
    let change = check(SamplePatch {
        ground_truth: Some(Some(text)),
        ..SamplePatch::default()
    })?;
    Ok(SampleChange {
        taken: Some(taken),
        ..change
    })
}

/// What is kept of the earlier wordings of a sample's reference.
///
/// # Errors
/// When they can't be read.
pub async fn wordings(
    app: &App,
    project: &ProjectId,
    sample: &Sample,
) -> Result<Wordings, Refusal> {
    // The first has none before it.
    let kept = match sample.reference_version {
        1 => None,
        _ => app.store.wordings(project, sample.id).await?,
    };
    Ok(kept.unwrap_or_else(|| Wordings::unnoted(sample)))
}

/// A sample and its dataset. Only samples of a dataset that can be seen can be seen.
///
/// # Errors
/// When there is no such sample.
pub async fn find(
    app: &App,
    project: &ProjectId,
    id: SampleId,
) -> Result<(Dataset, Sample), Refusal> {
    let (dataset, sample) = futures::future::try_join(
        app.store.dataset(project, id.dataset()),
        app.store.sample(project, id),
    )
    .await?;
    let found = dataset.zip(sample);
    found.ok_or_else(|| Refusal::no_such("sample"))
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
    update_seen(app, actor, id, change, None).await
}

/// The same, of a reference that was read in a version: one that was changed since then
/// stays as it is. What stands there already is no change, so sending twice does no harm.
///
/// # Errors
/// As [`update`], and when the reference is of another version by now.
pub async fn update_seen(
    app: &App,
    actor: &Actor,
    id: SampleId,
    change: &SampleChange,
    seen: Option<u32>,
) -> Result<Sample, Refusal> {
    let mut tries = Tries::default();
    loop {
        let (dataset, sample) = find(app, &actor.project, id).await?;
        if seen.is_some_and(|seen| seen != sample.reference_version) {
            if change.ground_truth.as_ref() == Some(&sample.ground_truth) {
                return Ok(sample);
            }
            return Err(Refusal::new(
                Kind::Changed,
                "the reference was changed since it was read; look at it again",
            ));
        }
        if change.taken.is_some() && sample.from_models.len() >= MAX_TAKEN {
            return Err(Refusal::conflict(format!(
                "the reference has taken words of models {MAX_TAKEN} times, which is as often as \
                 may be; write it anew by hand"
            )));
        }
        let now = Timestamp::now();
        let mut next = sample.changed(change, &dataset, actor.key, now);
        draft::size("body", next.ground_truth.as_deref(), &next.metadata)?;
        if next.metadata != sample.metadata {
            // Before it is there: what was made of the fields before holds no longer.
            app.store
                .count_field_change(&actor.project, dataset.id, now)
                .await?;
        }
        // First: a name that is kept and not there does no harm.
        let dataset = match dataset.with_names_of(&next, now) {
            Some(named) => match app.store.save_dataset(&named).await {
                Ok(()) => named,
                Err(error) => {
                    tries.after(error).await?;
                    continue;
                }
            },
            None => dataset,
        };
        if next.reference_version == sample.reference_version {
            match app.store.save_sample(&actor.project, &next).await {
                Ok(()) => return Ok(next),
                Err(error) => tries.after(error).await?,
            }
            continue;
        }
        let project = &actor.project;
        let ((), kept) = futures::future::try_join(
            // Before it is: figures that are told to be old and are not do no harm.
            app.store.mark_references(project, dataset.id, now),
            app.store.wordings(project, id),
        )
        .await?;
        let used_again = kept.as_ref().zip(next.ground_truth.as_deref());
        let used_again = used_again.and_then(|(kept, text)| kept.from_models(text));
        if let (Some(from), None) = (used_again, &change.taken) {
            next.from_models = from.to_vec();
        }
        let wordings = Wordings::after(kept, &sample, &next, actor.name.as_deref());
        let counted = dataset.with_changed(&sample, &next, now);
        let saved = app
            .store
            .save_reference(project, &next, &wordings, counted.as_ref());
        match saved.await {
            Ok(()) => {
                // And after it was: what was scored in between read the older one.
                let now = Timestamp::now();
                app.store.mark_references(project, dataset.id, now).await?;
                return Ok(next);
            }
            Err(error) => tries.after(error).await?,
        }
    }
}
