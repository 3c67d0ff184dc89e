//! A fact together with the place that it was read from.

use std::fmt;

use serde::de::Error;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{Absent, Fact};

/// A fact, or why it is not known, and where it was looked for.
///
/// As JSON it is `{"value": …, "source": …}`, and where there is no value `{"value": null, "absent": REASON, …}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence<T> {
    /// What was found.
    pub fact: Fact<T>,
    /// Where: a path, `NVML`, `systemctl show` or `$VARIABLE`.
    pub source: String,
}

impl<T> Evidence<T> {
    /// What `source` says.
    pub fn new(source: impl Into<String>, fact: Fact<T>) -> Self {
        Self { fact, source: source.into() }
    }

    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        self.fact.as_ref().ok()
    }

    /// Why there is no value.
    pub fn absent(&self) -> Option<Absent> {
        self.fact.as_ref().err().copied()
    }

    /// The same place with what `change` makes of the value.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Evidence<U> {
        Evidence { fact: self.fact.map(change), source: self.source }
    }

    /// This, or where it is not known what `other` finds. If neither is, this tells why.
    pub(super) fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if self.fact.is_ok() {
            return self;
        }
        let other = other();
        if other.fact.is_ok() { other } else { self }
    }
}

impl Evidence<bool> {
    /// Whether it is known to be so.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.fact == Ok(true)
    }

    /// Whether it is known not to be so.
    #[must_use]
    pub fn is_false(&self) -> bool {
        self.fact == Ok(false)
    }
}

impl Evidence<String> {
    /// The text, if it is known.
    pub fn text(&self) -> Option<&str> {
        self.known().map(String::as_str)
    }
}

impl<T: fmt::Debug> fmt::Debug for Evidence<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} from {}", self.fact, self.source)
    }
}

impl<T: Serialize> Serialize for Evidence<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", &self.known())?;
        if let Some(why) = self.absent() {
            map.serialize_entry("absent", &why)?;
        }
        map.serialize_entry("source", &self.source)?;
        map.end()
    }
}

/// The fields as they stand in JSON.
#[derive(Deserialize)]
struct Written<T> {
    value: Option<T>,
    absent: Option<Absent>,
    source: String,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Evidence<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { value, absent, source } = Written::deserialize(deserializer)?;
        let fact = match (value, absent) {
            (Some(value), None) => Ok(value),
            (None, Some(why)) => Err(why),
            _ => {
                return Err(D::Error::custom(format_args!(
                    "the fact from {source} needs either a `value` or the reason `absent`"
                )));
            }
        };
        Ok(Self { fact, source })
    }
}

#[cfg(test)]
mod tests {
    use super::Evidence;
    use crate::model::Absent;

    fn json<T: serde::Serialize>(evidence: &Evidence<T>) -> String {
        serde_json::to_string(evidence).unwrap()
    }

    #[test]
    fn a_fact_comes_back_with_its_place() {
        let known = Evidence::new("/a", Ok(7));
        assert_eq!(json(&known), r#"{"value":7,"source":"/a"}"#);
        assert_eq!(serde_json::from_str::<Evidence<i32>>(&json(&known)).unwrap(), known);
        let absent = Evidence::<i32>::new("/b", Err(Absent::NoPermission));
        assert_eq!(json(&absent), r#"{"value":null,"absent":"no_permission","source":"/b"}"#);
        assert_eq!(serde_json::from_str::<Evidence<i32>>(&json(&absent)).unwrap(), absent);
    }

    #[test]
    fn neither_a_value_nor_a_reason_and_both_are_refused() {
        for text in [
            r#"{"source":"/a"}"#,
            r#"{"value":null,"source":"/a"}"#,
            r#"{"value":1,"absent":"not_found","source":"/a"}"#,
            r#"{"value":1}"#,
        ] {
            assert!(serde_json::from_str::<Evidence<i32>>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_second_place_counts_where_the_first_is_silent() {
        let absent = || Evidence::<i32>::new("/a", Err(Absent::NoPermission));
        let known = || Evidence::new("/b", Ok(1));
        assert_eq!(absent().or_else(known), known());
        let other = || Evidence::new("/c", Err(Absent::NotFound));
        assert_eq!(absent().or_else(other), absent());
        assert_eq!(known().or_else(|| Evidence::new("/d", Ok(2))), known());
    }
}
