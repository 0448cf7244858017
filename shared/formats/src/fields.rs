//! Texts by name, such as the free fields of a row: each row has a few, and a source has very many
//! rows. What a row has is in one piece of memory; a map of texts takes ten times as much.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Texts by name, in the order of their names.
#[derive(Clone, Default)]
pub struct Fields(Option<Box<Packed>>);

#[derive(Clone, Default)]
struct Packed {
    /// Names, each with its value behind it, in the order in which they came.
    text: String,
    /// Where they are, in the order of their names.
    places: Vec<Place>,
}

/// Where a field is; texts are of files, which have far less than 4 GiB.
#[derive(Clone, Copy)]
struct Place {
    /// Where its name begins.
    start: u32,
    /// Where its value begins.
    value: u32,
    /// Where that ends.
    end: u32,
}

impl Packed {
    fn part(&self, start: u32, end: u32) -> &str {
        let part = self.text.get(start as usize..end as usize);
        part.unwrap_or_default()
    }

    fn name(&self, place: &Place) -> &str {
        self.part(place.start, place.value)
    }

    fn value(&self, place: &Place) -> &str {
        self.part(place.value, place.end)
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.places
            .binary_search_by(|place| self.name(place).cmp(name))
    }

    fn here(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }
}

impl Fields {
    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let packed = self.0.as_ref()?;
        let place = packed.places.get(packed.find(name).ok()?)?;
        Some(packed.value(place))
    }

    /// Whether there is such a field.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.flat_map(|packed| {
            let places = packed.places.iter();
            places.map(|place| (packed.name(place), packed.value(place)))
        })
    }

    /// Names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// Values, by name.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(_, value)| value)
    }

    /// Puts a field there, in place of one of this name.
    pub(crate) fn insert(&mut self, name: &str, value: &str) {
        let packed = self.0.get_or_insert_default();
        let is_last = |last: &Place| packed.name(last) < name;
        let found = match packed.places.last().is_none_or(is_last) {
            true => Err(packed.places.len()),
            false => packed.find(name),
        };
        let start = packed.here();
        packed.text.push_str(name);
        let behind = packed.here();
        packed.text.push_str(value);
        let place = Place {
            start,
            value: behind,
            end: packed.here(),
        };
        match found {
            Err(at) => packed.places.insert(at, place),
            Ok(at) => {
                if let Some(before) = packed.places.get_mut(at) {
                    *before = place;
                }
            }
        }
    }

    /// Takes a field out.
    pub(crate) fn remove(&mut self, name: &str) -> Option<String> {
        let packed = self.0.as_mut()?;
        let place = packed.places.remove(packed.find(name).ok()?);
        let value = packed.value(&place).to_owned();
        if packed.places.is_empty() {
            self.0 = None;
        }
        Some(value)
    }

    /// Leaves out those that are not wanted.
    pub(crate) fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        if self.names().any(|name| !is_wanted(name)) {
            *self = self.iter().filter(|(name, _)| is_wanted(name)).collect();
        }
    }

    /// Gives back room that was kept for more.
    pub(crate) fn fit(&mut self) {
        if let Some(packed) = &mut self.0 {
            packed.text.shrink_to_fit();
            packed.places.shrink_to_fit();
        }
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut all = Self::default();
        for (name, value) in fields {
            all.insert(name.as_ref(), value.as_ref());
        }
        all
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// They are a map of texts, whatever is done with them.
        #[test]
        fn fields_are_a_map(steps in prop::collection::vec(
            (0..3_u8, "[a-cक]{0,2}", "\\PC{0,4}"), 0..24,
        )) {
            let mut fields = Fields::default();
            let mut map = BTreeMap::new();
            for (step, name, value) in steps {
                match step {
                    0 => prop_assert_eq!(fields.remove(&name), map.remove(&name)),
                    1 => {
                        fields.retain(|own| own != name);
                        map.remove(&name);
                    }
                    _ => {
                        fields.insert(&name, &value);
                        map.insert(name.clone(), value);
                    }
                }
                fields.fit();
                prop_assert_eq!(fields.get(&name), map.get(&name).map(String::as_str));
                prop_assert_eq!(fields.is_empty(), map.is_empty());
                let told: Vec<(&str, &str)> = fields.iter().collect();
                let wanted: Vec<(&str, &str)> =
                    map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                prop_assert_eq!(told, wanted);
                prop_assert_eq!(
                    serde_json::to_string(&fields).unwrap(),
                    serde_json::to_string(&map).unwrap()
                );
            }
        }
    }
}
