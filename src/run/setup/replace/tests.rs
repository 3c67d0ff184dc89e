//! What is written, what is refused, and that a refusal changes nothing.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{
    CWD, FileType, FlockOperation, Mode, XattrFlags, flock, lgetxattr, mknodat, setxattr,
};
use tempfile::TempDir;

use super::super::target::{Target, Warning};
use super::super::temporary::Temporary;
use super::super::{WriteError, Written};

/// An access list as the kernel stores it: the owner rw, user 1234 r, the group r, at most rw, others nothing.
const ACCESS_LIST: [u8; 44] = {
    let mut list = [0; 44];
    let entries: [(u8, u8, u32); 5] =
        [(1, 6, u32::MAX), (2, 4, 1234), (4, 4, u32::MAX), (16, 6, u32::MAX), (32, 0, u32::MAX)];
    list[0] = 2;
    let mut number = 0;
    while number < 5 {
        let (tag, may, id) = entries[number];
        let (at, id) = (4 + 8 * number, id.to_le_bytes());
        list[at] = tag;
        list[at + 2] = may;
        (list[at + 4], list[at + 5], list[at + 6], list[at + 7]) = (id[0], id[1], id[2], id[3]);
        number += 1;
    }
    list
};

/// A folder of the user's, one of the program's, and one that stands for the store.
struct Place {
    folder: TempDir,
    file: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["nixos", "store"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let file = fs::canonicalize(folder.path()).unwrap().join("nixos/gpu.nix");
        Self { folder, file }
    }

    fn with(text: &str) -> Self {
        let place = Self::new();
        fs::write(&place.file, text).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn look(&self, path: &Path) -> Result<Target, WriteError> {
        Target::look(path, &self.path("store"))
    }

    fn target(&self) -> Target {
        self.look(&self.file).unwrap()
    }

    fn replace(&self, target: &Target, text: &str) -> Result<Written, WriteError> {
        target.replace(text.as_bytes(), &self.path("state"))
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    /// The names in the user's folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("nixos")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Looking at the path is refused with a sentence that holds this.
    fn refuses(&self, path: &Path, about: &str) {
        let before = self.names();
        let sentence = self.look(path).unwrap_err().to_string();
        assert!(sentence.contains(about), "{sentence}");
        assert_eq!(self.names(), before);
    }
}

#[test]
fn a_file_is_replaced_and_what_it_held_is_kept() {
    let place = Place::with("old");
    let target = place.target();
    assert_eq!(target.bytes(), Some(&b"old"[..]));
    let written = place.replace(&target, "new").unwrap();
    assert_eq!((place.text().as_str(), &written.path), ("new", &place.file));
    assert!(written.unsynced.is_none());
    let backup = written.backup.unwrap();
    assert_eq!(fs::read_to_string(&backup).unwrap(), "old");
    assert!(backup.starts_with(place.path("state/backups")));
    assert!(backup.ends_with("nixos/gpu.nix/1.bak"), "{}", backup.display());
    assert_eq!(place.names(), ["gpu.nix"]);
    let again = place.replace(&place.target(), "newer").unwrap().backup.unwrap();
    assert_eq!(fs::read_to_string(again).unwrap(), "new");
}

#[test]
fn a_new_file_is_made_as_an_editor_would() {
    let place = Place::new();
    let target = place.target();
    assert_eq!(target.bytes(), None);
    let written = place.replace(&target, "new").unwrap();
    assert_eq!((place.text().as_str(), written.backup), ("new", None));
    File::create(place.path("other")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&place.file), mode(&place.path("other")) & 0o644);
    assert_eq!(place.names(), ["gpu.nix"]);
    assert!(!place.path("state").exists(), "nothing to keep");
}

#[test]
fn mode_and_attributes_are_kept() {
    let place = Place::with("old");
    fs::set_permissions(&place.file, Permissions::from_mode(0o4751)).unwrap();
    let has_attributes = setxattr(&place.file, c"user.note", b"mine", XattrFlags::empty()).is_ok();
    place.replace(&place.target(), "new").unwrap();
    assert_eq!(fs::metadata(&place.file).unwrap().mode() & 0o7777, 0o4751);
    assert_eq!(attribute(&place.file, c"user.note"), has_attributes.then(|| b"mine".to_vec()));
}

fn attribute(path: &Path, name: &std::ffi::CStr) -> Option<Vec<u8>> {
    let mut value = [0; 256];
    let length = lgetxattr(path, name, &mut value).ok()?;
    Some(value[..length].to_vec())
}

#[test]
fn access_lists_are_kept_and_those_of_the_folder_do_not_creep_in() {
    let place = Place::with("old");
    let set = |path: &Path, name| setxattr(path, name, &ACCESS_LIST, XattrFlags::empty());
    if set(&place.file, c"system.posix_acl_access").is_err() {
        // The file system of the temporary folder has none.
        return;
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&place.file), 0o660);
    place.replace(&place.target(), "new").unwrap();
    assert_eq!(attribute(&place.file, c"system.posix_acl_access"), Some(ACCESS_LIST.to_vec()));
    assert_eq!(mode(&place.file), 0o660);

    let plain = Place::with("old");
    fs::set_permissions(&plain.file, Permissions::from_mode(0o604)).unwrap();
    set(&plain.path("nixos"), c"system.posix_acl_default").unwrap();
    plain.replace(&plain.target(), "new").unwrap();
    assert_eq!(attribute(&plain.file, c"system.posix_acl_access"), None);
    assert_eq!((plain.text().as_str(), mode(&plain.file)), ("new", 0o604));
    // A new file, as from an editor, does get the folder's list.
    let new = plain.look(&plain.path("nixos/new.nix")).unwrap();
    plain.replace(&new, "x").unwrap();
    assert!(attribute(&plain.path("nixos/new.nix"), c"system.posix_acl_access").is_some());
}

#[test]
fn the_file_at_the_end_of_links_is_written_and_the_links_stay() {
    let place = Place::with("old");
    symlink("nixos/gpu.nix", place.path("relative")).unwrap();
    symlink(place.path("relative"), place.path("absolute")).unwrap();
    let target = place.look(&place.path("absolute")).unwrap();
    assert_eq!(target.path(), place.file);
    assert_eq!(target.links().len(), 2);
    place.replace(&target, "new").unwrap();
    assert_eq!(place.text(), "new");
    assert!(fs::symlink_metadata(place.path("relative")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(place.path("absolute")).unwrap().is_symlink());
    symlink("nixos/none.nix", place.path("dangling")).unwrap();
    let new = place.look(&place.path("dangling")).unwrap();
    assert_eq!((new.bytes(), new.path()), (None, place.file.with_file_name("none.nix")));
    place.replace(&new, "made").unwrap();
    assert_eq!(fs::read_to_string(place.path("dangling")).unwrap(), "made");
}

#[test]
fn nothing_in_the_store_is_written() {
    let place = Place::new();
    let stored = place.path("store/abc-source/gpu.nix");
    fs::create_dir(stored.parent().unwrap()).unwrap();
    fs::write(&stored, "built").unwrap();
    symlink(&stored, place.path("static")).unwrap();
    symlink("../static", &place.file).unwrap();
    symlink("../store/abc-source/none.nix", place.path("nixos/none.nix")).unwrap();
    symlink(place.path("store"), place.path("nixos/folder")).unwrap();
    for name in ["gpu.nix", "none.nix", "folder/abc-source/gpu.nix", "folder/new.nix"] {
        place.refuses(&place.path("nixos").join(name), "in the Nix store, which is never changed");
    }
    // A link that only passes through the store ends elsewhere.
    fs::write(place.path("mine.nix"), "mine").unwrap();
    symlink(place.path("mine.nix"), place.path("store/link")).unwrap();
    symlink(place.path("store/link"), place.path("nixos/through")).unwrap();
    let target = place.look(&place.path("nixos/through")).unwrap();
    assert_eq!(target.bytes(), Some(&b"mine"[..]));
    assert_eq!(fs::read_to_string(stored).unwrap(), "built");
}

#[test]
fn what_is_no_file_is_refused() {
    let place = Place::with("old");
    let beside = |name: &str| place.path("nixos").join(name);
    fs::create_dir(beside("folder")).unwrap();
    mknodat(CWD, beside("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(beside("socket")).unwrap();
    symlink("fifo", beside("link")).unwrap();
    symlink("loop-b", beside("loop-a")).unwrap();
    symlink("loop-a", beside("loop-b")).unwrap();
    for (name, about) in [
        ("folder", "is a folder, no file"),
        ("folder/..", "is a folder, no file"),
        ("", "is the name of a folder, no file"),
        ("fifo", "is a FIFO, no file"),
        ("link", "is a FIFO, no file"),
        ("socket", "is a socket, no file"),
        ("gpu.nix/", "is the name of a folder, no file"),
        ("loop-a", "lead nowhere"),
        ("loop-a/x.nix", "lead nowhere"),
        ("none/x.nix", "there is no folder"),
        ("gpu.nix/x.nix", "there is no folder"),
    ] {
        place.refuses(&beside(name), about);
    }
    place.refuses(Path::new("/dev/null"), "/dev/null is a device, no file");
    place.refuses(Path::new("/"), "/ is a folder, no file");
    assert!(!beside("none").exists());
}

#[test]
fn a_file_that_is_far_too_long_is_refused() {
    let place = Place::new();
    File::create(&place.file).unwrap().set_len((16 << 20) + 1).unwrap();
    place.refuses(&place.file, "more than 16777216 bytes");
}

#[test]
fn whatever_happened_since_it_was_read_stays() {
    type Change = fn(&Place);
    let changes: [(&str, Change); 8] = [
        ("other bytes", |place| fs::write(&place.file, "OLD").unwrap()),
        ("another file of the same bytes and time", |place| {
            let time = fs::metadata(&place.file).unwrap().modified().unwrap();
            fs::copy(&place.file, place.path("copy")).unwrap();
            fs::rename(place.path("copy"), &place.file).unwrap();
            File::options().write(true).open(&place.file).unwrap().set_modified(time).unwrap();
        }),
        ("other bytes of the same time", |place| {
            let time = fs::metadata(&place.file).unwrap().modified().unwrap();
            fs::write(&place.file, "OLD").unwrap();
            File::options().write(true).open(&place.file).unwrap().set_modified(time).unwrap();
        }),
        ("another mode", |place| {
            fs::set_permissions(&place.file, Permissions::from_mode(0o640)).unwrap();
        }),
        ("another time", |place| {
            let file = File::options().write(true).open(&place.file).unwrap();
            file.set_modified(std::time::UNIX_EPOCH).unwrap();
        }),
        ("gone", |place| fs::remove_file(&place.file).unwrap()),
        ("a link", |place| {
            fs::rename(&place.file, place.path("moved")).unwrap();
            symlink(place.path("moved"), &place.file).unwrap();
        }),
        ("another folder", |place| {
            fs::rename(place.path("nixos"), place.path("moved")).unwrap();
            fs::create_dir(place.path("nixos")).unwrap();
        }),
    ];
    for (what, change) in changes {
        let place = Place::with("old");
        let target = place.target();
        change(&place);
        let (names, text) = (place.names(), fs::read(&place.file).ok());
        let error = place.replace(&target, "new").unwrap_err();
        assert!(matches!(error, WriteError::Changed { .. }), "{what}: {error}");
        assert_eq!((place.names(), fs::read(&place.file).ok()), (names, text), "{what}");
        assert!(!place.path("state").exists(), "{what}");
    }
}

#[test]
fn the_last_moment_counts() {
    let place = Place::with("old");
    let target = place.target();
    let folder = target.lock().unwrap();
    let new = target.prepare(&folder, b"new").unwrap();
    assert_eq!(place.names().len(), 2);
    let time = fs::metadata(&place.file).unwrap().modified().unwrap();
    fs::write(&place.file, "OLD").unwrap();
    File::options().write(true).open(&place.file).unwrap().set_modified(time).unwrap();
    let error = target.put_in_place(new).unwrap_err();
    assert!(matches!(error, WriteError::Changed { .. }), "{error}");
    assert_eq!((place.text().as_str(), place.names()), ("OLD", vec!["gpu.nix".to_owned()]));
}

#[test]
fn a_new_name_is_never_taken_from_another_file() {
    let place = Place::with("theirs");
    let folder = File::open(place.path("nixos")).unwrap();
    let mut new = Temporary::create(&folder, 0o644).unwrap();
    new.write(b"mine").unwrap();
    let error = new.add("gpu.nix".as_ref()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!((place.text().as_str(), place.names()), ("theirs", vec!["gpu.nix".to_owned()]));
}

#[test]
fn a_file_that_someone_else_made_meanwhile_stays() {
    let place = Place::new();
    let target = place.target();
    fs::write(&place.file, "theirs").unwrap();
    let error = place.replace(&target, "mine").unwrap_err();
    assert!(matches!(error, WriteError::Changed { .. }), "{error}");
    assert_eq!((place.text().as_str(), place.names()), ("theirs", vec!["gpu.nix".to_owned()]));
}

#[test]
fn of_two_writers_one_is_refused() {
    let place = Place::with("old");
    let [first, second] = [place.target(), place.target()];
    let other = File::open(place.path("nixos")).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    let error = place.replace(&first, "first").unwrap_err().to_string();
    assert!(error.contains("is being written by another program; try again"), "{error}");
    assert_eq!(place.text(), "old");
    drop(other);
    place.replace(&first, "first").unwrap();
    let error = place.replace(&second, "second").unwrap_err();
    assert!(matches!(error, WriteError::Changed { .. }), "{error}");
    assert_eq!((place.text().as_str(), place.names()), ("first", vec!["gpu.nix".to_owned()]));
}

#[test]
fn of_many_writers_at_once_exactly_one_writes() {
    let place = Place::with("old");
    let (target, start) = (place.target(), std::sync::Barrier::new(8));
    let results: Vec<_> = std::thread::scope(|scope| {
        let write = |number: usize| {
            start.wait();
            place.replace(&target, &format!("text {number}")).map(|_| number)
        };
        let writers: Vec<_> = (0..8).map(|number| scope.spawn(move || write(number))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let winners: Vec<_> = results.into_iter().filter_map(Result::ok).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(place.text(), format!("text {}", winners[0]));
    assert_eq!(place.names(), ["gpu.nix"]);
}

#[test]
fn without_a_backup_nothing_is_written() {
    let place = Place::with("old");
    fs::write(place.path("state"), "a file").unwrap();
    let sentence = place.replace(&place.target(), "new").unwrap_err().to_string();
    assert!(sentence.contains("what it holds cannot be copied into"), "{sentence}");
    assert_eq!((place.text().as_str(), place.names()), ("old", vec!["gpu.nix".to_owned()]));
}

#[test]
fn what_a_killed_process_left_is_passed_over() {
    let place = Place::with("old");
    let left = format!(".nvsdk-top-{}-0.tmp", std::process::id());
    symlink("gpu.nix", place.path("nixos").join(&left)).unwrap();
    place.replace(&place.target(), "new").unwrap();
    assert_eq!((place.text().as_str(), place.names()), ("new", vec![left, "gpu.nix".to_owned()]));
}

#[test]
fn other_names_are_told() {
    let place = Place::with("old");
    fs::hard_link(&place.file, place.path("name")).unwrap();
    let target = place.target();
    assert!(target.warnings().contains(&Warning::HasOtherNames));
    place.replace(&target, "new").unwrap();
    assert_eq!(fs::read_to_string(place.path("name")).unwrap(), "old");
    assert!(!place.target().warnings().contains(&Warning::HasOtherNames));
}
