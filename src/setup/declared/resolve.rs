//! Where a path of a configuration leads, as Nix follows it.

use super::Problem;
use std::path::{Component, Path, PathBuf};

/// How many links Nix follows.
const MOST_LINKS: usize = 40;

/// The file that Nix reads for a path: `default.nix` of a folder. Only links at the end of the path are followed, since
/// paths in a file are read from the folder that its link leads to, and `..` is taken off the written path.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, Problem> {
    let end = follow(path)?;
    if end.is_dir() { follow(&end.join("default.nix")) } else { Ok(end) }
}

fn follow(path: &Path) -> Result<PathBuf, Problem> {
    let mut end = plain(path);
    for _ in 0..MOST_LINKS {
        match std::fs::read_link(&end) {
            Ok(target) => end = plain(&end.parent().unwrap_or(Path::new("/")).join(target)),
            Err(_) => return Ok(end),
        }
    }
    Err(Problem::LinkLoop(path.to_owned()))
}

/// The path without `.` and `..`.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            // What goes up from a relative path's start has to stay.
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::ParentDir if plain.has_root() => {}
            other => plain.push(other),
        }
    }
    plain
}
