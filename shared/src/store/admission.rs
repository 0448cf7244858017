//! What a credential has at its provider: one small item for each credential
//! in table `units`, changed by revision before anything is submitted.

use super::row::{self, Row};
use super::tries::Tries;
use super::{Store, StoreError};
use crate::domain::ProjectId;
use crate::domain::admission::Admission;

/// How the sort keys of admissions begin; the name is that of release 0.1.0.
pub(super) const PREFIX: &str = "room#";
/// Tries of a change of an admission, which many units change at once.
const TRIES: u32 = 20;

fn sort_key(provider: &str, credential: &str) -> String {
    format!("{PREFIX}{provider}#{credential}")
}

impl Store {
    /// The admission of a credential.
    pub async fn admission(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
    ) -> Result<Admission, StoreError> {
        let key = sort_key(provider, credential);
        match self.get(&self.tables.units, project.as_str(), key).await? {
            Some(item) => row::read(item),
            None => Ok(Admission::new(
                project.clone(),
                provider.to_owned(),
                credential.to_owned(),
            )),
        }
    }

    /// Writes what became of an admission, unless it changed meanwhile. It is never
    /// removed, so that its revisions never repeat.
    pub async fn save_admission(&self, admission: &Admission) -> Result<(), StoreError> {
        let next = Admission {
            rev: admission.rev + 1,
            ..admission.clone()
        };
        let sk = sort_key(&admission.provider, &admission.credential);
        let item = Row::new(admission.project.as_str(), sk, &next)?
            .due(next.due_at)
            .build();
        self.put_rev(&self.tables.units, item, next.rev).await
    }

    /// Changes an admission, and again where another change was faster, some times at
    /// most; gives what it is then. A change may find that there is nothing to do.
    pub async fn change_admission(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
        change: impl Fn(&Admission) -> Option<Admission> + Send,
    ) -> Result<Admission, StoreError> {
        let mut tries = Tries::of(TRIES);
        loop {
            let admission = self.admission(project, provider, credential).await?;
            let Some(next) = change(&admission) else {
                return Ok(admission);
            };
            match self.save_admission(&next).await {
                Ok(()) => return Ok(next),
                Err(error) => tries.after(error).await?,
            }
        }
    }
}
