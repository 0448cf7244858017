//! What an account may do at its vendor, as workers have learnt it.
//!
//! One small item in table `units` for each model of a credential: read at the beginning of
//! a unit of calls, and written at its end where there is something to tell (see
//! [`crate::domain::allowance`]).

use super::row::{self, Row};
use super::{Store, StoreError};
use crate::domain::ProjectId;
use crate::domain::allowance::Allowance;

/// How the sort keys of allowances begin.
const PREFIX: &str = "rate#";
/// Partition of those that all projects of a deployment share: the operator says that their
/// credentials are of one account. Nothing of a project is in it but what it used.
const POOLED: &str = "deployment";

/// Whose allowance it is.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Project that owns the credential; none where all credentials of the deployment are
    /// one account.
    pub project: Option<&'a ProjectId>,
    /// Vendor, by the name that credentials are kept for.
    pub vendor: &'a str,
    /// Id of the credential.
    pub credential: &'a str,
    /// The model: vendors count each by itself.
    pub model: &'a str,
}

/// Partition and sort key.
fn keys<'a>(of: &Account<'a>) -> (&'a str, String) {
    let Account {
        project,
        vendor,
        credential,
        model,
    } = of;
    match project {
        Some(project) => (
            project.as_str(),
            format!("{PREFIX}{vendor}#{credential}#{model}"),
        ),
        None => (POOLED, format!("{PREFIX}{vendor}#{model}")),
    }
}

impl Store {
    /// What is known of an account; `None` where nothing is.
    pub async fn allowance(&self, of: &Account<'_>) -> Result<Option<Allowance>, StoreError> {
        let (pk, sk) = keys(of);
        let item = self.get(&self.tables.units, pk, sk).await?;
        item.map(row::read).transpose()
    }

    /// Writes what became known of an account, unless it changed meanwhile: then
    /// [`StoreError::Conflict`].
    pub async fn save_allowance(
        &self,
        of: &Account<'_>,
        allowance: &Allowance,
    ) -> Result<(), StoreError> {
        let mut next = allowance.clone();
        next.rev += 1;
        let (pk, sk) = keys(of);
        let item = Row::new(pk, sk, &next)?.build();
        self.put_rev(&self.tables.units, item, next.rev).await
    }
}
