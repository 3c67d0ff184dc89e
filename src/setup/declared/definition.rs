//! One place where an option is set.

use crate::setup::nix::{AttrPath, Expr, Priority};
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// A place in a file of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, as it was reached.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    /// `/etc/nixos/gpu.nix:12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// One place where an option, or a set of options, gets a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What is set: the whole path of an option, or the path below which the value could set anything.
    pub path: AttrPath,
    /// Where the entry begins.
    pub place: Place,
    /// The value, without what the module system wraps around it.
    pub value: Expr,
    /// The value as it is written.
    pub text: String,
    /// Which definition wins over others.
    pub priority: Priority,
    /// Whether it counts only on a condition (`mkIf`, `if`), which is not evaluated.
    pub conditional: bool,
    /// The bytes of the value in its file.
    pub value_bytes: Range<usize>,
    /// The bytes of the whole entry in its file, with its name and its `;`.
    pub entry_bytes: Range<usize>,
}

/// The attributes below which values are packages or parts of them: they mean the same wherever they are written.
const PACKAGES: &[&[&str]] = &[
    &["pkgs"],
    &["config", "boot", "kernelPackages"],
    &["config", "hardware", "nvidia", "package"],
];

impl Definition {
    /// Whether the value is told by its text alone: constants, packages, and lists and sets of them. A variable may
    /// stand for anything.
    #[must_use]
    pub fn is_known(&self) -> bool {
        is_known(&self.value, false)
    }

    /// Whether the value is one that joins with others of its kind.
    pub(super) fn merges(&self) -> bool {
        match &self.value {
            Expr::List(_) | Expr::Set(_) => true,
            Expr::With(_, body) => matches!(**body, Expr::List(_)),
            _ => false,
        }
    }
}

fn is_library(path: &AttrPath) -> bool {
    matches!(path.names(), [packages, library, ..] if packages == "pkgs" && library == "lib")
}

fn is_known(value: &Expr, among_packages: bool) -> bool {
    match value {
        Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::Text(_) => true,
        Expr::List(items) => items.iter().all(|item| is_known(item, among_packages)),
        Expr::Set(entries) => entries.iter().all(|(_, value)| is_known(value, among_packages)),
        Expr::Name(path) => {
            // Functions of the module system may be reached by way of the packages.
            if is_library(path) {
                return false;
            }
            let below = |head: &&[&str]| {
                path.names().iter().zip(*head).filter(|(a, b)| a == b).count() == head.len()
            };
            among_packages || path.names().len() > 1 && PACKAGES.iter().any(below)
        }
        Expr::Call(function, arguments) => {
            is_known(function, among_packages)
                && arguments.iter().all(|argument| is_known(argument, among_packages))
        }
        Expr::With(scope, body) => {
            let is_packages = matches!(&**scope, Expr::Name(path)
                if path.names().first().is_some_and(|name| name == "pkgs") && !is_library(path));
            is_known(body, among_packages || is_packages)
        }
        Expr::Verbatim(_) => false,
    }
}
