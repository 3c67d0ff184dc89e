//! How a plan is worked out: row by row, what the user's files have is held against what is wanted.

use std::path::{Path, PathBuf};

use crate::setup::declared::{Configuration, Definition, NewFile, Nowhere};
use crate::setup::model::{Because, Row, Setup};
use crate::setup::nix::{AttrPath, Expr, Marker, Module, Priority};
use crate::setup::options::{Effect, Home};
use crate::setup::settings::{Setting, settings};
use crate::setup::stated::{BRANCH, DRIVERS};
use crate::setup::{Mode, Stated, Value};

use super::theirs::has;
use super::{Change, FilePlan, Outcome, Plan, Refusal};

impl Setup {
    /// Works the plan out. Without a choice of the user's nothing is planned.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let is_changed = |row: &&Row| row.is_changed() && !row.is_settled();
        let changed: Vec<_> = self.rows.iter().filter(is_changed).collect();
        let changes_mode = self.own_mode().is_some_and(|mode| mode != self.mode);
        if changed.is_empty() && !changes_mode {
            return Plan::default();
        }
        let mut planner = Planner::new(self);
        for row in &self.rows {
            planner.row(row);
        }
        planner.without_settings();
        planner.permit();
        // The two modes take different drivers where none is named.
        let changes_driver =
            changes_mode || changed.iter().any(|row| row.option.effect == Effect::Boot);
        // Switching would also bring what waits for a boot: a driver that was built before, or that is declared and
        // not built yet.
        let at_boot =
            changes_driver || self.waits_for_boot() || !self.facts.generations.pending().is_empty();
        planner.finish(at_boot)
    }
}

pub(super) struct Planner<'a> {
    pub(super) setup: &'a Setup,
    pub(super) plan: Plan,
    /// The keys of our own file in order.
    pub(super) keys: Vec<(AttrPath, Expr, Priority)>,
    /// The lists of our own file in order.
    pub(super) lists: Vec<(AttrPath, Vec<Expr>)>,
}

impl<'a> Planner<'a> {
    fn new(setup: &'a Setup) -> Self {
        let mut planner =
            Self { setup, plan: Plan::default(), keys: Vec::new(), lists: Vec::new() };
        planner.refuse_clashes();
        planner
    }

    pub(super) fn configuration(&self) -> Option<&'a Configuration> {
        self.setup.configuration.as_deref()
    }

    /// The options of one module without it, or of both.
    fn refuse_clashes(&mut self) {
        let Some(configuration) = self.configuration() else { return };
        let evidence = configuration.evidence();
        // An input is imported by nobody, unless by what was not read.
        let is_likely =
            !evidence.sdk_inputs.is_empty() || self.setup.facts.cuda.sdk_file.fact.is_ok();
        let has_upstream =
            !evidence.sdk_imports.is_empty() || is_likely && !configuration.not_followed.is_empty();
        let theirs = evidence.sdk_options.iter().find(|place| self.setup.is_theirs(place));
        match (self.setup.mode, theirs) {
            (Mode::Snippet, None) if !has_upstream => self.plan.refusals.push(Refusal::NoUpstream),
            (Mode::Standalone, Some(place)) => {
                self.plan.refusals.push(Refusal::HasUpstream(place.clone()));
            }
            _ => {}
        }
    }

    /// Takes a row in, if it is to be written: what the user chose and what that needs, what our own file has, and what
    /// a whole module says in any case.
    fn row(&mut self, row: &Row) {
        let is_new = matches!(row.wanted, Some((_, Because::Chosen | Because::Needed)));
        if !is_new && !self.is_in_own_file(row) && !self.is_said_in_any_case(row) {
            return;
        }
        let default = || match (self.setup.mode, &row.stated) {
            (Mode::Snippet, Stated::NotFound { .. }) => Some(row.option.upstream?.value()),
            _ => None,
        };
        // What runs is no reason to differ from what upstream takes by itself.
        let said = row.wanted.as_ref().filter(|(_, because)| *because != Because::Running);
        let wanted = row.wanted.as_ref().map(|(value, _)| value.clone());
        let value = said.map(|(value, _)| value.clone()).or_else(default).or(wanted);
        let Some(value) = value else { return };
        for home in row.option.homes(self.setup.mode) {
            for setting in settings(home, &value, self.setup.release) {
                if !self.is_half_of_a_pair(row, home, &setting) {
                    self.setting(row.option.path, setting);
                }
            }
        }
        self.dropped(row, &value);
    }

    /// Whether it is a variable that goes with another one, which the user's files set to something else: the two of
    /// them would name different toolkits.
    fn is_half_of_a_pair(&self, row: &Row, home: &Home, setting: &Setting) -> bool {
        const VARIABLES: &str = "environment.variables.";
        let is_variable =
            |home: &&Home| matches!(home, Home::Along(path, _) if path.starts_with(VARIABLES));
        let Setting::Key(key, value) = setting else { return false };
        is_variable(&home)
            && self.theirs(key).is_none()
            && row.option.homes(self.setup.mode).iter().filter(is_variable).any(|other| {
                let Home::Along(path, _) = other else { return false };
                let theirs = self.theirs(&AttrPath::dotted(path));
                theirs.is_some_and(|theirs| theirs.value.as_ref() != Some(value))
            })
    }

    pub(super) fn is_in_own_file(&self, row: &Row) -> bool {
        self.setup.is_in_own_file(row)
    }

    /// The kernel module goes with the driver; a module for upstream's options shows all of them.
    fn is_said_in_any_case(&self, row: &Row) -> bool {
        match self.setup.mode {
            Mode::Standalone => {
                row.option.path == "driver.open" && self.setup.says_module_of_driver()
            }
            Mode::Snippet => {
                let enable = self.setup.row("enable");
                let is_ours = |row: &Row| row.is_changed() || self.is_in_own_file(row);
                row.option.upstream.is_some() && enable.is_some_and(is_ours)
            }
        }
    }

    /// What was chosen before and is not any more, among several.
    fn dropped(&mut self, row: &Row, value: &Value) {
        let (Stated::Value { value: Value::List(before), .. }, Value::List(now)) =
            (&row.stated, value)
        else {
            return;
        };
        let gone: Vec<_> = before.iter().filter(|word| !now.contains(word)).cloned().collect();
        for home in row.option.homes(self.setup.mode) {
            for setting in settings(home, &Value::List(gone.clone()), self.setup.release) {
                if let Setting::Element(list, element) = setting {
                    self.setting(row.option.path, Setting::NoElement(list, element));
                }
            }
        }
    }

    fn setting(&mut self, option: &'static str, setting: Setting) {
        match setting {
            Setting::Key(key, value) => self.key(option, key, value),
            Setting::Element(list, element) => self.element(option, list, element),
            Setting::NoElement(list, element) => self.no_element(option, list, &element),
        }
    }

    pub(super) fn outcome(&mut self, option: &'static str, key: AttrPath, outcome: Outcome) {
        let change = Change { option, key, outcome };
        if !self.plan.changes.contains(&change) {
            self.plan.changes.push(change);
        }
    }

    /// A key that the user's files set is theirs; another goes into our own file.
    pub(super) fn key(&mut self, option: &'static str, key: AttrPath, value: Expr) {
        let (key, value) = self.as_they_name_it(key, value);
        let outcome = match self.theirs(&key) {
            None => {
                // Several options may need the same.
                if !self.keys.iter().any(|(known, ..)| *known == key) {
                    let priority = priority(&key);
                    self.keys.push((key.clone(), value, priority));
                }
                Outcome::Written
            }
            Some(theirs) if theirs.value.as_ref() == Some(&value) => Outcome::Declared,
            Some(theirs) => self.to_replace(theirs.shown, &key, &value),
        };
        self.outcome(option, key, outcome);
    }

    /// Who names the driver by its package keeps to that, and the other way round: nixpkgs would not heed the other.
    fn as_they_name_it(&self, key: AttrPath, value: Expr) -> (AttrPath, Expr) {
        let [package, branch] = ["hardware.nvidia.package", BRANCH].map(AttrPath::dotted);
        match &value {
            Expr::Text(name) if key == branch && self.theirs(&package).is_some() => {
                let package_of = AttrPath::dotted(DRIVERS).join(&AttrPath::new([name]));
                (package, Expr::Name(package_of))
            }
            Expr::Name(name) if key == package && self.theirs(&branch).is_some() => {
                (branch, Expr::Text(name.names().last().cloned().unwrap_or_default()))
            }
            _ => (key, value),
        }
    }

    /// Lists of the same priority join; beside one of another priority an element would be dropped, or drop theirs.
    pub(super) fn element(&mut self, option: &'static str, list: AttrPath, element: Expr) {
        let theirs = self.their_definitions(&list);
        let strongest = theirs.iter().map(|found| found.priority).min();
        let counts = |found: &&&Definition| {
            !found.conditional && Some(found.priority) == strongest && found.path == list
        };
        let other = theirs.iter().find(|found| found.priority != Priority::PLAIN);
        let outcome =
            if theirs.iter().filter(counts).any(|found| has(found, &element, self.setup.mode)) {
                Outcome::Declared
            } else if let Some(other) = other {
                self.to_change(other, format!("add {element} to {list}"))
            } else {
                match self.lists.iter_mut().find(|(path, _)| *path == list) {
                    Some((_, elements)) if elements.contains(&element) => {}
                    Some((_, elements)) => elements.push(element),
                    None => self.lists.push((list.clone(), vec![element])),
                }
                Outcome::Written
            };
        self.outcome(option, list, outcome);
    }

    /// An element leaves our own file by not being written again; out of theirs the user takes it.
    fn no_element(&mut self, option: &'static str, list: AttrPath, element: &Expr) {
        let theirs = self.their_definitions(&list);
        let outcome = match theirs.into_iter().find(|found| has(found, element, self.setup.mode)) {
            Some(found) => self.to_change(found, format!("take {element} out of {list}")),
            None if self.setup.own_file().is_some() => Outcome::Written,
            None => return,
        };
        self.outcome(option, list, outcome);
    }

    /// A machine that shows nothing has no use for the program that sets displays, which nixpkgs adds to the driver.
    fn without_settings(&mut self) {
        const DISPLAYS: &[&str] = &[
            "services.xserver.enable",
            "services.xserver.displayManager",
            "services.xserver.desktopManager",
            "services.displayManager",
            "services.desktopManager",
            "services.greetd",
            "programs.sway",
            "programs.hyprland",
        ];
        let enable = self.setup.row("enable").filter(|_| self.setup.is_said("enable"));
        let is_ours = enable.is_some_and(|row| row.is_changed() || self.is_in_own_file(row));
        let has_display = |read: &Configuration| {
            DISPLAYS.iter().any(|path| !read.under(&AttrPath::dotted(path)).is_empty())
        };
        let system = &self.setup.facts.system;
        let is_headless = system.is_nixos()
            && system.display_manager.is_false()
            && !self.setup.is_partly_read()
            && !self.configuration().is_some_and(has_display);
        if self.setup.mode == Mode::Standalone && is_ours && is_headless {
            let key = AttrPath::dotted("hardware.nvidia.nvidiaSettings");
            self.key("enable", key, Expr::Bool(false));
        }
    }

    /// Upstream turns 32-bit graphics on everywhere, which only `x86_64` has.
    fn without_32_bit(&mut self) {
        let is_arm = self.setup.machine().as_deref() == Some("aarch64");
        let is_empty = self.keys.is_empty() && self.lists.is_empty();
        if self.setup.mode == Mode::Snippet && is_arm && !is_empty {
            let key = AttrPath::dotted("hardware.graphics.enable32Bit");
            if self.theirs(&key).is_none() {
                self.keys.push((key, Expr::Bool(false), Priority::FORCE));
            }
        }
    }

    /// The file with everything that was gathered.
    fn finish(mut self, at_boot: bool) -> Plan {
        self.plan.at_boot = at_boot;
        self.without_32_bit();
        if self.keys.is_empty() && self.lists.is_empty() && self.setup.own_file().is_none() {
            return self.plan;
        }
        let after = match self.text() {
            Ok(text) => text,
            Err(why) => {
                self.plan.refusals.push(Refusal::Unwritable(why));
                return self.plan;
            }
        };
        let (path, importer, before) = self.place();
        if before.as_deref() != Some(&after) {
            let was_read = before.is_none() || self.setup.own_file().is_some();
            if let (Ok(path), Some(importer), false) = (&path, &importer, was_read) {
                self.plan.refusals.push(Refusal::NotImported(path.clone(), importer.clone()));
            }
            let shared = path.as_deref().ok().and_then(|path| self.shared(path));
            self.plan.refusals.extend(shared);
            self.plan.file = Some(FilePlan { path, importer, before, after });
        }
        self.plan
    }

    /// A file that other hosts have counts for machines that are not known.
    fn shared(&self, file: &Path) -> Option<Refusal> {
        let hosts = self.configuration()?.other_hosts_with(file);
        (!hosts.is_empty())
            .then(|| Refusal::Shared { file: file.to_owned(), hosts: hosts.join(", ") })
    }

    fn text(&self) -> Result<String, String> {
        let about = match self.setup.mode {
            Mode::Standalone => {
                "NVIDIA's SDK on this machine, written by nvsdk-top; import it in your configuration."
            }
            Mode::Snippet => {
                "NVIDIA's SDK on this machine, written by nvsdk-top for the upstream module."
            }
        };
        let mut module = Module::new(self.setup.mode, &[about]).map_err(|why| why.to_string())?;
        for (key, value, priority) in &self.keys {
            let set = module.set(key.clone(), value.clone(), *priority);
            set.map_err(|why| why.to_string())?;
        }
        for (list, elements) in &self.lists {
            let set = module.set(list.clone(), Expr::List(elements.clone()), Priority::PLAIN);
            set.map_err(|why| why.to_string())?;
        }
        Ok(module.to_string())
    }

    /// Where the file belongs, who has to import it, and what is there now.
    fn place(&mut self) -> (Result<PathBuf, Nowhere>, Option<PathBuf>, Option<String>) {
        let Some(configuration) = self.configuration() else {
            return (Err(Nowhere::NothingRead), None, None);
        };
        if let Some(own) = self.setup.own_file() {
            let importer = self.setup.not_imported().map(|own| own.importer.clone());
            return (Ok(own.path.clone()), importer, Some(own.text.clone()));
        }
        let (file, importer) = match configuration.new_file() {
            NewFile::Ours(path) => (path, None),
            NewFile::Beside { file, importer } => (file, Some(importer)),
            NewFile::Nowhere(why) => return (Err(why), None, None),
        };
        let read = configuration.file(&file).map(|file| file.text.as_str());
        let importer = importer.filter(|_| read.is_none());
        let before = read.or(self.setup.found_file.as_deref()).map(str::to_owned);
        // What is the user's is read like the other files, and not written over.
        let refusal = match before.as_deref().map(Marker::read) {
            Some(None) => Some(Refusal::Foreign(file.clone())),
            Some(Some(own)) if own.is_hand_edited => Some(Refusal::HandEdited(file.clone())),
            None | Some(Some(_)) => None,
        };
        let importer = importer.filter(|_| refusal.is_none());
        self.plan.refusals.extend(refusal);
        (Ok(file), importer, before)
    }
}

/// The configuration of nixpkgs is no set of options: a priority would be taken for its value.
fn priority(key: &AttrPath) -> Priority {
    let is_nixpkgs = key.names().first().is_some_and(|name| name == "nixpkgs");
    if is_nixpkgs { Priority::PLAIN } else { Priority::OWN }
}
