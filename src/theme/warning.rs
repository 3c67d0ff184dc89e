//! What is wrong in a theme.

use std::fmt;
use std::sync::Arc;

/// Something in a theme that does not count, and why; everything else in it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The theme as it was asked for.
    pub theme: Arc<str>,
    /// The line and the character in it, counted from 1, where one place is to blame.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "theme {:?}", self.theme)?;
        if let Some((line, column)) = self.place {
            write!(f, ", line {line}, column {column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A place in a theme.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) theme: Arc<str>,
    /// Its line and column.
    pub(super) at: (usize, usize),
}

impl Place {
    pub(super) fn warning(&self, message: String) -> Warning {
        Warning { theme: Arc::clone(&self.theme), place: Some(self.at), message }
    }
}
