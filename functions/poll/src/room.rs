//! Leaving a provider: a unit's place becomes free, its audio is deleted, and
//! whoever waited longest comes in (see `domain::room`).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use stt_eval_shared::domain::room::{Left, Room, Slot, audio_user};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{Event, Unit, UnitKey, UnitState, WaitingReason};
use stt_eval_shared::domain::{FileId, ProjectId, RunId, Timestamp};
use stt_eval_shared::providers::{BatchProvider, Credential};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::uploads::Upload;
use stt_eval_shared::{App, Deadline};

use super::units::{self, send};
use super::{Failure, client, credential};

/// Files that are deleted at once.
const AT_ONCE: usize = 16;
/// Units that are called up at once.
const CALLED: usize = 10;

/// Gives up a unit's place, before the unit is done: afterwards nobody would
/// come back for it. Its audio is deleted by [`tend`].
pub(crate) async fn leave(app: &App, unit: &Unit) -> Result<(), Failure> {
    leave_all(app, &[unit]).await
}

/// Gives up the places of units, all of one credential, in one write.
pub(crate) async fn leave_all(app: &App, units: &[&Unit]) -> Result<(), Failure> {
    let Some(first) = units.first() else {
        return Ok(());
    };
    let Some(credential) = &first.credential else {
        return Ok(());
    };
    let now = Timestamp::now();
    let from = |unit: &Unit| match &unit.state {
        // Somebody may be about to submit it, and still be sending.
        UnitState::Ready { .. } | UnitState::Collecting { batch: None, .. } => {
            now + app.config.bounds.staging_lease
        }
        _ => now,
    };
    let room = app
        .store
        .change_room(&first.project, &first.provider, credential, |room| {
            let mut rest: Option<Room> = None;
            for unit in units {
                let next = rest.as_ref().unwrap_or(room);
                rest = next.without(unit.run, unit.key, from(unit)).or(rest);
            }
            rest
        })
        .await?;
    // Whoever is not called asks again by himself.
    if let Err(error) = call(app, &room).await {
        tracing::warn!(%error, "units that wait were not called up");
    }
    Ok(())
}

/// Calls up the units whose turn it is.
async fn call(app: &App, room: &Room) -> Result<(), Failure> {
    let mut next = room.next(&app.config.admission.limits());
    next.truncate(CALLED);
    if next.is_empty() {
        return Ok(());
    }
    let keys = next.into_iter().map(|slot| (slot.run, slot.unit));
    let now = Timestamp::now();
    for unit in app.store.units(&room.project, keys).await? {
        if !matches!(unit.state, UnitState::Ready { not_before } if not_before > now) {
            continue;
        }
        // Its own message, which is on its way for later, finds that it was
        // called and does nothing, or comes too late.
        let called = Event::Waiting {
            pause: std::time::Duration::ZERO,
            reason: unit.waiting_reason.unwrap_or(WaitingReason::Other),
        };
        let Ok(step) = unit.step(called, now, &app.config.policy) else {
            continue;
        };
        match app.store.save_unit(&step.unit).await {
            Ok(()) => send(app, &step.unit).await?,
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Looks after a credential's room: deletes audio that nobody needs.
pub(crate) async fn tend(
    app: &App,
    project: &ProjectId,
    provider: &str,
    credential: &str,
    deadline: Deadline,
) -> Result<(), Failure> {
    let room = app.store.room(project, provider, credential).await?;
    let now = Timestamp::now();
    if room.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    // Two that clear the same audio could delete what is sent anew in between.
    let until = now + app.config.bounds.task_lease;
    let mut room = room.tended(until);
    match app.store.save_room(&room).await {
        Ok(()) => room.rev += 1,
        Err(StoreError::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    clear(app, &room, None, deadline).await?;
    let now = Timestamp::now();
    let later = now + app.config.policy.resend_after;
    let room = app
        .store
        .change_room(project, provider, credential, |room| {
            room.released(until, now, later)
        })
        .await?;
    call(app, &room).await
}

/// Deletes a deleted run's audio at providers, whoever else of the run might
/// want it. True when nothing of the run is left in any room.
pub(crate) async fn clear_run(app: &App, run: &Run, deadline: Deadline) -> Result<bool, Failure> {
    let units = app.store.units_of(&run.project, run.id).await?;
    let rooms: BTreeSet<(&str, &str)> = units
        .iter()
        .flat_map(|unit| {
            // A batch before the last one may have been made with another.
            let before = unit.resubmitted.iter().flat_map(|again| &again.credential);
            let used = unit.credential.iter().chain(before);
            used.map(|credential| (&*unit.provider, &**credential))
        })
        .collect();
    let mut all = true;
    for (provider, credential) in rooms {
        // All of them have stopped. This is for what nobody thought of.
        let from = Timestamp::now() + app.config.bounds.staging_lease;
        let room = app
            .store
            .change_room(&run.project, provider, credential, |room| {
                let mut rest: Option<Room> = None;
                for unit in room.units_of(run.id) {
                    let next = rest.as_ref().unwrap_or(room);
                    rest = next.without(run.id, unit, from).or(rest);
                }
                rest
            })
            .await?;
        if room.mentions(run.id) {
            clear(app, &room, Some(run), deadline).await?;
            let room = app.store.room(&run.project, provider, credential).await?;
            all &= !room.mentions(run.id);
        }
    }
    Ok(all)
}

/// Deletes audio that is left: of a run, or else all that nobody waits for.
/// What fails stays recorded, and is tried again.
async fn clear(
    app: &App,
    room: &Room,
    only: Option<&Run>,
    deadline: Deadline,
) -> Result<(), Failure> {
    let now = Timestamp::now();
    let of_run = |left: &&Left| only.is_none_or(|run| left.slot.run == run.id);
    let ripe: Vec<&Left> = room
        .left
        .iter()
        .filter(|left| left.from <= now)
        .filter(of_run)
        .collect();
    let kept = match only {
        None if !room.is_pressed(&app.config.admission.limits()) => kept(app, room, &ripe).await?,
        _ => BTreeSet::new(),
    };
    let key = credential(app, &room.project, &room.provider, &room.credential).await?;
    for left in ripe {
        if !deadline.allows(super::NEEDED) {
            return Ok(());
        }
        let slot = &left.slot;
        if !left.clearing && kept.contains(&slot.audio()) {
            continue;
        }
        let change = |change: fn(&Room, &Slot) -> Option<Room>| {
            let changed = move |room: &Room| change(room, slot);
            app.store
                .change_room(&room.project, &room.provider, &room.credential, changed)
        };
        // From here on nobody may begin to use it.
        if !change(Room::begun_to_clear).await?.is_clearing(slot) {
            continue;
        }
        match delete(app, room, slot, key.as_ref()).await {
            Ok(true) => change(Room::cleared).await.map(drop)?,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(run_id = %slot.run, unit_id = %slot.unit, %error, "audio stays at the provider for now");
            }
        }
    }
    Ok(())
}

/// Audio that another model of its run is still to use.
async fn kept(app: &App, room: &Room, left: &[&Left]) -> Result<BTreeSet<String>, Failure> {
    let mut runs: BTreeMap<RunId, Option<Run>> = BTreeMap::new();
    let mut keys = Vec::new();
    for left in left.iter().filter(|left| !left.clearing) {
        let Slot { run, unit, .. } = left.slot;
        if unit.round != 1 {
            continue;
        }
        if let Entry::Vacant(unread) = runs.entry(run) {
            unread.insert(app.store.run(&room.project, run).await?);
        }
        let models = runs.get(&run).into_iter().flatten();
        let models = models.flat_map(|run| (0u8..).zip(&run.providers));
        keys.extend(models.map(|(provider, _)| (run, UnitKey { provider, ..unit })));
    }
    let units = app.store.units(&room.project, keys).await?;
    let waits = |unit: &&Unit| {
        let run = runs.get(&unit.run).and_then(Option::as_ref);
        !unit.is_done()
            && unit.provider == room.provider
            && run.is_some_and(|run| run.wants(unit.key, unit.generation))
    };
    let wanted = units.iter().filter(waits);
    Ok(wanted.map(|unit| audio_user(unit.run, unit.key)).collect())
}

/// Deletes the audio of a unit as far as nobody else uses it. False when some
/// of it may be on its way right now.
async fn delete(
    app: &App,
    room: &Room,
    slot: &Slot,
    credential: Option<&Credential>,
) -> Result<bool, Failure> {
    let project = &room.project;
    let unit = app.store.unit(project, slot.run, slot.unit).await?;
    let run = match app.store.run(project, slot.run).await? {
        Some(run) => Some(run),
        None => app.store.deleting_run(project, slot.run).await?,
    };
    let (Some(unit), Some(run)) = (unit, run) else {
        // A run goes after its audio, so there is none.
        return Ok(true);
    };
    let samples = app
        .store
        .samples_in(project, run.dataset, &unit.spans)
        .await?;
    let files: Vec<FileId> = samples.iter().map(|sample| sample.file_id).collect();
    let uploads = app
        .store
        .uploads(project, &files, &room.provider, &room.credential)
        .await?;
    let user = slot.audio();
    let client = client(app, &room.provider)?;
    let mut deleting = Vec::with_capacity(uploads.len());
    for upload in &uploads {
        deleting.push(release(app, project, client, credential, upload, &user));
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

/// Takes a user out of an upload, and deletes it after the last one.
async fn release(
    app: &App,
    project: &ProjectId,
    client: &dyn BatchProvider,
    credential: Option<&Credential>,
    upload: &Upload,
    user: &str,
) -> Result<bool, Failure> {
    // Who is sending it is not disturbed; it may not have arrived, too.
    if upload.is_under_way(Timestamp::now(), app.config.bounds.staging_lease) {
        return Ok(false);
    }
    let Some(unused) = app.store.release_upload(project, upload, user).await? else {
        return Ok(true);
    };
    erase(client, credential, &unused).await?;
    app.store.forget_upload(project, &unused).await?;
    Ok(true)
}

/// Deletes all that the provider may have of an upload.
pub(crate) async fn erase(
    client: &dyn BatchProvider,
    credential: Option<&Credential>,
    upload: &Upload,
) -> Result<(), Failure> {
    // Out of reach: the provider forgets by itself after two days.
    let Some(credential) = credential else {
        return Ok(());
    };
    for (name, landed) in upload.names(Timestamp::now()) {
        let names = if landed {
            vec![name.to_owned()]
        } else {
            client.names_of(name)
        };
        for name in names {
            match client.delete_file(credential, &name).await {
                Err(error) if units::is_unauthorized(&error) => return Ok(()),
                deleted => deleted?,
            }
        }
    }
    Ok(())
}
