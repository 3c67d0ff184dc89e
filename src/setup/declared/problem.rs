//! Why a file of the configuration could not be read.

use crate::setup::nix::Position;
use std::path::PathBuf;

/// A file that could not be read or understood; the others are read all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no such file, or no longer.
    #[error("{} is not there; correct the import, or add the file", .0.display())]
    NotThere(PathBuf),
    /// Links that lead to each other.
    #[error("{} is a link that leads back to itself; replace the link", .0.display())]
    LinkLoop(PathBuf),
    /// Something that has no end or no text, such as a FIFO or a device.
    #[error("{} is no regular file; put a file in its place", .0.display())]
    NoFile(PathBuf),
    /// The system does not let this user read it.
    #[error("{} cannot be read: {why}; make it readable", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// More bytes than a configuration has.
    #[error("{} is larger than {most} bytes; part it, since it is not read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many bytes are read at most.
        most: u64,
    },
    /// Bytes that are no text.
    #[error("{}, {position}: the bytes here are not UTF-8; save the file as UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Where they begin.
        position: Position,
    },
    /// Text that is no Nix.
    #[error("{}, {position}: {what}; correct it", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where the trouble begins.
        position: Position,
        /// What is wrong.
        what: String,
    },
    /// A flake that does not have the host.
    #[error("{}: {why}", path.display())]
    NoHost {
        /// The flake.
        path: PathBuf,
        /// What was looked for, what is there, and what to do.
        why: String,
    },
}

impl Problem {
    /// The file that it is about.
    #[must_use]
    pub fn path(&self) -> &PathBuf {
        match self {
            Self::NotThere(path)
            | Self::LinkLoop(path)
            | Self::NoFile(path)
            | Self::Unreadable { path, .. }
            | Self::TooLarge { path, .. }
            | Self::NotText { path, .. }
            | Self::Syntax { path, .. }
            | Self::NoHost { path, .. } => path,
        }
    }

    /// Where in the file, if it was read so far.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::NotText { position, .. } | Self::Syntax { position, .. } => Some(*position),
            _ => None,
        }
    }
}
