//! Samples as text: for programs and for people.

pub mod bench;
mod cell;
mod cost;
mod formatter;
mod grid;
mod happenings;
pub mod json;
mod notes;
mod problems;
pub mod reference;
pub mod schema;
mod selection;
pub mod table;

pub use selection::{Selection, UnknownName};
