//! Columns of text that line up, whatever script it is in.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a column stands, and what it does when the table is too wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// To the right, as numbers stand.
    Right,
    /// To the left.
    Left,
    /// To the left, and cut where there is not enough room for the table.
    Cut,
}

/// The space between two columns.
const GAP: usize = 2;
/// A column that is cut keeps this much.
const SHORTEST: usize = 8;

/// A heading and rows below it.
pub(super) struct Grid {
    columns: Vec<(Cow<'static, str>, Fit)>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    pub(super) fn new(columns: Vec<(Cow<'static, str>, Fit)>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row, a cell for each column.
    pub(super) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Writes the grid so that no line is wider than `width`.
    pub(super) fn write(&self, writer: &mut impl Write, width: Option<usize>) -> io::Result<()> {
        let widths = self.widths(width);
        let titles = self.columns.iter().map(|(title, _)| title.as_ref());
        write_line(writer, &self.line(titles, &widths), width)?;
        for row in &self.rows {
            let cells = row.iter().map(String::as_str);
            write_line(writer, &self.line(cells, &widths), width)?;
        }
        Ok(())
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let widest = |(number, (title, _)): (usize, &(Cow<'static, str>, Fit))| {
            let cells = self.rows.iter().filter_map(|row| row.get(number));
            cells.map(|cell| cell.width()).fold(title.width(), usize::max)
        };
        let mut widths: Vec<_> = self.columns.iter().enumerate().map(widest).collect();
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let mut excess = total.saturating_sub(limit.unwrap_or(usize::MAX));
        for (width, (_, fit)) in widths.iter_mut().zip(&self.columns) {
            if *fit == Fit::Cut {
                let given = excess.min(width.saturating_sub(SHORTEST));
                *width -= given;
                excess -= given;
            }
        }
        widths
    }

    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, (_, fit)), width) in cells.zip(&self.columns).zip(widths) {
            let cell = cut(cell, *width);
            let padding = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = match fit {
                Fit::Right => (padding.as_str(), ""),
                Fit::Left | Fit::Cut => ("", padding.as_str()),
            };
            for part in [before, &cell, after, &" ".repeat(GAP)] {
                line.push_str(part);
            }
        }
        line
    }
}

/// Writes one line, cut where it is wider than `width`.
pub(super) fn write_line(
    writer: &mut impl Write,
    line: &str,
    width: Option<usize>,
) -> io::Result<()> {
    writeln!(writer, "{}", cut(line.trim_end(), width.unwrap_or(usize::MAX)))
}

/// `text` in at most `width` columns; what is left out is shown by `…`.
fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mut room = width.saturating_sub(1);
    let fits = |c: &char| {
        let needed = c.width().unwrap_or(0);
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    if width > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::{Fit, Grid, cut};
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn wide_characters_are_cut_whole() {
        assert_eq!(cut("猫猫猫", 6), "猫猫猫");
        assert_eq!(cut("猫猫猫", 5), "猫猫…");
        assert_eq!(cut("猫猫猫", 4), "猫…");
        assert_eq!(cut("abc", 0), "");
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide(
            rows in proptest::collection::vec(proptest::array::uniform2("[a-z猫é ]{0,40}"), 0..6),
            width in 0..100usize,
        ) {
            let mut grid = Grid::new(vec![("NUMBER".into(), Fit::Right), ("COMMAND".into(), Fit::Cut)]);
            for row in rows {
                grid.push(row.into());
            }
            let mut out = Vec::new();
            grid.write(&mut out, Some(width)).unwrap();
            let text = String::from_utf8(out).unwrap();
            prop_assert!(text.lines().all(|line| line.width() <= width));
        }
    }
}
