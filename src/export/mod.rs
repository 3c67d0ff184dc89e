//! Samples as text: for programs and for people.

mod cell;
mod formatter;
mod grid;
pub mod json;
mod notes;
mod problems;
pub mod reference;
pub mod schema;
mod selection;
pub mod table;
mod time;

pub(crate) use time::rfc3339;

pub use selection::{Selection, UnknownName};
