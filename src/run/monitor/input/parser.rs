//! Keys and mouse events out of the bytes that a terminal sends.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use rustix::event::Timespec;

/// How long the rest of a sequence may take; after that an escape was the key.
const TORN: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };
/// How long a pasted text may pause; after that its end was lost, and keys are keys again.
const PASTED: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// Something that the user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    Key(KeyEvent),
    Mouse(MouseEvent),
}

const ESCAPE: u8 = 0x1b;
/// A sequence that is longer is none.
const LONGEST: usize = 64;

/// The keys whose sequence ends in a letter: `ESC [ A`, `ESC O A`, `ESC [ 1 ; 5 A`.
const LETTERS: &[(u8, KeyCode)] = &[
    (b'A', KeyCode::Up),
    (b'B', KeyCode::Down),
    (b'C', KeyCode::Right),
    (b'D', KeyCode::Left),
    (b'F', KeyCode::End),
    (b'H', KeyCode::Home),
    (b'P', KeyCode::F(1)),
    (b'Q', KeyCode::F(2)),
    (b'R', KeyCode::F(3)),
    (b'S', KeyCode::F(4)),
    (b'Z', KeyCode::BackTab),
];

/// The keys whose sequence is a number: `ESC [ 5 ~`.
const NUMBERS: &[(u16, KeyCode)] = &[
    (1, KeyCode::Home),
    (2, KeyCode::Insert),
    (3, KeyCode::Delete),
    (4, KeyCode::End),
    (5, KeyCode::PageUp),
    (6, KeyCode::PageDown),
    (7, KeyCode::Home),
    (8, KeyCode::End),
    (11, KeyCode::F(1)),
    (12, KeyCode::F(2)),
    (13, KeyCode::F(3)),
    (14, KeyCode::F(4)),
    (15, KeyCode::F(5)),
    (17, KeyCode::F(6)),
    (18, KeyCode::F(7)),
    (19, KeyCode::F(8)),
    (20, KeyCode::F(9)),
    (21, KeyCode::F(10)),
    (23, KeyCode::F(11)),
    (24, KeyCode::F(12)),
];

const PASTE_BEGINS: u16 = 200;
const PASTE_ENDS: u16 = 201;

/// How far a sequence or a character has come.
enum Step {
    /// There is more to come.
    More,
    /// It is whole, and means this, or nothing that the program knows.
    Done(Option<Input>),
    /// What was there before the last byte is nothing, and the last byte begins anew.
    Broken,
}

/// What the bytes so far leave open.
#[derive(Default)]
pub(super) struct Parser {
    /// A sequence or a character that has begun.
    begun: Vec<u8>,
    /// Whether what comes is pasted text, which is no keys.
    is_pasting: bool,
}

impl Parser {
    /// How long the rest of what has begun may take, if something has.
    pub(super) fn patience(&self) -> Option<Timespec> {
        match (self.begun.is_empty(), self.is_pasting) {
            (_, true) => Some(PASTED),
            (false, false) => Some(TORN),
            (true, false) => None,
        }
    }

    /// Takes bytes as they came, and adds what they mean.
    pub(super) fn feed(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) {
        for byte in bytes {
            // Where a sequence begins, the one before it was none.
            if *byte == ESCAPE && !self.begun.is_empty() {
                self.give_up(inputs);
            }
            self.begun.push(*byte);
            let mut step = self.step();
            if matches!(step, Step::Broken) {
                self.begun = vec![*byte];
                step = self.step();
            }
            match step {
                Step::More => {}
                Step::Broken => self.begun.clear(),
                Step::Done(meaning) => {
                    self.begun.clear();
                    inputs.extend(meaning.filter(|_| !self.is_pasting));
                }
            }
        }
    }

    /// The rest does not come.
    pub(super) fn time_out(&mut self, inputs: &mut Vec<Input>) {
        self.give_up(inputs);
        self.is_pasting = false;
    }

    /// An escape alone was the key, and half of anything else is nothing.
    fn give_up(&mut self, inputs: &mut Vec<Input>) {
        if self.begun == [ESCAPE] && !self.is_pasting {
            inputs.push(key(KeyCode::Esc, KeyModifiers::NONE));
        }
        self.begun.clear();
    }

    fn step(&mut self) -> Step {
        match self.begun.as_slice() {
            // The console's function keys have a bracket more, and clicks may have three bytes more.
            [ESCAPE]
            | [ESCAPE, b'[' | b'O']
            | [ESCAPE, b'[', b'[' | b'M']
            | [ESCAPE, b'[', b'M', _]
            | [ESCAPE, b'[', b'M', _, _] => Step::More,
            [ESCAPE, b'[', b'[', letter @ b'A'..=b'E'] => {
                Step::Done(Some(key(KeyCode::F(letter - b'A' + 1), KeyModifiers::NONE)))
            }
            // A terminal that knows no numbers for the mouse sends three bytes, each 32 more than it means.
            [ESCAPE, b'[', b'M', button, column, row] => {
                let numbers = [button, column, row].map(|byte| u16::from(byte.saturating_sub(32)));
                Step::Done(mouse(&numbers, b'M'))
            }
            [ESCAPE, b'O', letter] => Step::Done(letter_key(*letter, KeyModifiers::NONE)),
            [ESCAPE, b'[', parameters @ .., last @ 0x40..=0x7e] => {
                let (parameters, last) = (parameters.to_vec(), *last);
                Step::Done(self.sequence(&parameters, last))
            }
            [ESCAPE, b'[', ..] if self.begun.len() > LONGEST => Step::Done(None),
            [ESCAPE, b'[', ..] => Step::More,
            [ESCAPE, rest @ ..] => character(rest, KeyModifiers::ALT),
            bytes => character(bytes, KeyModifiers::NONE),
        }
    }

    fn sequence(&mut self, parameters: &[u8], last: u8) -> Option<Input> {
        if let Some(parameters) = parameters.strip_prefix(b"<") {
            return mouse(&numbers(parameters), last);
        }
        let numbers = numbers(parameters);
        let modifiers = modifiers(numbers.get(1).copied().unwrap_or(1));
        match (last, numbers.first().copied().unwrap_or(0)) {
            (b'~', PASTE_BEGINS) => self.is_pasting = true,
            (b'~', PASTE_ENDS) => self.is_pasting = false,
            (b'~', number) => {
                let (_, code) = NUMBERS.iter().find(|(known, _)| *known == number)?;
                return Some(key(*code, modifiers));
            }
            (letter, _) => return letter_key(letter, modifiers),
        }
        None
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(KeyEvent::new(code, modifiers))
}

fn letter_key(letter: u8, modifiers: KeyModifiers) -> Option<Input> {
    let (_, code) = LETTERS.iter().find(|(known, _)| *known == letter)?;
    Some(key(*code, modifiers))
}

/// A character, or a control character as the key that makes it, once all its bytes are there.
fn character(bytes: &[u8], modifiers: KeyModifiers) -> Step {
    let control = |c: u8| key(KeyCode::Char(char::from(c)), modifiers | KeyModifiers::CONTROL);
    let input = match bytes {
        [b'\r'] => key(KeyCode::Enter, modifiers),
        [b'\t'] => key(KeyCode::Tab, modifiers),
        [0x7f] => key(KeyCode::Backspace, modifiers),
        [0] => control(b' '),
        [c @ 1..=0x1a] => control(c + b'a' - 1),
        [c @ 0x1c..=0x1f] => control(c + b'4' - 0x1c),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => {
                let first = text.chars().next();
                return Step::Done(first.map(|c| key(KeyCode::Char(c), modifiers)));
            }
            Err(error) if error.error_len().is_none() => return Step::More,
            Err(_) => return Step::Broken,
        },
    };
    Step::Done(Some(input))
}

/// The numbers between semicolons; one that is none is 0. What a colon adds to a number is left out.
fn numbers(parameters: &[u8]) -> Vec<u16> {
    let number = |text: &[u8]| {
        let text = text.split(|byte| *byte == b':').next().unwrap_or_default();
        std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    parameters.split(|byte| *byte == b';').map(number).collect()
}

/// Terminals send one more than the sum of 1 for shift, 2 for alt and 4 for control.
fn modifiers(number: u16) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let table = [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)];
    table.iter().filter(|(bit, _)| bits & bit != 0).map(|row| row.1).collect()
}

/// The left button and the wheel, by the numbers of the SGR protocol.
fn mouse(numbers: &[u16], last: u8) -> Option<Input> {
    let [button, column, row] = *numbers else { return None };
    let kind = match (button & !0b1_1100, last) {
        (0, b'M') => MouseEventKind::Down(MouseButton::Left),
        (64, b'M') => MouseEventKind::ScrollUp,
        (65, b'M') => MouseEventKind::ScrollDown,
        _ => return None,
    };
    let (column, row) = (column.checked_sub(1)?, row.checked_sub(1)?);
    Some(Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

#[cfg(test)]
mod tests {
    use super::{Input, Parser, key};
    use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    use proptest::prelude::*;

    /// What the pieces mean that came one after the other, with a long silence behind them.
    fn meaning(pieces: &[&[u8]]) -> Vec<Input> {
        let (mut parser, mut inputs) = (Parser::default(), Vec::new());
        for piece in pieces {
            parser.feed(piece, &mut inputs);
        }
        parser.time_out(&mut inputs);
        inputs
    }

    fn plain(code: KeyCode) -> Input {
        key(code, KeyModifiers::NONE)
    }

    #[test]
    fn keys() {
        let control = |c| key(KeyCode::Char(c), KeyModifiers::CONTROL);
        let table: &[(&[u8], Input)] = &[
            (b"q", plain(KeyCode::Char('q'))),
            ("é".as_bytes(), plain(KeyCode::Char('é'))),
            (b"\r", plain(KeyCode::Enter)),
            (b"\x1b", plain(KeyCode::Esc)),
            (b"\x1b[A", plain(KeyCode::Up)),
            (b"\x1bOA", plain(KeyCode::Up)),
            (b"\x1b[5~", plain(KeyCode::PageUp)),
            (b"\x1bOP", plain(KeyCode::F(1))),
            (b"\x1b[[A", plain(KeyCode::F(1))),
            (b"\x1b[15~", plain(KeyCode::F(5))),
            (b"\x1b[Z", plain(KeyCode::BackTab)),
            (b"\x1b[1;5C", key(KeyCode::Right, KeyModifiers::CONTROL)),
            (b"\x1b[3;2~", key(KeyCode::Delete, KeyModifiers::SHIFT)),
            (b"\x1bx", key(KeyCode::Char('x'), KeyModifiers::ALT)),
            (b"\x1a", control('z')),
            (b"\x03", control('c')),
            (b"\0", control(' ')),
            (b"\x7f", plain(KeyCode::Backspace)),
        ];
        for (bytes, input) in table {
            assert_eq!(meaning(&[bytes]), [*input], "{bytes:?}");
        }
    }

    #[test]
    fn the_mouse_beyond_column_223() {
        let event = |kind, column, row| {
            Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
        };
        let click = event(MouseEventKind::Down(MouseButton::Left), 299, 9);
        let wheel = event(MouseEventKind::ScrollDown, 0, 0);
        assert_eq!(meaning(&[b"\x1b[<0;300;10M\x1b[<0;300;10m\x1b[<65;1;1M"]), [click, wheel]);
        assert_eq!(meaning(&[b"\x1b[<0;0;0M"]), []);
    }

    #[test]
    fn the_mouse_of_terminals_that_know_no_numbers() {
        let event = |kind, column, row| {
            Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
        };
        let click = event(MouseEventKind::Down(MouseButton::Left), 80, 2);
        let wheel = event(MouseEventKind::ScrollUp, 0, 0);
        assert_eq!(meaning(&[b"\x1b[M q#\x1b[M#q#\x1b[M`!!"]), [click, wheel], "q is a column");
        assert_eq!(meaning(&[b"\x1b[M", b" ", b"q", b"#"]), [click]);
        assert_eq!(meaning(&[b"\x1b[M\0\0\0q"]), [plain(KeyCode::Char('q'))]);
    }

    #[test]
    fn what_is_no_character_swallows_no_key() {
        let q = plain(KeyCode::Char('q'));
        assert_eq!(meaning(&[b"\xc3q"]), [q]);
        assert_eq!(meaning(&[b"\xff\xe2\x82q\xf0"]), [q]);
        assert_eq!(meaning(&[b"\x1b\xc3q"]), [q]);
        assert_eq!(meaning(&["\u{c3}\u{e9}".as_bytes()]).len(), 2);
    }

    #[test]
    fn a_torn_sequence_is_one_key_and_pasted_text_is_none() {
        assert_eq!(meaning(&[b"\x1b", b"[", b"1;", b"5C"]).len(), 1);
        let pasted = meaning(&[b"a\x1b[200~q", b"qq\x1b[201", b"~b"]);
        assert_eq!(pasted, [plain(KeyCode::Char('a')), plain(KeyCode::Char('b'))]);
        assert_eq!(meaning(&[b"\x1b[?62;22cq\x1b[99~"]), [plain(KeyCode::Char('q'))]);
    }

    proptest! {
        #[test]
        fn how_bytes_are_torn_changes_nothing(bytes: Vec<u8>, at: prop::sample::Index) {
            let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
            prop_assert_eq!(meaning(&[&bytes]), meaning(&[first, second]));
        }
    }
}
