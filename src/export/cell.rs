//! One value of an output, of whatever type.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::json::Object;
use crate::model::{Absent, Unit, clock_event_names, word};

/// A key with its value, or why there is none.
pub(super) type Field<'a> = (Cow<'static, str>, Result<Cell<'a>, Absent>);

/// A value as JSON has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// `true` or `false`.
    Flag(bool),
    /// A number without a fraction.
    Whole(i64),
    /// A number with a fraction, or too large to be told from its neighbours.
    Real(f64),
    /// The names of the set bits of a clock-event mask.
    ClockEvents(u64),
    /// Objects of fields.
    Objects(Vec<Vec<Field<'a>>>),
}

/// The largest number up to which a float counts by ones.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The number, unless it is one that no counter or sensor can mean.
pub(super) fn sane(value: Result<f64, Absent>) -> Result<f64, Absent> {
    value.and_then(|value| if value.is_finite() { Ok(value) } else { Err(Absent::OutOfRange) })
}

impl<'a> Cell<'a> {
    /// A number of this unit.
    pub(super) fn number(unit: Unit, value: Result<f64, Absent>) -> Result<Self, Absent> {
        let value = sane(value)?;
        if let Some(words) = unit.words() {
            return match (word(words, value), whole(value)) {
                (Some(word), _) => Ok(Self::text(word.id)),
                (None, Some(n @ 0..)) => Ok(Self::Text(format!("unknown_{n}").into())),
                (None, _) => Err(Absent::OutOfRange),
            };
        }
        match (unit, whole(value)) {
            (Unit::Flag, Some(n @ (0 | 1))) => Ok(Self::Flag(n == 1)),
            (Unit::ClockEventReasons, Some(n)) => {
                u64::try_from(n).map(Self::ClockEvents).map_err(|_| Absent::OutOfRange)
            }
            (Unit::Flag | Unit::ClockEventReasons, _) => Err(Absent::OutOfRange),
            (_, Some(n)) => Ok(Self::Whole(n)),
            (_, None) => Ok(Self::Real(value)),
        }
    }

    /// A text that belongs to somebody else.
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

fn whole(value: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is small enough")]
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::ClockEvents(mask) => serializer.collect_seq(clock_event_names(*mask)),
            Self::Objects(objects) => serializer
                .collect_seq(objects.iter().map(|fields| Object(|| fields.iter().cloned()))),
        }
    }
}
