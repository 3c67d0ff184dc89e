//! NVML's architecture numbers, open to those that a newer driver adds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `nvmlDeviceArchitecture_t`, as the number that the driver gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Architecture(pub u32);

const NAMES: &[(u32, &str)] = &[
    (2, "Kepler"),
    (3, "Maxwell"),
    (4, "Pascal"),
    (5, "Volta"),
    (6, "Turing"),
    (7, "Ampere"),
    (8, "Ada"),
    (9, "Hopper"),
    (10, "Blackwell"),
    (13, "Rubin"),
];

impl Architecture {
    /// The first architecture whose GPUs run on the open kernel module.
    pub const TURING: Self = Self(6);
    /// The first architecture whose GPUs run on nothing but the open kernel module.
    pub const BLACKWELL: Self = Self(10);

    /// The name NVIDIA uses, where the number is known.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(number, _)| *number == self.0).map(|(_, name)| *name)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "unknown ({})", self.0),
        }
    }
}

/// The text names no architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an architecture")]
pub struct ArchitectureError;

impl FromStr for Architecture {
    type Err = ArchitectureError;

    /// Takes what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = || text.strip_prefix("unknown (")?.strip_suffix(')')?.parse().ok();
        let named = NAMES.iter().find(|(_, name)| *name == text).map(|(number, _)| *number);
        named.or_else(number).map(Self).ok_or(ArchitectureError)
    }
}

impl From<Architecture> for String {
    fn from(architecture: Architecture) -> Self {
        architecture.to_string()
    }
}

impl TryFrom<String> for Architecture {
    type Error = ArchitectureError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::Architecture;

    #[test]
    fn a_written_architecture_is_read_again() {
        for number in 0..20 {
            let architecture = Architecture(number);
            assert_eq!(architecture.to_string().parse(), Ok(architecture));
        }
        for text in ["", "hopper", "unknown", "unknown (x)", "unknown (9", "9"] {
            assert!(text.parse::<Architecture>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_number_keeps_its_number() {
        assert_eq!(Architecture(9).to_string(), "Hopper");
        assert_eq!(Architecture(99).to_string(), "unknown (99)");
    }
}
