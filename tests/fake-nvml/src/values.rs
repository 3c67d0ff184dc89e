//! Single values of a scenario: times, sizes, and numbers with units.

use serde::Deserialize;
use serde::de::{Error as _, Unexpected, Visitor};

use crate::cast;
use crate::units::quantity;

/// A time such as `"1500ms"`, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Micros(pub(crate) u64);

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Quantity(text) = Quantity::deserialize(from)?;
        match quantity(&text) {
            Ok(seconds) if seconds >= 0.0 => Ok(Self(cast::micros(seconds))),
            _ => Err(D::Error::invalid_value(Unexpected::Str(&text), &"a time such as \"1500ms\"")),
        }
    }
}

/// A size such as `"80GiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bytes(pub(crate) u64);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Quantity(text) = Quantity::deserialize(from)?;
        let bytes = quantity(&text).map_err(D::Error::custom)?;
        u64::try_from(cast::whole(bytes)).map(Self).map_err(D::Error::custom)
    }
}

/// A number, or a text that holds one with a unit or a whole waveform.
#[derive(Debug, Clone)]
pub(crate) struct Quantity(pub(crate) String);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Quantity;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number or a text such as \"80GiB\"")
            }
            fn visit_i64<E>(self, value: i64) -> Result<Quantity, E> {
                Ok(Quantity(value.to_string()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Quantity, E> {
                Ok(Quantity(value.to_string()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Quantity, E> {
                Ok(Quantity(value.to_string()))
            }
            fn visit_str<E>(self, value: &str) -> Result<Quantity, E> {
                Ok(Quantity(value.to_owned()))
            }
        }
        from.deserialize_any(Reader)
    }
}
