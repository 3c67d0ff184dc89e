//! The texts over the tab Setup, in lines.

use super::dialog::Dialog;
use super::lines::{Kind, Line};
use super::{SetupNotWritten, SetupTab, SetupWritten, Sheet};

impl SetupTab {
    /// The lines of the text that is open, if one is.
    #[must_use]
    pub fn report_lines(&self) -> Option<Vec<Line>> {
        let sheet = self.sheet();
        let of_sheet = |lines: fn(&Sheet) -> Vec<Line>| sheet.map_or_else(Vec::new, lines);
        match self.dialog.as_ref()? {
            Dialog::Choices { .. } | Dialog::Marks { .. } | Dialog::Users { .. } => None,
            Dialog::Diff { .. } => Some(of_sheet(Sheet::whole_diff)),
            Dialog::Confirm { .. } => Some(of_sheet(confirm)),
            Dialog::Refused { .. } => Some(of_sheet(refused)),
            Dialog::Writing => Some(vec![Line::new(Kind::Plain, "The file is being written.")]),
            Dialog::Written { outcome, .. } => Some(match outcome {
                Ok(done) => written(done),
                Err(why) => not_written(why),
            }),
        }
    }
}

fn confirm(sheet: &Sheet) -> Vec<Line> {
    let mut lines = sheet.whole_diff();
    lines.push(Line::gap());
    lines.extend(sheet.findings.iter().map(|finding| {
        Line::new(Kind::Warning, format!("{}: {}", finding.option, finding.sentence))
    }));
    lines.extend(sheet.step_lines());
    lines
}

fn refused(sheet: &Sheet) -> Vec<Line> {
    let mut lines = sheet.without_configuration();
    lines.extend(sheet.obstacles().into_iter().map(|why| Line::new(Kind::Error, why)));
    lines
}

fn written(done: &SetupWritten) -> Vec<Line> {
    let mut lines = vec![Line::new(Kind::Good, format!("{} is written.", done.path.display()))];
    if let Some(backup) = &done.backup {
        let text = format!("What it held before is kept in {}", backup.display());
        lines.push(Line::new(Kind::Dim, text));
    }
    lines.extend(done.warnings.iter().map(|text| Line::new(Kind::Warning, text.clone())));
    lines.extend(steps("What to do next; nothing of it was done:", &done.steps));
    lines
}

fn not_written(failed: &SetupNotWritten) -> Vec<Line> {
    let mut lines = vec![Line::new(Kind::Error, failed.why.clone())];
    if let Some(command) = &failed.command {
        lines.extend([Line::gap(), Line::new(Kind::Strong, "This puts it in place:")]);
        lines.push(Line::new(Kind::Code, format!("  {command}")));
        lines.extend(steps("And then:", &failed.steps));
    }
    lines
}

/// What to do, each in a line that can be copied.
fn steps(title: &str, steps: &[String]) -> Vec<Line> {
    if steps.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::gap(), Line::new(Kind::Strong, title)];
    lines.extend(steps.iter().map(|step| Line::new(Kind::Code, format!("  {step}"))));
    lines
}
