//! What is declared as wanted and does not run yet: whether it waits for a rebuild or a reboot.

use super::Value;
use super::facts::Facts;
use super::model::{Because, Row};
use crate::model::{Absent, KernelModule};

/// What an option still needs, although nothing about it has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The declared system has to be built and switched to.
    Rebuild,
    /// The built system has to be started.
    Reboot,
}

impl Row {
    /// What the option needs although it is declared as wanted.
    #[must_use]
    pub fn need(&self, facts: &Facts) -> Option<Need> {
        if !matches!(self.wanted, Some((_, Because::Declared))) || !self.differs() {
            return None;
        }
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
