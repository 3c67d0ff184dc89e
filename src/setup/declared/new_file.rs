//! Where a file of our own belongs in a configuration.

use super::{Configuration, Place, SourceFile};
use std::path::PathBuf;

/// The name of the file.
const NAME: &str = "nvsdk-top.nix";
/// The module that the installer writes for the machine itself.
const HARDWARE: &str = "hardware-configuration.nix";

/// Where a file of our own belongs. A folder that is not there is never proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewFile {
    /// It is there already, and imported.
    Ours(PathBuf),
    /// Here, beside the file that would import it.
    Beside {
        /// The file to write.
        file: PathBuf,
        /// The module that the line for the import belongs in.
        importer: PathBuf,
    },
    /// No place follows from the configuration.
    Nowhere(Nowhere),
}

/// Why no place follows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nowhere {
    /// Whole folders are imported there.
    #[error("{0} imports whole folders of modules; say with -o where the file belongs")]
    ImportTree(Place),
    /// The flake's modules do not tell which of them belongs to the host.
    #[error("no module that was read imports the hardware's; say with -o where the file belongs")]
    NoHostFile,
    /// No module was read.
    #[error(
        "no configuration was read; name it with --config or --flake, or say with -o where the file belongs"
    )]
    NothingRead,
}

impl Configuration {
    /// Where a file of our own belongs: where one is already, else beside the module that imports the hardware's, else
    /// beside the first module.
    #[must_use]
    pub fn new_file(&self) -> NewFile {
        if let Some(file) = self.files.iter().find(|file| file.marker.is_some()) {
            return NewFile::Ours(file.path.clone());
        }
        if let Some(place) = self.evidence().import_tree.into_iter().next() {
            return NewFile::Nowhere(Nowhere::ImportTree(place));
        }
        let imports_hardware = |file: &&SourceFile| {
            file.imports.iter().any(|import| import.written.ends_with(HARDWARE))
        };
        let is_main = |file: &&SourceFile| file.path.ends_with("configuration.nix");
        let modules = || self.files.iter().filter(|file| !self.is_flake(file));
        let first = self.files.first();
        let importer = modules()
            .find(imports_hardware)
            .or_else(|| modules().find(is_main))
            // A flake may import the hardware's module itself; what lies beside a flake may belong to any host.
            .or_else(|| first.filter(|file| !self.is_flake(file) || imports_hardware(file)));
        match importer {
            Some(importer) => NewFile::Beside {
                file: importer.path.with_file_name(NAME),
                importer: importer.path.clone(),
            },
            None => NewFile::Nowhere(if first.is_some() {
                Nowhere::NoHostFile
            } else {
                Nowhere::NothingRead
            }),
        }
    }

    fn is_flake(&self, file: &SourceFile) -> bool {
        self.entry.is_flake && self.files.first().is_some_and(|first| first.path == file.path)
    }
}
