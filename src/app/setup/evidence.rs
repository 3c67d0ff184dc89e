//! Everything about the selected option, in lines: what it does, what runs and how that is known, what is declared and
//! where, what differs, and what a change comes to.

use super::lines::{Kind, Line};
use super::{SetupTab, Sheet};
use crate::setup::declared::{Place, not_found};
use crate::setup::{Because, Finding, Row, Severity, Stated, Value};

impl SetupTab {
    /// The lines of the panel about the selected option.
    #[must_use]
    pub fn evidence_lines(&self) -> Vec<Line> {
        let row = self.sheet().zip(self.selected());
        let row = row.and_then(|(sheet, option)| Some((sheet, sheet.row(option)?)));
        row.map_or_else(Vec::new, |(sheet, row)| sheet.evidence_lines(row))
    }
}

/// A value in a word or a few.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::Bool(on) => on.to_string(),
        Value::Text(word) => word.clone(),
        Value::List(words) if words.is_empty() => "none".to_owned(),
        Value::List(words) => words.join(" "),
    }
}

impl Sheet {
    /// What matters most stands first, since a low panel shows only the first lines.
    fn evidence_lines(&self, row: &Row) -> Vec<Line> {
        let finding = |finding: &Finding| {
            let kind = match finding.severity {
                Severity::Error => Kind::Error,
                Severity::Warning => Kind::Warning,
            };
            Line::new(kind, finding.sentence.clone())
        };
        let mut lines: Vec<_> = self.findings_of(row.option).map(finding).collect();
        lines.extend(self.difference(row).map(|(kind, words)| Line::new(kind, words)));
        lines.push(Line::labelled("running", Kind::Strong, row.running.text.clone()));
        lines.extend(self.declared(&row.stated));
        lines.push(wanted(row));
        lines.extend([Line::gap(), Line::new(Kind::Plain, row.option.help)]);
        lines.push(Line::new(Kind::Dim, format!("It {}.", row.option.effect.sentence())));
        let value = row.wanted.as_ref().map(|(value, _)| value);
        let nix = value.map(|it| row.option.nix(it, self.setup.mode, self.setup.release));
        lines.extend(under("in Nix", Kind::Plain, nix.unwrap_or_default()));
        lines.extend(under("evidence", Kind::Dim, row.running.evidence_lines()));
        lines
    }

    /// What is not as it is wanted, and what that means.
    fn difference(&self, row: &Row) -> Option<(Kind, String)> {
        let running = &row.running.text;
        if let Some(need) = self.setup.need(row) {
            return Some((Kind::Warning, need.sentence(running)));
        }
        match &row.stated {
            Stated::Conflict(_) => Some((
                Kind::Error,
                "It is set differently in several places, which NixOS refuses: keep one of them.".to_owned(),
            )),
            Stated::Unknown { .. } if row.wanted.is_none() => Some((
                Kind::Notice,
                "An expression decides it, which is not evaluated here; nothing is planned unless you choose.".to_owned(),
            )),
            _ if row.differs() && row.is_changed() => Some((
                Kind::Notice,
                format!("What runs ({running}) is not what you chose: write it, then build the configuration."),
            )),
            _ => None,
        }
    }

    /// What is declared, and where.
    fn declared(&self, stated: &Stated) -> Vec<Line> {
        let one = std::slice::from_ref;
        let nowhere = || "no configuration was read".to_owned();
        let (kind, words, places) = match stated {
            Stated::Value { value, places } => (Kind::Strong, shown(value), places.as_slice()),
            Stated::Other { text, place } => (Kind::Strong, text.clone(), one(place)),
            Stated::Unknown { text, place } => {
                let words = format!("unknown (expression at {}): {text}", self.near(place));
                (Kind::Notice, words, &[][..])
            }
            Stated::Conflict(places) => {
                (Kind::Error, "set differently".to_owned(), places.as_slice())
            }
            Stated::NotFound { files_read: 0, .. } => (Kind::Dim, nowhere(), &[][..]),
            Stated::NotFound { files_read, imports_not_followed } => {
                (Kind::Dim, not_found(*files_read, *imports_not_followed), &[][..])
            }
        };
        let places = places.iter().map(|place| Line::labelled("", Kind::Dim, self.near(place)));
        std::iter::once(Line::labelled("declared", kind, words)).chain(places).collect()
    }

    /// A place as it is called from the folder of the configuration.
    pub(super) fn near(&self, place: &Place) -> String {
        let entry = self.setup.configuration.as_deref().map(|read| &read.entry.file);
        let folder = entry.and_then(|file| file.parent());
        let file = folder.and_then(|folder| place.file.strip_prefix(folder).ok());
        let unimported = self.setup.not_imported().filter(|own| own.file == place.file);
        let note = if unimported.is_some() { " (imported by nothing yet)" } else { "" };
        format!("{}:{}{note}", file.unwrap_or(&place.file).display(), place.line)
    }
}

fn wanted(row: &Row) -> Line {
    let Some((value, because)) = &row.wanted else {
        return Line::labelled("wanted", Kind::Dim, "nothing is chosen");
    };
    let (kind, why) = match because {
        Because::Chosen => (Kind::Strong, "you chose it"),
        Because::Declared => (Kind::Plain, "as declared"),
        Because::Running => (Kind::Plain, "as it runs"),
        Because::Needed => (Kind::Strong, "what you chose needs it"),
    };
    Line::labelled("wanted", kind, format!("{}, {why}", shown(value)))
}

/// Lines below a gap, of which the first has the label.
fn under(label: &'static str, kind: Kind, texts: Vec<String>) -> Vec<Line> {
    let gap = (!texts.is_empty()).then(Line::gap);
    let label = |number| if number == 0 { label } else { "" };
    let lines = texts.into_iter().enumerate();
    gap.into_iter()
        .chain(lines.map(|(number, text)| Line::labelled(label(number), kind, text)))
        .collect()
}
