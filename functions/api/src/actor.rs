//! Who asks.

use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::review::Reviewer;
use stt_eval_shared::domain::{KeyId, ProjectId};

/// Who asks: a key of a project. Every service takes it from one that was checked.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The project. Nothing of another one is seen or touched.
    pub project: ProjectId,
    /// The key, which is noted with changes.
    pub key: KeyId,
    /// What the key may do.
    pub role: Role,
    /// The person, by the name given at sign-in; `None` of a program.
    pub name: Option<String>,
}

impl Actor {
    /// As whom the actor reviews.
    #[must_use]
    pub fn reviewer(&self) -> Reviewer {
        Reviewer {
            key: self.key,
            name: self.name.clone(),
        }
    }
}
