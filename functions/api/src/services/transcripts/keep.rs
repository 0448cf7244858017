//! Putting transcripts into the bucket, before a run names them.

use futures::stream::{StreamExt, TryStreamExt};
use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::objects::{ObjectError, import_key};

use super::read::CheckedTranscripts;
use crate::refusal::Refusal;
use crate::services::attempt::Attempt;

/// Blocks that are written at once.
const AT_ONCE: usize = 32;

/// Puts all blocks of some lists where a run looks for them. May be repeated.
pub async fn keep(app: &App, run: &Run, lists: &[CheckedTranscripts]) -> Result<(), Refusal> {
    let blocks = lists.iter().flat_map(|list| {
        let digest = &*list.imported.digest;
        (0u16..)
            .zip(&list.blocks)
            .map(move |(number, block)| (import_key(&run.project, run.id, digest, number), block))
    });
    let writes: Vec<_> = blocks
        .map(|(key, block)| async move {
            let kind = "application/jsonl";
            app.objects.put(&key, kind, block.clone()).await
        })
        .collect();
    futures::stream::iter(writes)
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await
        .map(drop)
        .map_err(|error: ObjectError| error.into())
}

/// The same for a run that is about to be accepted. Should it not come to that, they
/// are cleared away.
pub async fn keep_ahead(
    app: &App,
    attempt: &Attempt,
    run: &Run,
    lists: &[CheckedTranscripts],
) -> Result<(), Refusal> {
    if lists.is_empty() {
        return Ok(());
    }
    let bound = app.config.bounds.unsealed;
    // What an earlier attempt left may be cleared away before this one is done.
    let stale = |first| attempt.now.since(first) > bound / 2;
    if attempt.repeats().is_some_and(stale) {
        let why = "leftovers of an earlier attempt are being cleared away";
        return attempt.settle(app, Err(Refusal::unavailable(why))).await;
    }
    app.store.announce_run(run, attempt.now + bound).await?;
    keep(app, run, lists).await
}
