//! Writing what a plan says, and what the user does after it.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Target, Warning, WriteError, Written, git_root, is_ignored, tools};
use crate::setup::declared::{Configuration, Nowhere, SourceFile, Stamp};
use crate::setup::next::{Entry, Import, Step, WrittenFile, after};
use crate::setup::nix::Marker;
use crate::setup::{FilePlan, Plan, Refusal, Setup};

/// Where the file goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// Where the plan says.
    #[default]
    Planned,
    /// Into this file.
    File(PathBuf),
}

/// A file that would be written, and what is there now.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The file, with its folders resolved.
    pub path: PathBuf,
    /// What it holds, if it is there.
    pub before: Option<String>,
    /// What it is to hold.
    pub after: String,
    /// What is to be done once it is written.
    pub steps: Vec<Step>,
    target: Target,
}

/// A file that was written.
#[derive(Debug)]
pub struct Applied {
    /// Which, and where what it held is kept.
    pub written: Written,
    /// What the user should know of its place.
    pub warnings: Vec<Warning>,
    /// What is to be done next.
    pub steps: Vec<Step>,
}

/// Why nothing was written. Every file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// There is nothing to write.
    #[error("nothing is to be written; choose something with nvsdk-top setup set first")]
    Nothing,
    /// The configuration or the machine speaks against it.
    #[error("nothing was written: {}", .0.join("; "))]
    Refused(Vec<String>),
    /// No place follows from the configuration.
    #[error(transparent)]
    Nowhere(#[from] Nowhere),
    /// A file that the plan was made from is another by now.
    #[error("{} was changed since it was read, so nothing was written; look at what would change again", .0.display())]
    Changed(PathBuf),
    /// The file cannot be written.
    #[error("{error}")]
    Write {
        /// Why; [`WriteError::NoPermission`] has the command that puts the file in place.
        error: WriteError,
        /// What is to be done once it is in place.
        steps: Vec<Step>,
    },
}

/// What speaks against writing, each as a sentence.
#[must_use]
pub fn objections(setup: &Setup, plan: &Plan, destination: &Destination) -> Vec<String> {
    setup.objections(plan, *destination == Destination::Planned)
}

/// Looks at the file that the plan would write. Nothing is changed.
///
/// # Errors
/// When there is nothing to write or no place for it, and when what is there is not what the plan was made with.
pub fn propose(
    setup: &Setup,
    plan: &Plan,
    destination: &Destination,
) -> Result<Proposal, ApplyError> {
    let file = plan.file.as_ref().ok_or(ApplyError::Nothing)?;
    let path = match destination {
        Destination::Planned => file.path.clone()?,
        Destination::File(path) => path.clone(),
    };
    let failed = |error| ApplyError::Write { error, steps: Vec::new() };
    let target = Target::look(&path, &store(setup)).map_err(failed)?;
    if setup.configuration.as_deref().is_some_and(|read| read.is_below_import_tree(&target.path()))
    {
        return Err(ApplyError::Refused(vec![Refusal::ImportTree(target.path()).to_string()]));
    }
    let bytes = target.bytes();
    let own = setup.own_file().map(|own| own.path.as_path());
    let is_imported = setup.not_imported().is_none();
    if let Some(own) = own.filter(|own| is_imported && resolved(own) != target.path()) {
        return Err(ApplyError::Refused(vec![format!(
            "{} is imported and sets the same keys; write that one, or print the module with -o -",
            own.display()
        )]));
    }
    let before = match destination {
        Destination::Planned if bytes != file.before.as_deref().map(str::as_bytes) => {
            return Err(ApplyError::Changed(target.path()));
        }
        Destination::Planned => file.before.clone(),
        Destination::File(_) => bytes.map(|bytes| own_text(bytes, &target.path())).transpose()?,
    };
    let steps = next_steps(setup, plan, file, &target, destination);
    Ok(Proposal { path: target.path(), before, after: file.after.clone(), steps, target })
}

impl Proposal {
    /// Writes the file, unless something that it was made from has changed. `state` is the program's own folder.
    ///
    /// # Errors
    /// When the plan is refused, and when the file cannot be written; it is then as it was.
    pub fn write(
        &self,
        setup: &Setup,
        plan: &Plan,
        destination: &Destination,
        state: &Path,
    ) -> Result<Applied, ApplyError> {
        let objections = objections(setup, plan, destination);
        if !objections.is_empty() {
            return Err(ApplyError::Refused(objections));
        }
        let files = setup.configuration.as_deref().map_or(&[][..], |read| &read.files);
        let is_as_read = |path: &Path, stamp: Stamp| {
            fs::metadata(path).is_ok_and(|metadata| Stamp::of(&metadata) == stamp)
        };
        if let Some(changed) = files.iter().find(|file| !is_as_read(&file.path, file.stamp)) {
            return Err(ApplyError::Changed(changed.path.clone()));
        }
        let steps = self.steps.clone();
        match self.target.replace(self.after.as_bytes(), state) {
            Ok(written) => {
                Ok(Applied { written, warnings: self.target.warnings().to_vec(), steps })
            }
            Err(error) => Err(ApplyError::Write { error, steps }),
        }
    }
}

/// Writes the plan's file: looks at it, and replaces it if it is what the plan was made with.
///
/// # Errors
/// Those of [`propose`] and [`Proposal::write`].
pub fn apply(
    setup: &Setup,
    plan: &Plan,
    destination: &Destination,
    state: &Path,
) -> Result<Applied, ApplyError> {
    propose(setup, plan, destination)?.write(setup, plan, destination, state)
}

fn store(setup: &Setup) -> PathBuf {
    let configuration = setup.configuration.as_deref();
    configuration
        .map_or_else(|| PathBuf::from("/nix/store"), |read| read.entry.sysroot.path("/nix/store"))
}

/// The text of a file that may be written over: an empty one, or one that this program wrote.
fn own_text(bytes: &[u8], path: &Path) -> Result<String, ApplyError> {
    let refused = |refusal: Refusal| Err(ApplyError::Refused(vec![refusal.to_string()]));
    let text = String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| "?".to_owned());
    match Marker::read(&text) {
        _ if text.trim().is_empty() => Ok(text),
        Some(own) if !own.is_hand_edited => Ok(text),
        Some(_) => refused(Refusal::HandEdited(path.to_owned())),
        None => refused(Refusal::Foreign(path.to_owned())),
    }
}

fn next_steps(
    setup: &Setup,
    plan: &Plan,
    file: &FilePlan,
    target: &Target,
    destination: &Destination,
) -> Vec<Step> {
    let path = target.path();
    let work_tree = git_root(&path);
    let entry = setup.configuration.as_deref().map(Entry::from);
    let folders = [entry.as_ref().map(Entry::folder), work_tree.as_deref()];
    let folders: Vec<&Path> = folders.into_iter().flatten().collect();
    let tools = tools(&folders, std::env::var_os("PATH").as_deref());
    let written = WrittenFile {
        is_new: target.bytes().is_none(),
        is_ignored: work_tree.as_deref().is_some_and(|root| is_ignored(root, &path)),
        work_tree: work_tree.clone(),
        import: setup
            .configuration
            .as_deref()
            .map_or(Import::Somewhere, |read| import(setup, read, file, &path, destination)),
        path,
    };
    after(setup, plan, written, &tools)
}

/// What imports the file that is written to `path`.
fn import(
    setup: &Setup,
    read: &Configuration,
    file: &FilePlan,
    path: &Path,
    destination: &Destination,
) -> Import {
    let unimported = setup.not_imported();
    let is_imported = |known: &SourceFile| {
        known.resolved == path && unimported.is_none_or(|own| own.file != known.path)
    };
    let importer = match destination {
        Destination::Planned if file.importer.is_none() => return Import::Done,
        Destination::Planned => file.importer.clone(),
        Destination::File(_) if read.files.iter().any(is_imported) => return Import::Done,
        Destination::File(_) => {
            unimported.map(|own| own.importer.clone()).or_else(|| read.importer())
        }
    };
    importer.map_or(Import::Somewhere, |importer| Import::Into {
        has_list: read.has_imports(&importer),
        file: resolved(&importer),
    })
}

/// The file with its folders resolved, so that the way from one file to another can be told.
fn resolved(file: &Path) -> PathBuf {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let folder = absolute.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, absolute.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => absolute,
    }
}
