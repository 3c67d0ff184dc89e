//! The lines of the panels and texts of Setup: what they say and what kind each is, without how they look.

/// What a line is, which says how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plain words.
    Plain,
    /// What it is about.
    Strong,
    /// What is there to be complete.
    Dim,
    /// All is well.
    Good,
    /// Worth knowing.
    Notice,
    /// Something is not as it should be.
    Warning,
    /// Something would not work.
    Error,
    /// A line of a diff that goes away.
    Old,
    /// A line of a diff that is added.
    New,
    /// A line of a file or a command, whose blanks count.
    Code,
}

impl Kind {
    /// Whether every blank of the line counts, so that it is not broken between words.
    #[must_use]
    pub fn is_verbatim(self) -> bool {
        matches!(self, Self::Old | Self::New | Self::Code)
    }
}

/// A line, before it is broken to the width that there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What stands in front of it, in a column of its own; the lines of one label follow each other without it.
    pub label: Option<&'static str>,
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub text: String,
}

impl Line {
    /// A line without a label.
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { label: None, kind, text: text.into() }
    }

    /// A line behind a label; an empty one goes on with the label above.
    pub(super) fn labelled(label: &'static str, kind: Kind, text: impl Into<String>) -> Self {
        Self { label: Some(label), kind, text: text.into() }
    }

    /// An empty line.
    pub(super) fn gap() -> Self {
        Self::new(Kind::Plain, "")
    }

    /// At least as many rows as the line takes where it is this wide.
    fn most_rows(&self, width: usize) -> usize {
        1 + self.text.chars().count() * 3 / width.max(2) / 2
    }
}

/// At least as many rows as the lines take.
pub(super) fn most_rows(lines: &[Line], width: usize) -> usize {
    lines.iter().map(|line| line.most_rows(width)).sum()
}
