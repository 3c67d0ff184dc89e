//! The plan: what has to be written so that what is wanted is declared, and what the user has to change by hand.
//!
//! A key never stands in two files. What the user's files do not set goes into a file of our own, with elements of
//! lists, which join; what they set to something else is shown with its place and is not written.

mod permit;
mod planner;
mod theirs;

use std::path::PathBuf;

use super::declared::{Nowhere, Place};
use super::nix::AttrPath;

/// What becomes of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It stands in the file that is written.
    Written,
    /// The user's files have it already.
    Declared,
    /// The user's files say something else, which is theirs to change.
    NotWritten {
        /// Where it is said.
        place: Place,
        /// The value that is written there, and whether it counts only on a condition.
        is: String,
        /// The whole entry as it stands in the file.
        old: String,
        /// What should stand in the entry's place, ready to be pasted; of a list, what to do with it.
        line: String,
    },
}

/// One key that a change comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The option of Setup.
    pub option: &'static str,
    /// The key of NixOS.
    pub key: AttrPath,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// Why nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Options of a module that nobody imports.
    #[error(
        "nothing imports the upstream module, so hardware.nvidia-sdk is no option here; add its input and \
         nvidia-sdk.nixosModules.default to the flake first, or write with --mode standalone"
    )]
    NoUpstream,
    /// The same settings by two modules.
    #[error(
        "hardware.nvidia-sdk is set at {0}, and would clash with the options of nixpkgs; write with --mode snippet"
    )]
    HasUpstream(Place),
    /// The file is the user's by now.
    #[error("{} was changed by hand and is yours now; rename it, or undo the change, to have a file written", .0.display())]
    HandEdited(PathBuf),
    /// There is a file of that name that this program did not write.
    #[error("{} is there and was not written by this program; rename it, or name another file with -o", .0.display())]
    Foreign(PathBuf),
    /// A file of ours that was not read with the configuration, since another host may have it.
    #[error("{} was written before and nothing imports it yet; import it in {}, else what it says would be lost", .0.display(), .1.display())]
    NotImported(PathBuf, PathBuf),
    /// A file of ours that other hosts of the flake import, whose machines are not known.
    #[error(
        "{} is a part of {hosts} too, and what is written counts for them: let each host import a file of its own, or \
         name the file with -o to write it for all of them", file.display()
    )]
    Shared {
        /// The file.
        file: PathBuf,
        /// The other hosts.
        hosts: String,
    },
    /// Where a predicate stands a second one would drop it.
    #[error("unfree packages are permitted by an expression at {0}; add the names there: {1}")]
    Predicate(Place, String),
    /// The packages come from elsewhere.
    #[error("packages are handed to this configuration at {0}, so permit unfree ones there: {1}")]
    PackagesGiven(Place, String),
    /// The licence of a driver is accepted where the packages come from.
    #[error(
        "packages are handed to this configuration at {0}, so set nvidia.acceptLicense = true in their config"
    )]
    LicenseElsewhere(Place),
    /// Nothing is known of nixpkgs' configuration, which can be set in one way alone.
    #[error(
        "the modules behind {0} were not read, so see to it that nixpkgs' configuration has {1}"
    )]
    NotRead(Place, String),
    /// Every file of the folder is imported already, as something else than a module of NixOS.
    #[error("{} lies in a folder whose files are all imported by import-tree, which would take it for a module of the flake; name a file elsewhere with -o", .0.display())]
    ImportTree(PathBuf),
    /// A value that cannot be written as Nix.
    #[error("{0}")]
    Unwritable(String),
}

/// The file that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlan {
    /// Where, or why no place follows from the configuration.
    pub path: Result<PathBuf, Nowhere>,
    /// The module that has to import it and does not yet.
    pub importer: Option<PathBuf>,
    /// The text that is there now.
    pub before: Option<String>,
    /// The text that is to be there.
    pub after: String,
}

/// What closes the difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The keys that the changes come to.
    pub changes: Vec<Change>,
    /// The file to write; nothing where it is there as it should be.
    pub file: Option<FilePlan>,
    /// Why nothing may be written.
    pub refusals: Vec<Refusal>,
    /// What has to be done by hand beside it.
    pub notes: Vec<Refusal>,
    /// Whether some change takes effect at boot.
    pub at_boot: bool,
}

impl Plan {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.file.is_none() && self.not_written().next().is_none()
    }

    /// The changes that are the user's to make.
    pub fn not_written(&self) -> impl Iterator<Item = &Change> {
        let by_hand = |change: &&Change| matches!(change.outcome, Outcome::NotWritten { .. });
        self.changes.iter().filter(by_hand)
    }
}
