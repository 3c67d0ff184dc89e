//! A file that is to be written: where its path really leads, and what stood there when it was looked at.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, FileType};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, StatVfsMountFlags, statfs, statvfs};
use rustix::io::Errno;

use super::attributes::Attributes;
use super::error::WriteError;
use super::mounts::Mounts;

/// Links that are followed, as many as the kernel follows.
const MOST_LINKS: usize = 40;
/// The longest file that is read: configurations written by hand are a thousandth of it.
const MOST_BYTES: u64 = 16 << 20;
/// `statfs`'s numbers of file systems that live in memory: tmpfs and ramfs.
const MEMORY_FILE_SYSTEMS: [u32; 2] = [0x0102_1994, 0x8584_58f6];

/// A file to write, or a place for a new one, as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    asked: PathBuf,
    store: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) folder_identity: Identity,
    pub(super) name: OsString,
    links: Vec<PathBuf>,
    pub(super) seen: Option<Seen>,
    warnings: Vec<Warning>,
}

/// What speaks against a target, though it can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// It is in memory, as on a machine whose root is a tmpfs.
    InMemory,
    /// The file has other names, which keep the old text.
    HasOtherNames,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InMemory => "it is on a tmpfs and will be gone after a reboot",
            Self::HasOtherNames => "it has other names (hard links), which will keep the old text",
        })
    }
}

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// A file as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) bytes: Vec<u8>,
    pub(super) attributes: Attributes,
    identity: Identity,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    names: u64,
}

impl Target {
    /// Follows `path` to the file that it means and reads it.
    ///
    /// `store` is the Nix store, mostly `/nix/store`. What can be known to be in the way of writing is an error here;
    /// whether the user may write shows when it is done.
    pub fn look(path: &Path, store: &Path) -> Result<Self, WriteError> {
        let unreadable = |source| WriteError::Unreadable { path: path.to_owned(), source };
        let asked = std::path::absolute(path).map_err(unreadable)?;
        let End { folder, name, links, kind } = follow(&asked)?;
        let place = folder.join(&name);
        let stored = fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
        if place.starts_with(&stored) || place.starts_with(store) {
            return Err(WriteError::InStore { path: asked, stored: place });
        }
        if let Some(kind) = kind.and_then(other_kind) {
            return Err(WriteError::NotAFile { path: place, kind });
        }
        refuse_mount_point(&place)?;
        let file_system = statvfs(&folder).map_err(|errno| unreadable(errno.into()))?;
        if file_system.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Err(WriteError::ReadOnly { path: place });
        }
        let seen = kind.map(|_| Seen::read(&place)).transpose()?;
        let folder_metadata = fs::metadata(&folder).map_err(unreadable)?;
        let warnings = warnings(&folder, seen.as_ref()).map_err(unreadable)?;
        let folder_identity = Identity::of(&folder_metadata);
        let store = store.to_owned();
        Ok(Self { asked, store, folder, folder_identity, name, links, seen, warnings })
    }

    /// Looks again. Whatever is different now, the bytes or anything else, is [`WriteError::Changed`].
    pub(super) fn look_again(&self) -> Result<(), WriteError> {
        match Self::look(&self.asked, &self.store)? {
            now if now == *self => Ok(()),
            _ => Err(WriteError::Changed { path: self.path() }),
        }
    }

    /// The file itself, at the end of all links.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// What the file holds; none where it is to be made.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.seen.as_ref().map(|seen| seen.bytes.as_slice())
    }

    /// The links that lead to the file, the first first. Those between folders are not told.
    #[must_use]
    pub fn links(&self) -> &[PathBuf] {
        &self.links
    }

    /// What the user should know before writing.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl Seen {
    fn read(path: &Path) -> Result<Self, WriteError> {
        let unreadable = |source| WriteError::Unreadable { path: path.to_owned(), source };
        // Not blocking, in case it has become a FIFO since its kind was looked up.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let mut options = fs::OpenOptions::new();
        let file = options.read(true).custom_flags(flags).open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if let Some(kind) = other_kind(metadata.file_type()) {
            return Err(WriteError::NotAFile { path: path.to_owned(), kind });
        }
        let bytes = read_bytes(&file).map_err(unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(WriteError::TooLarge { path: path.to_owned(), most: MOST_BYTES });
        }
        Ok(Self {
            bytes,
            attributes: Attributes::of(&file).map_err(unreadable)?,
            identity: Identity::of(&metadata),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            names: metadata.nlink(),
        })
    }
}

/// The bytes of a file, at most one more than are allowed.
fn read_bytes(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where links end.
struct End {
    folder: PathBuf,
    name: OsString,
    links: Vec<PathBuf>,
    /// None where nothing is there yet.
    kind: Option<FileType>,
}

/// Follows the links of an absolute path, and one that leads to nothing to the place where its file would be.
fn follow(asked: &Path) -> Result<End, WriteError> {
    let mut links = Vec::new();
    let mut path = asked.to_owned();
    while links.len() <= MOST_LINKS {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(WriteError::NotAFile { path, kind: "a folder" });
        };
        if path.as_os_str().as_bytes().ends_with(b"/") {
            return Err(WriteError::NotAFile { path, kind: "the name of a folder" });
        }
        let name = name.to_owned();
        let folder = fs::canonicalize(folder).map_err(|error| no_folder(asked, folder, error))?;
        let place = folder.join(&name);
        let unreadable = |source| WriteError::Unreadable { path: place.clone(), source };
        let kind = match fs::symlink_metadata(&place) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            found => Some(found.map_err(|error| no_folder(asked, &folder, error))?.file_type()),
        };
        if !kind.is_some_and(|kind| kind.is_symlink()) {
            return Ok(End { folder, name, links, kind });
        }
        path = folder.join(fs::read_link(&place).map_err(unreadable)?);
        links.push(place);
    }
    Err(WriteError::Loop { path: asked.to_owned() })
}

fn no_folder(asked: &Path, folder: &Path, error: io::Error) -> WriteError {
    let path = asked.to_owned();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            WriteError::NoFolder { path, folder: folder.to_owned() }
        }
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => WriteError::Loop { path },
        _ => WriteError::Unreadable { path, source: error },
    }
}

/// What it is if it is no file.
fn other_kind(kind: FileType) -> Option<&'static str> {
    [
        (kind.is_dir(), "a folder"),
        (kind.is_fifo(), "a FIFO"),
        (kind.is_socket(), "a socket"),
        (kind.is_char_device() || kind.is_block_device(), "a device"),
        (!kind.is_file(), "something else"),
    ]
    .into_iter()
    .find_map(|(is_so, kind)| is_so.then_some(kind))
}

fn refuse_mount_point(path: &Path) -> Result<(), WriteError> {
    // Without the table the renaming itself is refused later, only with less to say.
    let mounts = Mounts::parse(&fs::read("/proc/self/mountinfo").unwrap_or_default());
    if !mounts.is_mount_point(path) {
        return Ok(());
    }
    let identity = |path: &Path| fs::metadata(path).ok().map(|metadata| Identity::of(&metadata));
    let here = identity(path);
    let original = mounts.sources(path).find(|other| here.is_some() && identity(other) == here);
    Err(WriteError::MountPoint { path: path.to_owned(), original })
}

fn warnings(folder: &Path, seen: Option<&Seen>) -> io::Result<Vec<Warning>> {
    let kind = u32::try_from(statfs(folder)?.f_type).unwrap_or(0);
    let in_memory = MEMORY_FILE_SYSTEMS.contains(&kind).then_some(Warning::InMemory);
    let has_other_names = seen.is_some_and(|seen| seen.names > 1);
    Ok(in_memory.into_iter().chain(has_other_names.then_some(Warning::HasOtherNames)).collect())
}
