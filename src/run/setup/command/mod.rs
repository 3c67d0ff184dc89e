//! `nvsdk-top setup …`: Setup without a screen.

mod choose;
mod difference;
mod document;
mod elsewhere;
mod page;
mod show;
mod words;
mod write;

use std::io::{self, Write as _};
use std::sync::Arc;

use super::{Gathered, Request, facts_file, gather};
use crate::cli::{Exit, SetupAction, SetupArguments};
use crate::config::Paths;
use crate::model::{Sysroot, printable};
use crate::run::Failure;
use crate::setup::declared::{Asked, Problem};

/// What a user without a home is told.
const NO_HOME: &str = "there is no folder for drafts and backups; set HOME or XDG_STATE_HOME";

/// Does what was asked about the SDK's configuration.
pub(in crate::run) fn run(arguments: &SetupArguments) -> Result<Exit, Failure> {
    let request = request(arguments)?;
    let mut gathered = gather(&request);
    let state = request.state.as_ref();
    let home = || state.ok_or_else(|| Failure::Setup(NO_HOME.to_owned()));
    let is_needed = match &arguments.action {
        SetupAction::Discard => false,
        // What is written elsewhere is no danger to what could not be read.
        SetupAction::Write { output, .. } => output.is_none(),
        _ => true,
    };
    require_entry(&gathered, &request.asked, is_needed)?;
    for warning in &gathered.warnings {
        // There is nobody left to tell when standard error is closed.
        let _ = writeln!(io::stderr(), "nvsdk-top: {}", printable(warning));
    }
    match &arguments.action {
        SetupAction::Show { json: true } => document::run(&gathered),
        SetupAction::Show { json: false } => show::run(&gathered),
        SetupAction::Set { path, values } => choose::set(&mut gathered, (path, values), home()?),
        SetupAction::Discard => choose::discard(&gathered, home()?),
        SetupAction::Diff { sets } => {
            assign(&mut gathered, sets)?;
            difference::run(&gathered)
        }
        SetupAction::Write { sets, output, yes, dry_run } => {
            assign(&mut gathered, sets)?;
            let (output, yes, dry_run) = (output.as_deref(), *yes, *dry_run);
            write::run(&gathered, &write::Wish { output, yes, dry_run }, state)
        }
    }
}

fn request(arguments: &SetupArguments) -> Result<Request, Failure> {
    let facts = arguments.facts.as_deref().map(facts_file::read).transpose()?;
    Ok(Request {
        asked: Asked { config: arguments.config.clone(), flake: arguments.flake.clone() },
        facts: facts.map(Arc::new),
        nvml: None,
        library: arguments.nvml.clone(),
        mode: arguments.mode,
        release: arguments.release,
        sysroot: Sysroot::new(&arguments.root),
        state: Paths::of_user().map(|paths| paths.state().to_owned()),
    })
}

fn assign(gathered: &mut Gathered, sets: &[String]) -> Result<(), Failure> {
    sets.iter().try_for_each(|assignment| choose::assign(&mut gathered.setup, assignment))
}

/// A configuration that the user names has to be there, and one that can be read where that is needed.
fn require_entry(gathered: &Gathered, asked: &Asked, is_needed: bool) -> Result<(), Failure> {
    let configuration = gathered.setup.configuration.as_deref();
    let Some(read) = configuration.filter(|_| *asked != Asked::default()) else { return Ok(()) };
    // A folder is named in place of the file in it, and a flake's own file is read although it lacks the host.
    let of_entry = |problem: &&Problem| {
        let is_nothing = read.files.is_empty() || matches!(problem, Problem::NoHost { .. });
        is_nothing || *problem.path() == read.entry.file
    };
    let is_missing = |problem: &Problem| {
        matches!(problem, Problem::NotThere(_) | Problem::NoFile(_) | Problem::NoHost { .. })
    };
    match read.problems.iter().find(of_entry) {
        Some(problem) if is_needed || is_missing(problem) => {
            Err(Failure::Setup(problem.to_string()))
        }
        _ => Ok(()),
    }
}
