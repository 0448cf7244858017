//! One object of JSON lines, read without keeping what a sample has no use for.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::MAX_COLUMNS;

/// What is told of an object with more fields than [`MAX_COLUMNS`].
pub(super) const TOO_MANY: &str = "must have at most 64 fields";

/// A field's value, as far as a sample can use it.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    /// `null`.
    Nothing,
    /// Text; a number or truth value as text.
    Text(String),
    /// An object's fields, in the order they are written.
    Fields(Vec<(String, Value)>),
    /// A list, or an object inside an object.
    Other,
}

/// Fields of one object; `None` when there are too many.
type Fields = Option<Vec<(String, Value)>>;

/// Reads a line.
///
/// # Errors
/// It is no JSON, no object, or has something behind it.
pub(super) fn object(line: &str) -> Result<Fields, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(line);
    let fields = Object.deserialize(&mut reader)?;
    reader.end()?;
    Ok(fields)
}

/// The object that a line is.
struct Object;

impl<'de> DeserializeSeed<'de> for Object {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Fields, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields, A::Error> {
        fields(map, true)
    }
}

/// Keeps up to [`MAX_COLUMNS`] fields; reads the others and lets them go.
fn fields<'de, A: MapAccess<'de>>(mut map: A, nested: bool) -> Result<Fields, A::Error> {
    let mut kept = Vec::new();
    while let Some(name) = map.next_key::<String>()? {
        if kept.len() == MAX_COLUMNS {
            map.next_value::<IgnoredAny>()?;
            ignore_rest(map)?;
            return Ok(None);
        }
        let value = map.next_value_seed(OneValue { nested })?;
        kept.push((name, value));
    }
    Ok(Some(kept))
}

fn ignore_rest<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// A value; `nested` tells whether the fields of an object are of use.
#[derive(Clone, Copy)]
struct OneValue {
    nested: bool,
}

impl<'de> DeserializeSeed<'de> for OneValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // As JSON writes it: `1.0` and not `1`.
        let number = serde_json::Number::from_f64(value);
        Ok(number.map_or(Value::Other, |number| Value::Text(number.to_string())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        if !self.nested {
            ignore_rest(map)?;
            return Ok(Value::Other);
        }
        // More than there may be: of no use either.
        Ok(fields(map, false)?.map_or(Value::Other, Value::Fields))
    }
}
