//! All files of a configuration that can be reached, read once.

use super::file::SourceFile;
use super::flake::{self, Flake};
use super::module::Reader;
use super::resolve::{plain, resolve};
use super::{Definition, Entry, Evidence, NotFollowed, NotImported, Place, Problem, lock};
use crate::setup::nix::{AttrPath, Expr, parse};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most files.
    pub files: usize,
    /// The most bytes of one file.
    pub bytes: u64,
    /// The most bytes of all files together; the file that passes it is the last one.
    pub bytes_together: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 500, bytes: 1 << 20, bytes_together: 1 << 24 }
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
    /// The folder of the flake that the entry lies in, where it is a module.
    pub flake_above: Option<PathBuf>,
    /// The files that could not be read or understood.
    pub problems: Vec<Problem>,
    /// The imports and other parts that were not followed.
    pub not_followed: Vec<NotFollowed>,
    /// The file of ours that was read although nothing imports it.
    pub not_imported: Option<NotImported>,
    /// What is set below `inputs` of the flake.
    pub(super) flake_inputs: Vec<Definition>,
    definitions: BTreeMap<AttrPath, Vec<Definition>>,
    other_hosts: Vec<(String, Vec<PathBuf>)>,
}

/// How many hosts of a flake are looked at beside the one that is meant.
const MOST_HOSTS: usize = 32;

impl Configuration {
    /// Reads the entry, what it imports, and our own file beside it. Nothing of it is evaluated, nothing is waited for,
    /// and a file that cannot be read leaves the others as they are.
    #[must_use]
    pub fn read(entry: &Entry, limits: Limits) -> Self {
        let mut configuration = Self::of_host(entry, limits);
        configuration.read_other_hosts(limits);
        configuration.look_for_flake();
        configuration
    }

    /// Reads the files of the flake's other hosts. One whose modules are not written out, or one too many, is as little
    /// known as those that a function makes.
    fn read_other_hosts(&mut self, limits: Limits) {
        let Some(flake) = self.flake.as_mut().filter(|flake| flake.host.is_some()) else { return };
        let others = flake.hosts.iter().filter(|name| Some(*name) != flake.host.as_ref());
        let mut unread = None;
        for (number, name) in others.enumerate() {
            if number == MOST_HOSTS {
                unread = Some(self.entry.place());
                break;
            }
            let entry = Entry { host: Some(name.clone()), ..self.entry.clone() };
            let read = Self::of_host(&entry, limits);
            unread = unread.or(read.instead_of_modules().map(|part| part.place));
            let files = read.files.into_iter().skip(1);
            self.other_hosts.push((name.clone(), files.map(|file| file.resolved).collect()));
        }
        flake.unlisted_hosts = flake.unlisted_hosts.take().or(unread);
    }

    /// A flake above the entry may make other hosts of the same files.
    fn look_for_flake(&mut self) {
        let Some(first) = self.files.first().filter(|_| !self.entry.is_flake) else { return };
        let mut above = first.resolved.ancestors().skip(1);
        let has_flake = |folder: &&Path| folder.join("flake.nix").is_file();
        self.flake_above = above.find(has_flake).map(Path::to_owned);
    }

    /// The other hosts of the flake that this file is a part of, as far as they are written out.
    #[must_use]
    pub fn other_hosts_with(&self, file: &Path) -> Vec<&str> {
        let resolved = self.file(file).map_or(file, |file| &file.resolved);
        let with = self
            .other_hosts
            .iter()
            .filter(|(_, files)| files.iter().any(|known| known == resolved));
        with.map(|(name, _)| name.as_str()).collect()
    }

    /// Whether a folder has modules of other hosts that are none of this one's.
    pub(super) fn is_shared_folder(&self, folder: &Path) -> bool {
        let is_ours = |file: &Path| self.files.iter().any(|known| known.resolved == file);
        let mut files = self.other_hosts.iter().flat_map(|(_, files)| files);
        files.any(|file| file.parent() == Some(folder) && !is_ours(file))
    }

    fn of_host(entry: &Entry, limits: Limits) -> Self {
        let mut configuration = Self::new(entry);
        let mut waiting = VecDeque::from([(entry.file.clone(), entry.place())]);
        while let Some((path, place)) = waiting.pop_front() {
            if let Some(why) = configuration.is_full(limits) {
                let text = path.display().to_string();
                configuration.not_followed.push(NotFollowed { place, text, why });
                continue;
            }
            match configuration.take(&path, limits) {
                Ok(imports) => waiting.extend(imports),
                Err(problem) if configuration.problems.contains(&problem) => {}
                Err(problem) => configuration.problems.push(problem),
            }
        }
        configuration.take_not_imported(limits);
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
            flake_above: None,
            problems: Vec::new(),
            not_followed: Vec::new(),
            not_imported: None,
            flake_inputs: Vec::new(),
            definitions: BTreeMap::new(),
            other_hosts: Vec::new(),
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

    /// The branch of nixpkgs that the flake is made with, as its input says it, else its lock file.
    #[must_use]
    pub fn nixpkgs_branch(&self) -> Option<String> {
        const BRANCHES: &[&str] = &["nixos-", "nixpkgs-", "release-"];
        let path = AttrPath::dotted("inputs.nixpkgs.url");
        let input = self.flake_inputs.iter().find(|input| input.path == path);
        let is_branch =
            |part: &&str| part.contains('-') && BRANCHES.iter().any(|it| part.starts_with(it));
        let address = input.and_then(|input| match &input.value {
            Expr::Text(address) => {
                address.split(['/', '?', '&', '=']).find(is_branch).map(str::to_owned)
            }
            _ => None,
        });
        let first = self.files.first().filter(|_| self.entry.is_flake)?;
        address.or_else(|| lock::nixpkgs_branch(&first.path))
    }

    /// What stands in the flake where no host's modules were found, so that nothing is known of any option.
    #[must_use]
    pub fn instead_of_modules(&self) -> Option<NotFollowed> {
        let has_host = self.flake.as_ref().is_some_and(|flake| flake.host.is_some());
        let is_open = self.files.len() == 1 && self.definitions.is_empty();
        let has_modules = has_host && (!is_open || self.not_followed.is_empty());
        if !self.entry.is_flake || has_modules || self.files.is_empty() {
            return None;
        }
        let whole = || NotFollowed {
            place: self.entry.place(),
            text: self.entry.to_string(),
            why: "the host that is called for is not written out in it",
        };
        Some(self.not_followed.first().cloned().unwrap_or_else(whole))
    }

    /// Whether a file lies in a folder of which every file is imported (import-tree), by whatever it is taken for there.
    #[must_use]
    pub fn is_below_import_tree(&self, path: &Path) -> bool {
        const IMPORT: &str = "import-tree";
        let resolved = |path: &Path| path.canonicalize().unwrap_or_else(|_| plain(path));
        let folder = |part: &NotFollowed, after: &str| {
            let end = |c: char| c.is_whitespace() || "()[];".contains(c);
            let written = after.trim_start().split(end).next()?;
            let is_path = written.starts_with(['.', '/']);
            is_path.then(|| resolved(&self.target(&part.place.file, Path::new(written))))
        };
        let parts = self.not_followed.iter();
        let mut folders = parts.flat_map(|part| {
            part.text.split(IMPORT).skip(1).filter_map(move |after| folder(part, after))
        });
        let above = path.parent().map(resolved).unwrap_or_default();
        folders.any(|folder| above.starts_with(folder))
    }

    /// The file that was reached by this path.
    #[must_use]
    pub fn file(&self, path: &Path) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Why no further file is read.
    fn is_full(&self, limits: Limits) -> Option<&'static str> {
        let bytes: u64 = self.files.iter().map(|file| file.text.len() as u64).sum();
        if self.files.len() + self.problems.len() >= limits.files {
            Some("too many files were read before it")
        } else if bytes >= limits.bytes_together {
            Some("too much was read before it")
        } else {
            None
        }
    }

    /// Reads one file; returns what it imports.
    fn take(&mut self, path: &Path, limits: Limits) -> Result<Vec<(PathBuf, Place)>, Problem> {
        let path = resolve(path)?;
        self.add(SourceFile::read(path, limits.bytes)?)
    }

    /// Takes in a file; returns what it imports.
    pub(super) fn add(&mut self, mut file: SourceFile) -> Result<Vec<(PathBuf, Place)>, Problem> {
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
