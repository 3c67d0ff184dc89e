//! What the user's NixOS configuration sets, as far as reading it without evaluating can tell.
//!
//! The reader begins at one file, follows the imports that are written as paths, and keeps for each option where it is
//! set and to what. What it cannot tell it calls unknown, with the place.

mod configuration;
mod definition;
mod entry;
mod evidence;
mod file;
mod flake;
mod imports;
mod lock;
mod module;
mod new_file;
mod problem;
mod resolve;
mod verdict;

#[cfg(test)]
mod tests;

pub use configuration::{Configuration, Limits};
pub use definition::{Definition, Place};
pub use entry::{Asked, Entry, Environment, FlakeName, FlakeNameError, Found};
pub use evidence::Evidence;
pub use file::{SourceFile, Stamp};
pub use flake::Flake;
pub use imports::Import;
pub use imports::NotFollowed;
pub(super) use new_file::list_of;
pub use new_file::{NewFile, NotImported, Nowhere};
pub use problem::Problem;
pub use verdict::{Declared, not_found};
