//! What the tables hold, for people: the lists of `nvsdk-top metrics` and of the README.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::model::{
    Absent, CLOCK_EVENTS, HostMetric, Kind, Per, ProcessMetric, RULES, Rule, TableMetric, Unit,
};
use crate::source::{host, nvml};

/// The space between two columns.
const GAP: usize = 2;
/// The last column starts a line of its own where it would have less room than this.
const NARROWEST: usize = 40;
/// What such a line begins with.
const INDENT: usize = 4;

/// A titled list of rows whose last column is prose.
#[derive(Clone, Debug)]
pub struct Reference {
    /// What the rows are.
    pub title: &'static str,
    /// The headings.
    pub columns: &'static [&'static str],
    /// A cell for each heading in every row.
    pub rows: Vec<Vec<Cow<'static, str>>>,
}

/// Everything that `nvsdk-top metrics` shows.
#[must_use]
pub fn all() -> [Reference; 6] {
    [gpu_metrics(), process_metrics(), host_metrics(), clock_events(), reasons(), health_rules()]
}

/// The numbers of a GPU.
#[must_use]
pub fn gpu_metrics() -> Reference {
    metrics("Of each GPU", nvml::asks)
}

/// The numbers of a process.
#[must_use]
pub fn process_metrics() -> Reference {
    metrics("Of each process on a GPU", |metric: ProcessMetric| {
        nvml::asks_of_process(metric).into()
    })
}

/// The numbers of the machine.
#[must_use]
pub fn host_metrics() -> Reference {
    metrics("Of the machine", |metric: HostMetric| host::file_of(metric).into())
}

/// The rows of a table; each says at its end where the number comes from.
fn metrics<M: TableMetric>(title: &'static str, origin: impl Fn(M) -> String) -> Reference {
    let row = |metric: &M| {
        let spec = metric.spec();
        let id = match spec.per {
            Per::One => spec.id.into(),
            _ => spec.id.replace("{}", "N").into(),
        };
        let (unit, kind) = (unit_name(spec.unit), kind_name(spec.kind));
        vec![
            id,
            unit.into(),
            kind.into(),
            spec.label.into(),
            format!("{} From {}.", spec.help, origin(*metric)).into(),
        ]
    };
    Reference {
        title,
        columns: &["key", "unit", "kind", "label", "what it is and where it comes from"],
        rows: M::ALL.iter().map(row).collect(),
    }
}

/// Why a value can be absent.
#[must_use]
pub fn reasons() -> Reference {
    let mut rows: Vec<_> = Absent::ALL.iter().map(|why| vec![why.id(), why.sentence()]).collect();
    rows.push(vec!["nvml_error_N".into(), "NVML answered with error N".into()]);
    Reference { title: "Why a value is absent", columns: &["reason", "meaning"], rows }
}

/// What can hold a GPU's clocks back.
#[must_use]
pub fn clock_events() -> Reference {
    Reference {
        title: "What clock_event_reasons can name",
        columns: &["name", "meaning"],
        rows: CLOCK_EVENTS.iter().map(|event| vec![event.id.into(), event.text.into()]).collect(),
    }
}

/// What is told of a GPU's health, when, and what to do about it.
#[must_use]
pub fn health_rules() -> Reference {
    let row = |rule: &Rule| {
        let keys: Vec<_> = rule.evidence.iter().map(|evidence| evidence.key()).collect();
        let keys = if keys.is_empty() { "state".to_owned() } else { keys.join(", ") };
        let prose = format!("{} {} ({keys})", sentence(rule.when), rule.advice);
        vec![rule.id.into(), rule.severity.id().into(), prose.into()]
    };
    Reference {
        title: "What is told of a GPU's health",
        columns: &["rule", "severity", "when it holds, what to do, what it looks at"],
        rows: RULES.iter().map(row).collect(),
    }
}

/// Words as a sentence.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), characters.as_str())
}

fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Percent => "%",
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes/s",
        Unit::Megahertz => "MHz",
        Unit::Celsius => "°C",
        Unit::Watts => "W",
        Unit::Joules => "J",
        Unit::Seconds => "s",
        Unit::Microseconds => "µs",
        Unit::FramesPerSecond => "frames/s",
        Unit::Rpm => "rpm",
        Unit::Number | Unit::Count => "number",
        Unit::PerSecond => "1/s",
        Unit::PerformanceState => "P-state",
        Unit::ClockEventReasons => "names",
        Unit::Flag => "true/false",
        Unit::RecoveryAction | Unit::NvLinkVersion | Unit::FabricState | Unit::FabricHealth => {
            "word"
        }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Gauge => "level",
        Kind::Measured => "measured",
        Kind::Counter => "counter",
        Kind::Fact => "fixed",
        Kind::RateOf(_) => "rate",
        Kind::ShareOf(_) => "share",
        Kind::Interval => "mean",
    }
}

impl Reference {
    /// Writes the title, the headings and the rows. Prose that is too long for `width` goes on below.
    ///
    /// # Errors
    /// Only those of `writer`.
    pub fn write(&self, writer: &mut impl Write, width: Option<usize>) -> io::Result<()> {
        writeln!(writer, "{}", self.title)?;
        let widths: Vec<_> =
            (1..self.columns.len()).map(|after| self.width(after - 1) + GAP).collect();
        let before: usize = widths.iter().sum();
        let width = width.unwrap_or(usize::MAX);
        let beside = width >= before + NARROWEST;
        let indent = if beside { before } else { INDENT };
        let headings: Vec<_> = self.columns.iter().map(|title| title.to_uppercase()).collect();
        let prose = headings.last().filter(|_| beside).map_or("", String::as_str);
        writeln!(writer, "{}", format!("{}{prose}", pad(&headings, &widths)).trim_end())?;
        for row in &self.rows {
            let mut start = pad(row, &widths);
            if !beside {
                writeln!(writer, "{}", start.trim_end())?;
                start.clear();
            }
            let text = row.last().map_or("", |cell| cell);
            for line in wrap(text, width.saturating_sub(indent)) {
                writeln!(writer, "{start:indent$}{line}")?;
                start.clear();
            }
        }
        Ok(())
    }

    /// The rows as a table in Markdown; the first column is code.
    #[must_use]
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(self.columns.iter().map(|title| (*title).to_owned()).collect());
        text += &line(vec!["---".to_owned(); self.columns.len()]);
        for row in &self.rows {
            let cell = |(column, cell): (usize, &Cow<'static, str>)| {
                let cell = cell.replace('|', "\\|");
                if column == 0 { format!("`{cell}`") } else { cell }
            };
            text += &line(row.iter().enumerate().map(cell).collect());
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].width());
        cells.fold(self.columns[column].width(), usize::max)
    }
}

/// The cells, each as wide as its column.
fn pad(cells: &[impl AsRef<str>], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().map(AsRef::as_ref).zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
    }
    line
}

/// `text` in lines of at most `width` columns, unless a single word is wider.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Reference, all, wrap};
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    fn text(reference: &Reference, width: Option<usize>) -> String {
        let mut out = Vec::new();
        reference.write(&mut out, width).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_is_a_line_where_there_is_room() {
        for reference in all() {
            let text = text(&reference, None);
            assert_eq!(text.lines().count(), reference.rows.len() + 2, "{text}");
            for (row, line) in reference.rows.iter().zip(text.lines().skip(2)) {
                assert!(line.starts_with(&*row[0]) && line.ends_with(row.last().unwrap().as_ref()));
            }
            assert_eq!(reference.markdown().lines().count(), reference.rows.len() + 2);
        }
    }

    #[test]
    fn a_terminal_of_80_columns_is_enough() {
        for reference in all() {
            for width in [80, 120, 200] {
                let text = text(&reference, Some(width));
                assert!(text.lines().all(|line| line.width() <= width), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn wrapping_keeps_every_word(text in "[a-z é猫]{0,80}", width in 0..60usize) {
            let lines = wrap(&text, width);
            let words: Vec<_> = text.split_whitespace().collect();
            prop_assert_eq!(lines.join(" "), words.join(" "));
            prop_assert!(lines.iter().all(|line| line.width() <= width || !line.contains(' ')));
        }
    }
}
