//! The configurations of `tests/configurations`, each copied into a folder of its own, where it is changed as a user
//! would change it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nvsdk_top::model::Sysroot;
use nvsdk_top::setup::declared::{Configuration, Entry, Found, Limits};
use nvsdk_top::setup::facts::Facts;
use nvsdk_top::setup::nix::Marker;
use nvsdk_top::setup::{Draft, FilePlan, Outcome, Plan, Refusal, Setup, Value};

use super::{Flake, Question};

/// A configuration: its folder, and the host of its flake. Without a host it begins at `configuration.nix`.
pub(super) struct Existing {
    pub(super) folder: &'static str,
    host: Option<&'static str>,
    /// The host that the program is asked for, which has to be written out in the flake.
    asked: Option<&'static str>,
}

const fn channels(folder: &'static str) -> Existing {
    Existing { folder, host: None, asked: None }
}

const fn flake(folder: &'static str, host: &'static str) -> Existing {
    Existing { folder, host: Some(host), asked: Some(host) }
}

/// Those that have the upstream module, so that what is written is for it.
pub(super) const WITH_UPSTREAM: &[&str] = &["upstream-module", "seed-example"];

/// Where modules that nobody can read have the last word: the configuration, the choice, and what they say. A warning
/// says that they were not read.
pub(super) const UNREAD: &[(&str, &str)] = &[
    // Its module has the driver for displays and says open = true, which is stronger than what is written.
    ("dendritic", "old driver"),
    ("dendritic", "opposite"),
    ("dendritic", "data centre"),
    // It has no driver, and does not accept the licence of an old one.
    ("helper-function attic", "containers"),
    ("helper-function attic", "old driver"),
];

pub(super) const CONFIGURATIONS: &[Existing] = &[
    channels("channels"),
    flake("flake", "tower"),
    flake("multi-host", "desk"),
    flake("multi-host", "rack"),
    flake("nixos-hardware", "carbon"),
    channels("legacy-driver"),
    channels("docker-nvidia"),
    channels("let"),
    channels("server"),
    flake("upstream-module", "yourhostname"),
    channels("seed-example"),
    Existing { asked: None, ..flake("dendritic", "station") },
    flake("helper-function", "attic"),
    flake("helper-function", "cellar"),
];

/// What is chosen together.
pub(super) type Choices = &'static [(&'static str, &'static str)];

/// A value as it is written on the command line.
pub(super) fn value(path: &str, text: &str) -> Value {
    match text {
        "true" | "false" => Value::Bool(text == "true"),
        _ if ["components", "users"].contains(&path) => {
            Value::List(text.split(' ').map(str::to_owned).collect())
        }
        _ => Value::Text(text.to_owned()),
    }
}

/// The choices for a release, as a draft keeps them.
pub(super) fn draft(choices: Choices, release: &str) -> Draft {
    let release = (Setup::RELEASE.to_owned(), Value::Text(release.to_owned()));
    let chosen = choices.iter().map(|(path, text)| ((*path).to_owned(), value(path, text)));
    Draft { entry: None, values: chosen.chain([release]).collect() }
}

fn copy(from: &Path, to: &Path, system: &str) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to, system);
        } else {
            let text = fs::read_to_string(&from).unwrap();
            fs::write(to, text.replace("\"x86_64-linux\"", &format!("\"{system}\""))).unwrap();
        }
    }
}

impl Existing {
    /// The folder, and the host where a flake has several.
    pub(super) fn name(&self) -> String {
        match self.host {
            Some(host) if ["multi-host", "helper-function"].contains(&self.folder) => {
                format!("{} {host}", self.folder)
            }
            _ => self.folder.to_owned(),
        }
    }

    /// A copy for a machine of this system.
    pub(super) fn copy_to(&self, to: PathBuf, system: &'static str) -> Checkout {
        let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configurations");
        copy(&all.join(self.folder), &to, system);
        Checkout { folder: to, host: self.host, asked: self.asked, system, beside: Vec::new() }
    }
}

/// A copy of a configuration.
pub(super) struct Checkout {
    folder: PathBuf,
    host: Option<&'static str>,
    asked: Option<&'static str>,
    pub(super) system: &'static str,
    /// What no file of the configuration imports.
    beside: Vec<PathBuf>,
}

impl Checkout {
    /// How the program is told of it.
    pub(super) fn entry(&self) -> [String; 2] {
        let folder = self.folder.display();
        match (self.host, self.asked) {
            (_, Some(host)) => ["--flake".to_owned(), format!("{folder}#{host}")],
            (Some(_), None) => ["--flake".to_owned(), folder.to_string()],
            (None, None) => ["--config".to_owned(), format!("{folder}/configuration.nix")],
        }
    }

    pub(super) fn read(&self) -> Configuration {
        let file = if self.host.is_some() { "flake.nix" } else { "configuration.nix" };
        let entry = Entry {
            file: self.folder.join(file),
            is_flake: self.host.is_some(),
            host: self.asked.map(str::to_owned),
            this_host: None,
            found: Found::Asked,
            sysroot: Sysroot::default(),
        };
        Configuration::read(&entry, Limits::default())
    }

    pub(super) fn setup(&self, facts: &Arc<Facts>, choices: Choices, release: &str) -> Setup {
        let draft = draft(choices, release);
        let (setup, complaints) =
            Setup::new(Arc::clone(facts), Some(Arc::new(self.read())), &draft);
        assert_eq!(complaints, [""; 0]);
        setup
    }

    /// Writes the file and imports it, as the user is told to; nothing where there is nothing to write.
    pub(super) fn write(&mut self, setup: &Setup, plan: &Plan) {
        let Some(file) = &plan.file else { return };
        let marker = Marker::read(&file.after).unwrap();
        assert_eq!((marker.mode, marker.is_hand_edited), (setup.mode, false));
        assert_eq!(nixfmt_rs::format(&file.after).unwrap(), file.after);
        let path = file.path.clone().unwrap_or_else(|_| self.folder.join("written.nix"));
        fs::write(&path, &file.after).unwrap();
        if file.path.is_err() {
            self.beside.push(path);
        } else {
            import(file, &path);
        }
    }

    /// Puts each line that is left to the user where it belongs, and the names that a predicate lacks, and tells for
    /// which options. What is said in words is not done.
    pub(super) fn paste(&mut self, plan: &Plan) -> Vec<&'static str> {
        let mut done = Vec::new();
        for change in plan.not_written() {
            let Outcome::NotWritten { place, old, line, .. } = &change.outcome else { continue };
            if !line.contains('=') {
                continue;
            }
            if line.ends_with("# outside of the condition") {
                let path = self.folder.join(format!("outside-{}.nix", self.beside.len()));
                fs::write(&path, format!("{{ config, ... }}: {{ {line}\n}}")).unwrap();
                self.beside.push(path);
                continue;
            }
            let text = fs::read_to_string(&place.file).unwrap();
            let before: usize = text.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
            let (head, tail) = text.split_at(before + place.column - 1);
            assert!(tail.starts_with(old.as_str()), "{place}: no {old:?} there");
            let rest = &tail[old.len()..];
            fs::write(&place.file, format!("{head}{line}{rest}")).unwrap();
            done.push(change.option);
        }
        for note in &plan.notes {
            let Refusal::Predicate(place, names) = note else { continue };
            let text = fs::read_to_string(&place.file).unwrap();
            let last = "\"nvidia-settings\"";
            assert_eq!(text.matches(last).count(), 1);
            let all = format!("{last} \"{}\"", names.replace(' ', "\" \""));
            fs::write(&place.file, text.replace(last, &all)).unwrap();
            done.push("unfree");
        }
        done
    }

    /// Whether no module of the host can be read without evaluating.
    pub(super) fn is_unread(&self) -> bool {
        self.read().instead_of_modules().is_some()
    }

    pub(super) fn question(&self, release: &'static str) -> Question {
        let entry = self.folder.join("configuration.nix");
        let own = self.host.is_none().then_some(entry);
        let path = self.folder.join("flake.nix");
        let flake = self.host.map(|host| Flake { path, host });
        let modules = own.into_iter().chain(self.beside.iter().cloned()).collect();
        Question { modules, flake, system: self.system, release, sdk: false }
    }
}

/// The line that the user adds to the imports of the file that is named.
fn import(file: &FilePlan, path: &Path) {
    let importer = file.importer.as_deref().unwrap();
    assert_eq!(importer.parent(), path.parent());
    let text = fs::read_to_string(importer).unwrap();
    let imports = text.find("imports").unwrap();
    let list = imports + text[imports..].find('[').unwrap() + 1;
    let name = path.file_name().unwrap().display();
    let (head, tail) = text.split_at(list);
    fs::write(importer, format!("{head} ./{name}{tail}")).unwrap();
}
