//! Versions of drivers and toolkits, compared number by number.

use std::fmt;

/// The numbers of a version: `580.9` is older than `580.65`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u32>);

impl Version {
    /// Reads a version as far as it consists of numbers with dots between them.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(text.split('.').map_while(|part| part.parse().ok()).collect())
    }

    /// The first number, the branch of a driver; 0 where there is none.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Whether a number was read.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.0.is_empty()
    }
}

impl fmt::Display for Version {
    /// The numbers as drivers have them: all but the first with at least two digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, number) in self.0.iter().enumerate() {
            match place {
                0 => write!(f, "{number}")?,
                _ if self.major() < 100 => write!(f, ".{number}")?,
                _ => write!(f, ".{number:02}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_are_compared_number_by_number() {
        for (older, newer) in [
            ("580.9", "580.65"),
            ("580.65.06", "580.82.07"),
            ("580", "580.65"),
            ("9.2", "10.0"),
            ("", "470.42.01"),
        ] {
            assert!(Version::of(older) < Version::of(newer), "{older} {newer}");
        }
        assert_eq!(Version::of("580.65.06"), Version::of("580.65.6"));
    }

    #[test]
    fn a_version_is_read_as_far_as_it_goes() {
        assert_eq!(Version::of("12.8").to_string(), "12.8");
        assert_eq!(Version::of("580.65.06").to_string(), "580.65.06");
        assert_eq!(Version::of("580.65-beta").to_string(), "580");
        assert!(!Version::of("unknown").is_known());
        assert_eq!(Version::of("").major(), 0);
        assert_eq!(Version::of("99999999999.1").major(), 0);
    }
}
