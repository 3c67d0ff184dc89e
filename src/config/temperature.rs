//! Degrees as the user reads them.

use std::fmt;
use std::str::FromStr;

/// What temperatures are shown in; they are always sampled in degrees Celsius.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TemperatureUnit {
    /// °C.
    #[default]
    Celsius,
    /// °F.
    Fahrenheit,
}

/// Each unit with the words for it, the one that is written first.
const UNITS: [(TemperatureUnit, [&str; 2]); 2] = [
    (TemperatureUnit::Celsius, ["celsius", "c"]),
    (TemperatureUnit::Fahrenheit, ["fahrenheit", "f"]),
];

impl TemperatureUnit {
    /// The other one.
    #[must_use]
    pub fn toggled(self) -> Self {
        match self {
            Self::Celsius => Self::Fahrenheit,
            Self::Fahrenheit => Self::Celsius,
        }
    }

    /// The letter behind the degree sign.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Celsius => 'C',
            Self::Fahrenheit => 'F',
        }
    }

    /// A temperature in this unit.
    #[must_use]
    pub fn level(self, celsius: f64) -> f64 {
        match self {
            Self::Celsius => celsius,
            Self::Fahrenheit => self.difference(celsius) + 32.0,
        }
    }

    /// The distance of two temperatures in this unit, such as that to the slowdown.
    #[must_use]
    pub fn difference(self, celsius: f64) -> f64 {
        match self {
            Self::Celsius => celsius,
            Self::Fahrenheit => celsius * 1.8,
        }
    }
}

/// A text is no unit of temperature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no unit of temperature; write celsius or fahrenheit")]
pub struct TemperatureUnitError(String);

impl FromStr for TemperatureUnit {
    type Err = TemperatureUnitError;

    fn from_str(text: &str) -> Result<Self, TemperatureUnitError> {
        let word = text.trim().trim_start_matches('°').to_ascii_lowercase();
        let unit = UNITS.iter().find(|(_, words)| words.contains(&word.as_str()));
        unit.map(|(unit, _)| *unit).ok_or_else(|| TemperatureUnitError(text.to_owned()))
    }
}

impl fmt::Display for TemperatureUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(UNITS[*self as usize].1[0])
    }
}

super::deserialize_from_text!(TemperatureUnit, "\"celsius\" or \"fahrenheit\"");

#[cfg(test)]
mod tests {
    use super::TemperatureUnit::{self, Celsius, Fahrenheit};

    #[test]
    fn levels_and_differences_are_not_the_same() {
        let same = |one: f64, two: f64| assert!((one - two).abs() < 1e-9, "{one} is not {two}");
        same(Celsius.level(100.0), 100.0);
        same(Celsius.difference(10.0), 10.0);
        same(Fahrenheit.level(0.0), 32.0);
        same(Fahrenheit.level(100.0), 212.0);
        same(Fahrenheit.difference(10.0), 18.0);
    }

    #[test]
    fn words_read_back() {
        for unit in [Celsius, Fahrenheit] {
            assert_eq!(unit.to_string().parse(), Ok(unit));
            assert_eq!(unit.letter().to_string().parse(), Ok(unit));
            assert_eq!(unit.toggled().toggled(), unit);
        }
        assert_eq!("°F".parse(), Ok(Fahrenheit));
        assert!("kelvin".parse::<TemperatureUnit>().is_err());
    }
}
