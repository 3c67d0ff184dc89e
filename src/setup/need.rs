//! What is declared as wanted and does not run yet: whether it waits for an import, a rebuild or a reboot.

use super::facts::Facts;
use super::model::{Because, Row};
use super::{Effect, Setup, Stated, Value};
use crate::model::{Absent, KernelModule};

/// What an option still needs, although nothing about it has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The file that declares it has to be imported.
    Import,
    /// The declared system has to be built and switched to.
    Rebuild,
    /// The built system has to be started.
    Reboot,
}

impl Need {
    /// All, in the order in which they are met.
    pub const ALL: [Self; 3] = [Self::Import, Self::Rebuild, Self::Reboot];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Rebuild => "rebuild",
            Self::Reboot => "reboot",
        }
    }

    /// What an option that needs it is, and waits for.
    #[must_use]
    pub fn waiting(self) -> &'static str {
        match self {
            Self::Import => "written, and waits for its file to be imported",
            Self::Rebuild => "declared, and waits for a rebuild",
            Self::Reboot => "declared, and waits for a reboot",
        }
    }

    /// What that means for the machine, and what to do.
    #[must_use]
    pub fn sentence(self, running: &str) -> String {
        match self {
            Self::Import => {
                "It is declared in a file that nothing imports, so that it does not count: import the file, then build \
                 the configuration."
                    .to_owned()
            }
            Self::Rebuild => format!(
                "It is declared, and the machine runs without it ({running}): build the configuration and switch to it."
            ),
            Self::Reboot => format!(
                "It is declared and built, and the machine runs without it ({running}) until it is rebooted."
            ),
        }
    }
}

impl Setup {
    /// What an option needs although it is declared as wanted.
    #[must_use]
    pub fn need(&self, row: &Row) -> Option<Need> {
        if !matches!(row.wanted, Some((_, Because::Declared))) {
            return None;
        }
        if self.is_only_in_unimported_file(row) {
            return Some(Need::Import);
        }
        row.need_of_build(&self.facts).filter(|_| row.differs())
    }

    /// Whether something that takes effect at boot is declared and does not run yet.
    #[must_use]
    pub fn waits_for_boot(&self) -> bool {
        self.rows.iter().any(|row| row.option.effect == Effect::Boot && self.need(row).is_some())
    }

    /// What the file says counts for nothing until it is imported.
    fn is_only_in_unimported_file(&self, row: &Row) -> bool {
        match (&row.stated, self.not_imported()) {
            (Stated::Value { places, .. }, Some(own)) => {
                !places.is_empty() && places.iter().all(|place| place.file == own.file)
            }
            _ => false,
        }
    }
}

impl Row {
    fn need_of_build(&self, facts: &Facts) -> Option<Need> {
        let next = &facts.generations.next_boot;
        let (wanted, _) = self.wanted.as_ref()?;
        // Of the system that the next boot starts only the driver is known; anything else may not be built yet.
        let built = match (self.option.path, &next.driver.fact) {
            ("enable", Ok(_)) => Some(true),
            ("enable", Err(Absent::NotFound)) if next.kernel_modules.fact.is_ok() => Some(false),
            ("driver.open", Ok(driver)) => Some(driver.flavour == KernelModule::Open),
            _ => None,
        };
        let is_built = built.is_some_and(|on| *wanted == Value::Bool(on));
        Some(if is_built { Need::Reboot } else { Need::Rebuild })
    }
}
