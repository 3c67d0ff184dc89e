//! Whether an evaluation yields what Setup says of its options.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use nvsdk_top::setup::nix::AttrPath;
use nvsdk_top::setup::{Because, Branch, Mode, Outcome, Plan, Refusal, Release, Setup, Value};
use serde_json::Value as Json;

use super::existing::{Checkout, Existing, UNREAD};
use super::{Evaluation, Question, evaluate_all};

/// The options that are on or off, or a word: where an evaluation shows them, by mode.
const PLAIN: &[(&str, [&[&str]; 2])] = &[
    ("enable", [&["hardware.nvidia", "enabled"], &["hardware.nvidia-sdk", "enable"]]),
    ("datacenter", [&["hardware.nvidia", "datacenter.enable"]; 2]),
    ("driver.open", [&["hardware.nvidia", "open"], &["hardware.nvidia-sdk", "driver", "open"]]),
    (
        "persistenced",
        [&["hardware.nvidia", "nvidiaPersistenced"], &["hardware.nvidia-sdk", "persistenced"]],
    ),
    (
        "container.enable",
        [
            &["hardware.nvidia-container-toolkit", "enable"],
            &["hardware.nvidia-sdk", "container", "enable"],
        ],
    ),
    ("container.device-names", [&["hardware.nvidia-container-toolkit", "device-name-strategy"]; 2]),
    ("docker", [&["virtualisation.docker", "enable"]; 2]),
    ("podman", [&["virtualisation.podman", "enable"]; 2]),
];

fn at<'a>(values: &'a Json, path: &[&str]) -> &'a Json {
    path.iter().fold(values, |value, name| &value[*name])
}

/// Whether a list has a package, by the beginning of its name.
fn has(list: &Json, package: &str) -> bool {
    let names = list.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    names
        .into_iter()
        .any(|name| name.strip_prefix(package).is_some_and(|rest| rest.starts_with('-')))
}

/// Whether the driver is the one that a branch names in a release.
fn is_driver(package: &Json, branch: &str, release: Release) -> bool {
    let version = Branch::named(branch).unwrap().version(release);
    package.as_str().is_some_and(|name| name.ends_with(&format!("-{version}")))
}

impl Evaluation {
    /// Whether an option of Setup has this value.
    pub(super) fn yields(&self, option: &str, value: &Value, mode: Mode, release: Release) -> bool {
        let values = &self.values;
        let packages = &values["environment.systemPackages"];
        let is_snippet = mode == Mode::Snippet;
        if let Some((_, paths)) = PLAIN.iter().find(|(path, _)| *path == option) {
            let there = at(values, paths[usize::from(is_snippet)]);
            return match value {
                // The evaluation shows nothing of a driver that is not there.
                _ if there.is_null() => values["hardware.nvidia"]["enabled"] == false,
                Value::Bool(on) => there == on,
                Value::Text(word) => there == word,
                Value::List(_) => false,
            };
        }
        match (option, value) {
            ("driver.package", Value::Text(branch)) if is_snippet => {
                is_driver(&values["hardware.nvidia-sdk"]["driver"]["package"], branch, release)
            }
            ("driver.package", Value::Text(branch)) => {
                let nvidia = &values["hardware.nvidia"];
                nvidia["enabled"] == false || is_driver(&nvidia["package"], branch, release)
            }
            ("systemPackages" | "monitoring", Value::Bool(on)) if is_snippet => {
                values["hardware.nvidia-sdk"][option] == *on
            }
            ("systemPackages", Value::Bool(on)) => {
                let path = values["environment.variables"]["CUDA_PATH"].as_str();
                has(packages, "cuda-merged") == *on
                    && path.is_some_and(|path| path.contains("cuda-merged")) == *on
            }
            ("monitoring", Value::Bool(on)) => {
                ["nvtop", "btop"].iter().all(|it| has(packages, it) == *on)
            }
            ("components", Value::List(words)) => words.iter().all(|word| {
                // The overlay calls libcutensor by another name.
                has(packages, word) || is_snippet && has(packages, word.trim_start_matches("lib"))
            }),
            ("users", Value::List(users)) => {
                let package = if is_snippet { "nvidia-sdk" } else { "cuda-merged" };
                users.iter().all(|user| has(&values["users.users"][user], package))
            }
            ("unfree", Value::Text(word)) => {
                word != "all" || values["nixpkgs.config"]["allowUnfree"] == true
            }
            _ => false,
        }
    }
}

impl Evaluation {
    /// What is wrong, if it is to evaluate to these values.
    fn complaint(&self, values: &[(&str, Value)], mode: Mode, release: Release) -> Option<String> {
        if !self.ok {
            return Some(format!("{:?} {:?}", self.error, self.failed_assertions));
        }
        let others = values.iter().filter(|(path, value)| !self.yields(path, value, mode, release));
        let others: Vec<_> =
            others.map(|(path, value)| format!("{path} is not {value:?}")).collect();
        (!others.is_empty()).then(|| others.join(", "))
    }
}

/// What is to come of a question.
pub(super) enum Expected {
    /// It evaluates, and options have these values.
    Values(Vec<(&'static str, Value)>, Mode),
    /// It does not evaluate, or not to these values.
    Otherwise(Vec<(&'static str, Value)>, Mode),
    /// It does not evaluate.
    Nothing,
}

/// Questions, by name, with what is to come of each.
#[derive(Default)]
pub(super) struct Expectations {
    questions: Vec<(String, Question, Expected)>,
    complaints: Vec<String>,
}

impl Expectations {
    pub(super) fn add(&mut self, name: String, question: Question, expected: Expected) {
        self.questions.push((name, question, expected));
    }

    /// Takes in what is wrong already, where something is.
    pub(super) fn expect(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        self.complaints.extend((!holds).then(complaint));
    }

    pub(super) fn len(&self) -> usize {
        self.questions.len()
    }

    /// Evaluates them all, and tells each that came out otherwise. What is asked of the same files is evaluated once.
    pub(super) fn check(mut self) {
        let mut places = BTreeMap::new();
        let mut questions = Vec::new();
        let mut ask = |question: &Question| {
            *places.entry(content(question)).or_insert_with(|| {
                questions.push(question.clone());
                questions.len() - 1
            })
        };
        let asked: Vec<_> = self.questions.iter().map(|(_, question, _)| ask(question)).collect();
        let answers = evaluate_all(&questions);
        for (place, (name, question, expected)) in asked.into_iter().zip(&self.questions) {
            let what = complaint(&answers[place], question.release, expected);
            self.complaints.extend(what.map(|what| format!("{name}: {what}")));
        }
        let (bad, all) = (self.complaints.len(), self.questions.len());
        assert!(self.complaints.is_empty(), "{bad} of {all}\n{}", self.complaints.join("\n"));
    }
}

/// What an evaluation depends on: the files of the folder that the question is about, and what else it says.
fn content(question: &Question) -> String {
    let Question { modules, flake, system, release, sdk } = question;
    let entry = flake.as_ref().map_or_else(|| &modules[0], |flake| &flake.path);
    let folder = entry.parent().unwrap();
    let below = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
    let names: Vec<_> = modules.iter().map(|module| below(module)).collect();
    let host = flake.as_ref().map(|flake| flake.host);
    let mut content = format!("{names:?} {host:?} {system} {release} {sdk}");
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let mut paths: Vec<_> =
            fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                content.extend(["\n", &below(&path), "\n", &text]);
            }
        }
    }
    content
}

fn complaint(answer: &Evaluation, release: &str, expected: &Expected) -> Option<String> {
    let release = Release::ALL.into_iter().find(|known| known.name() == release).unwrap();
    match expected {
        Expected::Values(values, mode) => answer.complaint(values, *mode, release),
        Expected::Otherwise(values, mode) => {
            let is_wanted = answer.complaint(values, *mode, release).is_none();
            is_wanted.then(|| "comes out as wanted".to_owned())
        }
        Expected::Nothing => answer.ok.then(|| "evaluates".to_owned()),
    }
}

/// The values that options have by now as Setup reads them, and those that were chosen and are written.
pub(super) fn values(before: &Setup, plan: &Plan, after: &Setup) -> Vec<(&'static str, Value)> {
    let mut values = Vec::new();
    for (row, now) in before.rows.iter().zip(&after.rows) {
        let path = row.option.path;
        let is_by_hand = plan.not_written().any(|change| change.option == path);
        if let Some(value) = now.stated.value() {
            values.push((path, value.clone()));
        } else if let Some((value, Because::Chosen)) = row.wanted.as_ref().filter(|_| !is_by_hand) {
            values.push((path, value.clone()));
        }
    }
    values
}

/// The keys of what was written that stand in two files by now, though they are no lists, which join.
fn twice(plan: &Plan, after: &Setup) -> Vec<String> {
    const LISTS: &[&str] =
        &["videoDrivers", "systemPackages", "packages", "firmware", "allowUnfreePackages"];
    let read = after.configuration.as_ref().unwrap();
    let is_twice = |key: &&AttrPath| {
        let found = read.definitions(key).into_iter().filter(|found| found.path == **key);
        let files: BTreeSet<_> = found.map(|found| found.place.file.clone()).collect();
        files.len() > 1 && !LISTS.contains(&key.names().last().unwrap().as_str())
    };
    let written = plan.changes.iter().filter(|change| change.outcome == Outcome::Written);
    written.map(|change| &change.key).filter(is_twice).map(ToString::to_string).collect()
}

/// What is to come of a configuration with what was written for a choice.
pub(super) fn expected(
    existing: &Existing,
    choice: &str,
    checkout: &Checkout,
    (before, plan, after): (&Setup, &Plan, &Setup),
) -> Expected {
    assert_eq!(twice(plan, after), [""; 0], "{}, {choice}: in two files", existing.name());
    let values = values(before, plan, after);
    let is_unread = UNREAD.contains(&(existing.name().as_str(), choice));
    if is_unread {
        assert!(
            checkout.is_unread() && before.findings().iter().any(|found| found.id == "not-read")
        );
        return Expected::Otherwise(values, before.mode);
    }
    if plan.notes.iter().any(|note| matches!(note, Refusal::Predicate(..))) {
        // The names that are left to the user are missing.
        return Expected::Nothing;
    }
    Expected::Values(values, before.mode)
}
