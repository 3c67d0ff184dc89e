//! The files of a configuration, and reading them without ever waiting or reading too much.

use super::imports::Import;
use super::{Place, Problem};
use crate::setup::nix::{Lines, Marker, Position};
use rustix::fs::OFlags;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What a file looked like when it was read, so that a later write can tell whether it is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Device and inode.
    pub identity: (u64, u64),
    /// Seconds and nanoseconds of its last change.
    pub modified: (i64, i64),
    /// Its length in bytes.
    pub size: u64,
}

impl Stamp {
    /// What the system says of a file.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            identity: (metadata.dev(), metadata.ino()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            size: metadata.size(),
        }
    }
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The file as Nix reaches it: other paths in it are read from this one's folder.
    pub path: PathBuf,
    /// Where it really lies, with all links followed.
    pub resolved: PathBuf,
    /// Its exact text, which is its exact bytes.
    pub text: String,
    /// What it looked like when it was read.
    pub stamp: Stamp,
    /// Where it imports which files by a written path.
    pub imports: Vec<Import>,
    /// The line that says that this program wrote it.
    pub marker: Option<Marker>,
    pub(super) lines: Lines,
}

impl SourceFile {
    /// Reads at most `most` bytes. A FIFO is not waited for.
    pub(super) fn read(path: PathBuf, most: u64) -> Result<Self, Problem> {
        let (bytes, metadata) = read_bytes(&path, most)?;
        let text = String::from_utf8(bytes).map_err(|error| not_text(&path, &error))?;
        Ok(Self {
            resolved: path.canonicalize().unwrap_or_else(|_| path.clone()),
            stamp: Stamp::of(&metadata),
            imports: Vec::new(),
            marker: Marker::read(&text),
            lines: Lines::of(&text),
            path,
            text,
        })
    }

    /// A file that is on no disk; `number` tells it from others.
    pub(super) fn of_text(path: PathBuf, text: String, number: u64) -> Self {
        let size = text.len() as u64;
        Self {
            resolved: path.clone(),
            stamp: Stamp { identity: (0, number), modified: (0, 0), size },
            imports: Vec::new(),
            marker: Marker::read(&text),
            lines: Lines::of(&text),
            path,
            text,
        }
    }

    /// The place of a byte of this file.
    pub(super) fn place(&self, byte: usize) -> Place {
        let Position { line, column } = self.lines.position(&self.text, byte);
        Place { file: self.path.clone(), line, column }
    }
}

fn read_bytes(path: &Path, most: u64) -> Result<(Vec<u8>, Metadata), Problem> {
    let fail = |error: io::Error| unreadable(path, &error);
    let file = open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        return Err(Problem::NoFile(path.to_owned()));
    }
    let mut bytes = Vec::new();
    // A file may grow while it is read, and some files of the kernel have no length.
    file.take(most + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > most {
        return Err(Problem::TooLarge { path: path.to_owned(), most });
    }
    Ok((bytes, metadata))
}

/// Opens a file; one whose other end is missing does not make anybody wait.
fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC).bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Problem::NotThere(path),
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            Problem::LinkLoop(path)
        }
        // A socket, or a device that nothing drives.
        _ if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            Problem::NoFile(path)
        }
        _ => Problem::Unreadable { path, why: error.to_string() },
    }
}

fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> Problem {
    let valid = error.utf8_error().valid_up_to();
    let before = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default());
    Problem::NotText { path: path.to_owned(), position: Position::of(&before, valid) }
}
