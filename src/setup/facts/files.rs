//! Reading the files of a machine without trusting them: never blocking, never much, links followed below the root.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::Evidence;
use crate::model::{Absent, Fact, Sysroot};

/// More than any file that is read for a fact; CDI specs have a limit of their own.
const MOST_BYTES: u64 = 512 * 1024;
/// As many entries of a folder as are looked at.
const MOST_NAMES: usize = 4096;
/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// The files below a root. Absolute links lead below that root too, so that a copy of a machine reads as the machine.
#[derive(Clone, Copy)]
pub(super) struct Files<'a>(pub(super) &'a Sysroot);

impl Files<'_> {
    /// Where `path` leads through all its links, as the machine itself names the place.
    pub(super) fn resolve(self, path: impl AsRef<Path>) -> Fact<PathBuf> {
        let mut waiting = names_backwards(path.as_ref());
        let mut place = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = waiting.pop() {
            if name == ".." {
                place.pop();
                continue;
            }
            place.push(name);
            match fs::read_link(self.0.path(&place)) {
                Ok(_) if links == MOST_LINKS => return Err(Absent::Unreadable),
                Ok(target) => {
                    links += 1;
                    if target.is_absolute() {
                        place = PathBuf::from("/");
                    } else {
                        place.pop();
                    }
                    waiting.extend(names_backwards(&target));
                }
                Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => {}
                Err(error) => return Err(absence(&error)),
            }
        }
        Ok(place)
    }

    /// What the kernel tells of the file at the end of all links.
    pub(super) fn metadata(self, path: impl AsRef<Path>) -> Fact<Metadata> {
        let place = self.0.path(self.resolve(path)?);
        fs::symlink_metadata(place).map_err(|error| absence(&error))
    }

    /// Whether something is there.
    pub(super) fn exists(self, path: impl AsRef<Path>) -> Fact<bool> {
        match self.resolve(path) {
            Ok(_) => Ok(true),
            Err(Absent::NotFound) => Ok(false),
            Err(why) => Err(why),
        }
    }

    /// The content of a plain file of at most `most` bytes.
    pub(super) fn bytes(self, path: impl AsRef<Path>, most: u64) -> Fact<Vec<u8>> {
        let place = self.0.path(self.resolve(path)?);
        read_plain(&place, most).map_err(|error| absence(&error))?.ok_or(Absent::Unreadable)
    }

    /// A file as text; bytes that are no UTF-8 become U+FFFD.
    pub(super) fn text(self, path: impl AsRef<Path>) -> Fact<String> {
        let bytes = self.bytes(path, MOST_BYTES)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names in a folder, sorted.
    pub(super) fn names(self, folder: impl AsRef<Path>) -> Fact<Vec<String>> {
        let place = self.0.path(self.resolve(folder)?);
        let entries = fs::read_dir(place).map_err(|error| absence(&error))?;
        let names = entries.take(MOST_NAMES).flatten();
        let mut names: Vec<_> =
            names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// What `parse` understands of a file.
    pub(super) fn read<T>(self, path: &str, parse: impl FnOnce(&str) -> Option<T>) -> Evidence<T> {
        let fact = self.text(path).and_then(|text| parse(&text).ok_or(Absent::Malformed));
        Evidence::new(path, fact)
    }

    /// A file of one line, without the white space around it; an empty one says nothing.
    pub(super) fn line(self, path: &str) -> Evidence<String> {
        self.read(path, |text| {
            let line = text.trim();
            (!line.is_empty()).then(|| line.to_owned())
        })
    }

    /// Whether something is there, with the path as evidence.
    pub(super) fn presence(self, path: &str) -> Evidence<bool> {
        Evidence::new(path, self.exists(path))
    }

    /// Whether one of these is there: the first that is, else the first that was looked for.
    pub(super) fn presence_of_any(self, paths: &[&str]) -> Evidence<bool> {
        self.first(paths).map(|_| true).or_absent(Absent::NotFound, false)
    }

    /// The first of these paths that leads to something.
    pub(super) fn first<P: AsRef<str>>(self, paths: &[P]) -> Evidence<String> {
        let mut hidden = None;
        for path in paths.iter().map(AsRef::as_ref) {
            match self.exists(path) {
                Ok(true) => return Evidence::new(path, Ok(path.to_owned())),
                Ok(false) => {}
                Err(why) => hidden = hidden.or(Some(Evidence::new(path, Err(why)))),
            }
        }
        let none = paths.first().map_or("", AsRef::as_ref);
        hidden.unwrap_or_else(|| Evidence::new(none, Err(Absent::NotFound)))
    }
}

impl<T> Evidence<T> {
    /// `value` where the reason for its absence is `why`.
    pub(super) fn or_absent(self, why: Absent, value: T) -> Self {
        if self.absent() == Some(why) { Self { fact: Ok(value), ..self } } else { self }
    }
}

fn names_backwards(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.rev().collect()
}

/// The content, or `None` where it is no plain file or too large. Opening a pipe would block, and opening a device
/// may wake it: so the kind is looked at first, and once more for what was opened.
fn read_plain(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    read_at_most(&file, most)
}

fn read_at_most(file: &File, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let length = file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((length as u64 <= most).then_some(bytes))
}

/// Why something could not be read.
fn absence(error: &io::Error) -> Absent {
    match Errno::from_io_error(error) {
        Some(Errno::NOENT | Errno::NOTDIR) => Absent::NotFound,
        Some(Errno::ACCESS | Errno::PERM) => Absent::NoPermission,
        Some(Errno::SRCH) => Absent::Gone,
        _ => Absent::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::{Files, absence};
    use crate::model::{Absent, Sysroot};
    use rustix::io::Errno;
    use std::fs;
    use std::io;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn root() -> (tempfile::TempDir, Sysroot) {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        (folder, sysroot)
    }

    #[test]
    fn each_error_is_a_reason() {
        let of = |errno: Errno| absence(&io::Error::from(errno));
        assert_eq!(of(Errno::NOENT), Absent::NotFound);
        assert_eq!(of(Errno::NOTDIR), Absent::NotFound);
        assert_eq!(of(Errno::ACCESS), Absent::NoPermission);
        assert_eq!(of(Errno::PERM), Absent::NoPermission);
        assert_eq!(of(Errno::SRCH), Absent::Gone);
        assert_eq!(of(Errno::IO), Absent::Unreadable);
        assert_eq!(absence(&io::Error::other("no errno")), Absent::Unreadable);
    }

    #[test]
    fn links_lead_below_the_root() {
        let (folder, sysroot) = root();
        let files = Files(&sysroot);
        fs::create_dir_all(folder.path().join("nix/store/x/lib")).unwrap();
        fs::create_dir_all(folder.path().join("run")).unwrap();
        fs::write(folder.path().join("nix/store/x/lib/a.so.1"), "a").unwrap();
        symlink("/nix/store/x", folder.path().join("run/driver")).unwrap();
        symlink("a.so.1", folder.path().join("nix/store/x/lib/a.so")).unwrap();
        symlink("../../../../../../nix/store/x", folder.path().join("run/up")).unwrap();
        for path in ["/run/driver/lib/a.so", "/run/up/lib/../lib/./a.so"] {
            assert_eq!(files.resolve(path).as_deref(), Ok(Path::new("/nix/store/x/lib/a.so.1")));
            assert_eq!(files.text(path).as_deref(), Ok("a"));
        }
    }

    #[test]
    fn a_loop_ends_and_a_dead_link_is_not_found() {
        let (folder, sysroot) = root();
        let files = Files(&sysroot);
        symlink("b", folder.path().join("a")).unwrap();
        symlink("/a", folder.path().join("b")).unwrap();
        symlink("/nowhere", folder.path().join("dead")).unwrap();
        assert_eq!(files.resolve("/a/c"), Err(Absent::Unreadable));
        assert_eq!(files.exists("/a"), Err(Absent::Unreadable));
        assert_eq!(files.exists("/dead"), Ok(false));
        assert_eq!(files.exists("/a\0"), Err(Absent::Unreadable));
        assert_eq!(files.text("/dead"), Err(Absent::NotFound));
    }

    #[test]
    fn only_plain_files_of_a_sensible_size_are_read() {
        let (folder, sysroot) = root();
        let files = Files(&sysroot);
        fs::write(folder.path().join("file"), [0xff; 10]).unwrap();
        assert_eq!(files.bytes("/file", 10).map(|bytes| bytes.len()), Ok(10));
        assert_eq!(files.bytes("/file", 9), Err(Absent::Unreadable));
        assert_eq!(files.text("/file").map(|text| text.chars().count()), Ok(10));
        assert_eq!(files.text("/"), Err(Absent::Unreadable));
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(files.text("/pipe"), Err(Absent::Unreadable));
        assert_eq!(files.exists("/pipe"), Ok(true));
        assert_eq!(files.names("/file"), Err(Absent::NotFound));
        assert_eq!(files.names("/"), Ok(vec!["file".to_owned(), "pipe".to_owned()]));
    }

    #[test]
    fn the_first_path_that_leads_somewhere() {
        let (folder, sysroot) = root();
        let files = Files(&sysroot);
        let paths = ["/one", "/two"];
        let none = files.first(&paths);
        assert_eq!((none.source.as_str(), none.absent()), ("/one", Some(Absent::NotFound)));
        assert!(files.presence_of_any(&paths).is_false());
        fs::write(folder.path().join("two"), "").unwrap();
        assert_eq!(files.first(&paths).text(), Some("/two"));
        assert!(files.presence_of_any(&paths).is_true());
        assert_eq!(files.line("/two").absent(), Some(Absent::Malformed));
    }
}
