//! Setup with what follows from it, worked out once per change.

use std::collections::BTreeMap;
use std::path::Path;

use super::{SetupOrder, SetupReading};
use crate::setup::next::{Done, Entry, Step, WrittenFile, steps};
use crate::setup::{
    Because, DiffLine, Draft, Effect, Finding, Mode, OPTIONS, Plan, Release, Row, SdkOption, Setup,
    Severity, Value, diff,
};

/// As many changes as can be taken back.
const MOST_UNDONE: usize = 200;

/// Everything that the tab shows.
#[derive(Debug)]
pub struct Sheet {
    /// What runs, what is declared and what is wanted.
    pub setup: Setup,
    /// What closes the difference.
    pub plan: Plan,
    /// What speaks against it.
    pub findings: Vec<Finding>,
    /// What the plan changes in its file.
    pub diff: Vec<DiffLine>,
    /// What could not be read.
    pub complaints: Vec<String>,
    /// Whether the machine is simulated.
    pub is_demo: bool,
    /// The draft as it was read.
    kept: Draft,
    /// Whose options were to be written when it was read.
    mode_read: Mode,
    /// What was chosen before each change.
    undone: Vec<Choices>,
}

/// What the user chose.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choices {
    chosen: BTreeMap<&'static str, Value>,
    mode: Mode,
    release: Release,
}

impl Sheet {
    pub(super) fn new(reading: SetupReading) -> Self {
        let SetupReading { setup, complaints, draft, is_demo } = reading;
        let mut sheet = Self {
            mode_read: setup.mode,
            setup,
            plan: Plan::default(),
            findings: Vec::new(),
            diff: Vec::new(),
            complaints,
            is_demo,
            kept: draft,
            undone: Vec::new(),
        };
        sheet.work_out();
        sheet
    }

    fn work_out(&mut self) {
        self.plan = self.setup.plan();
        self.findings = self.setup.findings();
        self.diff = self.plan.file.as_ref().map_or_else(Vec::new, |file| {
            diff(file.before.as_deref().unwrap_or_default(), &file.after)
        });
    }

    fn choices(&self) -> Choices {
        let Setup { chosen, mode, release, .. } = &self.setup;
        Choices { chosen: chosen.clone(), mode: *mode, release: *release }
    }

    /// Changes something in a way that can be taken back; says whether something changed.
    fn change(
        &mut self,
        change: impl FnOnce(&mut Setup) -> Result<(), String>,
    ) -> Result<bool, String> {
        let before = self.choices();
        change(&mut self.setup)?;
        if self.choices() == before {
            return Ok(false);
        }
        if self.undone.len() == MOST_UNDONE {
            self.undone.remove(0);
        }
        self.undone.push(before);
        self.work_out();
        Ok(true)
    }

    /// Chooses a value. One that is wanted without a choice is none.
    pub(super) fn choose(&mut self, option: &SdkOption, value: Value) -> Result<bool, String> {
        self.change(|setup| {
            option.check(&value)?;
            setup.forget(option.path);
            let wanted = setup.row(option.path).and_then(|row| row.wanted.as_ref());
            if wanted.is_some_and(|(wanted, _)| *wanted == value) {
                return Ok(());
            }
            setup.choose(option.path, value)
        })
    }

    /// Takes a choice back.
    pub(super) fn forget(&mut self, option: &SdkOption) -> bool {
        let forgotten = self.change(|setup| {
            setup.forget(option.path);
            Ok(())
        });
        forgotten == Ok(true)
    }

    /// Writes another kind of module.
    pub(super) fn turn_mode(&mut self) {
        let here = Mode::ALL.iter().position(|mode| *mode == self.setup.mode).unwrap_or(0);
        let next = Mode::ALL[(here + 1) % Mode::ALL.len()];
        // Another mode is always a change.
        let _ = self.change(|setup| {
            setup.set_mode(next);
            Ok(())
        });
    }

    /// Takes the last change back, if there is one.
    pub(super) fn undo(&mut self) -> bool {
        let Some(Choices { chosen, mode, release }) = self.undone.pop() else { return false };
        self.setup.chosen = chosen;
        self.setup.release = release;
        self.setup.set_mode(mode);
        self.work_out();
        true
    }

    /// What is kept for another day.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let mut values = self.setup.draft().values;
        let kept = &self.kept.values;
        if self.setup.mode != self.mode_read || kept.contains_key(Setup::MODE) {
            let word = Value::Text(self.setup.mode.word().to_owned());
            values.insert(Setup::MODE.to_owned(), word);
        }
        if let Some(release) = kept.get(Setup::RELEASE) {
            values.insert(Setup::RELEASE.to_owned(), release.clone());
        }
        Draft { entry: self.kept.entry.clone(), values }
    }

    /// The row of an option.
    #[must_use]
    pub fn row(&self, option: &SdkOption) -> Option<&Row> {
        self.setup.row(option.path)
    }

    /// What speaks against an option as it is wanted.
    pub fn findings_of(&self, option: &SdkOption) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.option == option.path)
    }

    /// What has to be mended before anything is written.
    pub(super) fn obstacles(&self) -> Vec<String> {
        let refusals = self.plan.refusals.iter().map(ToString::to_string);
        let errors = self.findings.iter().filter(|finding| finding.severity == Severity::Error);
        let errors = errors.map(|finding| format!("{}: {}", finding.option, finding.sentence));
        let place = self.plan.file.as_ref().and_then(|file| file.path.as_ref().err());
        let unread = self.setup.configuration.iter().flat_map(|read| &read.problems);
        let unread = unread.map(ToString::to_string);
        refusals.chain(errors).chain(place.map(ToString::to_string)).chain(unread).collect()
    }

    /// What writing the plan comes to; nothing where nothing may be written.
    pub(super) fn order(&self) -> Option<SetupOrder> {
        let may_be = self.plan.file.is_some() && self.obstacles().is_empty();
        may_be.then(|| SetupOrder { setup: self.setup.clone(), plan: self.plan.clone() })
    }

    /// The configuration, as what to do next names it.
    fn entry_of_steps(&self) -> Option<Entry> {
        let read = self.setup.configuration.as_deref()?;
        let file = &read.entry.file;
        if !read.entry.is_flake {
            return Some(Entry::File(file.clone()));
        }
        let host = read.flake.as_ref().and_then(|flake| flake.host.clone());
        let host =
            host.or_else(|| read.entry.host.clone()).or_else(|| read.entry.this_host.clone());
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        Some(Entry::Flake { folder, host: host.unwrap_or_default() })
    }

    /// What will be to do after the plan is written, or is still to do where nothing imports our file; whether git has
    /// to hear of it shows when it is written.
    pub(super) fn steps(&self) -> Vec<Step> {
        let planned = self.plan.file.as_ref().filter(|_| self.obstacles().is_empty());
        let planned = planned.and_then(|file| {
            Some((file.path.clone().ok()?, file.before.is_none(), file.importer.clone()))
        });
        let unimported = self.setup.not_imported().filter(|_| self.plan.file.is_none());
        let left = unimported.map(|own| (own.file.clone(), false, Some(own.importer.clone())));
        let (Some((path, is_new, import_into)), Some(entry), Some(read)) =
            (planned.or(left), self.entry_of_steps(), self.setup.configuration.as_deref())
        else {
            return Vec::new();
        };
        let has_list = import_into.as_ref().is_some_and(|importer| read.has_imports(importer));
        let written = WrittenFile { path, is_new, work_tree: None, import_into, has_list };
        let waits_for_boot =
            |row: &Row| row.option.effect == Effect::Boot && row.need(&self.setup.facts).is_some();
        let at_boot = self.plan.at_boot || self.setup.rows.iter().any(waits_for_boot);
        steps(&Done {
            entry: &entry,
            host: None,
            files: &[written],
            at_boot,
            tools: &[],
            is_remote: read.is_of_another_host(),
            is_elsewhere: self.setup.facts.system.is_elsewhere(),
        })
    }

    /// Why nothing is to be written, in a sentence; nothing where it is not even known what is declared.
    pub(super) fn nothing_to_write(&self) -> Option<&'static str> {
        let read = self.setup.configuration.as_deref()?;
        if !read.problems.is_empty() || !self.plan.refusals.is_empty() {
            return None;
        }
        let is_open =
            |row: &Row| matches!(row.wanted, Some((_, because)) if because != Because::Declared);
        Some(if self.setup.rows.iter().any(Row::is_changed) {
            "Nothing to write: what you chose comes to nothing here."
        } else if self.setup.rows.iter().any(is_open) {
            "Nothing to write: nothing is chosen that is not declared."
        } else {
            "Nothing to write: what is wanted is declared."
        })
    }

    /// The options that are declared as wanted and wait for a rebuild or a reboot.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&'static str, crate::setup::Need)> {
        let rows = OPTIONS.iter().filter_map(|option| self.row(option));
        rows.filter_map(|row| Some((row.option.path, row.need(&self.setup.facts)?)))
    }
}
