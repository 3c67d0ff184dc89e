//! All files of a configuration that can be reached, read once.

use super::file::SourceFile;
use super::flake::{self, Flake};
use super::module::Reader;
use super::resolve::{plain, resolve};
use super::{Definition, Entry, Evidence, NotFollowed, Place, Problem};
use crate::setup::nix::{AttrPath, parse};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most files.
    pub files: usize,
    /// The most bytes of one file.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 500, bytes: 1 << 20 }
    }
}

/// What was read of a configuration, beginning at its entry.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Where it begins.
    pub entry: Entry,
    /// The files that were read, in the order they were reached.
    pub files: Vec<SourceFile>,
    /// What the flake says, where the entry is one.
    pub flake: Option<Flake>,
    /// The files that could not be read or understood.
    pub problems: Vec<Problem>,
    /// The imports and other parts that were not followed.
    pub not_followed: Vec<NotFollowed>,
    /// What is set below `inputs` of the flake.
    pub(super) flake_inputs: Vec<Definition>,
    definitions: BTreeMap<AttrPath, Vec<Definition>>,
}

impl Configuration {
    /// Reads the entry and what it imports. Nothing of it is evaluated, nothing is waited for, and a file that cannot
    /// be read leaves the others as they are.
    #[must_use]
    pub fn read(entry: &Entry, limits: Limits) -> Self {
        let mut configuration = Self::new(entry);
        let mut waiting = VecDeque::from([(entry.file.clone(), entry.place())]);
        while let Some((path, place)) = waiting.pop_front() {
            if configuration.files.len() + configuration.problems.len() >= limits.files {
                let text = path.display().to_string();
                configuration.not_followed.push(NotFollowed {
                    place,
                    text,
                    why: "too many files were read before it",
                });
                continue;
            }
            match configuration.take(&path, limits) {
                Ok(imports) => waiting.extend(imports),
                Err(problem) if configuration.problems.contains(&problem) => {}
                Err(problem) => configuration.problems.push(problem),
            }
        }
        configuration
    }

    /// A configuration of these files, for machines that are not this one; each is a path and a text, and what they
    /// import is not looked for elsewhere.
    pub(in crate::setup) fn of_texts(entry: &Entry, files: &[(&str, &str)]) -> Self {
        let mut configuration = Self::new(entry);
        for ((path, text), number) in files.iter().zip(0..) {
            let file = SourceFile::of_text(PathBuf::from(path), (*text).to_owned(), number);
            if let Err(problem) = configuration.add(file) {
                configuration.problems.push(problem);
            }
        }
        configuration
    }

    fn new(entry: &Entry) -> Self {
        Self {
            entry: entry.clone(),
            files: Vec::new(),
            flake: None,
            problems: Vec::new(),
            not_followed: Vec::new(),
            flake_inputs: Vec::new(),
            definitions: BTreeMap::new(),
        }
    }

    /// Every definition of this option, and every one of a set that holds it whose content cannot be told, in the order
    /// of the files.
    #[must_use]
    pub fn definitions(&self, path: &AttrPath) -> Vec<&Definition> {
        let names = path.names();
        let above = (1..=names.len()).filter_map(|length| names.get(..length));
        above
            .filter_map(|names| self.definitions.get(&AttrPath::new(names.iter().cloned())))
            .flatten()
            .collect()
    }

    /// Every definition of this option and of what lies below it, by path.
    #[must_use]
    pub fn under(&self, path: &AttrPath) -> Vec<&Definition> {
        let from = self.definitions.range(path.clone()..);
        from.take_while(|(found, _)| found.below(path).is_some())
            .flat_map(|(_, definitions)| definitions)
            .collect()
    }

    /// What tells which kind of module belongs in this configuration.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        Evidence::of(self)
    }

    /// The file that was reached by this path.
    #[must_use]
    pub fn file(&self, path: &Path) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Reads one file; returns what it imports.
    fn take(&mut self, path: &Path, limits: Limits) -> Result<Vec<(PathBuf, Place)>, Problem> {
        let path = resolve(path)?;
        self.add(SourceFile::read(path, limits.bytes)?)
    }

    /// Takes in a file; returns what it imports.
    fn add(&mut self, mut file: SourceFile) -> Result<Vec<(PathBuf, Place)>, Problem> {
        if self.files.iter().any(|known| known.stamp.identity == file.stamp.identity) {
            return Ok(Vec::new());
        }
        let root = parse(&file.text).map_err(|error| Problem::Syntax {
            path: file.path.clone(),
            position: error.position,
            what: error.what,
        })?;
        let mut reader = Reader::new(&file);
        let mut flake = Ok(None);
        if self.files.is_empty() && self.entry.is_flake {
            let (host, this_host) = (self.entry.host.as_deref(), self.entry.this_host.as_deref());
            flake = flake::read(&mut reader, &root, host, this_host).map(Some);
            self.flake_inputs = root.expr().map(|expr| inputs(&file, &expr)).unwrap_or_default();
        } else if let Some(expr) = root.expr() {
            reader.module(&expr);
        }
        let taken = reader.taken;
        for definition in taken.definitions {
            self.definitions.entry(definition.path.clone()).or_default().push(definition);
        }
        self.not_followed.extend(taken.not_followed);
        let imports = taken.imports.iter();
        let imports = imports
            .map(|import| (self.target(&file.path, &import.written), import.place.clone()))
            .collect();
        file.imports = taken.imports;
        self.files.push(file);
        match flake {
            Ok(flake) => self.flake = self.flake.take().or(flake),
            Err(problem) => self.problems.push(problem),
        }
        Ok(imports)
    }

    /// The file that a path in another one means.
    fn target(&self, from: &Path, written: &Path) -> PathBuf {
        if written.is_absolute() {
            return self.entry.sysroot.path(plain(written));
        }
        from.parent().map_or_else(|| written.to_owned(), |folder| folder.join(written))
    }
}

/// What a flake sets below `inputs`.
fn inputs(file: &SourceFile, expr: &rnix::ast::Expr) -> Vec<Definition> {
    let mut reader = Reader::new(file);
    reader.set(expr);
    let mut definitions = reader.taken.definitions;
    definitions
        .retain(|definition| definition.path.names().first().is_some_and(|name| name == "inputs"));
    definitions
}
