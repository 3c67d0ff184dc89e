//! The scenarios that come with the library.

macro_rules! presets {
    ($($name:literal),* $(,)?) => {
        const NAMES: &[&str] = &[$($name),*];

        /// The scenario of that name, as TOML.
        #[must_use]
        pub fn preset_toml(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../presets/", $name, ".toml"))),)*
                _ => None,
            }
        }
    };
}

presets!("rtx4090", "laptop", "a100", "h100", "h100-mig", "b200", "gb10", "t4", "old-driver");

/// The names of all presets.
#[must_use]
pub fn presets() -> &'static [&'static str] {
    NAMES
}
