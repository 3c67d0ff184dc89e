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

/// Where the lines of a text begin, so that many positions in it are found quickly.
#[derive(Clone, Debug)]
pub struct Lines(Vec<usize>);

impl Lines {
    /// The lines of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        Lines(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    /// The position of a byte of the text that these are the lines of.
    #[must_use]
    pub fn position(&self, text: &str, byte: usize) -> Position {
        let line = self.0.partition_point(|&start| start <= byte);
        let start = self.0.get(line - 1).copied().unwrap_or(0);
        let before = text.get(start..byte).or_else(|| text.get(start..)).unwrap_or_default();
        Position { line, column: 1 + before.chars().count() }
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
}
