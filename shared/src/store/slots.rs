//! What a credential has at its provider: one small item for each credential,
//! read and changed before anything is submitted.
//!
//! Reservations are a set, so that taking and giving back may be repeated. One
//! that was left behind by a crash is found when the room runs out.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;

use super::row::{self, Item, n, s};
use super::{Store, StoreError, string_set};
use crate::domain::unit::UnitKey;
use crate::domain::{ProjectId, RunId};

/// A unit's reservation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// Its run.
    pub run: RunId,
    /// The unit.
    pub unit: UnitKey,
    /// Model it is for: providers limit what waits for each model.
    pub model: String,
    /// Seconds of audio.
    pub audio_seconds: u64,
    /// Bytes of audio.
    pub bytes: u64,
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            run,
            unit,
            model,
            audio_seconds,
            bytes,
        } = self;
        write!(f, "{run}#{unit}#{model}#{audio_seconds}#{bytes}")
    }
}

impl FromStr for Slot {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt("a slot can't be read".into());
        let mut parts = text.split('#');
        let mut next = || parts.next().ok_or_else(corrupt);
        Ok(Self {
            run: next()?.parse().map_err(|_| corrupt())?,
            unit: next()?.parse().map_err(|_| corrupt())?,
            model: next()?.to_owned(),
            audio_seconds: next()?.parse().map_err(|_| corrupt())?,
            bytes: next()?.parse().map_err(|_| corrupt())?,
        })
    }
}

/// All reservations of a credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slots {
    /// Reservations.
    pub taken: BTreeSet<Slot>,
    rev: u64,
}

fn sort_key(provider: &str, credential: &str) -> String {
    format!("slots#{provider}#{credential}")
}

impl Store {
    /// The reservations of a credential.
    pub async fn slots(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
    ) -> Result<Slots, StoreError> {
        let key = sort_key(provider, credential);
        let Some(item) = self.get(&self.tables.units, project.as_str(), key).await? else {
            return Ok(Slots::default());
        };
        let taken = match item.get("slots") {
            Some(AttributeValue::Ss(slots)) => slots
                .iter()
                .map(|slot| slot.parse())
                .collect::<Result<_, _>>()?,
            _ => BTreeSet::new(),
        };
        Ok(Slots {
            taken,
            rev: row::number(&item, "rev").unwrap_or(0),
        })
    }

    /// Takes a slot, unless the reservations changed since they were read.
    pub async fn take_slot(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
        seen: &Slots,
        slot: &Slot,
    ) -> Result<(), StoreError> {
        let condition = if seen.rev == 0 {
            "attribute_not_exists(rev)"
        } else {
            "rev = :seen"
        };
        let mut values = Item::from([
            (":slot".into(), string_set([slot])),
            (":next".into(), n(seen.rev + 1)),
        ]);
        if seen.rev > 0 {
            values.insert(":seen".into(), n(seen.rev));
        }
        self.db
            .update_item()
            .table_name(&self.tables.units)
            .key("pk", s(project.as_str()))
            .key("sk", s(sort_key(provider, credential)))
            .update_expression("ADD slots :slot SET rev = :next")
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .send()
            .await?;
        Ok(())
    }

    /// Gives a unit's slot back, if it has one.
    pub async fn give_back_slot(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
        run: RunId,
        unit: UnitKey,
    ) -> Result<(), StoreError> {
        self.give_back_slots_of(project, provider, credential, &[(run, unit)])
            .await
    }

    /// Gives back the slots that units of a credential have.
    pub async fn give_back_slots_of(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
        units: &[(RunId, UnitKey)],
    ) -> Result<(), StoreError> {
        let slots = self.slots(project, provider, credential).await?;
        let theirs = slots
            .taken
            .into_iter()
            .filter(|slot| units.contains(&(slot.run, slot.unit)));
        self.give_back_slots(project, provider, credential, theirs)
            .await
    }

    /// Gives slots back. Giving back what is not taken is harmless.
    pub async fn give_back_slots(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
        slots: impl IntoIterator<Item = Slot>,
    ) -> Result<(), StoreError> {
        let slots: Vec<Slot> = slots.into_iter().collect();
        if slots.is_empty() {
            return Ok(());
        }
        self.db
            .update_item()
            .table_name(&self.tables.units)
            .key("pk", s(project.as_str()))
            .key("sk", s(sort_key(provider, credential)))
            .update_expression("DELETE slots :slots SET rev = if_not_exists(rev, :zero) + :one")
            .expression_attribute_values(":slots", string_set(slots))
            .expression_attribute_values(":zero", n(0))
            .expression_attribute_values(":one", n(1))
            .send()
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_text_and_come_back() {
        let slot = Slot {
            run: RunId::mint(1, [3; 10]),
            unit: UnitKey {
                provider: 2,
                round: 1,
                chunk: 40,
            },
            model: "gemini-2.5-pro".into(),
            audio_seconds: 360,
            bytes: 1 << 33,
        };
        assert_eq!(slot.to_string().parse::<Slot>().unwrap(), slot);
        assert!("x#y".parse::<Slot>().is_err());
    }
}
