//! Replacing a file where this needs another user, a small disk or mounts: in a child of this very program, which
//! calls the library and prints what came of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nvsdk_top::run::setup::Target;
use rustix::fs::{XattrFlags, setxattr};
use rustix::process::geteuid;
use tempfile::TempDir;

use crate::skip::say_skipped;

/// A user who owns nothing.
const NOBODY: u32 = 65534;
/// What asks the child for its work.
const FILE: &str = "NVSDK_TOP_TEST_FILE";

/// A folder of the user's configuration and one of the program's, in which a child works.
struct Place {
    folder: TempDir,
    nixos: PathBuf,
    state: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [nixos, state] = ["nixos", "state"].map(|name| folder.path().join(name));
        for folder in [folder.path(), &nixos, &state] {
            fs::create_dir_all(folder).unwrap();
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        Self { folder, nixos, state }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.nixos.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        path
    }

    /// The child that replaces this file.
    fn command(&self, file: &Path) -> Command {
        // Another user may not reach the folder that the test was built in.
        let copy = self.folder.path().join("test");
        if !copy.exists() {
            // Copied by another process: a file that this one has open for writing, which what another test starts
            // would inherit, cannot be run.
            let copied =
                Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&copy).status();
            assert!(copied.unwrap().success());
            fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
        }
        let mut command = Command::new(copy);
        self.aim(&mut command, file);
        command
    }

    fn aim(&self, command: &mut Command, file: &Path) {
        command.args(["setup::replacing::child", "--exact", "--ignored", "--nocapture"]);
        command.env(FILE, file).env("NVSDK_TOP_TEST_STATE", &self.state).env("RUST_BACKTRACE", "0");
        command.current_dir("/");
    }

    fn by_nobody(&self, file: &Path) -> String {
        chown(&self.state, Some(NOBODY), Some(NOBODY)).unwrap();
        said(self.command(file).uid(NOBODY).gid(NOBODY))
    }

    /// What the child says after this was done in mounts of its own.
    fn after(&self, script: &str, file: &Path) -> String {
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-ec"]);
        command.arg(format!("cd \"$0\"; {script}\nexec \"$@\""));
        command.arg(self.folder.path()).arg(std::env::current_exe().unwrap());
        self.aim(&mut command, file);
        said(&mut command)
    }

    /// The names in the user's folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.nixos).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// What the child says: "written" or "refused", and more.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let line = text.lines().find_map(|line| line.split_once("CHILD ")).map(|(_, line)| line);
    assert!(line.is_some(), "{text}{errors}");
    line.unwrap().to_owned()
}

/// The child: replaces the file by 200 KiB, or by `new` and a line end where a test asks for less.
#[test]
#[ignore = "is run by the others"]
fn child() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let state = PathBuf::from(std::env::var_os("NVSDK_TOP_TEST_STATE").unwrap());
    let is_long = file.to_string_lossy().contains("long");
    let text = if is_long { "x".repeat(200 << 10) } else { "new\n".to_owned() };
    let target = Target::look(Path::new(&file), Path::new("/nix/store"));
    let before = target.as_ref().ok().and_then(|target| target.bytes().map(<[u8]>::to_vec));
    let warnings = target.as_ref().map_or(Vec::new(), |target| target.warnings().to_vec());
    match target.and_then(|target| target.replace(text.as_bytes(), &state)) {
        Ok(written) => println!("CHILD written {} {warnings:?}", written.path.display()),
        Err(error) => {
            // In mounts of its own only the child sees the file.
            let unchanged = before.is_none() || fs::read(&file).ok() == before;
            let folder = Path::new(&file).parent().unwrap();
            let is_left =
                |entry: fs::DirEntry| entry.file_name().to_string_lossy().ends_with(".tmp");
            let mut left = fs::read_dir(folder).into_iter().flatten().flatten();
            assert!(unchanged && !left.any(is_left));
            println!("CHILD refused {error}");
        }
    }
}

/// Whether the tests run as root, and may have mounts of their own where that is asked.
fn may(test: &str, mounts: bool) -> bool {
    let may_mount = || Command::new("unshare").args(["-m", "true"]).status();
    let may = geteuid().is_root() && (!mounts || may_mount().is_ok_and(|status| status.success()));
    if !may {
        say_skipped(test, if mounts { "root, and mounts of its own" } else { "root" });
    }
    may
}

#[test]
fn who_may_not_write_is_told_how_an_administrator_does() {
    if !may("who_may_not_write", false) {
        return;
    }
    let place = Place::new();
    let file = place.write("it's.nix", "old");
    chown(&file, Some(0), Some(1234)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o664)).unwrap();
    let sentence = place.by_nobody(&file);
    let saved = place.state.join("saved").join(file.strip_prefix("/").unwrap()).join("1.new");
    assert_eq!(fs::read_to_string(&saved).unwrap(), "new\n");
    let quoted = |path: &Path| format!("'{}'", path.to_str().unwrap().replace('\'', r"'\''"));
    let command =
        format!("sudo install -o root -g 1234 -m 0664 {} {}", quoted(&saved), quoted(&file));
    assert!(sentence.starts_with("refused ") && sentence.ends_with(&command), "{sentence}");
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), place.names().len()), ("old", 1));
    // The line does what it says; root needs no sudo.
    let line = command.strip_prefix("sudo ").unwrap();
    assert!(Command::new("sh").args(["-c", line]).status().unwrap().success());
    let installed = fs::metadata(&file).unwrap();
    assert_eq!((installed.uid(), installed.gid(), installed.mode() & 0o7777), (0, 1234, 0o664));
    assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");
}

#[test]
fn a_new_file_that_may_not_be_made_gets_the_folders_owner() {
    if !may("a_new_file", false) {
        return;
    }
    let place = Place::new();
    chown(&place.nixos, Some(77), Some(78)).unwrap();
    let sentence = place.by_nobody(&place.nixos.join("gpu.nix"));
    assert!(sentence.contains(": sudo install -o 77 -g 78 -m 0644 /"), "{sentence}");
    assert_eq!(place.names(), [""; 0]);
}

#[test]
fn the_command_keeps_what_install_would_lose() {
    if !may("the_command", false) {
        return;
    }
    let place = Place::new();
    let file = place.write("gpu.nix", "old");
    if setxattr(&file, c"user.note", b"mine", XattrFlags::empty()).is_err() {
        return say_skipped("the_command", "a temporary folder with extended attributes");
    }
    let sentence = place.by_nobody(&file);
    assert!(sentence.contains(": sudo cp /"), "{sentence}");
}

#[test]
fn a_file_of_someone_else_in_ones_own_folder_stays() {
    if !may("a_file_of_someone_else", false) {
        return;
    }
    let place = Place::new();
    let file = place.write("gpu.nix", "old");
    chown(&place.nixos, Some(NOBODY), Some(NOBODY)).unwrap();
    for mode in [0o644, 0o666] {
        // Even where its bytes may be written, the new file could not have its owner.
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let sentence = place.by_nobody(&file);
        assert!(
            sentence.contains(&format!("sudo install -o root -g root -m {mode:04o}")),
            "{sentence}"
        );
    }
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), place.names().len()), ("old", 1));
    // So does one's own that is marked as not to be written.
    chown(&file, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
    assert!(place.by_nobody(&file).contains("-m 0444"));
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    assert!(place.by_nobody(&file).starts_with("written "));
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), place.names().len()), ("new\n", 1));
}

#[test]
fn who_may_not_read_or_save_is_told_so() {
    if !may("who_may_not_read", false) {
        return;
    }
    let place = Place::new();
    let file = place.write("gpu.nix", "old");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let sentence = place.by_nobody(&file);
    assert!(sentence.contains("gpu.nix cannot be read: Permission denied"), "{sentence}");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    fs::write(place.state.join("saved"), "a file").unwrap();
    let sentence = place.by_nobody(&file);
    assert!(sentence.contains("the new text cannot be saved in"), "{sentence}");
    fs::set_permissions(&place.nixos, Permissions::from_mode(0o700)).unwrap();
    let sentence = place.by_nobody(&file);
    assert!(sentence.contains("gpu.nix cannot be read: Permission denied"), "{sentence}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
}

#[test]
fn the_owner_stays_when_root_writes() {
    if !may("the_owner_stays", false) {
        return;
    }
    let place = Place::new();
    let file = place.write("gpu.nix", "old");
    chown(&file, Some(1234), Some(5678)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o2640)).unwrap();
    assert!(said(&mut place.command(&file)).starts_with("written "));
    let written = fs::metadata(&file).unwrap();
    assert_eq!((written.uid(), written.gid(), written.mode() & 0o7777), (1234, 5678, 0o2640));
    assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");
}

#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    if !may("a_full_disk", true) {
        return;
    }
    let place = Place::new();
    let small = "mount -t tmpfs -o size=64k small nixos; echo old >nixos/long.nix";
    let long = place.nixos.join("long.nix");
    let sentence = place.after(small, &long);
    assert!(sentence.contains("long.nix cannot be written: No space left on device"), "{sentence}");
    let sentence = place.after(small, &place.nixos.join("long-new.nix"));
    assert!(sentence.contains("long-new.nix cannot be written: No space left"), "{sentence}");
    let file = place.write("gpu.nix", &"y".repeat(128 << 10));
    let sentence = place.after("mount -t tmpfs -o size=64k small state", &file);
    assert!(
        sentence.contains("cannot be copied into") && sentence.contains("No space left"),
        "{sentence}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "y".repeat(128 << 10));
    assert_eq!(place.names(), ["gpu.nix"]);
}

#[test]
fn a_file_in_memory_is_written_with_a_warning() {
    if !may("a_file_in_memory", true) {
        return;
    }
    let place = Place::new();
    let script = "mount -t tmpfs -o size=64k small nixos; echo old >nixos/gpu.nix";
    let sentence = place.after(script, &place.nixos.join("gpu.nix"));
    assert!(sentence.starts_with("written ") && sentence.ends_with("[InMemory]"), "{sentence}");
}

#[test]
fn a_read_only_file_system_is_refused() {
    if !may("a_read_only_file_system", true) {
        return;
    }
    let place = Place::new();
    let file = place.write("gpu.nix", "old");
    let script = "mount --bind nixos nixos; mount -o remount,ro,bind nixos";
    for file in [&file, &place.nixos.join("new.nix")] {
        let sentence = place.after(script, file);
        assert!(sentence.contains("is on a file system that is mounted read-only"), "{sentence}");
    }
    assert_eq!((fs::read_to_string(&file).unwrap().as_str(), place.names().len()), ("old", 1));
}

#[test]
fn a_file_that_is_mounted_by_itself_names_the_one_behind_it() {
    if !may("a_file_that_is_mounted", true) {
        return;
    }
    let place = Place::new();
    let file = place.write("a b.nix", "");
    let persist = fs::canonicalize(place.folder.path()).unwrap().join("per\\sist");
    fs::create_dir(&persist).unwrap();
    fs::write(persist.join("a b.nix"), "old").unwrap();
    let sentence = place.after("mount --bind 'per\\sist/a b.nix' 'nixos/a b.nix'", &file);
    let advice = format!("cannot be replaced; write {} instead", persist.join("a b.nix").display());
    assert!(sentence.ends_with(&advice), "{sentence}");
    // The same from a file system of its own, whose mount is elsewhere.
    let script = "mkdir p; mount -t tmpfs p p; echo old >p/c; mount --bind p/c 'nixos/a b.nix'";
    let sentence = place.after(script, &file);
    assert!(sentence.ends_with("/p/c instead"), "{sentence}");
    let script =
        "mkdir q; mount -t tmpfs q q; echo old >q/c; mount --bind q/c 'nixos/a b.nix'; umount -l q";
    let sentence = place.after(script, &file);
    assert!(sentence.ends_with("write the file that is mounted there"), "{sentence}");
    assert_eq!(fs::read_to_string(persist.join("a b.nix")).unwrap(), "old");
}
