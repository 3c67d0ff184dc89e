//! Setup as a whole: for each option what runs, what is declared and what is wanted, and what closes the difference.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::declared::{Configuration, NotImported, Place, SourceFile};
use super::facts::Facts;
use super::options::{Home, OPTIONS, SdkOption};
use super::{Draft, Mode, Release, Running, Stated, Value};
use crate::model::Architecture;

/// Why an option is wanted as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// The user said so.
    Chosen,
    /// It is declared so.
    Declared,
    /// It runs so, and nothing declares it.
    Running,
    /// What the user chose would not evaluate without it.
    Needed,
}

/// An option of this machine.
#[derive(Clone, Debug)]
pub struct Row {
    /// The option.
    pub option: &'static SdkOption,
    /// What runs.
    pub running: Running,
    /// What is declared.
    pub stated: Stated,
    /// What is wanted, and why; nothing where nobody said anything and nothing runs that is a value.
    pub wanted: Option<(Value, Because)>,
}

impl Row {
    /// Whether the user wants something else than what is declared.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        matches!(self.wanted, Some((_, Because::Chosen)))
    }

    /// Whether what runs is not what is wanted.
    #[must_use]
    pub fn differs(&self) -> bool {
        // What permits unfree packages leaves no trace in what runs but that they run.
        let is_traceless = self.option.homes(Mode::Standalone).contains(&Home::Unfree);
        match (&self.running.value, &self.wanted) {
            (Some(running), Some((wanted, _))) => !is_traceless && running != wanted,
            _ => false,
        }
    }

    /// Whether the user chose that nothing is to be there where nothing was found: then there is nothing to declare.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let nothing = match &self.wanted {
            Some((Value::Bool(on), Because::Chosen)) => !on,
            Some((Value::List(words), Because::Chosen)) => words.is_empty(),
            _ => false,
        };
        nothing
            && matches!(self.stated, Stated::NotFound { .. })
            && self.option.standalone.first().is_some_and(Home::is_list)
    }
}

/// Everything that Setup knows of one machine and one configuration.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What was found out about the machine.
    pub facts: Arc<Facts>,
    /// The configuration; none was found on most machines without NixOS.
    pub configuration: Option<Arc<Configuration>>,
    /// The text of the file that would be written, where it is there and was not read with the configuration.
    pub found_file: Option<Arc<str>>,
    /// The git work tree that the planned file is in, or would be in.
    pub work_tree: Option<PathBuf>,
    /// Whose options are written.
    pub mode: Mode,
    /// The release that is written for.
    pub release: Release,
    /// Whether nothing names the release: neither the user, nor the flake, nor the system that runs.
    pub is_release_guessed: bool,
    /// What the user chose, by option; a choice that is declared by now is no choice.
    pub chosen: BTreeMap<&'static str, Value>,
    /// The options.
    pub rows: Vec<Row>,
}

impl Setup {
    /// The path by which a draft chooses the release.
    pub const RELEASE: &'static str = "release";
    /// The path by which a draft chooses the mode.
    pub const MODE: &'static str = "mode";

    /// Joins what was read with what the user chose. What a draft has that is no option, or not its value, is told.
    #[must_use]
    pub fn new(
        facts: Arc<Facts>,
        configuration: Option<Arc<Configuration>>,
        draft: &Draft,
    ) -> (Self, Vec<String>) {
        let distribution = facts.system.distribution.known();
        let version = distribution.map_or("", |distribution| &distribution.version_id);
        let mode = configuration.as_deref().map_or(Mode::Standalone, |read| detected(read, &facts));
        let flakes = configuration.as_deref().and_then(Configuration::nixpkgs_branch);
        let flakes = flakes.and_then(|branch| Release::of_branch(&branch));
        let is_flake = configuration.as_deref().is_some_and(|read| read.entry.is_flake);
        let is_release_guessed = flakes.is_none() && (is_flake || !facts.system.is_nixos());
        let mut setup = Self {
            is_release_guessed,
            release: flakes.unwrap_or_else(|| Release::of_version(version)),
            facts,
            configuration,
            found_file: None,
            work_tree: None,
            mode,
            chosen: BTreeMap::new(),
            rows: Vec::new(),
        };
        let mut complaints = Vec::new();
        for (path, value) in &draft.values {
            if let Err(complaint) = setup.take(path, value.clone()) {
                complaints.push(complaint);
            }
        }
        setup.refresh();
        (setup, complaints)
    }

    /// Chooses a value.
    ///
    /// # Errors
    /// A sentence about a path that is none, or a value that the option does not have.
    pub fn choose(&mut self, path: &str, value: Value) -> Result<(), String> {
        self.take(path, value)?;
        self.refresh();
        Ok(())
    }

    /// Takes a choice back; the option is wanted as declared again.
    pub fn forget(&mut self, path: &str) {
        self.chosen.remove(path);
        self.refresh();
    }

    /// Writes another kind of module.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        self.refresh();
    }

    fn take(&mut self, path: &str, value: Value) -> Result<(), String> {
        match (path, &value) {
            (Self::RELEASE, Value::Text(name)) => {
                let known = Release::ALL.into_iter().find(|release| release.name() == name);
                self.release = known.ok_or("release is one of: 25.11, 26.05")?;
                self.is_release_guessed = false;
                return Ok(());
            }
            (Self::MODE, Value::Text(word)) => {
                let known = Mode::ALL.into_iter().find(|mode| mode.word() == word);
                self.mode = known.ok_or("mode is one of: standalone, snippet")?;
                return Ok(());
            }
            _ => {}
        }
        let Some(option) = super::option(path) else {
            let paths: Vec<_> = OPTIONS.iter().map(|option| option.path).collect();
            return Err(format!(
                "there is no option {path}; the options are: {}",
                paths.join(", ")
            ));
        };
        option.check(&value)?;
        self.chosen.insert(option.path, value);
        Ok(())
    }

    /// Works the rows out anew.
    fn refresh(&mut self) {
        self.rows = OPTIONS.iter().map(|option| self.worked_out(option)).collect();
        let read = self.configuration.as_deref();
        let is_unread = read.is_some_and(|read| read.instead_of_modules().is_some());
        let is_whole = !self.is_partly_read();
        for (path, value) in self.needed() {
            let open = self.rows.iter_mut().find(|row| {
                let is_open = match row.wanted {
                    None => is_unread || matches!(row.stated, Stated::NotFound { .. }),
                    // What permits a driver that runs is not there, where all was read.
                    Some((_, Because::Running)) => path == "unfree" && is_whole,
                    Some(_) => false,
                };
                row.option.path == path && is_open
            });
            if let Some(row) = open {
                row.wanted = Some((value, Because::Needed));
            }
        }
    }

    fn worked_out(&self, option: &'static SdkOption) -> Row {
        let running = (option.running)(&self.facts);
        let stated = self.stated(option);
        let chosen = self.chosen.get(option.path).filter(|value| Some(*value) != stated.value());
        let wanted = chosen
            .map(|value| (value.clone(), Because::Chosen))
            .or_else(|| Some((stated.value()?.clone(), Because::Declared)))
            .or_else(|| {
                // What is set to something that cannot be told is not to be guessed from what runs.
                let is_open = matches!(stated, Stated::NotFound { .. });
                let value = running.value.clone().filter(|_| is_open)?;
                Some((value, Because::Running))
            });
        Row { option, running, stated, wanted }
    }

    /// What is declared of an option; what our own file says in the other mode is said again in this one.
    fn stated(&self, option: &SdkOption) -> Stated {
        let Some(read) = self.configuration.as_deref() else {
            return Stated::NotFound { files_read: 0, imports_not_followed: 0 };
        };
        if let Some(part) = read.instead_of_modules() {
            return Stated::Unknown { text: part.text, place: part.place };
        }
        let here = Stated::of(read, option, self.mode);
        let other = self.own_mode().filter(|mode| *mode != self.mode);
        match (&here, other) {
            (Stated::NotFound { .. }, Some(mode)) => Stated::of(read, option, mode),
            (Stated::NotFound { .. }, None) => self.upstreams(read, option).unwrap_or(here),
            _ => here,
        }
    }

    /// What the upstream module takes by itself, where it is on.
    fn upstreams(&self, read: &Configuration, option: &SdkOption) -> Option<Stated> {
        let default = option.upstream.filter(|_| self.mode == Mode::Snippet)?;
        let enable = Stated::of(read, super::option("enable")?, self.mode);
        (enable.value() == Some(&Value::Bool(true)))
            .then(|| Stated::Value { value: default.value(), places: Vec::new() })
    }

    /// What a choice makes necessary, where nothing else says it.
    fn needed(&self) -> Vec<(&'static str, Value)> {
        let mut needed = Vec::new();
        if self.brings_unfree() {
            needed.push(("unfree", Value::Text("list".to_owned())));
        }
        if self.rows.iter().any(Row::is_changed) && self.has_driver() {
            let any = |is_it: fn(Architecture) -> bool| {
                let mut known = self.driven_gpus().filter_map(|gpu| gpu.architecture.known());
                known.any(|it| is_it(it.name))
            };
            let needs_open = any(|it| it >= Architecture::BLACKWELL);
            let is_older = any(|it| it < Architecture::TURING);
            let has_open = self.branch().is_none_or(|branch| branch.has_open);
            let open = has_open && (needs_open || !is_older);
            needed.push(("driver.open", Value::Bool(open)));
        }
        needed
    }

    /// The file that this program wrote and nobody changed since.
    #[must_use]
    pub fn own_file(&self) -> Option<&SourceFile> {
        let files = self.configuration.as_deref().map_or(&[][..], |read| &read.files);
        files.iter().find(|file| file.marker.is_some_and(|own| !own.is_hand_edited))
    }

    /// Our own file, where nothing imports it yet.
    #[must_use]
    pub fn not_imported(&self) -> Option<&NotImported> {
        self.configuration.as_deref()?.not_imported.as_ref()
    }

    /// The mode that our own file was written in.
    pub(super) fn own_mode(&self) -> Option<Mode> {
        Some(self.own_file()?.marker?.mode)
    }

    /// Whether a place is in a file that the user wrote, or changed.
    pub(super) fn is_theirs(&self, place: &Place) -> bool {
        self.own_file().is_none_or(|own| own.path != place.file)
    }

    /// The row of an option.
    #[must_use]
    pub fn row(&self, path: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.option.path == path)
    }

    /// What the user wants that is not declared yet, to be kept for another day.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let changed = self.rows.iter().filter(|row| row.is_changed());
        let values = changed.filter_map(|row| {
            let (value, _) = row.wanted.clone()?;
            Some((row.option.path.to_owned(), value))
        });
        Draft { entry: None, values: values.collect() }
    }
}

/// Whose options a configuration uses already: those that our own file was written with, else upstream's where
/// anything of it is there.
fn detected(configuration: &Configuration, facts: &Facts) -> Mode {
    let marker = configuration.files.iter().find_map(|file| file.marker);
    if let Some(marker) = marker {
        return marker.mode;
    }
    let evidence = configuration.evidence();
    let has_upstream = !evidence.sdk_options.is_empty()
        || !evidence.sdk_inputs.is_empty()
        || !evidence.sdk_imports.is_empty()
        || facts.cuda.sdk_file.fact.is_ok();
    if has_upstream { Mode::Snippet } else { Mode::Standalone }
}
