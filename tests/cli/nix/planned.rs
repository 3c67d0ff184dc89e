//! What Setup writes for existing configurations, evaluated alone and together with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nvsdk_top::model::Sysroot;
use nvsdk_top::setup::declared::{Configuration, Entry, Found, Limits};
use nvsdk_top::setup::facts::{self, Facts, Surroundings};
use nvsdk_top::setup::nix::{Marker, Mode};
use nvsdk_top::setup::{Draft, Outcome, Setup, Value};

use super::{Question, RELEASES, SYSTEMS, evaluate_all, is_there};

/// A configuration of `tests/configurations`: its folder, the host of its flake, and the modules that are evaluated
/// with what is written. Without a host it begins at `configuration.nix`.
struct Existing {
    folder: &'static str,
    host: Option<&'static str>,
    modules: &'static [&'static str],
    /// Whether it has the upstream module.
    upstream: bool,
}

const fn existing(folder: &'static str, modules: &'static [&'static str]) -> Existing {
    Existing { folder, host: None, modules, upstream: false }
}

const CONFIGURATION: &[&str] = &["configuration.nix"];

const CONFIGURATIONS: &[Existing] = &[
    existing("channels", CONFIGURATION),
    Existing { host: Some("tower"), ..existing("flake", &["configuration.nix", "gpu.nix"]) },
    Existing {
        host: Some("desk"),
        ..existing("multi-host", &["hosts/desk", "modules/common.nix"])
    },
    Existing {
        host: Some("rack"),
        ..existing("multi-host", &["hosts/rack", "modules/common.nix", "modules/nvidia.nix"])
    },
    existing("nixos-hardware", CONFIGURATION),
    existing("legacy-driver", CONFIGURATION),
    existing("docker-nvidia", CONFIGURATION),
    existing("let", CONFIGURATION),
    existing("server", CONFIGURATION),
    Existing { upstream: true, ..existing("upstream-module", CONFIGURATION) },
];

/// What is chosen together.
type Choices = &'static [(&'static str, &'static str)];

const CHOICES: &[(&str, Choices)] = &[
    ("driver", &[("enable", "true")]),
    (
        "services",
        &[
            ("enable", "true"),
            ("persistenced", "true"),
            ("container.enable", "true"),
            ("podman", "true"),
        ],
    ),
    (
        "packages",
        &[
            ("enable", "true"),
            ("systemPackages", "true"),
            ("monitoring", "true"),
            ("components", "cudnn nccl"),
        ],
    ),
    (
        "branch",
        &[("enable", "true"), ("driver.package", "legacy_580"), ("container.device-names", "uuid")],
    ),
    (
        "old driver",
        &[("enable", "true"), ("driver.package", "legacy_470"), ("driver.open", "false")],
    ),
    ("data centre", &[("datacenter", "true"), ("driver.package", "dc_580")]),
];

/// Where nothing is written, and a word of the reason.
const REFUSED: &[(&str, &str, &str)] = &[
    // Both have the driver for displays already.
    ("channels", "data centre", "exclude each other"),
    ("flake", "data centre", "exclude each other"),
    ("multi-host rack", "data centre", "exclude each other"),
    ("nixos-hardware", "data centre", "exclude each other"),
    ("legacy-driver", "data centre", "exclude each other"),
    ("docker-nvidia", "data centre", "exclude each other"),
    ("let", "data centre", "exclude each other"),
    ("server", "data centre", "exclude each other"),
    ("upstream-module", "data centre", "no driver for data centres"),
    // Their driver comes without the open module, which stays off.
    ("legacy-driver", "packages", "does not run"),
    // They say open = true themselves, which is theirs to change first.
    ("upstream-module", "old driver", "comes without the open module, and driver.open is true at"),
    ("nixos-hardware", "old driver", "comes without the open module, and driver.open is true at"),
];

/// The configurations that are for `x86_64` alone, since they ask for 32-bit libraries.
const WITH_32_BIT: &[&str] = &["flake", "docker-nvidia"];

fn value(path: &str, text: &str) -> Value {
    match text {
        "true" | "false" => Value::Bool(text == "true"),
        _ if path == "components" => Value::List(text.split(' ').map(str::to_owned).collect()),
        _ => Value::Text(text.to_owned()),
    }
}

/// A machine of which nothing is known but its processor.
fn facts(system: &str) -> Facts {
    let folder = tempfile::tempdir().unwrap();
    let machine = Ok(system.split('-').next().unwrap().to_owned());
    let surroundings = Surroundings { machine, ..Surroundings::default() };
    facts::read(&Sysroot::new(folder.path()), &surroundings)
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

/// A choice for a configuration in a folder of its own.
struct Planned {
    name: String,
    choice: &'static str,
    setup: Setup,
    own: PathBuf,
    modules: Vec<PathBuf>,
}

impl Existing {
    fn plan(
        &self,
        to: &Path,
        system: &'static str,
        release: &str,
        choice: &'static (&'static str, Choices),
    ) -> Planned {
        let from =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configurations").join(self.folder);
        copy(&from, to, system);
        let entry = Entry {
            file: to.join(if self.host.is_some() { "flake.nix" } else { "configuration.nix" }),
            is_flake: self.host.is_some(),
            host: self.host.map(str::to_owned),
            this_host: None,
            found: Found::Asked,
            sysroot: Sysroot::default(),
        };
        let configuration = Configuration::read(&entry, Limits::default());
        let chosen = choice.1.iter().map(|(path, text)| ((*path).to_owned(), value(path, text)));
        let release = (Setup::RELEASE.to_owned(), Value::Text(release.to_owned()));
        let draft = Draft { entry: None, values: chosen.chain([release]).collect() };
        let (setup, complaints) =
            Setup::new(Arc::new(facts(system)), Some(Arc::new(configuration)), &draft);
        assert_eq!(complaints, [""; 0]);
        let name = match (self.folder, self.host) {
            ("multi-host", Some(host)) => format!("{} {host}", self.folder),
            _ => self.folder.to_owned(),
        };
        let modules = self.modules.iter().map(|module| to.join(module)).collect();
        Planned { name, choice: choice.0, setup, own: to.join("written.nix"), modules }
    }
}

impl Planned {
    /// Why nothing is written, in words.
    fn refusals(&self) -> Vec<String> {
        let refusals =
            self.setup.plan().refusals.iter().map(ToString::to_string).collect::<Vec<_>>();
        let blockers = self.setup.blockers().into_iter().map(|finding| finding.sentence);
        refusals.into_iter().chain(blockers).collect()
    }

    /// Writes the file; nothing where the configuration has everything, or leaves it to the user.
    fn write(&self) -> Option<Vec<PathBuf>> {
        let text = self.setup.plan().file?.after;
        let marker = Marker::read(&text).unwrap();
        assert_eq!((marker.mode, marker.is_hand_edited), (self.setup.mode, false));
        assert_eq!(nixfmt_rs::format(&text).unwrap(), text);
        fs::write(&self.own, text).unwrap();
        Some(self.modules.iter().chain([&self.own]).cloned().collect())
    }
}

#[test]
fn what_is_written_evaluates_with_the_configurations_it_is_for() {
    if !is_there("what_is_written_evaluates_with_the_configurations_it_is_for") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut questions, mut names, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (number, existing) in CONFIGURATIONS.iter().enumerate() {
        for choice in CHOICES {
            for (system, release) in
                SYSTEMS.iter().flat_map(|system| RELEASES.map(|release| (*system, release)))
            {
                let to = folder.path().join(format!("{number}/{}/{system}/{release}", choice.0));
                let planned = existing.plan(&to, system, release, choice);
                let name = format!("{}, {}, {system}, {release}", planned.name, planned.choice);
                let expected = REFUSED.iter().find(|(who, what, _)| {
                    (*who, *what) == (planned.name.as_str(), planned.choice)
                });
                let refusals = planned.refusals().join("\n");
                match expected {
                    Some((_, _, why)) => assert!(refusals.contains(why), "{name}: {refusals}"),
                    None if system == "aarch64-linux" && choice.0 == "data centre" => {
                        assert!(refusals.contains("x86_64 alone"), "{name}: {refusals}");
                    }
                    None if system == "aarch64-linux" && WITH_32_BIT.contains(&existing.folder) => {
                        assert!(refusals.contains("exist on x86_64 alone"), "{name}: {refusals}");
                    }
                    None => assert_eq!(refusals, "", "{name}"),
                }
                refused.extend(expected);
                let Some(modules) = planned.write().filter(|_| refusals.is_empty()) else {
                    continue;
                };
                let sdk = existing.upstream;
                questions.push(Question { modules, system, release, sdk });
                names.push(format!("{name}, together"));
            }
        }
    }
    assert!(REFUSED.iter().all(|row| refused.contains(&row)), "a row that nothing needs");
    assert!(questions.len() > 120, "{}", questions.len());
    let answers = evaluate_all(&questions);
    let bad: Vec<_> = answers
        .iter()
        .zip(&names)
        .filter(|(answer, _)| !answer.ok)
        .map(|(answer, name)| format!("{name}: {:?} {:?}", answer.error, answer.failed_assertions))
        .collect();
    assert!(bad.is_empty(), "{} of {}\n{}", bad.len(), names.len(), bad.join("\n"));
}

/// What is left to the user is shown as it stands in the file, and with the shown line in its place the file says what
/// is wanted.
#[test]
fn what_is_left_to_the_user_can_be_pasted() {
    static CHOICE: (&str, Choices) = ("other", &[("driver.open", "false"), ("podman", "false")]);
    static OPPOSITE: (&str, Choices) = ("opposite", &[("driver.open", "true"), ("podman", "true")]);
    let folder = tempfile::tempdir().unwrap();
    let (mut questions, mut pasted) = (Vec::new(), 0);
    for (number, existing) in CONFIGURATIONS.iter().enumerate() {
        for choice in [&CHOICE, &OPPOSITE] {
            let to = folder.path().join(format!("{number}-{}", choice.0));
            let planned = existing.plan(&to, SYSTEMS[0], RELEASES[0], choice);
            for change in planned.setup.plan().not_written() {
                let Outcome::NotWritten { place, old, line, .. } = &change.outcome else {
                    continue;
                };
                let text = fs::read_to_string(&place.file).unwrap();
                let before: usize =
                    text.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
                let (head, tail) = text.split_at(before + place.column - 1);
                let rest = tail.strip_prefix(old.as_str());
                let rest = rest.unwrap_or_else(|| panic!("{place}: no {old:?} there"));
                fs::write(&place.file, format!("{head}{line}{rest}")).unwrap();
                let entry = &planned.setup.configuration.as_ref().unwrap().entry;
                let after = Configuration::read(entry, Limits::default());
                let (after, _) = Setup::new(
                    Arc::new(facts(SYSTEMS[0])),
                    Some(Arc::new(after)),
                    &Draft::default(),
                );
                let wanted = &planned.setup.row(change.option).unwrap().wanted;
                let stated = after.row(change.option).unwrap().stated.value().cloned();
                assert_eq!(stated, wanted.clone().map(|(value, _)| value), "{place}: {line}");
                pasted += 1;
            }
            questions.push(Question {
                modules: planned.modules,
                system: SYSTEMS[0],
                release: RELEASES[0],
                sdk: existing.upstream,
            });
        }
    }
    assert!(pasted >= 8, "{pasted}");
    if is_there("what_is_left_to_the_user_can_be_pasted") {
        for (question, answer) in questions.iter().zip(evaluate_all(&questions)) {
            assert!(answer.error.is_none(), "{:?}: {:?}", question.modules, answer.error);
        }
    }
}

/// For a machine that has nothing yet: the file alone is a whole configuration of the GPUs.
#[test]
fn what_is_written_for_a_new_machine_evaluates_alone() {
    if !is_there("what_is_written_for_a_new_machine_evaluates_alone") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut questions, mut names) = (Vec::new(), Vec::new());
    for (number, (name, choices)) in CHOICES.iter().enumerate() {
        for mode in Mode::ALL {
            for (system, release) in
                SYSTEMS.iter().flat_map(|system| RELEASES.map(|release| (*system, release)))
            {
                let fixed = [(Setup::RELEASE, release), (Setup::MODE, mode.word())];
                let chosen = choices.iter().copied().chain(fixed);
                let values =
                    chosen.map(|(path, text)| (path.to_owned(), value(path, text))).collect();
                let (setup, complaints) =
                    Setup::new(Arc::new(facts(system)), None, &Draft { entry: None, values });
                assert_eq!(complaints, [""; 0]);
                if !setup.blockers().is_empty() {
                    assert_eq!(*name, "data centre");
                    continue;
                }
                let path = folder.path().join(format!("{number}-{mode}-{system}-{release}.nix"));
                fs::write(&path, setup.plan().file.unwrap().after).unwrap();
                questions.push(Question {
                    modules: vec![path],
                    system,
                    release,
                    sdk: mode == Mode::Snippet,
                });
                names.push(format!("{name}, {mode}, {system}, {release}"));
            }
        }
    }
    assert_eq!(questions.len(), 5 * 8 + 2);
    let answers = evaluate_all(&questions);
    let bad: Vec<_> = answers
        .iter()
        .zip(&names)
        .filter(|(answer, _)| !answer.ok)
        .map(|(answer, name)| format!("{name}: {:?} {:?}", answer.error, answer.failed_assertions))
        .collect();
    assert!(bad.is_empty(), "{} of {}\n{}", bad.len(), names.len(), bad.join("\n"));
}
