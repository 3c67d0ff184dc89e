//! Setup with what follows from it, worked out once per change.

use std::collections::BTreeMap;

use super::{SetupOrder, SetupReading};
use crate::setup::next::{Import, Step, WrittenFile, after};
use crate::setup::{
    Because, DiffLine, Draft, Finding, Mode, OPTIONS, Plan, Release, Row, SdkOption, Setup, Value,
    diff,
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
    /// The release that was to be written for when it was read.
    release_read: Release,
    /// What was chosen before each change.
    undone: Vec<Choices>,
}

/// What the user chose.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Choices {
    chosen: BTreeMap<&'static str, Value>,
    mode: Mode,
    release: Release,
    is_release_guessed: bool,
}

impl Sheet {
    pub(super) fn new(reading: SetupReading) -> Self {
        let SetupReading { setup, complaints, draft, is_demo } = reading;
        let mut sheet = Self {
            mode_read: setup.mode,
            release_read: setup.release,
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
        let Setup { chosen, mode, release, is_release_guessed, .. } = &self.setup;
        let (mode, release, is_release_guessed) = (*mode, *release, *is_release_guessed);
        Choices { chosen: chosen.clone(), mode, release, is_release_guessed }
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

    /// Writes for another release.
    pub(super) fn turn_release(&mut self) {
        let here = Release::ALL.iter().position(|release| *release == self.setup.release);
        let next = Release::ALL[here.map_or(0, |here| (here + 1) % Release::ALL.len())];
        // Another release is always a change.
        let _ =
            self.change(|setup| setup.choose(Setup::RELEASE, Value::Text(next.name().to_owned())));
    }

    /// Takes the last change back, if there is one.
    pub(super) fn undo(&mut self) -> bool {
        let Some(Choices { chosen, mode, release, is_release_guessed }) = self.undone.pop() else {
            return false;
        };
        self.setup.chosen = chosen;
        self.setup.release = release;
        self.setup.is_release_guessed = is_release_guessed;
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
        if self.setup.release != self.release_read || kept.contains_key(Setup::RELEASE) {
            let name = Value::Text(self.setup.release.name().to_owned());
            values.insert(Setup::RELEASE.to_owned(), name);
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
        self.setup.objections(&self.plan, true)
    }

    /// What writing the plan comes to; nothing where nothing may be written.
    pub(super) fn order(&self) -> Option<SetupOrder> {
        let may_be = self.plan.file.is_some() && self.obstacles().is_empty();
        may_be.then(|| SetupOrder { setup: self.setup.clone(), plan: self.plan.clone() })
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
        let (Some((path, is_new, importer)), Some(read)) =
            (planned.or(left), self.setup.configuration.as_deref())
        else {
            return Vec::new();
        };
        let import = importer.map_or(Import::Done, |file| {
            let has_list = read.has_imports(&file);
            Import::Into { file, has_list }
        });
        let written = WrittenFile {
            path,
            is_new,
            work_tree: self.setup.work_tree.clone(),
            is_ignored: false,
            import,
        };
        after(&self.setup, &self.plan, written, &[])
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
        rows.filter_map(|row| Some((row.option.path, self.setup.need(row)?)))
    }
}
