//! Which key does what: read from a file, and looked up from the inner context to the outer.

use std::fmt;

use toml::de::DeTable;

use super::action::{Action, Context};
use super::keys::KeyChord;

const DEFAULT: &str = include_str!("../../assets/keymap.toml");

/// A key that does something in a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Where.
    pub context: Context,
    /// The key.
    pub chord: KeyChord,
    /// What it does.
    pub action: Action,
}

/// All bindings, in the order of their file; an action's first key is the one to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap(Vec<Binding>);

/// Something in a keymap file that does not count, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The line, counted from 1, where one line is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "keymap, line {line}: {}", self.message),
            None => write!(f, "keymap: {}", self.message),
        }
    }
}

impl Default for Keymap {
    /// The keys that the program comes with.
    fn default() -> Self {
        Self::parse(DEFAULT).0
    }
}

impl Keymap {
    /// Reads a keymap file; what is wrong in it is left out.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Vec<Warning>) {
        let mut keymap = Self(Vec::new());
        let (entries, mut warnings) = entries(text);
        for Entry { line, context, key, action } in entries {
            match keymap.binding(&context, &key, action.as_deref()) {
                Ok(binding) => keymap.0.push(binding),
                Err(message) => warnings.push(Warning { line: Some(line), message }),
            }
        }
        let without_key =
            Action::ALL.iter().filter(|action| keymap.keys(**action).next().is_none());
        warnings.extend(without_key.map(|action| Warning {
            line: None,
            message: format!("no key does {:?}", action.spec().id),
        }));
        (keymap, warnings)
    }

    /// What a key does in a context or, if nothing, in those around it.
    #[must_use]
    pub fn lookup(&self, context: Context, chord: KeyChord) -> Option<Action> {
        context.chain().find_map(|context| self.bound(context, chord))
    }

    /// The keys that do something in a context, with what they do: its own first, without those that an inner context
    /// has taken for something else.
    pub fn acting_in(&self, context: Context) -> impl Iterator<Item = Binding> {
        let rows = context.chain().flat_map(|context| {
            self.0.iter().copied().filter(move |binding| binding.context == context)
        });
        rows.filter(move |row| self.lookup(context, row.chord) == Some(row.action))
    }

    /// The keys that do this anywhere.
    pub fn keys(&self, action: Action) -> impl Iterator<Item = Binding> {
        self.0.iter().copied().filter(move |binding| binding.action == action)
    }

    fn bound(&self, context: Context, chord: KeyChord) -> Option<Action> {
        let mut bindings = self.0.iter();
        let found = bindings.find(|known| known.context == context && known.chord == chord);
        found.map(|binding| binding.action)
    }

    /// The binding that a line asks for, or why there can be none.
    fn binding(&self, context: &str, key: &str, action: Option<&str>) -> Result<Binding, String> {
        let context = Context::named(context)
            .ok_or_else(|| format!("keys have no context {context:?}; there are {}", contexts()))?;
        let chord: KeyChord =
            key.parse().map_err(|error: super::KeyChordError| error.to_string())?;
        let action = action.ok_or_else(|| format!("{key:?} wants the name of an action"))?;
        let action =
            Action::named(action).ok_or_else(|| format!("there is no action {action:?}"))?;
        let spec = action.spec();
        if !context.chain().any(|context| context == spec.context) {
            return Err(format!("{:?} does nothing in {:?}", spec.id, context.id()));
        }
        match self.bound(context, chord) {
            Some(other) => Err(format!("{key:?} already does {:?}", other.spec().id)),
            None => Ok(Binding { context, chord, action }),
        }
    }
}

fn contexts() -> String {
    Context::ALL.iter().map(|context| context.id()).collect::<Vec<_>>().join(", ")
}

/// A line of a keymap file, as it is written.
struct Entry {
    line: usize,
    context: String,
    key: String,
    /// None where it is not a text.
    action: Option<String>,
}

/// The lines of a keymap file in their order, and what is wrong with it as TOML.
fn entries(text: &str) -> (Vec<Entry>, Vec<Warning>) {
    let line = |start: usize| 1 + text.get(..start).unwrap_or(text).matches('\n').count();
    let (sections, errors) = DeTable::parse_recoverable(text);
    let errors = errors.iter().map(|error| Warning {
        line: error.span().map(|span| line(span.start)),
        message: error.message().to_owned(),
    });
    let mut warnings: Vec<_> = errors.collect();
    let mut entries = Vec::new();
    for (context, section) in sections.get_ref() {
        let Some(keys) = section.get_ref().as_table() else {
            let line = Some(line(context.span().start));
            let message = format!("{:?} is not a table of keys", context.get_ref());
            warnings.push(Warning { line, message });
            continue;
        };
        entries.extend(keys.iter().map(|(key, action)| Entry {
            line: line(key.span().start),
            context: context.get_ref().to_string(),
            key: key.get_ref().to_string(),
            action: action.get_ref().as_str().map(str::to_owned),
        }));
    }
    // toml sorts keys by their text.
    entries.sort_by_key(|entry| entry.line);
    (entries, warnings)
}

#[cfg(test)]
mod tests {
    use super::{Action, Context, DEFAULT, Keymap};
    use proptest::prelude::*;

    fn look(keymap: &Keymap, context: Context, key: &str) -> Option<Action> {
        keymap.lookup(context, key.parse().unwrap())
    }

    #[test]
    fn the_default_has_nothing_wrong() {
        let (keymap, warnings) = Keymap::parse(DEFAULT);
        assert_eq!(warnings, []);
        assert_eq!(keymap, Keymap::default());
    }

    #[test]
    fn every_action_can_be_reached_where_it_acts() {
        let keymap = Keymap::default();
        for &action in Action::ALL {
            let context = action.spec().context;
            assert!(keymap.acting_in(context).any(|row| row.action == action), "{action:?}");
        }
    }

    #[test]
    fn the_inner_context_goes_first() {
        let keymap = Keymap::default();
        assert_eq!(look(&keymap, Context::Overview, "q"), Some(Action::Quit));
        assert_eq!(look(&keymap, Context::Help, "q"), Some(Action::Back));
        assert_eq!(look(&keymap, Context::Overview, "F6"), Some(Action::SortMenu));
        assert_eq!(look(&keymap, Context::Gpu, "F6"), None);
        assert!(keymap.acting_in(Context::Help).all(|row| row.action != Action::Help));
        let first = |action| keymap.keys(action).next().unwrap().chord.to_string();
        assert_eq!([Action::Quit, Action::Help, Action::Down].map(first), ["q", "F1", "down"]);
    }

    #[test]
    fn escape_never_leaves() {
        let keymap = Keymap::default();
        for &context in Context::ALL {
            assert_eq!(look(&keymap, context, "esc"), Some(Action::Back));
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let (keymap, warnings) = Keymap::parse(
            "x = 1\n[global]\nq = \"quit\"\nqq = \"quit\"\nw = \"fly\"\ne = 3\nF6 = \"sort_menu\"\n\
             S-tab = \"up\"\nq = \"down\"\n[cellar]\nq = \"quit\"\n[overview]\nF6 = \"sort_menu\"\n",
        );
        assert_eq!(keymap.0.len(), 3, "{keymap:?}");
        assert_eq!(look(&keymap, Context::Overview, "F6"), Some(Action::SortMenu));
        let starts = [
            "keymap, line 1: \"x\" is not a table",
            "keymap, line 4: \"qq\" is no key",
            "keymap, line 5: there is no action \"fly\"",
            "keymap, line 6: \"e\" wants the name",
            "keymap, line 7: \"sort_menu\" does nothing in \"global\"",
            "keymap, line 9: duplicate key",
            "keymap, line 11: keys have no context \"cellar\"; there are global, processes,",
            "keymap: no key does \"help\"",
        ];
        let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        for start in starts {
            assert!(warnings.iter().any(|one| one.starts_with(start)), "{start}: {warnings:#?}");
        }
        assert_eq!(warnings.len(), 7 + Action::ALL.len() - 3);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([a-zF0-9\"= \\[\\]\n😀-]|global|quit){0,40}") {
            let _ = Keymap::parse(&text);
        }
    }
}
