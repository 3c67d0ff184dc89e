//! What surrounds a configuration: its git work tree, and the programs that apply it.

use std::env::split_paths;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::machine::{in_path, succeeds};
use crate::setup::next::Tool;

/// The part of a `flake.nix` that is looked through.
const MOST_BYTES: u64 = 1 << 20;

/// The root of the git work tree that a file is in, or would be in. git itself is not asked.
#[must_use]
pub fn git_root(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).find(|folder| is_work_tree(folder)).map(Path::to_owned)
}

/// A clone has a folder `.git` with a `HEAD`; a linked work tree or submodule has a file that names such a folder.
fn is_work_tree(folder: &Path) -> bool {
    let git = folder.join(".git");
    fs::symlink_metadata(git.join("HEAD")).is_ok()
        || start_of(&git, 8).is_some_and(|start| start == b"gitdir: ")
}

/// How long git is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether git is told to leave a file out of its work tree: git itself is asked, since its rules stand in many files and
/// a file that it knows is not ignored. Nothing of the repository is run, and where git does not answer it is not known
/// to be.
#[must_use]
pub fn is_ignored(root: &Path, path: &Path) -> bool {
    let Some(program) = in_path("git") else { return false };
    let mut git = Command::new(program);
    git.args(["--no-optional-locks", "-c", "core.fsmonitor=false", "-C"]).arg(root);
    git.args(["check-ignore", "--quiet", "--"]).arg(path);
    git.stdin(Stdio::null()).stderr(Stdio::null());
    succeeds(git, PATIENCE)
}

/// The programs beside `nixos-rebuild` that the configuration in these folders is made for, or that stand in `PATH`.
///
/// colmena and deploy-rs need something in the configuration, so that having them installed tells nothing; nh does not.
#[must_use]
pub fn tools(folders: &[&Path], path: Option<&OsStr>) -> Vec<Tool> {
    let flakes: Vec<_> = folders
        .iter()
        .filter_map(|folder| start_of(&folder.join("flake.nix"), MOST_BYTES))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    let says = |word| flakes.iter().any(|flake| flake.contains(word));
    let has_hive = folders.iter().any(|folder| folder.join("hive.nix").is_file());
    let found = [
        (Tool::Colmena, has_hive || says("colmena")),
        (Tool::Deploy, says("deploy.nodes") || says("deploy-rs")),
        (
            Tool::Nh,
            path.is_some_and(|path| split_paths(path).any(|folder| is_program(&folder.join("nh")))),
        ),
    ];
    found.into_iter().filter(|(_, is_there)| *is_there).map(|(tool, _)| tool).collect()
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// The first bytes of a file, if it is one that can be read.
fn start_of(path: &Path, most: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    File::open(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::{git_root, tools};
    use crate::setup::next::Tool;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn clones_and_linked_work_trees_have_a_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "clone/.git/HEAD", "ref: refs/heads/main\n");
        write(root, "clone/linked/.git", "gitdir: /somewhere\n");
        write(root, "clone/linked/hosts/a.nix", "");
        write(root, "clone/empty/.git/nothing", "");
        write(root, "clone/other/.git", "something else\n");
        let found = |path: &str| git_root(&root.join(path));
        assert_eq!(found("clone/linked/hosts/a.nix"), Some(root.join("clone/linked")));
        assert_eq!(found("clone/new.nix"), Some(root.join("clone")));
        assert_eq!(found("clone/empty/new.nix"), Some(root.join("clone")));
        assert_eq!(found("clone/other/new.nix"), Some(root.join("clone")));
        assert_eq!(found("new.nix"), git_root(root));
    }

    #[test]
    fn programs_are_found_in_the_repository_or_in_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(tools(&[root], None), []);
        write(root, "bin/nh", "");
        let path = root.join("bin");
        assert_eq!(tools(&[], Some(path.as_os_str())), [], "not executable");
        fs::set_permissions(path.join("nh"), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(tools(&[], Some(path.as_os_str())), [Tool::Nh]);
        write(root, "a/hive.nix", "{ }");
        assert_eq!(tools(&[root, &root.join("a")], None), [Tool::Colmena]);
        write(root, "b/flake.nix", "{ outputs = _: { deploy.nodes.box = { }; }; }");
        assert_eq!(tools(&[&root.join("b")], None), [Tool::Deploy]);
        write(root, "c/flake.nix", "{ outputs = _: { colmena = { }; }; }");
        assert_eq!(tools(&[&root.join("c")], Some(path.as_os_str())), [Tool::Colmena, Tool::Nh]);
    }
}
