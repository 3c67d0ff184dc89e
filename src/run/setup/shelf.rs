//! A folder of our own where numbered copies of the user's files are kept, the newest few of each.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::temporary::{Temporary, open_folder};

/// Copies that are kept of each file.
pub(super) const MOST_COPIES: usize = 20;
/// Numbers that are tried when others take the same ones.
const MOST_TRIES: u64 = 100;

/// A folder that holds, for `/etc/nixos/gpu.nix`, copies with the names `etc/nixos/gpu.nix/1.bak` and so on.
pub(super) struct Shelf {
    pub(super) folder: PathBuf,
    ending: &'static str,
}

impl Shelf {
    /// What the files held before they were written.
    pub(super) fn backups(state: &Path) -> Self {
        Self { folder: state.join("backups"), ending: "bak" }
    }

    /// What files were to hold that this user may not write.
    pub(super) fn saved(state: &Path) -> Self {
        Self { folder: state.join("saved"), ending: "new" }
    }

    /// Keeps these bytes of the file `path`, readable by the user alone, and says where. The oldest make room.
    pub(super) fn keep(&self, path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
        let folder = self.folder.join(path.strip_prefix("/").unwrap_or(path));
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let opened = open_folder(&folder)?;
        let numbers = self.numbers(&folder)?;
        let next = numbers.last().map_or(1, |last| last.saturating_add(1));
        for number in next..next.saturating_add(MOST_TRIES) {
            let name = self.name(number);
            let mut copy = Temporary::create(&opened, 0o600)?;
            copy.write(bytes)?;
            match copy.add(name.as_ref()) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.sync(&folder)?;
                    self.remove_oldest(&folder, &numbers);
                    return Ok(folder.join(name));
                }
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    fn name(&self, number: u64) -> String {
        format!("{number}.{}", self.ending)
    }

    /// The numbers of the copies that are there, the oldest first.
    fn numbers(&self, folder: &Path) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(self.ending));
            numbers.extend(number.and_then(|number| number.strip_suffix('.')?.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Has the names of new folders, too, survive a power cut.
    fn sync(&self, folder: &Path) -> io::Result<()> {
        let ours = folder.ancestors().take_while(|folder| folder.starts_with(&self.folder));
        ours.map(open_folder).try_for_each(|folder| folder?.sync_all())
    }

    fn remove_oldest(&self, folder: &Path, before: &[u64]) {
        let too_many = (before.len() + 1).saturating_sub(MOST_COPIES);
        for &number in before.iter().take(too_many) {
            // A copy too many does no harm.
            let _ = fs::remove_file(folder.join(self.name(number)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{MOST_COPIES, Shelf};

    #[test]
    fn copies_are_numbered_and_the_oldest_make_room() {
        let state = tempfile::tempdir().unwrap();
        let shelf = Shelf::backups(&state.path().join("state"));
        let path = Path::new("/etc/nixos/gpu.nix");
        let kept: Vec<_> =
            (0..25).map(|n| shelf.keep(path, format!("text {n}").as_bytes()).unwrap()).collect();
        let folder = state.path().join("state/backups/etc/nixos/gpu.nix");
        assert_eq!(kept[0], folder.join("1.bak"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), MOST_COPIES);
        let there = |copy: &Path| fs::read_to_string(copy).ok();
        assert_eq!(there(&kept[4]), None);
        assert_eq!(there(&kept[5]).as_deref(), Some("text 5"));
        assert_eq!(there(&kept[24]).as_deref(), Some("text 24"));
        assert_eq!(fs::metadata(&kept[24]).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn what_others_put_there_stays() {
        let state = tempfile::tempdir().unwrap();
        let shelf = Shelf::saved(state.path());
        let path = Path::new("/a.nix");
        shelf.keep(path, b"one").unwrap();
        let folder = state.path().join("saved/a.nix");
        for name in ["notes.new", "7", "18446744073709551615.old", "x7.new"] {
            fs::write(folder.join(name), "mine").unwrap();
        }
        assert_eq!(shelf.keep(path, b"two").unwrap(), folder.join("2.new"));
        for _ in 0..30 {
            shelf.keep(path, b"more").unwrap();
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), MOST_COPIES + 4);
    }

    #[test]
    fn a_shelf_that_cannot_be_made_is_an_error() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("backups"), "a file").unwrap();
        assert!(Shelf::backups(state.path()).keep(Path::new("/a"), b"x").is_err());
    }
}
