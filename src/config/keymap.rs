//! Which key does what, looked up from the inner context to the outer.

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

impl Default for Keymap {
    /// The keys that the program comes with.
    fn default() -> Self {
        Self(bindings(DEFAULT))
    }
}

impl Keymap {
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

    /// The key to show for what can be done in a context.
    #[must_use]
    pub fn acting_key(&self, context: Context, action: Action) -> Option<Binding> {
        let mut rows = context.chain().flat_map(|context| {
            self.keys(action).filter(move |binding| binding.context == context)
        });
        rows.find(|row| self.lookup(context, row.chord) == Some(action))
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
}

/// The bindings of the program's own keymap in the order of its lines; a test holds that nothing in it is wrong.
fn bindings(text: &str) -> Vec<Binding> {
    let sections = DeTable::parse(text).map(toml::Spanned::into_inner).unwrap_or_default();
    let mut bindings = Vec::new();
    for (context, section) in &sections {
        let context = Context::named(context.get_ref());
        for (key, action) in section.get_ref().as_table().into_iter().flatten() {
            let action = action.get_ref().as_str().and_then(Action::named);
            let chord = key.get_ref().parse().ok();
            let binding = context.zip(chord).zip(action);
            bindings.extend(binding.map(|((context, chord), action)| {
                // toml sorts keys by their text.
                (key.span().start, Binding { context, chord, action })
            }));
        }
    }
    bindings.sort_by_key(|(start, _)| *start);
    bindings.into_iter().map(|(_, binding)| binding).collect()
}

#[cfg(test)]
mod tests {
    use super::{Action, Context, DEFAULT, Keymap};

    fn look(keymap: &Keymap, context: Context, key: &str) -> Option<Action> {
        keymap.lookup(context, key.parse().unwrap())
    }

    #[test]
    fn every_line_of_the_keymap_is_one_binding() {
        let keymap = Keymap::default();
        let lines = DEFAULT.lines().filter(|line| line.starts_with('"'));
        assert_eq!(keymap.0.len(), lines.clone().count());
        for (binding, line) in keymap.0.iter().zip(lines) {
            assert!(line.ends_with(&format!("= \"{}\"", binding.action.spec().id)), "{line}");
            assert_eq!(
                keymap.lookup(binding.context, binding.chord),
                Some(binding.action),
                "{line}"
            );
            // An action does nothing where its own context is not looked at.
            let own = binding.action.spec().context;
            assert!(binding.context.chain().any(|context| context == own), "{line}");
        }
    }

    #[test]
    fn every_action_can_be_reached_where_it_acts() {
        let keymap = Keymap::default();
        for &action in Action::ALL {
            let inner = Context::ALL
                .iter()
                .filter(|context| context.chain().any(|outer| outer == action.spec().context));
            let mut rows = inner.flat_map(|context| keymap.acting_in(*context));
            assert!(rows.any(|row| row.action == action), "{action:?}");
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
}
