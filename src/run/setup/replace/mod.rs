//! Replacing one file, or making it: the new one takes the old one's place whole, or nothing changes.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FlockOperation, access, flock};
use rustix::io::Errno;

use super::attributes::Lost;
use super::error::WriteError;
use super::shelf::Shelf;
use super::target::{Identity, Target};
use super::temporary::{Temporary, open_folder};
use crate::setup::shell::quoted;

/// A file that was written.
#[derive(Debug)]
pub struct Written {
    /// The file, at the end of all links.
    pub path: PathBuf,
    /// Where what it held before is kept; none for a new file.
    pub backup: Option<PathBuf>,
    /// Why its new name may not survive a power cut in the next seconds, where the disk said so.
    pub unsynced: Option<io::Error>,
}

impl Target {
    /// Makes the file hold these bytes, if it still is what was looked at.
    ///
    /// The new file is written beside the old one, gets its owner, mode, access lists and other attributes, and takes
    /// its place in one step. `state` is the program's own folder: what the file held is kept in `backups` there, and
    /// where the user may not write the file, the new bytes in `saved`. On an error the file is as it was.
    pub fn replace(&self, bytes: &[u8], state: &Path) -> Result<Written, WriteError> {
        match self.try_replace(bytes, state) {
            Err(WriteError::Failed { source, .. } | WriteError::NotKept { source, .. })
                if source.kind() == ErrorKind::PermissionDenied
                    && !rustix::process::geteuid().is_root() =>
            {
                Err(self.save(bytes, state, source))
            }
            done => done,
        }
    }

    fn try_replace(&self, bytes: &[u8], state: &Path) -> Result<Written, WriteError> {
        let folder = self.lock()?;
        self.look_again()?;
        let new = self.prepare(&folder, bytes)?;
        let backup = self.seen.as_ref().map(|seen| self.back_up(&seen.bytes, state)).transpose()?;
        self.put_in_place(new)?;
        Ok(Written { path: self.path(), backup, unsynced: folder.sync_all().err() })
    }

    /// The new file, whole and on the disk, but not in its place.
    fn prepare<'a>(&self, folder: &'a File, bytes: &[u8]) -> Result<Temporary<'a>, WriteError> {
        let failed = |source| self.failed(source);
        let mode = if self.seen.is_some() {
            // The new one could always take its place; whether the user may write is the old one's to say.
            access(self.path(), Access::WRITE_OK).map_err(|errno| self.failed(errno.into()))?;
            0o600
        } else {
            0o644
        };
        let mut new = Temporary::create(folder, mode).map_err(failed)?;
        new.write(bytes).map_err(failed)?;
        if let Some(seen) = &self.seen {
            seen.attributes.give(&new.file).map_err(|Lost { what, source }| {
                WriteError::NotKept { path: self.path(), what, source }
            })?;
        }
        // The attributes, too; the bytes are there.
        new.file.sync_all().map_err(failed)?;
        Ok(new)
    }

    /// Gives the new file its name, unless the old one was touched until this moment.
    fn put_in_place(&self, new: Temporary) -> Result<(), WriteError> {
        self.look_again()?;
        let placed = match &self.seen {
            Some(_) => new.replace(&self.name),
            None => new.add(&self.name),
        };
        placed.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => WriteError::Changed { path: self.path() },
            ErrorKind::ResourceBusy => WriteError::MountPoint { path: self.path(), original: None },
            _ => self.failed(source),
        })
    }

    fn failed(&self, source: io::Error) -> WriteError {
        WriteError::Failed { path: self.path(), source }
    }

    /// The folder, locked against others of our kind for as long as it is open.
    fn lock(&self) -> Result<File, WriteError> {
        let failed = |source| self.failed(source);
        let folder = open_folder(&self.folder).map_err(failed)?;
        // Some network file systems lock no folders; there the last look has to do.
        if flock(&folder, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            return Err(WriteError::Busy { path: self.path() });
        }
        if Identity::of(&folder.metadata().map_err(failed)?) != self.folder_identity {
            return Err(WriteError::Changed { path: self.path() });
        }
        Ok(folder)
    }

    fn back_up(&self, bytes: &[u8], state: &Path) -> Result<PathBuf, WriteError> {
        let (backups, path) = (Shelf::backups(state), self.path());
        backups.keep(&path, bytes).map_err(|source| WriteError::NotBackedUp {
            path,
            folder: backups.folder,
            source,
        })
    }

    /// Keeps the new bytes where the user can, and says how they get in place.
    fn save(&self, bytes: &[u8], state: &Path, refused: io::Error) -> WriteError {
        let (place, path) = (Shelf::saved(state), self.path());
        match place.keep(&path, bytes) {
            Err(source) => WriteError::NotSaved { path, folder: place.folder, source },
            Ok(saved) => {
                let command = self.command(&saved);
                WriteError::NoPermission { path, source: refused, saved, command }
            }
        }
    }

    /// What puts the saved bytes in place.
    fn command(&self, saved: &Path) -> String {
        let (from, to) = (quoted(saved), quoted(self.path()));
        let (owner, group, mode) = match &self.seen {
            // `install` makes a new file, which would not have the attributes; `cp` writes into the old one.
            Some(seen) if !seen.attributes.extended.is_empty() => {
                return format!("sudo cp {from} {to}");
            }
            Some(seen) => (seen.attributes.owner, seen.attributes.group, seen.attributes.mode),
            None => {
                let folder = fs::metadata(&self.folder);
                folder.map_or((0, 0, 0o644), |folder| (folder.uid(), folder.gid(), 0o644))
            }
        };
        let [owner, group] = [owner, group].map(named);
        format!("sudo install -o {owner} -g {group} -m {mode:04o} {from} {to}")
    }
}

/// The number of a user or group, or the name of the one whose name is everywhere the same.
fn named(number: u32) -> String {
    if number == 0 { "root".to_owned() } else { number.to_string() }
}

#[cfg(test)]
mod tests;
