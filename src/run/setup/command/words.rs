//! The words that people read for values and states.

use std::path::Path;

use crate::setup::declared::Place;
use crate::setup::draft::Value;
use crate::setup::{Because, Row, Stated};

/// A value as the command line takes it.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Bool(on) => on.to_string(),
        Value::Text(text) => text.clone(),
        Value::List(list) if list.is_empty() => "none".to_owned(),
        Value::List(list) => list.join(","),
    }
}

/// A number of things.
pub(super) fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// What is declared, with the first place; files below `folder` by their names there.
pub(super) fn stated(stated: &Stated, folder: &Path) -> String {
    match stated {
        Stated::Value { value: it, places } => match places.first() {
            Some(first) => format!("{} ({})", value(it), place(first, folder)),
            None => format!("{} (default of the upstream module)", value(it)),
        },
        Stated::Other { place: at, .. } => format!("something else ({})", place(at, folder)),
        Stated::Unknown { place: at, .. } => {
            format!("unknown (expression at {})", place(at, folder))
        }
        Stated::Conflict(places) => {
            let places: Vec<_> = places.iter().map(|at| place(at, folder)).collect();
            format!("set differently ({})", places.join(", "))
        }
        Stated::NotFound { .. } => "not found".to_owned(),
    }
}

fn place(place: &Place, folder: &Path) -> String {
    let file = place.file.strip_prefix(folder).unwrap_or(&place.file);
    format!("{}:{}", file.display(), place.line)
}

/// What is wanted.
pub(super) fn wanted(row: &Row) -> String {
    row.wanted.as_ref().map_or_else(|| "–".to_owned(), |(wanted, _)| value(wanted))
}

/// Why it is wanted, in a word.
pub(super) fn because(because: Because) -> &'static str {
    match because {
        Because::Chosen => "chosen",
        Because::Declared => "declared",
        Because::Running => "running",
        Because::Needed => "needed",
    }
}
