//! The inputs of a flake, as its lock file names them.

use serde_json::Value;
use std::path::Path;

/// The most that is read of a lock file; one with a hundred inputs has 60 kB.
const MOST_BYTES: u64 = 4 << 20;

/// Whether the lock file beside this file has an input of this repository or name.
pub(super) fn names_input(file: &Path, wanted: &str) -> bool {
    let Some(lock) = beside(file) else { return false };
    let Some(nodes) = lock.get("nodes").and_then(Value::as_object) else { return false };
    nodes.iter().any(|(name, node)| {
        let said = |place: &str, key: &str| node.get(place)?.get(key)?.as_str().map(str::to_owned);
        let words = ["original", "locked"]
            .iter()
            .flat_map(|place| [said(place, "repo"), said(place, "url")]);
        name == wanted || words.flatten().any(|text| is_repository(&text, wanted))
    })
}

/// The branch of the input that is called nixpkgs.
pub(super) fn nixpkgs_branch(file: &Path) -> Option<String> {
    let lock = beside(file)?;
    let nodes = lock.get("nodes")?;
    let name = nodes.get(lock.get("root")?.as_str()?)?.get("inputs")?.get("nixpkgs")?.as_str()?;
    nodes.get(name)?.get("original")?.get("ref")?.as_str().map(str::to_owned)
}

/// The lock file that lies beside this file.
fn beside(file: &Path) -> Option<Value> {
    let text = super::SourceFile::read(file.parent()?.join("flake.lock"), MOST_BYTES).ok()?;
    serde_json::from_str(&text.text).ok()
}

/// Whether the last part of an address is this repository.
pub(super) fn is_repository(address: &str, wanted: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    path.split(['/', ':']).any(|part| part.strip_suffix(".git").unwrap_or(part) == wanted)
}
