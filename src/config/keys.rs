//! A key with its modifiers, and how it is written.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, such as `q`, `F1`, `C-z`, `S-tab` or `{`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyChord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// The keys that have no character of their own, and their names.
const NAMES: [(&str, KeyCode); 15] = [
    ("space", KeyCode::Char(' ')),
    ("tab", KeyCode::Tab),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("backspace", KeyCode::Backspace),
    ("insert", KeyCode::Insert),
    ("delete", KeyCode::Delete),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
];

/// The modifiers in the order in which they are written.
const MODIFIERS: [(&str, KeyModifiers); 3] =
    [("C-", KeyModifiers::CONTROL), ("A-", KeyModifiers::ALT), ("S-", KeyModifiers::SHIFT)];

/// How many function keys terminals tell apart.
const FUNCTION_KEYS: u8 = 24;

impl KeyChord {
    /// The one form of what terminals report in several.
    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let modifiers = modifiers & MODIFIERS.iter().map(|row| row.1).collect::<KeyModifiers>();
        match code {
            KeyCode::BackTab => {
                Self { code: KeyCode::Tab, modifiers: modifiers | KeyModifiers::SHIFT }
            }
            // A control character has no case, and a character's case says enough about shift.
            KeyCode::Char(c) => {
                let plain = c.is_ascii() && modifiers.contains(KeyModifiers::CONTROL);
                let c = if plain { c.to_ascii_lowercase() } else { c };
                Self { code: KeyCode::Char(c), modifiers: modifiers - KeyModifiers::SHIFT }
            }
            code => Self { code, modifiers },
        }
    }
}

impl KeyChord {
    /// The character that the key types, where it types one.
    #[must_use]
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }
}

impl From<KeyEvent> for KeyChord {
    fn from(event: KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }
}

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no key; write a character, F1 to F{FUNCTION_KEYS} or a name such as space or pageup, with C-, A- and S- \
     in front for Ctrl, Alt and Shift, but a capital letter for Shift with a letter"
)]
pub struct KeyChordError(String);

impl FromStr for KeyChord {
    type Err = KeyChordError;

    fn from_str(text: &str) -> Result<Self, KeyChordError> {
        let (mut key, mut modifiers) = (text, KeyModifiers::NONE);
        for (prefix, modifier) in MODIFIERS {
            if let Some(rest) = key.strip_prefix(prefix).filter(|rest| !rest.is_empty()) {
                (key, modifiers) = (rest, modifiers | modifier);
            }
        }
        let chord = code(key).map(|code| Self::new(code, modifiers));
        // A form of its own that reads back is what keeps `S-i` and `I` from being two keys.
        chord
            .filter(|chord| chord.modifiers == modifiers)
            .ok_or_else(|| KeyChordError(text.to_owned()))
    }
}

fn code(key: &str) -> Option<KeyCode> {
    let named = || NAMES.iter().find(|(name, _)| *name == key).map(|(_, code)| *code);
    let function = || {
        let number: u8 = key.strip_prefix('F')?.parse().ok()?;
        // `F01` and `F+1` are numbers, too.
        (1..=FUNCTION_KEYS).find(|known| *known == number && key.len() == format!("F{known}").len())
    };
    let mut characters = key.chars();
    match (characters.next(), characters.next()) {
        (Some(c), None) => (!c.is_control() && c != ' ').then_some(KeyCode::Char(c)),
        _ => named().or_else(|| function().map(KeyCode::F)),
    }
}

impl fmt::Display for KeyChord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (prefix, modifier) in MODIFIERS {
            if self.modifiers.contains(modifier) {
                f.write_str(prefix)?;
            }
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, code) => write!(f, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyChord, NAMES};
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use proptest::prelude::*;

    #[test]
    fn what_terminals_report_is_what_is_written() {
        let event = |code, modifiers| KeyChord::from(KeyEvent::new(code, modifiers));
        let (none, shift, control) =
            (KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::CONTROL);
        for (text, chord) in [
            ("q", event(KeyCode::Char('q'), none)),
            ("I", event(KeyCode::Char('I'), shift)),
            ("I", event(KeyCode::Char('I'), none)),
            ("C-z", event(KeyCode::Char('Z'), control | shift)),
            ("S-tab", event(KeyCode::BackTab, shift)),
            ("S-tab", event(KeyCode::BackTab, none)),
            ("F10", event(KeyCode::F(10), none)),
            ("space", event(KeyCode::Char(' '), none)),
            ("C--", event(KeyCode::Char('-'), control)),
            ("-", event(KeyCode::Char('-'), none)),
            ("{", event(KeyCode::Char('{'), shift)),
        ] {
            assert_eq!(text.parse(), Ok(chord), "{text}");
            assert_eq!(chord.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_key_is_an_error() {
        for wrong in ["", " ", "C-", "qq", "S-i", "S-C-x", "F0", "F01", "F+1", "F25", "Tab", "\n"] {
            assert!(wrong.parse::<KeyChord>().is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_chord_reads_back(
            code in prop_oneof![
                prop::sample::select(NAMES.to_vec()).prop_map(|(_, code)| code),
                (1..=24u8).prop_map(KeyCode::F),
                any::<char>().prop_filter("drawn", |c| !c.is_control()).prop_map(KeyCode::Char),
            ],
            modifiers in any::<u8>().prop_map(KeyModifiers::from_bits_truncate),
        ) {
            let chord = KeyChord::from(KeyEvent::new(code, modifiers));
            prop_assert_eq!(chord.to_string().parse(), Ok(chord));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            if let Ok(chord) = text.parse::<KeyChord>() {
                prop_assert_eq!(chord.to_string().parse(), Ok(chord));
            }
        }
    }
}
