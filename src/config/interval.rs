//! The time from one sample to the next.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A time between 250 ms and 1 h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(Duration);

/// Units that an interval is written in, and their milliseconds; the first whose whole multiple it is shows it.
const UNITS: [(&str, u32); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Where the keys for a faster and a slower interval stop, in milliseconds.
const STEPS: [u32; 12] =
    [250, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];

impl Interval {
    /// The shortest.
    pub const MIN: Self = Self::from_millis(250);
    /// The longest.
    pub const MAX: Self = Self::from_millis(3_600_000);

    const fn from_millis(millis: u32) -> Self {
        Self(Duration::from_millis(millis as u64))
    }

    /// The interval as a length of time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// The next shorter step; the shortest stays.
    #[must_use]
    pub fn faster(self) -> Self {
        let steps = STEPS.iter().rev().map(|millis| Self::from_millis(*millis));
        steps.into_iter().find(|step| *step < self).unwrap_or(Self::MIN)
    }

    /// The next longer step; the longest stays.
    #[must_use]
    pub fn slower(self) -> Self {
        let mut steps = STEPS.iter().map(|millis| Self::from_millis(*millis));
        steps.find(|step| *step > self).unwrap_or(Self::MAX)
    }
}

impl Default for Interval {
    fn default() -> Self {
        Self::from_millis(1000)
    }
}

impl TryFrom<Duration> for Interval {
    type Error = IntervalError;

    fn try_from(duration: Duration) -> Result<Self, IntervalError> {
        match Self(duration) {
            short if short < Self::MIN => Err(IntervalError::TooShort),
            long if long > Self::MAX => Err(IntervalError::TooLong),
            interval => Ok(interval),
        }
    }
}

/// Why a text is no interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    /// It is no number, with or without a unit.
    #[error(
        "{0:?} is no time; write seconds, or a number and a unit, such as 250ms, 1s, 2.5s, 1m or 1h"
    )]
    NotATime(String),
    /// It is below the shortest.
    #[error("the shortest interval is {}", Interval::MIN)]
    TooShort,
    /// It is above the longest.
    #[error("the longest interval is {}", Interval::MAX)]
    TooLong,
}

impl FromStr for Interval {
    type Err = IntervalError;

    /// Reads seconds, or numbers with units: `2.5`, `250ms`, `1m`, `1m30s`.
    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let millis = millis(text).ok_or_else(|| IntervalError::NotATime(text.to_owned()))?;
        // Whole milliseconds, so that what is shown can be read back.
        let seconds = millis.round() / 1000.0;
        Duration::try_from_secs_f64(seconds).map_err(|_| IntervalError::TooLong)?.try_into()
    }
}

/// A length of time as people write it, in milliseconds: seconds, or numbers with units.
pub(super) fn millis(text: &str) -> Option<f64> {
    let is_of_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut rest = text.trim();
    if rest.chars().all(is_of_number) {
        return rest.parse::<f64>().ok().map(|seconds| seconds * 1000.0);
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c| !is_of_number(c))?);
        let behind = behind.trim_start();
        let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum += number.parse::<f64>().ok()? * f64::from(*millis);
        rest = behind.trim_start();
    }
    Some(sum)
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        // 2500 ms reads better as 2.5 s.
        if millis > 1000 && !millis.is_multiple_of(1000) {
            return write!(f, "{}s", self.0.as_secs_f64());
        }
        let whole = UNITS.iter().find(|(_, unit)| millis.is_multiple_of(u128::from(*unit)));
        let (unit, size) = whole.copied().unwrap_or(("ms", 1));
        write!(f, "{}{unit}", millis / u128::from(size))
    }
}

super::deserialize_from_text!(Interval, "a time such as \"1s\" or \"250ms\"");

#[cfg(test)]
mod tests {
    use super::{Interval, IntervalError, STEPS};
    use proptest::prelude::*;

    fn millis(text: &str) -> u128 {
        text.parse::<Interval>().unwrap().duration().as_millis()
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let texts = ["250ms", "1s", "2.5s", " 2.5 s ", "1m", "0.5h", "1h", ".5s", "90s"];
        let expected = [250, 1000, 2500, 2500, 60_000, 1_800_000, 3_600_000, 500, 90_000];
        assert_eq!(texts.map(millis), expected);
        let texts = ["1", "0.25", "1m30s", "1m 30s", "1s250ms"];
        assert_eq!(texts.map(millis), [1000, 250, 90_000, 90_000, 1250]);
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let error = |text: &str| text.parse::<Interval>().unwrap_err();
        for text in
            ["", "-1", "s", "-1s", "1m30", "1e3s", "1 s x", "NaNs", "infs", "1..5s", "1d", "½s"]
        {
            assert_eq!(error(text), IntervalError::NotATime(text.to_owned()));
        }
        assert_eq!(error("249ms").to_string(), "the shortest interval is 250ms");
        assert_eq!(error("61m").to_string(), "the longest interval is 1h");
        assert_eq!(error(&format!("{}h", "9".repeat(400))), IntervalError::TooLong);
    }

    #[test]
    fn the_keys_walk_all_steps_and_stop_at_the_ends() {
        let mut interval = Interval::MIN;
        for step in STEPS {
            assert_eq!(interval, Interval::from_millis(step));
            interval = interval.slower();
        }
        assert_eq!(interval, Interval::MAX);
        assert_eq!("90s".parse::<Interval>().unwrap().faster().to_string(), "1m");
        assert_eq!(Interval::MIN.faster(), Interval::MIN);
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(millis in 250..3_600_000u32) {
            let interval = Interval::from_millis(millis);
            prop_assert_eq!(interval.to_string().parse(), Ok(interval));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = text.parse::<Interval>();
        }
    }
}
