//! The releases of NixOS that modules are written for.

use std::fmt;

/// A release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// 25.11 and before, down to 24.11.
    R2511,
    /// 26.05 and later.
    R2605,
}

impl Release {
    /// All, the oldest first.
    pub const ALL: [Self; 2] = [Self::R2511, Self::R2605];

    /// As NixOS writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::R2511 => "25.11",
            Self::R2605 => "26.05",
        }
    }

    /// The release that a machine of this version is written for; an unknown one is taken for the older, whose options
    /// the newer has, too.
    #[must_use]
    pub fn of_version(version: &str) -> Self {
        let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
        let mut parts = version.split('.').map(|part| digits(part).parse::<u32>().unwrap_or(0));
        let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        if version >= (26, 5) { Self::R2605 } else { Self::R2511 }
    }

    /// The release of a branch of nixpkgs, such as `nixos-26.05`; what is unstable comes after all releases.
    #[must_use]
    pub fn of_branch(branch: &str) -> Option<Self> {
        let name = ["nixos-", "nixpkgs-", "release-"]
            .iter()
            .find_map(|prefix| branch.strip_prefix(prefix))?;
        if name.starts_with("unstable") {
            return Self::ALL.last().copied();
        }
        name.starts_with(|c: char| c.is_ascii_digit()).then(|| Self::of_version(name))
    }

    /// Whether a driver can be named by `hardware.nvidia.branch`.
    #[must_use]
    pub fn has_driver_branch(self) -> bool {
        self >= Self::R2605
    }

    /// Whether `nixpkgs.config.allowUnfreePackages` takes names and joins the lists of several files.
    #[must_use]
    pub fn has_unfree_list(self) -> bool {
        self >= Self::R2605
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Release;

    #[test]
    fn a_version_names_its_release() {
        for (version, release) in [
            ("24.11", Release::R2511),
            ("25.11", Release::R2511),
            ("25.11.20251120.abc", Release::R2511),
            ("26.05", Release::R2605),
            ("26.11pre-git", Release::R2605),
            ("", Release::R2511),
        ] {
            assert_eq!(Release::of_version(version), release, "{version}");
        }
        assert!(Release::ALL.iter().all(|release| Release::of_version(release.name()) == *release));
    }
}
