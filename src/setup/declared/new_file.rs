//! Where a file of our own belongs in a configuration.

use super::resolve::resolve;
use super::{Configuration, Limits, Place, SourceFile};
use std::path::{Path, PathBuf};

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

/// A file of ours that nobody changed and nothing imports. It is read as if it were imported, so that nothing of it is
/// lost when it is written again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is there and nothing imports it; add it to {} in {}", file.display(), list_of(importer), importer.display())]
pub struct NotImported {
    /// The file.
    pub file: PathBuf,
    /// The module that the line for the import belongs in.
    pub importer: PathBuf,
}

/// The attribute of a module, or of a flake, that lists what is imported.
pub(in crate::setup) fn list_of(importer: &Path) -> &'static str {
    if importer.ends_with("flake.nix") { "modules" } else { "imports" }
}

impl Configuration {
    /// Reads the file of ours that lies in its place without being imported.
    pub(super) fn take_not_imported(&mut self, limits: Limits) {
        // Where a flake has several hosts, another one may import it.
        if self.flake.as_ref().is_some_and(|flake| flake.hosts.len() > 1) {
            return;
        }
        let NewFile::Beside { file, importer } = self.new_file() else { return };
        let read = resolve(&file).and_then(|path| SourceFile::read(path, limits.bytes));
        let is_ours = |file: &SourceFile| file.marker.is_some_and(|own| !own.is_hand_edited);
        let Some(own) = read.ok().filter(is_ours) else { return };
        let file = own.path.clone();
        if self.add(own).is_ok() {
            self.not_imported = Some(NotImported { file, importer });
        }
    }

    /// Where a file of our own belongs: where one is already, else beside the module that imports the hardware's, else
    /// beside the first module, else, where other hosts have these too, beside the flake.
    #[must_use]
    pub fn new_file(&self) -> NewFile {
        // One that was changed by hand is the user's, and in the way only where it has the name of ours.
        let is_ours = |file: &&SourceFile| file.marker.is_some_and(|own| !own.is_hand_edited);
        if let Some(file) = self.files.iter().find(is_ours) {
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
        let is_shared = |file: &&SourceFile| !self.other_hosts_with(&file.path).is_empty();
        let own_modules = || modules().filter(|file| !is_shared(file));
        let first = self.files.first();
        let is_entry = |file: &&SourceFile| {
            let has_shared = self.is_of_a_host() && modules().any(|file| is_shared(&file));
            !self.is_flake(file) || imports_hardware(file) || has_shared
        };
        let importer = own_modules()
            .find(imports_hardware)
            .or_else(|| own_modules().find(is_main))
            // A flake may import the hardware's module itself, and what a host has alone stands in the flake; else what
            // lies beside a flake may belong to any host.
            .or_else(|| first.filter(is_entry));
        match importer {
            Some(importer) => NewFile::Beside {
                file: importer.path.with_file_name(self.own_name(importer)),
                importer: importer.path.clone(),
            },
            None => NewFile::Nowhere(if first.is_some() {
                Nowhere::NoHostFile
            } else {
                Nowhere::NothingRead
            }),
        }
    }

    /// The file that an import of a file elsewhere belongs in, where one can be told: a flake lists the modules of a host.
    #[must_use]
    pub fn importer(&self) -> Option<PathBuf> {
        match self.new_file() {
            NewFile::Beside { importer, .. } => Some(importer),
            NewFile::Ours(_) | NewFile::Nowhere(_) => {
                self.files.first().filter(|_| self.is_of_a_host()).map(|file| file.path.clone())
            }
        }
    }

    /// Whether the modules of one host of a flake were read.
    fn is_of_a_host(&self) -> bool {
        self.entry.is_flake && self.flake.as_ref().is_some_and(|flake| flake.host.is_some())
    }

    /// Whether a file that was read imports others by a written path, so that it has a list to add to.
    #[must_use]
    pub fn has_imports(&self, importer: &Path) -> bool {
        self.file(importer).is_some_and(|file| !file.imports.is_empty())
    }

    /// What the file is called: after the host where modules of several lie beside each other.
    fn own_name(&self, importer: &SourceFile) -> String {
        let host = self.flake.as_ref().and_then(|flake| flake.host.as_deref());
        let is_plain =
            |host: &&str| host.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        let folder = importer.resolved.parent();
        let has_others = self.flake.as_ref().is_some_and(|flake| flake.hosts.len() > 1);
        let is_shared = folder.is_some_and(|folder| self.is_shared_folder(folder))
            || self.is_flake(importer) && has_others;
        match host.filter(is_plain) {
            Some(host) if is_shared => format!("nvsdk-top-{host}.nix"),
            _ => NAME.to_owned(),
        }
    }

    fn is_flake(&self, file: &SourceFile) -> bool {
        self.entry.is_flake && self.files.first().is_some_and(|first| first.path == file.path)
    }
}
