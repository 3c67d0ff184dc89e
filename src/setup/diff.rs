//! The difference between two texts of a file, as unified diffs show it.

use similar::{ChangeTag, TextDiff};

/// A line of a diff, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffLine {
    /// Where a stretch lies in both texts: `@@ -1,4 +1,5 @@`.
    Place(String),
    /// It is in both.
    Same(String),
    /// It is taken out.
    Old(String),
    /// It is added.
    New(String),
}

impl DiffLine {
    /// The line as a unified diff has it.
    #[must_use]
    pub fn unified(&self) -> String {
        match self {
            Self::Place(text) => text.clone(),
            Self::Same(text) => format!(" {text}"),
            Self::Old(text) => format!("-{text}"),
            Self::New(text) => format!("+{text}"),
        }
    }
}

/// What turns `before` into `after`, with three lines around each stretch; nothing where they are the same.
#[must_use]
pub fn diff(before: &str, after: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        lines.push(DiffLine::Place(hunk.header().to_string().trim_end().to_owned()));
        for change in hunk.iter_changes() {
            let text = change.value().trim_end_matches('\n').to_owned();
            lines.push(match change.tag() {
                ChangeTag::Equal => DiffLine::Same(text),
                ChangeTag::Delete => DiffLine::Old(text),
                ChangeTag::Insert => DiffLine::New(text),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::diff;

    fn unified(before: &str, after: &str) -> Vec<String> {
        diff(before, after).iter().map(super::DiffLine::unified).collect()
    }

    #[test]
    fn a_new_file_is_all_new() {
        assert_eq!(unified("", "a\nb\n"), ["@@ -0,0 +1,2 @@", "+a", "+b"]);
        assert!(unified("a\n", "a\n").is_empty());
    }

    #[test]
    fn lines_around_a_change_stay() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let lines = unified(before, &before.replace('5', "five"));
        assert_eq!(lines, ["@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8"]);
    }
}
