//! `setup diff`, and what `setup write` shows before it writes: the text that changes, and what is left to the user.

use std::io::{self, Write};

use super::page::{Page, Tone};
use crate::cli::Exit;
use crate::run::Failure;
use crate::run::setup::{Destination, Gathered, objections};
use crate::setup::{Change, DiffLine, Outcome, Plan, Setup, diff};

/// Prints what would be written and what would not.
pub(super) fn run(gathered: &Gathered) -> Result<Exit, Failure> {
    let plan = gathered.setup.plan();
    let mut page = Page::stdout();
    if let Some(file) = &plan.file {
        let name = match &file.path {
            Ok(path) => path.display().to_string(),
            Err(_) => "nvsdk-top.nix".to_owned(),
        };
        texts(&mut page, &name, file.before.as_deref(), &file.after)?;
    }
    by_hand(&mut page, &plan)?;
    for objection in objections(&gathered.setup, &plan, &Destination::Planned) {
        remark(&mut page, Tone::Alarm, &format!("not possible: {objection}"))?;
    }
    warnings(&mut page, &gathered.setup)?;
    not_imported(&mut page, &gathered.setup)?;
    page.flush()?;
    let is_same = plan.is_empty() && plan.refusals.is_empty() && plan.notes.is_empty();
    Ok(if is_same { Exit::Ok } else { Exit::Differs })
}

/// The difference of two texts of a file, as `patch` reads it.
pub(super) fn texts<W: Write>(
    page: &mut Page<W>,
    name: &str,
    before: Option<&str>,
    after: &str,
) -> io::Result<()> {
    let lines = diff(before.unwrap_or_default(), after);
    if lines.is_empty() {
        return Ok(());
    }
    let old = if before.is_some() { name } else { "/dev/null" };
    page.line(Tone::Heading, &format!("--- {old}"))?;
    page.line(Tone::Heading, &format!("+++ {name}"))?;
    for line in lines {
        let tone = match line {
            DiffLine::Place(_) => Tone::Place,
            DiffLine::Same(_) => Tone::Plain,
            DiffLine::Old(_) => Tone::Removed,
            DiffLine::New(_) => Tone::Added,
        };
        page.line(tone, &line.unified())?;
    }
    Ok(())
}

/// What the plan leaves to the user. The lines are comments, so that the whole can still be fed to `patch`.
pub(super) fn by_hand<W: Write>(page: &mut Page<W>, plan: &Plan) -> io::Result<()> {
    for Change { option, key, outcome } in &plan.changes {
        let Outcome::NotWritten { place, is, line, .. } = outcome else { continue };
        let is = is.split_whitespace().collect::<Vec<_>>().join(" ");
        remark(
            page,
            Tone::Alarm,
            &format!(
                "not written: {option}, because {key} is set at {place} to {is}; write there:"
            ),
        )?;
        remark(page, Tone::Plain, &format!("  {line}"))?;
    }
    plan.notes.iter().try_for_each(|note| remark(page, Tone::Alarm, &format!("by hand: {note}")))
}

/// What the checks find that is in nobody's way.
pub(super) fn warnings<W: Write>(page: &mut Page<W>, setup: &Setup) -> io::Result<()> {
    let blockers = setup.blockers();
    let mut others = setup.findings().into_iter().filter(|finding| !blockers.contains(finding));
    others.try_for_each(|finding| remark(page, Tone::Alarm, &finding.sentence))
}

/// Our file is in its place, but the configuration does not have it.
pub(super) fn not_imported<W: Write>(page: &mut Page<W>, setup: &Setup) -> io::Result<()> {
    let mut own = setup.not_imported().into_iter();
    own.try_for_each(|own| remark(page, Tone::Alarm, &own.to_string()))
}

fn remark<W: Write>(page: &mut Page<W>, tone: Tone, text: &str) -> io::Result<()> {
    page.line(tone, &format!("# {text}"))
}
