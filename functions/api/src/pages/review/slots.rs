//! Letters in place of models.

use stt_eval_html::review::Said;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::review::Opinion;
use stt_eval_shared::domain::{ResultId, SampleId};
use stt_eval_shared::store::results::Entry;

use crate::http::auth::Caller;
use crate::services::results::clip::Clip;

/// Which transcription of a clip stands under which letter: by chance, the same each time
/// for a reviewer and a clip. What it is drawn from is a secret of the project, so that
/// it can't be worked out.
pub struct Slots {
    /// Models in the order of letters.
    order: Vec<u8>,
    tag: String,
}

/// Digits of whom letters were drawn for, which a tag begins with.
const DIGITS: usize = 16;

fn drawn(secret: &str, what: &str) -> String {
    sha256_hex(format!("slots/1 {secret} {what}").as_bytes())
}

/// For whom letters are drawn.
fn whom(caller: &Caller) -> String {
    let actor = &caller.actor;
    let mut whom = drawn(
        &caller.cursor_secret,
        &format!("{} {:?}", actor.key, actor.reviewer().person()),
    );
    whom.truncate(DIGITS);
    whom
}

impl Slots {
    /// Of a clip for a reviewer.
    pub fn of(caller: &Caller, sample: SampleId, clip: &Clip) -> Self {
        Self::for_whom(caller, &whom(caller), sample, clip)
    }

    /// The same, of a form that was made of them; `None` when a transcription came in since.
    /// The form may be older than the session: whom its letters were drawn for is in it.
    pub fn of_form(caller: &Caller, sample: SampleId, clip: &Clip, tag: &str) -> Option<Self> {
        let slots = Self::for_whom(caller, tag.get(..DIGITS)?, sample, clip);
        (slots.tag == tag).then_some(slots)
    }

    fn for_whom(caller: &Caller, whom: &str, sample: SampleId, clip: &Clip) -> Self {
        let models = clip.completed.iter().map(|entry| entry.outcome.id.model());
        Self::drawn(&caller.cursor_secret, whom, sample, models)
    }

    fn drawn(secret: &str, whom: &str, sample: SampleId, models: impl Iterator<Item = u8>) -> Self {
        let place = |model| (drawn(secret, &format!("{whom} {sample} {model}")), model);
        let mut places: Vec<(String, u8)> = models.map(place).collect();
        places.sort_unstable();
        let order: Vec<u8> = places.into_iter().map(|(_, model)| model).collect();
        let own = drawn(secret, &format!("{whom} {sample} tag {order:?}"));
        let tag = format!("{whom}{}", own.get(..DIGITS).unwrap_or_default());
        Self { order, tag }
    }

    /// Tells this assignment from another.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Entries under their letters.
    pub fn letters(&self, entries: Vec<Entry>) -> Vec<(char, Entry)> {
        let mut entries: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
        let mut take = |model: u8| {
            let is_it = |entry: &&mut Option<Entry>| {
                entry
                    .as_ref()
                    .is_some_and(|e| e.outcome.id.model() == model)
            };
            entries.iter_mut().find(is_it).and_then(Option::take)
        };
        let letters = ('A'..='Z').zip(&self.order);
        letters
            .filter_map(|(letter, model)| Some((letter, take(*model)?)))
            .collect()
    }

    /// Results under their letters.
    pub fn ids<'a>(&'a self, clip: &'a Clip) -> impl Iterator<Item = (char, ResultId)> + 'a {
        ('A'..='Z').zip(&self.order).filter_map(|(letter, model)| {
            let mut ids = clip.completed.iter().map(|entry| entry.outcome.id);
            Some((letter, ids.find(|id| id.model() == *model)?))
        })
    }
}

/// What a form says at first, of what stands.
pub fn said(own: Opinion) -> Said {
    Said {
        verdict: own.verdict,
        reasons: own.reasons,
        comment: own.comment.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use stt_eval_shared::access::keys::Role;
    use stt_eval_shared::domain::{DatasetId, KeyId};

    use super::*;
    use crate::actor::Actor;

    fn caller(key: u8, name: Option<&str>, secret: &str) -> Caller {
        Caller {
            actor: Actor {
                project: "demo".parse().unwrap(),
                key: KeyId::mint(1, [key; 10]),
                role: Role::Reviewer,
                name: name.map(str::to_owned),
            },
            cursor_secret: secret.to_owned(),
        }
    }

    /// Orders of four models on 60 clips.
    fn orders(of: &Caller) -> Vec<Vec<u8>> {
        let dataset = DatasetId::mint(1, [2; 10]);
        let samples = (0..60).map(|position| SampleId::new(dataset, position));
        let whom = whom(of);
        let drawn = samples.map(|sample| Slots::drawn(&of.cursor_secret, &whom, sample, 0..4));
        drawn.map(|slots| slots.order).collect()
    }

    #[test]
    fn orders_are_one_reviewers_own() {
        let asha = orders(&caller(1, Some("Asha"), "s"));
        assert_eq!(asha, orders(&caller(1, Some("Asha"), "s")));
        for other in [
            caller(1, Some("Ravi"), "s"),
            caller(2, Some("Asha"), "s"),
            caller(1, None, "s"),
            caller(1, Some("Asha"), "t"),
        ] {
            let other = orders(&other);
            let alike = asha.iter().zip(&other).filter(|(one, two)| one == two);
            // By chance 1 of 24.
            let alike = alike.count();
            assert!(alike < 12, "{alike}");
        }
        // No model has a letter of its own, and one clip says nothing of the next.
        let firsts = |model| asha.iter().filter(|order| order[0] == model).count();
        assert!((0..4).all(|model| firsts(model) > 4), "{asha:?}");
    }
}
