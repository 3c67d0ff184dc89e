//! What the configuration sets one option to.

use super::{Configuration, Definition, Place};
use crate::setup::nix::{AttrPath, Expr};
use std::fmt;

/// What is declared of one option. An option that was not found may still be set where nothing was read, so there is no
/// "not set".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// The value that the definitions with the strongest priority give.
    Value {
        /// The value; of lists and sets in several places, all of them together.
        value: Expr,
        /// The definitions that give it, all of the same priority.
        definitions: Vec<Definition>,
    },
    /// It is set, but to what would have to be evaluated.
    Unknown {
        /// Where.
        place: Place,
        /// What is written there.
        text: String,
    },
    /// It is set nowhere that was read.
    NotFound {
        /// How many files were read.
        files_read: usize,
        /// How many imports were not, be it that they are no paths or that the file could not be read.
        imports_not_followed: usize,
    },
    /// Definitions of the same priority that contradict each other: NixOS refuses them.
    Conflict(Vec<Definition>),
}

impl fmt::Display for Declared {
    /// Where a value is said, not what: `unknown (expression at gpu.nix:12)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = |definitions: &[Definition]| {
            definitions.iter().map(|found| found.place.to_string()).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Value { definitions, .. } => write!(f, "set at {}", places(definitions)),
            Self::Unknown { place, .. } => write!(f, "unknown (expression at {place})"),
            Self::NotFound { files_read, imports_not_followed } => {
                f.write_str(&not_found(*files_read, *imports_not_followed))
            }
            Self::Conflict(definitions) => write!(f, "set differently at {}", places(definitions)),
        }
    }
}

/// What is said of an option that was not found.
#[must_use]
pub fn not_found(files_read: usize, imports_not_followed: usize) -> String {
    let counted =
        |number: usize, thing| format!("{number} {thing}{}", if number == 1 { "" } else { "s" });
    let (files, imports) = (counted(files_read, "file"), counted(imports_not_followed, "import"));
    format!("not found in the {files} read ({imports} not followed)")
}

impl Configuration {
    /// What is declared of this option.
    ///
    /// A value that is written out counts before one that a set above might hold, since the module system would refuse
    /// two that differ.
    #[must_use]
    pub fn declared(&self, path: &AttrPath) -> Declared {
        self.declared_by(path, self.definitions(path))
    }

    /// What these of the definitions of an option come to.
    #[must_use]
    pub fn declared_by(&self, path: &AttrPath, found: Vec<&Definition>) -> Declared {
        let (certain, uncertain): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|found| found.path == *path && !found.conditional && found.is_known());
        let unknown = |found: &Definition| Declared::Unknown {
            place: found.place.clone(),
            text: found.text.clone(),
        };
        let Some(strongest) = certain.iter().map(|found| found.priority).min() else {
            return uncertain.first().map_or_else(|| self.not_found(), |found| unknown(found));
        };
        let winners: Vec<_> =
            certain.into_iter().filter(|found| found.priority == strongest).collect();
        let merges = winners.iter().all(|found| found.merges());
        let mut others = uncertain.iter().filter(|found| found.path == *path);
        let disturbs = |found: &&&Definition| {
            found.priority < strongest || (merges && found.priority == strongest)
        };
        if let Some(other) = others.find(disturbs) {
            return unknown(other);
        }
        let definitions: Vec<_> = winners.into_iter().cloned().collect();
        match definitions.as_slice() {
            [first, rest @ ..]
                if rest.iter().all(|other| other.value == first.value) && !merges
                    || rest.is_empty() =>
            {
                Declared::Value { value: first.value.clone(), definitions }
            }
            all if merges => Declared::Value { value: together(all), definitions },
            _ => Declared::Conflict(definitions),
        }
    }

    /// That nothing that was read sets an option.
    pub(in crate::setup) fn not_found(&self) -> Declared {
        Declared::NotFound {
            files_read: self.files.len(),
            imports_not_followed: self.not_followed.len() + self.problems.len(),
        }
    }
}

/// The lists or sets of several definitions as one. The elements below `with scope;` take the scope along.
fn together(definitions: &[Definition]) -> Expr {
    let mut items = Vec::new();
    let mut entries = Vec::new();
    for definition in definitions {
        match &definition.value {
            Expr::List(list) => items.extend(list.iter().cloned()),
            Expr::Set(set) => entries.extend(set.iter().cloned()),
            Expr::With(scope, body) => {
                if let Expr::List(list) = &**body {
                    items.extend(
                        list.iter().map(|item| Expr::With(scope.clone(), Box::new(item.clone()))),
                    );
                }
            }
            _ => {}
        }
    }
    if entries.is_empty() { Expr::List(items) } else { Expr::Set(entries) }
}
