//! What in a configuration tells which kind of module belongs in it.

use super::{Configuration, Definition, Place, lock};
use crate::setup::nix::{AttrPath, Expr};

/// The upstream flake and its options.
const UPSTREAM: &str = "nvidia-sdk";

/// What was seen; nothing is concluded from it here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Where options of `hardware.nvidia-sdk` are set.
    pub sdk_options: Vec<Place>,
    /// Where the flake, or its lock file, has upstream nvidia-sdk as an input.
    pub sdk_inputs: Vec<Place>,
    /// Where a module that declares `hardware.nvidia-sdk` is imported.
    pub sdk_imports: Vec<Place>,
    /// Where packages are handed to the configuration, so that `nixpkgs.config` in a module has no effect or fails.
    pub packages_given: Vec<Place>,
    /// Where whole folders are imported, so that no place for a new file follows from the imports.
    pub import_tree: Vec<Place>,
}

impl Evidence {
    pub(super) fn of(configuration: &Configuration) -> Self {
        let places = |definitions: Vec<&Definition>| {
            definitions.iter().map(|found| found.place.clone()).collect()
        };
        let skipped = |words: &'static [&str]| {
            let parts = configuration.not_followed.iter();
            let parts = parts.filter(move |part| words.iter().all(|word| part.text.contains(word)));
            parts.map(|part| part.place.clone())
        };
        let mut packages_given: Vec<Place> =
            places(configuration.under(&AttrPath::dotted("nixpkgs.pkgs")));
        packages_given.extend(skipped(&["readOnlyPkgs"]));
        packages_given
            .extend(configuration.flake.iter().flat_map(|flake| flake.packages_given.clone()));
        Self {
            sdk_options: places(
                configuration.under(&AttrPath::dotted("hardware").join(&AttrPath::new([UPSTREAM]))),
            ),
            sdk_inputs: sdk_inputs(configuration),
            sdk_imports: skipped(&[UPSTREAM, "nixosModules"]).collect(),
            packages_given,
            import_tree: skipped(&["import-tree"]).collect(),
        }
    }
}

fn sdk_inputs(configuration: &Configuration) -> Vec<Place> {
    let is_upstream = |input: &&Definition| {
        let named = input.path.names().get(1).is_some_and(|name| name == UPSTREAM);
        named
            || matches!(&input.value, Expr::Text(address) if lock::is_repository(address, UPSTREAM))
    };
    let mut found: Vec<_> = configuration
        .flake_inputs
        .iter()
        .filter(is_upstream)
        .map(|input| input.place.clone())
        .collect();
    // The lock file also tells of a flake whose module was named as the entry.
    let first = configuration.files.first().map_or(&configuration.entry.file, |file| &file.path);
    if lock::names_input(first, UPSTREAM) {
        found.push(Place { file: first.with_file_name("flake.lock"), line: 1, column: 1 });
    }
    found
}
