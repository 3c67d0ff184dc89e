//! `setup write`: shows what changes, asks, writes, and says what to do next.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::difference::{by_hand, not_imported, texts, warnings};
use super::page::{Page, Tone};
use crate::cli::Exit;
use crate::run::Failure;
use crate::run::setup::{
    Applied, ApplyError, Destination, DraftFile, Gathered, Proposal, WriteError, objections,
    propose,
};
use crate::setup::Plan;
use crate::setup::next::Step;

/// What the command line says about writing.
pub(super) struct Wish<'a> {
    pub(super) output: Option<&'a Path>,
    pub(super) yes: bool,
    pub(super) dry_run: bool,
}

/// The longest answer that is read.
const MOST_BYTES: u64 = 1 << 10;

pub(super) fn run(
    gathered: &Gathered,
    wish: &Wish,
    state: Option<&PathBuf>,
) -> Result<Exit, Failure> {
    let plan = gathered.setup.plan();
    if wish.output == Some(Path::new("-")) {
        return print(gathered, &plan);
    }
    let destination = match wish.output {
        Some(path) => Destination::File(path.to_owned()),
        None => Destination::Planned,
    };
    let mut page = Page::stdout();
    let refused = objections(&gathered.setup, &plan, &destination);
    let proposal = match propose(&gathered.setup, &plan, &destination) {
        Err(ApplyError::Nothing) if refused.is_empty() => return nothing(page, gathered, &plan),
        Err(_) if !refused.is_empty() => return Err(failure(&ApplyError::Refused(refused))),
        proposal => proposal.map_err(|error| failure(&error))?,
    };
    let name = proposal.path.display().to_string();
    texts(&mut page, &name, proposal.before.as_deref(), &proposal.after)?;
    by_hand(&mut page, &plan)?;
    warnings(&mut page, &gathered.setup)?;
    page.flush()?;
    if !refused.is_empty() {
        return Err(failure(&ApplyError::Refused(refused)));
    }
    if proposal.before.as_deref() == Some(&proposal.after) {
        page.line(Tone::Plain, &format!("{name} is as it should be."))?;
        page.flush()?;
        return Ok(Exit::Ok);
    }
    if wish.dry_run {
        page.line(Tone::Plain, "Nothing was written. After writing:")?;
        steps(&mut page, &proposal.steps)?;
        return Ok(Exit::Ok);
    }
    let state = state.ok_or_else(|| Failure::Setup(super::NO_HOME.to_owned()))?;
    if !wish.yes && !agrees()? {
        page.line(Tone::Plain, "Nothing was written.")?;
        page.flush()?;
        return Ok(Exit::Ok);
    }
    write(&mut page, gathered, &plan, &proposal, &destination, state)
}

/// The module alone, for a pipe or a file of the shell's.
fn print(gathered: &Gathered, plan: &Plan) -> Result<Exit, Failure> {
    let destination = Destination::File("-".into());
    let refused = objections(&gathered.setup, plan, &destination);
    if !refused.is_empty() {
        return Err(failure(&ApplyError::Refused(refused)));
    }
    let setup = &gathered.setup;
    let unimported = setup.not_imported().and_then(|_| Some(setup.own_file()?.text.as_str()));
    let text = plan.file.as_ref().map(|file| file.after.as_str()).or(unimported);
    let text = text.ok_or_else(|| failure(&ApplyError::Nothing))?;
    let mut page = Page::stdout();
    page.raw(text)?;
    page.flush()?;
    Ok(Exit::Ok)
}

/// Nothing belongs in our file; there may be something to do by hand.
fn nothing(
    mut page: Page<impl io::Write>,
    gathered: &Gathered,
    plan: &Plan,
) -> Result<Exit, Failure> {
    by_hand(&mut page, plan)?;
    warnings(&mut page, &gathered.setup)?;
    not_imported(&mut page, &gathered.setup)?;
    page.line(Tone::Plain, "Nothing is to be written.")?;
    page.flush()?;
    Ok(Exit::Ok)
}

/// Asks the user of the terminal, who is there even where the output goes to a pipe.
fn agrees() -> Result<bool, Failure> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask on, so nothing was written; write with --yes, or look with --dry-run",
        ));
    }
    io::stderr().write_all(b"write it? [y/N] ")?;
    let mut answer = Vec::new();
    stdin.lock().take(MOST_BYTES).read_until(b'\n', &mut answer)?;
    Ok(matches!(answer.trim_ascii().to_ascii_lowercase().as_slice(), b"y" | b"yes"))
}

fn write(
    page: &mut Page<impl io::Write>,
    gathered: &Gathered,
    plan: &Plan,
    proposal: &Proposal,
    destination: &Destination,
    state: &Path,
) -> Result<Exit, Failure> {
    let Applied { written, warnings, steps: next } =
        match proposal.write(&gathered.setup, plan, destination, state) {
            Ok(applied) => applied,
            Err(error) => {
                if let ApplyError::Write { error: WriteError::NoPermission { .. }, steps: next } =
                    &error
                {
                    page.line(Tone::Plain, "Once the file is in place:")?;
                    steps(page, next)?;
                }
                return Err(failure(&error));
            }
        };
    page.line(Tone::Plain, &format!("Wrote {}.", written.path.display()))?;
    if let Some(backup) = &written.backup {
        page.line(Tone::Quiet, &format!("What it held is in {}.", backup.display()))?;
    }
    for warning in warnings {
        page.line(Tone::Alarm, &format!("Mind: {warning}."))?;
    }
    if let Some(error) = &written.unsynced {
        page.line(
            Tone::Alarm,
            &format!("Mind: a power cut may undo this for some seconds ({error})."),
        )?;
    }
    page.line(Tone::Plain, "Next:")?;
    steps(page, &next)?;
    // A file that the user named elsewhere may be for any configuration.
    let is_declared = plan.file.as_ref().is_some_and(|file| file.importer.is_none());
    if (is_declared || *destination == Destination::Planned) && !gathered.draft.is_empty() {
        DraftFile::new(state).forget_written(plan);
    }
    Ok(Exit::Ok)
}

fn steps(page: &mut Page<impl io::Write>, steps: &[Step]) -> io::Result<()> {
    for step in steps {
        page.line(Tone::Plain, &format!("  {step}"))?;
    }
    page.flush()
}

fn failure(error: &ApplyError) -> Failure {
    Failure::Setup(error.to_string())
}
