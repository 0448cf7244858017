//! What a credential has at its provider: one small item for each credential
//! in table `units`, changed by revision before anything is submitted.

use super::row::{self, Row};
use super::{Store, StoreError, pause};
use crate::domain::ProjectId;
use crate::domain::room::Room;

/// How the sort keys of rooms begin.
pub(super) const PREFIX: &str = "room#";
/// Collisions after which a change is given up.
const TRIES: u32 = 20;

fn sort_key(provider: &str, credential: &str) -> String {
    format!("{PREFIX}{provider}#{credential}")
}

impl Store {
    /// The room of a credential.
    pub async fn room(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
    ) -> Result<Room, StoreError> {
        let key = sort_key(provider, credential);
        match self.get(&self.tables.units, project.as_str(), key).await? {
            Some(item) => row::read(item),
            None => Ok(Room::new(
                project.clone(),
                provider.to_owned(),
                credential.to_owned(),
            )),
        }
    }

    /// Writes what became of a room, unless it changed meanwhile. It is never
    /// removed, so that its revisions never repeat.
    pub async fn save_room(&self, room: &Room) -> Result<(), StoreError> {
        let next = Room {
            rev: room.rev + 1,
            ..room.clone()
        };
        let sk = sort_key(&room.provider, &room.credential);
        let item = Row::new(room.project.as_str(), sk, &next)?
            .due(next.due_at)
            .build();
        self.put_rev(&self.tables.units, item, next.rev).await
    }

    /// Changes a room, again and again until nobody else was faster; gives what
    /// it is then. A change may find that there is nothing to do.
    pub async fn change_room(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
        change: impl Fn(&Room) -> Option<Room> + Send,
    ) -> Result<Room, StoreError> {
        for attempt in 1..=TRIES {
            let room = self.room(project, provider, credential).await?;
            let Some(next) = change(&room) else {
                return Ok(room);
            };
            match self.save_room(&next).await {
                Ok(()) => return Ok(next),
                Err(StoreError::Conflict) => pause(attempt).await,
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }
}
