//! JSON read more strictly than serde does by itself.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A JSON object, and nothing else: serde would take an array for a struct and
/// fill its fields by position.
///
/// ```
/// use serde::Deserialize;
/// use stt_eval_wire::object::Object;
///
/// #[derive(Deserialize)]
/// struct Point { x: u8, y: u8 }
///
/// let Object(point) = serde_json::from_str::<Object<Point>>(r#"{"x":1,"y":2}"#)?;
/// assert_eq!((point.x, point.y), (1, 2));
/// assert!(serde_json::from_str::<Object<Point>>("[1,2]").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Object<T>(pub T);

impl<T> From<T> for Object<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// For fields where `null` says something else than absence: the outer option
/// is "given", the inner one "not null".
///
/// Goes with `default`, and with `skip_serializing_if = "Option::is_none"`.
///
/// # Errors
/// When what is given is neither null nor a `T`.
pub fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
