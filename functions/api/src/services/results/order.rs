//! Lists of results in one of the orders there are.

use stt_eval_shared::App;
use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::store::results::Entry;

use super::selection::{ItemPage, Selection};
use super::{by_sample, by_wer, disagreement};
use crate::refusal::Refusal;

/// Orders of a list of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By sample, models side by side.
    Sample,
    /// Scored results, best first.
    Best,
    /// Scored results, worst first.
    Worst,
    /// Samples on which the models agree most first, models side by side.
    Agreeing,
    /// Samples on which the models disagree most first, models side by side.
    Disagreeing,
    /// What nobody has reviewed first, each part by sample.
    Unreviewed,
}

impl Order {
    /// All of them, by what clients call them.
    pub const ALL: [(&'static str, Self); 6] = [
        ("sample", Self::Sample),
        ("wer", Self::Best),
        ("-wer", Self::Worst),
        ("disagreement", Self::Agreeing),
        ("-disagreement", Self::Disagreeing),
        ("unreviewed", Self::Unreviewed),
    ];

    /// What clients call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::ALL.into_iter().find(|(_, order)| *order == self);
        found.map_or("", |(name, _)| name)
    }
}

fn is_reviewed(entry: Option<&Entry>) -> bool {
    let review = entry.and_then(|entry| entry.review.as_ref());
    review.is_some_and(|review| !review.opinions().is_empty())
}

/// What has no review, and then the rest. A place is that of a list by sample behind
/// the number of the part.
async fn unreviewed(
    app: &App,
    project: &ProjectId,
    run: &Run,
    selection: &Selection,
    from: Option<&str>,
    limit: usize,
) -> Result<ItemPage, Refusal> {
    let (mut part, mut at) = match from.and_then(|from| from.split_once('.')) {
        Some((part, at)) => (part == "1", Some(at.to_owned())),
        None => (false, None),
    };
    let mut items = Vec::new();
    loop {
        let missing = limit - items.len();
        let takes = |entry: Option<&Entry>| is_reviewed(entry) == part;
        let found = by_sample::page_of(
            app,
            project,
            run,
            (selection, Some(&takes)),
            at.as_deref(),
            missing,
        );
        let found = found.await?;
        let place = |at: String| format!("{}.{at}", u8::from(part));
        items.extend(found.items.into_iter().map(|(item, at)| (item, place(at))));
        if let Some(next) = found.next {
            let next = Some(place(next));
            return Ok(ItemPage { items, next });
        }
        if part {
            return Ok(ItemPage { items, next: None });
        }
        if items.len() == limit {
            let next = Some("1.0".to_owned());
            return Ok(ItemPage { items, next });
        }
        (part, at) = (true, None);
    }
}

/// One page of results in an order, from a place on, and how many are selected in all.
///
/// # Errors
/// When they can't be read; when an order is being worked out and takes longer than one
/// request.
pub async fn page(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (selection, order): (&Selection, Order),
    from: Option<&str>,
    limit: usize,
) -> Result<(ItemPage, u64), Refusal> {
    let total = selection.total(run);
    let found = match order {
        Order::Sample => by_sample::page(app, project, run, selection, from, limit).await?,
        Order::Best | Order::Worst => {
            let worst_first = order == Order::Worst;
            let from = from.map(str::to_owned);
            let found = by_wer::page(app, project, run, selection, worst_first, from, limit);
            return Ok((found.await?, selection.total_scored(run)));
        }
        Order::Agreeing | Order::Disagreeing => {
            let mut positions = disagreement::positions(app, project, run).await?;
            if order == Order::Agreeing {
                positions.reverse();
            }
            by_sample::page_in(app, project, run, selection, &positions, from, limit).await?
        }
        Order::Unreviewed => unreviewed(app, project, run, selection, from, limit).await?,
    };
    Ok((found, total))
}
