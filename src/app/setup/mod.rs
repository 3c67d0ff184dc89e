//! The tab Setup: what was read of the machine and its configuration, what the user chose, and what follows from it.

mod dialog;
mod evidence;
mod lines;
mod plan;
mod report;
mod sheet;
mod update;

use std::path::PathBuf;

pub use dialog::Dialog;
pub use evidence::shown;
pub use lines::{Kind, Line};
pub use sheet::Sheet;
pub(super) use update::{act, click_menu, click_row, travel, turn_panel};

use super::effect::Effect;
use super::state::List;
use crate::config::Context;
use crate::setup::{Draft, OPTIONS, Plan, SdkOption, Setup};

/// What was read for the tab.
#[derive(Clone, Debug)]
pub struct SetupReading {
    /// The machine, its configuration and the draft, joined.
    pub setup: Setup,
    /// What of the draft does not count, and what else could not be read.
    pub complaints: Vec<String>,
    /// The draft as it is kept.
    pub draft: Draft,
    /// Whether the machine is simulated, so that nothing of it is written.
    pub is_demo: bool,
}

/// What the user agreed to have written.
#[derive(Clone, Debug)]
pub struct SetupOrder {
    /// What the plan was made from.
    pub setup: Setup,
    /// The plan, as it was shown.
    pub plan: Plan,
}

/// Two orders are the same if they write the same.
impl PartialEq for SetupOrder {
    fn eq(&self, other: &Self) -> bool {
        self.plan == other.plan
    }
}

impl Eq for SetupOrder {}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupWritten {
    /// The file, at the end of all links.
    pub path: PathBuf,
    /// Where what it held before is kept.
    pub backup: Option<PathBuf>,
    /// What the user should know of the place.
    pub warnings: Vec<String>,
    /// What to do next, a line each.
    pub steps: Vec<String>,
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupNotWritten {
    /// A sentence that says what to do.
    pub why: String,
    /// The command that puts the file in place, where only the permission for it is missing.
    pub command: Option<String>,
    /// What to do once it is in place, a line each.
    pub steps: Vec<String>,
}

/// How the writing went.
pub type SetupOutcome = Result<SetupWritten, SetupNotWritten>;

/// How far the tab is.
#[derive(Debug, Default)]
pub enum Stage {
    /// Nobody has opened it yet.
    #[default]
    Unread,
    /// It is being read for the first time.
    Reading,
    /// It could not be read, and why.
    Failed(String),
    /// It was read.
    Ready(Box<Sheet>),
}

/// The tab.
#[derive(Debug, Default)]
pub struct SetupTab {
    /// How far it is.
    pub stage: Stage,
    /// The selected option.
    pub options: List,
    /// The first line of the panel that fills the tab.
    pub top: usize,
    /// What is open over it.
    pub dialog: Option<Dialog>,
}

impl SetupTab {
    /// What was read, where it was.
    #[must_use]
    pub fn sheet(&self) -> Option<&Sheet> {
        match &self.stage {
            Stage::Ready(sheet) => Some(sheet),
            _ => None,
        }
    }

    fn sheet_mut(&mut self) -> Option<&mut Sheet> {
        match &mut self.stage {
            Stage::Ready(sheet) => Some(sheet),
            _ => None,
        }
    }

    /// The selected option.
    #[must_use]
    pub fn selected(&self) -> Option<&'static SdkOption> {
        OPTIONS.get(self.options.row(OPTIONS.len())?)
    }

    /// Where keys are looked up first.
    #[must_use]
    pub fn context(&self) -> Context {
        self.dialog.as_ref().map_or(Context::Setup, Dialog::context)
    }

    /// Has the tab read when it is opened for the first time.
    pub(super) fn open(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.stage, Stage::Unread) {
            self.stage = Stage::Reading;
            effects.push(Effect::ReadSetup);
        }
    }

    /// Takes in what was read. A question about what was planned before is no longer asked.
    pub(super) fn read(&mut self, read: Result<SetupReading, String>) {
        self.dialog.take_if(|dialog| matches!(dialog, Dialog::Confirm { .. }));
        self.stage = match read {
            Ok(reading) => Stage::Ready(Box::new(Sheet::new(reading))),
            Err(why) => Stage::Failed(why),
        };
    }

    /// Shows how the writing went, and reads what is there now.
    pub(super) fn written(&mut self, written: SetupOutcome, effects: &mut Vec<Effect>) {
        self.dialog = Some(Dialog::Written { outcome: written, top: 0 });
        effects.push(Effect::ReadSetup);
    }

    /// Closes what is open over the tab, if something is.
    pub(super) fn close(&mut self) -> bool {
        self.dialog.take().is_some()
    }

    /// Takes a character of a line that is typed.
    pub(super) fn type_in(&mut self, c: char) {
        if let Some(Dialog::Users { text, .. }) = &mut self.dialog
            && text.chars().count() < dialog::MOST_LETTERS
        {
            text.push(c);
        }
    }
}
