//! Everything that Setup is made of, read in one go: the machine, its configuration, and the draft.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use super::surroundings::git_root;
use super::target::Target;
use super::{DraftFile, machine};
use crate::model::Sysroot;
use crate::setup::declared::{
    Asked, Configuration, Entry, Environment, FlakeName, Limits, NewFile,
};
use crate::setup::draft::Draft;
use crate::setup::facts::{self, Facts, Nvml};
use crate::setup::{Mode, Release, Setup};

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The configuration that the command line names.
    pub asked: Asked,
    /// Facts that take the place of this machine's.
    pub facts: Option<Arc<Facts>>,
    /// What NVML said already; without it NVML is asked once, if a driver is loaded.
    pub nvml: Option<Nvml>,
    /// The NVML library to load in place of the driver's own.
    pub library: Option<PathBuf>,
    /// Whose options are written, over what the configuration tells.
    pub mode: Option<Mode>,
    /// The release to write for, over the machine's.
    pub release: Option<Release>,
    /// What stands for `/`.
    pub sysroot: Sysroot,
    /// The program's own folder, with the draft; none for a user without a home.
    pub state: Option<PathBuf>,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The options, with what runs, what is declared and what is wanted.
    pub setup: Setup,
    /// Where the configuration begins; none where there is no configuration.
    pub entry: Option<Entry>,
    /// The configuration as a draft names it.
    pub name: Option<String>,
    /// The draft without what is declared by now.
    pub draft: Draft,
    /// What is wrong with the draft or the configuration, each as a sentence.
    pub warnings: Vec<String>,
}

/// Reads the machine, the configuration and the draft. Nothing is printed, asked or written; it may wait for a disk
/// and, for at most about a second, for systemd and NVML.
#[must_use]
pub fn gather(request: &Request) -> Gathered {
    let mut warnings = Vec::new();
    let mut draft = draft(request, &mut warnings);
    let entry = find(request, &draft);
    let configuration =
        entry.as_ref().map(|entry| Arc::new(Configuration::read(entry, Limits::default())));
    let facts = request.facts.clone().unwrap_or_else(|| Arc::new(read_facts(request)));
    let name = configuration.as_deref().map(named);
    let is_its_own = draft.entry.is_none() || draft.entry == name;
    if !draft.is_empty() {
        let of_draft = if is_its_own { configuration.clone() } else { read_for(request, &draft) };
        drop_declared(&mut draft, &facts, of_draft);
    }
    let none = Draft::default();
    let chosen = if is_its_own { &draft } else { &none };
    if chosen.is_empty() && !draft.is_empty() {
        let whose = draft.entry.as_deref().unwrap_or_default();
        warnings.push(format!(
            "what was chosen is for {whose} and is left out here; nvsdk-top setup discard forgets it"
        ));
    }
    let (mut setup, complaints) = Setup::new(facts, configuration, chosen);
    warnings.extend(complaints.into_iter().map(|complaint| format!("in the draft: {complaint}")));
    if let Some(release) = request.release {
        setup.release = release;
        setup.is_release_guessed = false;
    }
    let mode = request.mode.unwrap_or(setup.mode);
    setup.set_mode(mode);
    if let Some(configuration) = setup.configuration.clone() {
        warnings.extend(configuration.problems.iter().map(ToString::to_string));
        if request.facts.is_none() && configuration.is_of_another_host() {
            let host = configuration.flake.as_ref().and_then(|flake| flake.host.as_deref());
            warnings.push(format!(
                "what runs is of this machine, and the configuration is of {0}; take that one's facts: ssh {0} nvsdk-top setup show --json | nvsdk-top setup diff --facts - …",
                host.unwrap_or("another")
            ));
        }
        setup.work_tree = work_tree(&configuration);
        setup.found_file = found_file(&configuration, &request.sysroot, &mut warnings);
    }
    Gathered { setup, entry, name, draft, warnings }
}

fn draft(request: &Request, warnings: &mut Vec<String>) -> Draft {
    let Some(state) = &request.state else { return Draft::default() };
    let loaded = DraftFile::new(state).load();
    warnings.extend(loaded.warning.map(|warning| warning.to_string()));
    loaded.draft
}

/// The entry that the command line names, else that of the draft, else the usual one.
fn find(request: &Request, draft: &Draft) -> Option<Entry> {
    let find = |asked: &Asked| Entry::find(asked, &environment(), &request.sysroot);
    let usual = find(&request.asked);
    let of_draft = draft.entry.as_deref().filter(|_| request.asked == Asked::default());
    match (of_draft.and_then(|name| find(&from_name(name))), usual) {
        // It was not named then, either.
        (Some(drafts), Some(usual)) if drafts.file == usual.file && !usual.is_flake => Some(usual),
        (drafts, usual) => drafts.or(usual),
    }
}

/// The configuration that the draft was made for.
fn read_for(request: &Request, draft: &Draft) -> Option<Arc<Configuration>> {
    let asked = from_name(draft.entry.as_deref()?);
    let entry = Entry::find(&asked, &environment(), &request.sysroot)?;
    Some(Arc::new(Configuration::read(&entry, Limits::default())))
}

/// Takes out of a draft what is declared by now; an empty one belongs to no configuration.
fn drop_declared(draft: &mut Draft, facts: &Arc<Facts>, read: Option<Arc<Configuration>>) {
    let (setup, _) = Setup::new(Arc::clone(facts), read, draft);
    draft.values.retain(|path, value| {
        let declared = setup.row(path).and_then(|row| row.stated.value());
        declared != Some(value)
    });
    if draft.is_empty() {
        draft.entry = None;
    }
}

/// A configuration as a draft names it: `FILE` or `DIR#HOST`, wherever the next command is run.
fn named(read: &Configuration) -> String {
    let Entry { file, is_flake, host, .. } = &read.entry;
    let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
    if !is_flake {
        return file.display().to_string();
    }
    let folder = file.parent().unwrap_or(&file);
    let host = read.flake.as_ref().and_then(|flake| flake.host.as_ref()).or(host.as_ref());
    format!("{}#{}", folder.display(), host.map_or("", String::as_str))
}

/// A file that is there is a file, whatever is in its name.
fn from_name(name: &str) -> Asked {
    let file = PathBuf::from(name);
    match name.split_once('#') {
        Some((folder, host)) if !file.is_file() => {
            let host = Some(host).filter(|host| !host.is_empty()).map(str::to_owned);
            Asked { flake: Some(FlakeName { folder: folder.into(), host }), config: None }
        }
        _ => Asked { config: Some(file), flake: None },
    }
}

fn environment() -> Environment {
    let variable = |name| env::var(name).ok();
    Environment {
        nixos_config: variable("NIXOS_CONFIG"),
        nix_path: variable("NIX_PATH"),
        nh_os_flake: variable("NH_OS_FLAKE"),
        nh_flake: variable("NH_FLAKE"),
        host: Some(rustix::system::uname().nodename().to_string_lossy().into_owned()),
    }
}

fn read_facts(request: &Request) -> Facts {
    let library = request.library.as_deref().filter(|path| !path.as_os_str().is_empty());
    let surroundings = machine::surroundings(&request.sysroot, request.nvml.clone(), library);
    facts::read(&request.sysroot, &surroundings)
}

/// The git work tree of our own file, be it there or not.
fn work_tree(configuration: &Configuration) -> Option<PathBuf> {
    match configuration.new_file() {
        NewFile::Ours(file) | NewFile::Beside { file, .. } => {
            git_root(&std::path::absolute(file).ok()?)
        }
        NewFile::Nowhere(_) => None,
    }
}

/// What stands where a file of our own would be, though nothing imports it.
fn found_file(
    configuration: &Configuration,
    sysroot: &Sysroot,
    warnings: &mut Vec<String>,
) -> Option<Arc<str>> {
    let NewFile::Beside { file, .. } = configuration.new_file() else { return None };
    match Target::look(&file, &sysroot.path("/nix/store")) {
        Ok(target) => target.bytes().map(|bytes| String::from_utf8_lossy(bytes).into()),
        Err(error) => {
            warnings.push(error.to_string());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Request, from_name, gather};
    use crate::model::Sysroot;
    use crate::run::setup::DraftFile;
    use crate::setup::declared::FlakeName;
    use crate::setup::draft::{Draft, Value};
    use std::fs;
    use std::path::Path;

    fn machine(root: &Path) -> Request {
        let nixos = root.join("etc/nixos");
        fs::create_dir_all(&nixos).unwrap();
        fs::write(nixos.join("configuration.nix"), "{ hardware.nvidia.open = false; }").unwrap();
        Request {
            sysroot: Sysroot::new(root),
            state: Some(root.join("state")),
            ..Request::default()
        }
    }

    #[test]
    fn the_names_of_configurations_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        let flake = "{ outputs = { nixpkgs, ... }: { nixosConfigurations.box = nixpkgs.lib.nixosSystem { modules = [ ]; }; }; }";
        write("flake.nix", flake);
        let file = Asked { config: Some(write("a#b.nix", "{ }")), flake: None };
        let flake = |host: Option<&str>| Asked {
            flake: Some(FlakeName { folder: folder.path().into(), host: host.map(str::to_owned) }),
            config: None,
        };
        let name = |asked: &Asked| {
            let request = Request { asked: asked.clone(), ..machine(folder.path()) };
            gather(&request).name.unwrap()
        };
        assert_eq!(from_name(&name(&file)), file);
        assert_eq!(from_name(&name(&flake(None))), flake(Some("box")));
        assert_eq!(from_name(&name(&flake(Some("box")))), flake(Some("box")));
    }

    #[test]
    fn what_is_declared_by_now_is_no_choice() {
        let folder = tempfile::tempdir().unwrap();
        let request = machine(folder.path());
        let configuration = folder.path().join("etc/nixos/configuration.nix");
        let values = [
            ("driver.open".to_owned(), Value::Bool(false)),
            ("podman".to_owned(), Value::Bool(true)),
        ];
        let mut draft =
            Draft { entry: Some(configuration.display().to_string()), values: values.into() };
        let file = DraftFile::new(&folder.path().join("state"));
        file.save(&draft).unwrap();
        assert_eq!(gather(&request).draft.values.len(), 1, "driver.open is false there");
        draft.values.remove("podman");
        file.save(&draft).unwrap();
        let other = folder.path().join("other.nix");
        fs::write(&other, "{ }").unwrap();
        let asked = Asked { config: Some(other), flake: None };
        let gathered = gather(&Request { asked, ..request });
        assert_eq!((gathered.draft, gathered.warnings), (Draft::default(), Vec::new()));
    }

    #[test]
    fn a_draft_counts_for_the_configuration_that_it_was_made_for() {
        let folder = tempfile::tempdir().unwrap();
        let request = machine(folder.path());
        let other = folder.path().join("other.nix");
        fs::write(&other, "{ }").unwrap();
        let draft = Draft {
            entry: Some(other.display().to_string()),
            values: [("driver.open".to_owned(), Value::Bool(true))].into(),
        };
        DraftFile::new(&folder.path().join("state")).save(&draft).unwrap();
        let gathered = gather(&request);
        assert_eq!(gathered.entry.unwrap().file, other);
        assert_eq!(gathered.setup.chosen.len(), 1);
        let config = Some(folder.path().join("etc/nixos/configuration.nix"));
        let asked = Asked { config, flake: None };
        let gathered = gather(&Request { asked, ..request });
        assert!(gathered.setup.chosen.is_empty());
        assert!(gathered.warnings[0].contains("other.nix"), "{:?}", gathered.warnings);
    }

    #[test]
    fn a_file_in_the_place_of_ours_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let request = machine(folder.path());
        let root = folder.path().canonicalize().unwrap();
        assert_eq!(gather(&request).setup.work_tree, super::git_root(&root));
        fs::create_dir(root.join("etc/.git")).unwrap();
        fs::write(root.join("etc/.git/HEAD"), "ref: refs/heads/main").unwrap();
        let work_tree = gather(&request).setup.work_tree.unwrap();
        assert_eq!(work_tree.canonicalize().unwrap(), root.join("etc"));
        assert_eq!(gather(&request).setup.found_file, None);
        let place = folder.path().join("etc/nixos/nvsdk-top.nix");
        fs::write(&place, "{ }\n").unwrap();
        assert_eq!(gather(&request).setup.found_file.as_deref(), Some("{ }\n"));
        fs::remove_file(&place).unwrap();
        fs::create_dir(&place).unwrap();
        let gathered = gather(&request);
        assert!(gathered.warnings[0].contains("is a folder"), "{:?}", gathered.warnings);
    }
}
