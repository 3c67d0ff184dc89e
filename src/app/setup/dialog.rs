//! What is open over the tab Setup.

use super::SetupOutcome;
use crate::config::Context;
use crate::setup::SdkOption;

/// The longest line that is typed.
pub(super) const MOST_LETTERS: usize = 400;

/// A dialog.
#[derive(Clone, Debug)]
pub enum Dialog {
    /// The words of an option, of which one is taken.
    Choices {
        /// The option.
        option: &'static SdkOption,
        /// Its words.
        words: &'static [&'static str],
        /// The selected word.
        cursor: usize,
    },
    /// The words of an option, of which any are taken.
    Marks {
        /// The option.
        option: &'static SdkOption,
        /// Its words.
        words: &'static [&'static str],
        /// The selected word.
        cursor: usize,
        /// The words that are marked.
        marked: Vec<String>,
    },
    /// A line for the names of users.
    Users {
        /// The option.
        option: &'static SdkOption,
        /// What was typed.
        text: String,
        /// What is wrong with it.
        complaint: Option<String>,
    },
    /// What would be written, line by line.
    Diff {
        /// The first line that is shown.
        top: usize,
    },
    /// The same, with the question whether to write it.
    Confirm {
        /// The first line that is shown.
        top: usize,
    },
    /// Why nothing is written.
    Refused {
        /// The first line that is shown.
        top: usize,
    },
    /// It is being written.
    Writing,
    /// It was written, or not.
    Written {
        /// How it went.
        outcome: SetupOutcome,
        /// The first line that is shown.
        top: usize,
    },
}

impl Dialog {
    /// Where keys are looked up first.
    #[must_use]
    pub fn context(&self) -> Context {
        match self {
            Self::Choices { .. } | Self::Marks { .. } => Context::Menu,
            Self::Users { .. } => Context::Entry,
            Self::Confirm { .. } => Context::Confirm,
            Self::Diff { .. } | Self::Refused { .. } | Self::Writing | Self::Written { .. } => {
                Context::Report
            }
        }
    }

    /// What stands above it.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Choices { option, .. }
            | Self::Marks { option, .. }
            | Self::Users { option, .. } => option.path,
            Self::Diff { .. } => "What would be written",
            Self::Confirm { .. } => "Write this?",
            Self::Refused { .. } => "Nothing is written",
            Self::Writing => "Writing",
            Self::Written { outcome: Ok(_), .. } => "Written",
            Self::Written { outcome: Err(_), .. } => "Not written",
        }
    }
}
