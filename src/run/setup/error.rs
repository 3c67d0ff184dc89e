//! Why a file is not written. Whatever the reason, it is then on the disk as it was.

use std::io;
use std::path::PathBuf;

/// A file that was not written, and is byte for byte as it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What is there cannot be looked at.
    #[error("{} cannot be read: {source}; name another file, or become a user who may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Links lead round in a circle, or through too many others.
    #[error("the links that begin at {} lead nowhere; remove the one that points back", path.display())]
    Loop {
        /// The first link.
        path: PathBuf,
    },
    /// Folders are never made in the user's configuration.
    #[error("{} cannot be written: there is no folder {}; make it, or name another file", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// The folder that it would be in.
        folder: PathBuf,
    },
    /// It is in the Nix store, mostly by a link that NixOS or home-manager made.
    #[error("{} is {} in the Nix store, which is never changed; write the file that it was built from", path.display(), stored.display())]
    InStore {
        /// The file.
        path: PathBuf,
        /// Where the links lead.
        stored: PathBuf,
    },
    /// Something else than a file stands there.
    #[error("{} is {kind}, no file; name a file", path.display())]
    NotAFile {
        /// What stands there.
        path: PathBuf,
        /// Its kind, such as "a folder".
        kind: &'static str,
    },
    /// No configuration is that long.
    #[error("{} has more than {most} bytes, which no configuration has; name another file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        most: u64,
    },
    /// The file system takes no changes.
    #[error("{} is on a file system that is mounted read-only; write the place it is made from, or mount it writable", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Another file is mounted over it, so that it cannot be replaced by one of the same name.
    #[error("{} is mounted there by itself and cannot be replaced; {}", path.display(), mounted_advice(original.as_ref()))]
    MountPoint {
        /// The file.
        path: PathBuf,
        /// Where the same file stands by its own name, if it does.
        original: Option<PathBuf>,
    },
    /// It is not what was read any more.
    #[error("{} was changed by someone else since it was read; read it again and look at what would change", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds the folder's lock.
    #[error("{} is being written by another program; try again when it is done", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// Part of what belongs to the file would be lost.
    #[error("{} was not written, because {what} cannot be kept: {source}; remove that from it, or edit it by hand", path.display())]
    NotKept {
        /// The file.
        path: PathBuf,
        /// What would be lost.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// What it held could not be put aside first.
    #[error("{} was not written, because what it holds cannot be copied into {}: {source}; free some space there", path.display(), folder.display())]
    NotBackedUp {
        /// The file.
        path: PathBuf,
        /// The folder of the copies.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Writing failed.
    #[error("{} cannot be written: {source}; it is as it was, so mend this and try again", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The user may not write it. The new text lies elsewhere.
    #[error("{} may not be written by you ({source}); the new text is in {}, and this puts it in place: {command}", path.display(), saved.display())]
    NoPermission {
        /// The file.
        path: PathBuf,
        /// What was refused.
        source: io::Error,
        /// Where the new text was saved.
        saved: PathBuf,
        /// What an administrator runs, ready for a shell.
        command: String,
    },
    /// The user may not write it, and there is no place for the new text.
    #[error("{} may not be written by you, and the new text cannot be saved in {}: {source}; name a file of yours", path.display(), folder.display())]
    NotSaved {
        /// The file.
        path: PathBuf,
        /// Where the text was to be saved.
        folder: PathBuf,
        /// Why that failed.
        source: io::Error,
    },
}

fn mounted_advice(original: Option<&PathBuf>) -> String {
    original.map_or_else(
        || "write the file that is mounted there".to_owned(),
        |original| format!("write {} instead", original.display()),
    )
}
