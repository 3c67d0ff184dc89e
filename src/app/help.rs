//! The lines of the help: what each key does here, made from the keymap.

use crate::config::{Action, Context};
use crate::model::wrapped;

use super::state::State;

/// The help's cells, with its frame, where there is room for them.
pub const HELP_WIDTH: u16 = 80;

/// A line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelpLine {
    /// Where the keys beneath act.
    Title(&'static str),
    /// Keys and what they do, or what of both found no room in the line above.
    Keys {
        /// The keys.
        keys: String,
        /// What they do.
        text: String,
        /// The action that they stand for.
        action: Action,
    },
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
        let rows = of_context.map(|action| (keys(action), action));
        let rows = rows.filter(|(keys, _)| !keys.is_empty());
        let mut lines: Vec<_> =
            rows.flat_map(|(keys, action)| self.wrapped_help(&keys, action)).collect();
        if !lines.is_empty() {
            lines.insert(0, HelpLine::Title(context.title()));
        }
        lines
    }

    /// The lines that an action takes.
    fn wrapped_help(&self, keys: &str, action: Action) -> Vec<HelpLine> {
        let (keys_width, text_width) = self.help_columns();
        let lines =
            |text: &str, width: u16| wrapped(text, usize::from(width).max(1)).collect::<Vec<_>>();
        let (keys, text) = (lines(keys, keys_width), lines(action.spec().doc, text_width));
        let line = |lines: &[String], number: usize| lines.get(number).cloned().unwrap_or_default();
        let numbers = 0..keys.len().max(text.len());
        let lines = numbers.map(|number| HelpLine::Keys {
            keys: line(&keys, number),
            text: line(&text, number),
            action,
        });
        lines.collect()
    }

    /// The cells for the keys and, behind one that stays empty, for what they do.
    #[must_use]
    pub fn help_columns(&self) -> (u16, u16) {
        let inside = self.size.0.min(HELP_WIDTH).saturating_sub(2);
        let keys = if inside < 60 { 14 } else { 18 }.min(inside);
        (keys, (inside - keys).saturating_sub(1))
    }

    /// The first line of the help when its end is shown; header, footer and frame take two rows each.
    pub(super) fn last_help_top(&self) -> usize {
        self.help_lines().len().saturating_sub(usize::from(self.size.1.saturating_sub(4)))
    }
}
