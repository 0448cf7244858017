//! The audio of units that have left a vendor: it is discarded there, once it is of no more use
//! (see `domain::admission`).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use stt_eval_shared::domain::admission::{Admission, Demand, Lingering, audio_user};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{Unit, UnitKey};
use stt_eval_shared::domain::upload::Upload;
use stt_eval_shared::domain::{FileId, ProjectId, RunId, Timestamp};
use stt_eval_shared::providers::{AudioStore, Credential};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::work::admission::call_up;
use stt_eval_shared::{App, Deadline};

use crate::failure::{Failure, NEEDED};
use stt_eval_shared::work::account::{audio_store, credential};

/// Files that are deleted at once.
const AT_ONCE: usize = 16;

/// Looks after a credential's admission: discards audio that is of no more use.
pub(crate) async fn tend(
    app: &App,
    project: &ProjectId,
    provider: &str,
    credential: &str,
    deadline: Deadline,
) -> Result<(), Failure> {
    let admission = app.store.admission(project, provider, credential).await?;
    let now = Timestamp::now();
    if admission.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    // Two that discard the same audio could delete what is sent anew in between.
    let until = now + app.config.bounds.task_lease;
    let mut admission = admission.tended(until);
    match app.store.save_admission(&admission).await {
        Ok(()) => admission.rev += 1,
        Err(StoreError::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    discard(app, &admission, None, deadline).await?;
    let now = Timestamp::now();
    let later = now + app.config.policy.resend_after;
    let admission = app
        .store
        .change_admission(project, provider, credential, |admission| {
            admission.released(until, now, later)
        })
        .await?;
    call_up(app, &admission).await
}

/// Discards a deleted run's audio at providers, also what units of the run might
/// still use. True when no admission holds anything of the run.
pub(crate) async fn discard_of_run(
    app: &App,
    run: &Run,
    deadline: Deadline,
) -> Result<bool, Failure> {
    let units = app.store.units_of(&run.project, run.id).await?;
    let admissions: BTreeSet<(&str, &str)> = units
        .iter()
        .flat_map(|unit| {
            // A batch before the last one may have been made with another.
            let before = unit.resubmitted.iter().flat_map(|again| &again.credential);
            let used = unit.credential.iter().chain(before);
            used.map(|credential| (&*unit.vendor, &**credential))
        })
        .collect();
    let mut all = true;
    for (provider, credential) in admissions {
        // All of them have stopped; should one have kept its place, it ends here.
        let from = Timestamp::now() + app.config.bounds.staging_lease;
        let admission = app
            .store
            .change_admission(&run.project, provider, credential, |admission| {
                let mut rest: Option<Admission> = None;
                for unit in admission.units_of(run.id) {
                    let next = rest.as_ref().unwrap_or(admission);
                    rest = next.without(run.id, unit, from).or(rest);
                }
                rest
            })
            .await?;
        if admission.mentions(run.id) {
            discard(app, &admission, Some(run), deadline).await?;
            let admission = app
                .store
                .admission(&run.project, provider, credential)
                .await?;
            all &= !admission.mentions(run.id);
        }
    }
    Ok(all)
}

/// Discards audio that lingers: of a run, or else all that no unit waits for.
/// What fails stays recorded, and is tried again.
async fn discard(
    app: &App,
    admission: &Admission,
    only: Option<&Run>,
    deadline: Deadline,
) -> Result<(), Failure> {
    let now = Timestamp::now();
    let of_run = |left: &&Lingering| only.is_none_or(|run| left.demand.run == run.id);
    let ripe: Vec<&Lingering> = admission
        .lingering
        .iter()
        .filter(|left| left.from <= now)
        .filter(of_run)
        .collect();
    let limits = app
        .limits(&admission.provider)
        .map(|limits| limits.for_admission());
    let is_pressed = limits.is_some_and(|limits| admission.is_pressed(&limits, now));
    let kept = match only {
        None if !is_pressed => kept(app, admission, &ripe).await?,
        _ => BTreeSet::new(),
    };
    let key = credential(
        app,
        &admission.project,
        &admission.provider,
        &admission.credential,
    )
    .await?;
    for left in ripe {
        if !deadline.allows(NEEDED) {
            return Ok(());
        }
        let demand = &left.demand;
        if !left.discarding && kept.contains(&demand.audio()) {
            continue;
        }
        let change = |change: fn(&Admission, &Demand) -> Option<Admission>| {
            let changed = move |admission: &Admission| change(admission, demand);
            app.store.change_admission(
                &admission.project,
                &admission.provider,
                &admission.credential,
                changed,
            )
        };
        // From here on no use of it may begin.
        if !change(Admission::begun_to_discard)
            .await?
            .is_discarding(demand)
        {
            continue;
        }
        match discard_audio(app, admission, demand, key.as_ref()).await {
            Ok(true) => change(Admission::discarded).await.map(drop)?,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(run_id = %demand.run, unit_id = %demand.unit, %error, "audio stays at the provider for now");
            }
        }
    }
    Ok(())
}

/// Audio that another model of its run is still to use, or that a batch reads which
/// was lost and may turn up: for as long as such batches are looked for.
async fn kept(
    app: &App,
    admission: &Admission,
    left: &[&Lingering],
) -> Result<BTreeSet<String>, Failure> {
    let mut runs: BTreeMap<RunId, Option<Run>> = BTreeMap::new();
    let mut keys = Vec::new();
    let mut sought = BTreeSet::new();
    let now = Timestamp::now();
    for left in left.iter().filter(|left| !left.discarding) {
        let Demand { run, unit, .. } = left.demand;
        if left.from + app.config.bounds.watch > now {
            sought.insert((run, unit));
            keys.push((run, unit));
        }
        if unit.round != 1 {
            continue;
        }
        if let Entry::Vacant(unread) = runs.entry(run) {
            unread.insert(app.store.run(&admission.project, run).await?);
        }
        let models = runs.get(&run).into_iter().flatten();
        let models = models.flat_map(|run| (0u8..).zip(&run.models));
        keys.extend(models.map(|(model, _)| (run, UnitKey { model, ..unit })));
    }
    keys.sort_unstable();
    keys.dedup();
    let units = app.store.units(&admission.project, keys).await?;
    let waits = |unit: &&Unit| {
        let run = runs.get(&unit.run).and_then(Option::as_ref);
        !unit.is_done()
            && unit.vendor == admission.provider
            && run.is_some_and(|run| run.wants(unit.key, unit.generation))
    };
    let is_sought =
        |unit: &&Unit| sought.contains(&(unit.run, unit.key)) && unit.has_batch_that_may_be_alive();
    let wanted = units.iter().filter(|unit| waits(unit) || is_sought(unit));
    Ok(wanted.map(|unit| audio_user(unit.run, unit.key)).collect())
}

/// Discards the audio of a unit as far as it is not used otherwise. False when some
/// of it may be on its way right now.
async fn discard_audio(
    app: &App,
    admission: &Admission,
    demand: &Demand,
    credential: Option<&Credential>,
) -> Result<bool, Failure> {
    let Some(shelf) = audio_store(app, &admission.provider)? else {
        // Nothing was put anywhere.
        return Ok(true);
    };
    let project = &admission.project;
    let unit = app.store.unit(project, demand.run, demand.unit).await?;
    let run = match app.store.run(project, demand.run).await? {
        Some(run) => Some(run),
        None => app.store.deleting_run(project, demand.run).await?,
    };
    let (Some(unit), Some(run)) = (unit, run) else {
        // A run is deleted after its audio, so there is none.
        return Ok(true);
    };
    let samples = app
        .store
        .samples_in(project, run.dataset, &unit.spans)
        .await?;
    let files: Vec<FileId> = samples.iter().map(|sample| sample.file_id).collect();
    let uploads = app
        .store
        .uploads(project, &files, &admission.provider, &admission.credential)
        .await?;
    let user = demand.audio();
    let mut deleting = Vec::with_capacity(uploads.len());
    for upload in &uploads {
        deleting.push(release(app, project, shelf, credential, upload, &user));
    }
    let released: Vec<Result<bool, Failure>> = futures::stream::iter(deleting)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut all = true;
    for gone in released {
        all &= gone?;
    }
    Ok(all)
}

/// Takes a user out of an upload, and discards it after the last one.
async fn release(
    app: &App,
    project: &ProjectId,
    shelf: &dyn AudioStore,
    credential: Option<&Credential>,
    upload: &Upload,
    user: &str,
) -> Result<bool, Failure> {
    // A sending that is under way is not disturbed; nor may it have arrived.
    if upload.is_under_way(Timestamp::now(), app.config.bounds.staging_lease) {
        return Ok(false);
    }
    let Some(unused) = app.store.release_upload(project, upload, user).await? else {
        return Ok(true);
    };
    discard_upload(app, shelf, credential, &unused).await?;
    app.store.delete_unused_upload(project, &unused).await?;
    Ok(true)
}

/// Discards all that the provider may have of an upload.
pub(crate) async fn discard_upload(
    app: &App,
    shelf: &dyn AudioStore,
    credential: Option<&Credential>,
    upload: &Upload,
) -> Result<(), Failure> {
    // Out of reach: the vendor forgets by itself in a while.
    let Some(credential) = credential else {
        return Ok(());
    };
    let vendor = app.vendor(&upload.provider);
    let keeps = vendor.map_or(std::time::Duration::MAX, |vendor| {
        vendor.timing.keeps_inputs
    });
    for (name, landed) in upload.names(Timestamp::now(), keeps) {
        let names = if landed {
            vec![name.to_owned()]
        } else {
            shelf.names_of(name)
        };
        for name in names {
            match shelf.delete(credential, &name).await {
                Err(error) if error.is_unauthorized() => return Ok(()),
                deleted => deleted?,
            }
        }
    }
    Ok(())
}
