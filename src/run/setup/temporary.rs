//! A file that is not in place yet: whole and on the disk before it gets its name, and gone if it never does.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, openat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;

/// Names that are tried. Only what a killed process of the same number left behind can be in the way.
const MOST_NAMES: u32 = 100;

/// Opens a folder, so that what is done in it is done there even if it is renamed.
pub(super) fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::DIRECTORY.bits().cast_signed();
    fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// A new file under a name of its own, which is removed unless it takes its place.
pub(super) struct Temporary<'a> {
    folder: &'a File,
    /// The name, until the file has another.
    name: Option<String>,
    pub(super) file: File,
}

impl<'a> Temporary<'a> {
    /// Makes an empty file in the folder; the user's mask takes bits away from `mode`.
    pub(super) fn create(folder: &'a File, mode: u32) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mut refused = Errno::EXIST;
        for number in 0..MOST_NAMES {
            // Not the ending `.nix`: some configurations import every such file of a folder.
            let name = format!(".nvsdk-top-{}-{number}.tmp", std::process::id());
            match openat(folder, &name, flags | OFlags::CLOEXEC, Mode::from_raw_mode(mode)) {
                Ok(file) => return Ok(Self { folder, name: Some(name), file: file.into() }),
                Err(Errno::EXIST) => {}
                Err(error) => {
                    refused = error;
                    break;
                }
            }
        }
        Err(refused.into())
    }

    /// Fills the file, and returns when the bytes are on the disk.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.file.sync_all()
    }

    /// Puts the file in the place of whatever has that name.
    pub(super) fn replace(mut self, place: &OsStr) -> io::Result<()> {
        self.rename(|folder, name| renameat(folder, name, folder, place))
    }

    /// Gives the file a name that nothing has.
    pub(super) fn add(mut self, place: &OsStr) -> io::Result<()> {
        self.rename(|folder, name| {
            match renameat_with(folder, name, folder, place, RenameFlags::NOREPLACE) {
                // Some network file systems know only the plain call.
                Err(Errno::INVAL | Errno::NOSYS) => renameat(folder, name, folder, place),
                done => done,
            }
        })
    }

    fn rename(&mut self, call: impl Fn(&File, &str) -> rustix::io::Result<()>) -> io::Result<()> {
        if let Some(name) = &self.name {
            call(self.folder, name)?;
            self.name = None;
        }
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Nothing is left to try if even this fails.
            let _ = unlinkat(self.folder, name, AtFlags::empty());
        }
    }
}
