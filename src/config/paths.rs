//! Where the user's files are; nothing else in the program knows.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The program's own folders in the user's home. None of them need exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    config: PathBuf,
    state: PathBuf,
}

impl Paths {
    /// The folders that XDG names; none for a user without a home.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        let folders = ProjectDirs::from("", "", "nvsdk-top")?;
        let state = folders.state_dir().unwrap_or_else(|| folders.data_local_dir());
        Some(Self { config: folders.config_dir().to_owned(), state: state.to_owned() })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The folder of the user's themes.
    #[must_use]
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }

    /// The folder for what the program remembers by itself.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.state
    }
}
