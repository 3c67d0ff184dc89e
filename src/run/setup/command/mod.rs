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
    if !matches!(arguments.action, SetupAction::Discard) {
        require_entry(&gathered, &request.asked)?;
    }
    for warning in &gathered.warnings {
        // There is nobody left to tell when standard error is closed.
        let _ = writeln!(io::stderr(), "nvsdk-top: {}", printable(warning));
    }
    match &arguments.action {
        SetupAction::Show { json: true } => document::run(&gathered),
        SetupAction::Show { json: false } => show::run(&gathered),
        SetupAction::Set { path, values } => {
            choose::set(&mut gathered, &request.asked, (path, values), home()?)
        }
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

/// A configuration that the user names has to be one that can be read.
fn require_entry(gathered: &Gathered, asked: &Asked) -> Result<(), Failure> {
    let configuration = gathered.setup.configuration.as_deref();
    let Some(read) = configuration.filter(|_| *asked != Asked::default()) else { return Ok(()) };
    let of_entry = |problem: &&Problem| *problem.path() == read.entry.file;
    match read.problems.iter().find(of_entry) {
        Some(problem) => Err(Failure::Setup(problem.to_string())),
        None => Ok(()),
    }
}
