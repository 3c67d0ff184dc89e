//! Where in a text something stands.

use std::fmt;

/// A place in a text, as an editor shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
}

impl Position {
    /// The position of a byte of this text; of its end, where the text is shorter.
    #[must_use]
    pub fn of(text: &str, byte: usize) -> Self {
        Lines::of(text).position(text, byte)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Where the lines of a text begin, and parts of very long ones, so that many positions in it are found quickly.
#[derive(Clone, Debug)]
pub struct Lines(Vec<(usize, Position)>);

/// How many bytes of a line are counted for one position.
const PART: usize = 1024;

impl Lines {
    /// The lines of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut at = Position { line: 1, column: 1 };
        let mut last = 0;
        let mut marks = vec![(0, at)];
        for (byte, character) in text.char_indices() {
            if byte - last >= PART {
                last = byte;
                marks.push((last, at));
            }
            at.column += 1;
            if character == '\n' {
                at = Position { line: at.line + 1, column: 1 };
                last = byte + 1;
                marks.push((last, at));
            }
        }
        Lines(marks)
    }

    /// The position of a byte of the text that these are the lines of.
    #[must_use]
    pub fn position(&self, text: &str, byte: usize) -> Position {
        let after = self.0.partition_point(|&(start, _)| start <= byte);
        let begin = (0, Position { line: 1, column: 1 });
        let (start, at) = self.0.get(after.saturating_sub(1)).copied().unwrap_or(begin);
        let before = text.get(start..byte).or_else(|| text.get(start..)).unwrap_or_default();
        Position { line: at.line, column: at.column + before.chars().count() }
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn lines_and_characters_are_counted_from_one() {
        let at = |byte| {
            let Position { line, column } = Position::of("é=\r\nb\n", byte);
            (line, column)
        };
        assert_eq!((at(0), at(2), at(3)), ((1, 1), (1, 2), (1, 3)));
        assert_eq!((at(5), at(6), at(7), at(99)), ((2, 1), (2, 2), (3, 1), (3, 1)));
        assert_eq!(Position::of("", 0).to_string(), "line 1, column 1");
    }

    #[test]
    fn a_long_line_is_counted_like_a_short_one() {
        let text = format!("a\n{}", "é".repeat(5000));
        let lines = super::Lines::of(&text);
        for column in [1, 2, 512, 513, 514, 1025, 4999, 5000] {
            let position = lines.position(&text, 2 + 2 * (column - 1));
            assert_eq!(position, Position { line: 2, column });
        }
        let counted = lines.0.windows(2).map(|pair| pair[1].0 - pair[0].0).max();
        assert!(counted.is_some_and(|bytes| bytes <= super::PART + 1), "{counted:?}");
    }
}
