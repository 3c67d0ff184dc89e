//! Setup's part that touches the machine: what is read of it and of the user's files, how one is replaced without losing
//! anything, and the commands that do it without a screen.

mod apply;
mod attributes;
pub(super) mod command;
mod draft;
mod error;
mod facts_file;
mod gather;
mod machine;
mod mounts;
mod replace;
mod shelf;
mod surroundings;
mod target;
mod temporary;

pub use apply::{Applied, ApplyError, Destination, Proposal, apply, objections, propose};
pub use draft::{DraftFile, DraftFileError, Loaded};
pub use error::WriteError;
pub use facts_file::{FactsError, SCHEMA};
pub use gather::{Gathered, Request, gather};
pub use replace::Written;
pub use surroundings::{git_root, is_ignored, tools};
pub use target::{Target, Warning};
