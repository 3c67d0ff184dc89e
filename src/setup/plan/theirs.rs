//! What the user's files set a key to, and how it is shown to them where it is theirs to change.

use crate::setup::Mode;
use crate::setup::declared::{Declared, Definition, Place};
use crate::setup::nix::{AttrPath, Expr};
use crate::setup::stated::{elements, spellings};

use super::Outcome;
use super::planner::Planner;

/// What the user's files set a key to.
pub(super) struct Theirs<'a> {
    /// Where.
    pub place: Place,
    /// What is written there.
    pub text: String,
    /// The value, where it is known and counts in any case.
    pub(super) value: Option<Expr>,
    /// The definition that is shown.
    pub(super) shown: &'a Definition,
}

impl Theirs<'_> {
    /// Whether it is `true` in any case.
    pub(super) fn is_true(&self) -> bool {
        self.value == Some(Expr::Bool(true))
    }
}

impl<'a> Planner<'a> {
    /// The definitions in the user's files of a key, or of a set above it that may hold it.
    pub(super) fn their_definitions(&self, key: &AttrPath) -> Vec<&'a Definition> {
        let all = self.configuration().map(|read| read.definitions(key)).unwrap_or_default();
        all.into_iter().filter(|found| self.setup.is_theirs(&found.place)).collect()
    }

    pub(super) fn theirs(&self, key: &AttrPath) -> Option<Theirs<'a>> {
        let found = self.their_definitions(key);
        let strongest = *found.iter().min_by_key(|found| found.priority)?;
        let value = match self.configuration()?.declared_by(key, found.clone()) {
            Declared::Value { value, .. } => Some(value),
            // An expression that stands there alone is the same as its text.
            Declared::Unknown { .. } if found.len() == 1 && found[0].path == *key => {
                Some(strongest.value.clone()).filter(|_| !strongest.conditional)
            }
            _ => None,
        };
        // An expression may decide it in any of its places.
        let conditional = found.iter().find(|found| found.conditional && value.is_none());
        let shown = conditional.copied().unwrap_or(strongest);
        Some(Theirs { place: shown.place.clone(), text: shown.text.clone(), value, shown })
    }

    /// What is the user's to change, where an entry is to have another value: the entry with that value.
    pub(super) fn to_replace(&self, shown: &Definition, key: &AttrPath, value: &Expr) -> Outcome {
        let old = self.entry(shown);
        let new = replaced(shown, &old, value).filter(|_| shown.path == *key);
        let line = match new {
            Some(new) if new != old => new,
            Some(_) => format!("{key} = {value}; # outside of the condition"),
            None => format!("{key} = {value};"),
        };
        Outcome::NotWritten { place: shown.place.clone(), is: is(shown), old, line }
    }

    /// What is the user's to do with a list.
    pub(super) fn to_change(&self, shown: &Definition, line: String) -> Outcome {
        Outcome::NotWritten {
            place: shown.place.clone(),
            is: is(shown),
            old: self.entry(shown),
            line,
        }
    }

    /// An entry as it stands in its file.
    fn entry(&self, shown: &Definition) -> String {
        let file = self.configuration().and_then(|read| read.file(&shown.place.file));
        let entry = file.and_then(|file| file.text.get(shown.entry_bytes.clone()));
        entry.unwrap_or(&shown.text).to_owned()
    }
}

/// What an entry is set to, in words.
fn is(shown: &Definition) -> String {
    let condition = if shown.conditional { ", under a condition (mkIf, or if)" } else { "" };
    format!("{}{condition}", shown.text)
}

/// An entry with another value; one that counts on a condition is to count always. None where the entry has no value of
/// its own, such as `inherit`.
fn replaced(shown: &Definition, entry: &str, value: &Expr) -> Option<String> {
    if shown.conditional {
        let (name, _) = entry.split_once('=').filter(|_| entry.ends_with(';'))?;
        return Some(format!("{name}= {value};"));
    }
    let start = shown.value_bytes.start.checked_sub(shown.entry_bytes.start)?;
    let end = shown.value_bytes.end.checked_sub(shown.entry_bytes.start)?;
    let (before, after) = (entry.get(..start)?, entry.get(end..)?);
    before.contains('=').then(|| format!("{before}{value}{after}"))
}

/// Whether a list holds a package, by whichever of its names.
pub(super) fn has(found: &Definition, element: &Expr, mode: Mode) -> bool {
    let there = elements(&found.value);
    spellings(element, mode).iter().any(|name| there.contains(name))
}
