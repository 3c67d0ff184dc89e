//! NVML's architecture numbers, open to those that a newer driver adds.

use std::fmt;

/// `nvmlDeviceArchitecture_t`, as the number that the driver gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

#[cfg(test)]
mod tests {
    use super::Architecture;

    #[test]
    fn an_unknown_number_keeps_its_number() {
        assert_eq!(Architecture(9).to_string(), "Hopper");
        assert_eq!(Architecture(99).to_string(), "unknown (99)");
    }
}
