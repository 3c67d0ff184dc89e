//! What is wrong in a theme.

use std::fmt;
use std::sync::Arc;

/// Something in a theme that does not count, and why; everything else in it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The theme as it was asked for.
    pub theme: Arc<str>,
    /// The line, counted from 1, where one line is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "theme {:?}", self.theme)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// A line of a theme.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) theme: Arc<str>,
    pub(super) line: usize,
}

impl Place {
    pub(super) fn warning(&self, message: String) -> Warning {
        Warning { theme: Arc::clone(&self.theme), line: Some(self.line), message }
    }
}
