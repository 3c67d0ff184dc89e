//! The drivers that nixpkgs names by branches, and which version each release has of them.

use super::Release;
use super::version::Version;

/// What the versions were taken from: they move within a release.
pub const TABLE_DATE: &str = "May 2026";

/// A driver of `nvidiaPackages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its name.
    pub name: &'static str,
    /// Its version in each release, the oldest first.
    versions: [&'static str; 2],
    /// Whether it comes with the open kernel module.
    pub has_open: bool,
}

impl Branch {
    /// The driver of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        BRANCHES.iter().find(|branch| branch.name == name)
    }

    /// Its version in a release, as of [`TABLE_DATE`].
    #[must_use]
    pub fn version(&self, release: Release) -> Version {
        let text = Release::ALL.iter().zip(self.versions).find(|(known, _)| **known == release);
        Version::of(text.map_or("", |(_, version)| version))
    }

    /// Whether it is for boards with `NVSwitch`, and has no parts for displays.
    #[must_use]
    pub fn is_datacenter(&self) -> bool {
        self.name.starts_with("dc")
    }
}

const fn branch(name: &'static str, versions: [&'static str; 2]) -> Branch {
    Branch { name, versions, has_open: true }
}

/// The branches that both releases have.
pub static BRANCHES: &[Branch] = &[
    branch("stable", ["580.119.02", "595.71.05"]),
    branch("production", ["580.119.02", "595.71.05"]),
    branch("latest", ["590.48.01", "610.43.03"]),
    branch("beta", ["590.44.01", "595.45.04"]),
    branch("vulkan_beta", ["580.94.11", "595.44.09"]),
    branch("legacy_580", ["580.119.02", "580.173.02"]),
    branch("legacy_535", ["535.288.01", "535.288.01"]),
    Branch { has_open: false, ..branch("legacy_470", ["470.256.02", "470.256.02"]) },
    branch("dc", ["580.105.08", "580.159.04"]),
    branch("dc_570", ["570.172.08", "570.172.08"]),
    branch("dc_580", ["580.105.08", "580.159.04"]),
];

/// Their names, as the values of an option.
pub(super) const BRANCH_NAMES: &[&str] = &[
    "stable",
    "production",
    "latest",
    "beta",
    "vulkan_beta",
    "legacy_580",
    "legacy_535",
    "legacy_470",
    "dc",
    "dc_570",
    "dc_580",
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{BRANCH_NAMES, BRANCHES, Branch};
    use crate::setup::Release;
    use crate::setup::version::Version;

    #[test]
    fn every_branch_is_a_value() {
        assert!(BRANCHES.iter().map(|branch| branch.name).eq(BRANCH_NAMES.iter().copied()));
    }

    /// The stand-in for nixpkgs that written modules are evaluated with.
    #[test]
    fn the_branches_are_those_of_the_facts_about_nixpkgs() {
        let facts: Value =
            serde_json::from_str(include_str!("../../tests/nixeval/nixpkgs-options.json")).unwrap();
        for release in Release::ALL {
            let drivers = &facts["nvidiaPackages"][release.name()];
            for branch in BRANCHES {
                let mut driver = &drivers[branch.name];
                while let Some(alias) = driver["alias"].as_str() {
                    driver = &drivers[alias];
                }
                let version = driver["version"].as_str().unwrap();
                assert_eq!(
                    branch.version(release),
                    Version::of(version),
                    "{} {release}",
                    branch.name
                );
                let has = driver["has"].as_array().unwrap();
                assert_eq!(branch.has_open, has.contains(&"open".into()), "{}", branch.name);
                let is_datacenter = has.contains(&"fabricmanager".into());
                assert_eq!(branch.is_datacenter(), is_datacenter, "{}", branch.name);
            }
        }
        assert_eq!(Branch::named("no such branch"), None);
    }
}
