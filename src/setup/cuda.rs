//! Which driver a CUDA toolkit needs, by NVIDIA's two levels: the driver that it was made with, and the oldest on which
//! programs of the same major version run.

use super::version::Version;

/// Of each toolkit the driver that it was made with, on Linux; the newest first. NVIDIA's release notes, May 2026.
const TOOLKITS: &[(&str, &str)] = &[
    ("13.3", "610.43.02"),
    ("13.2", "595.45.04"),
    ("13.1", "590.44.01"),
    ("13.0", "580.65.06"),
    ("12.9", "575.51.03"),
    ("12.8", "570.26"),
    ("12.6", "560.28.03"),
    ("12.5", "555.42.02"),
    ("12.4", "550.54.14"),
    ("12.3", "545.23.06"),
    ("12.2", "535.54.03"),
    ("12.1", "530.30.02"),
    ("12.0", "525.60.13"),
    ("11.8", "520.61.05"),
    ("11.7", "515.43.04"),
    ("11.6", "510.39.01"),
    ("11.5", "495.29.05"),
    ("11.4", "470.42.01"),
    ("11.3", "465.19.01"),
    ("11.2", "460.27.03"),
    ("11.1", "455.23"),
    ("11.0", "450.51.05"),
];

/// Of each major version the oldest driver that runs any of its programs.
const FLOORS: &[(u32, &str)] = &[(13, "580.65.06"), (12, "525.60.13"), (11, "450.80.02")];

/// How a driver stands to a toolkit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CudaFit {
    /// Programs of this toolkit do not run.
    TooOld {
        /// The oldest driver on which they do.
        floor: Version,
    },
    /// Programs run, but what is compiled when they start, and what is new in the toolkit, may fail.
    MinorVersion {
        /// The driver that the toolkit was made with.
        made_with: Version,
    },
    /// Everything runs.
    Full,
    /// The toolkit is not in the table.
    Unknown,
}

impl CudaFit {
    /// How a driver stands to a toolkit.
    #[must_use]
    pub fn of(toolkit: &Version, driver: &Version) -> Self {
        if !driver.is_known() {
            return Self::Unknown;
        }
        let floor = FLOORS.iter().find(|(major, _)| *major == toolkit.major());
        let made_with = TOOLKITS.iter().find(|(known, _)| Version::of(known) <= *toolkit);
        let (Some((major, floor)), Some((known, made_with))) = (floor, made_with) else {
            return Self::Unknown;
        };
        let (floor, made_with) = (Version::of(floor), Version::of(made_with));
        let floor = floor.min(made_with.clone());
        if *driver < floor {
            Self::TooOld { floor }
        } else if Version::of(known).major() == *major && *driver < made_with {
            Self::MinorVersion { made_with }
        } else {
            Self::Full
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CudaFit, TOOLKITS, Version};

    fn fit(toolkit: &str, driver: &str) -> CudaFit {
        CudaFit::of(&Version::of(toolkit), &Version::of(driver))
    }

    #[test]
    fn a_driver_is_held_against_both_levels() {
        let floor = |text| CudaFit::TooOld { floor: Version::of(text) };
        let minor = |text| CudaFit::MinorVersion { made_with: Version::of(text) };
        for (toolkit, driver, expected) in [
            ("13.1", "580.65.05", floor("580.65.06")),
            ("13.1", "580.65.06", minor("590.44.01")),
            ("13.1", "590.44", minor("590.44.01")),
            ("13.1", "590.44.01", CudaFit::Full),
            ("13.0.2", "580.9", floor("580.65.06")),
            ("13.0", "580.65.06", CudaFit::Full),
            ("12.8", "525.60.12", floor("525.60.13")),
            ("12.8", "525.60.13", minor("570.26")),
            ("12.8", "570.25", minor("570.26")),
            ("12.8", "570.26", CudaFit::Full),
            ("11.8", "450.80.02", minor("520.61.05")),
            ("11.8", "450.80.01", floor("450.80.02")),
            ("10.2", "595.71.05", CudaFit::Unknown),
            ("14.0", "610.43.02", CudaFit::Unknown),
            ("12.8", "", CudaFit::Unknown),
        ] {
            assert_eq!(fit(toolkit, driver), expected, "CUDA {toolkit} on {driver}");
        }
    }

    #[test]
    fn the_table_falls_in_both_columns() {
        for pair in TOOLKITS.windows(2) {
            let [(newer, newer_driver), (older, older_driver)] = pair else { unreachable!() };
            assert!(Version::of(newer) > Version::of(older));
            assert!(Version::of(newer_driver) > Version::of(older_driver));
        }
    }
}
