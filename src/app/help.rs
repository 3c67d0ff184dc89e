//! The lines of the help: what each key does here, made from the keymap.

use crate::config::{Action, Context};

use super::state::State;

/// A line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpLine {
    /// Where the keys beneath act.
    Title(&'static str),
    /// Keys, and what they do.
    Keys(String, Action),
}

impl State {
    /// The keys that act in what lies below the dialogs: its own first, then those that act everywhere.
    #[must_use]
    pub fn help_lines(&self) -> Vec<HelpLine> {
        let page = self.page();
        page.chain().flat_map(|context| self.help_section(page, context)).collect()
    }

    fn help_section(&self, page: Context, context: Context) -> Vec<HelpLine> {
        let acts = |action: &Action| page != Context::NoDriver || !action.needs_gpus();
        let of_context = Action::ALL.iter().filter(|action| action.spec().context == context);
        let of_context = of_context.copied().filter(acts);
        let keys = |action: Action| {
            let rows = self.keymap.acting_in(page).filter(move |row| row.action == action);
            rows.map(|row| row.chord.to_string()).collect::<Vec<_>>().join(" ")
        };
        let lines = of_context.map(|action| HelpLine::Keys(keys(action), action));
        let mut lines: Vec<_> = lines
            .filter(|line| !matches!(line, HelpLine::Keys(keys, _) if keys.is_empty()))
            .collect();
        if !lines.is_empty() {
            lines.insert(0, HelpLine::Title(context.title()));
        }
        lines
    }

    /// The first line of the help when its end is shown; header, footer and frame take two rows each.
    pub(super) fn last_help_top(&self) -> usize {
        self.help_lines().len().saturating_sub(usize::from(self.size.1.saturating_sub(4)))
    }
}
