//! The stand-in for nixpkgs says what nixpkgs says, as far as the cases go.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{BATCH, Evaluation, Question, Surface, everywhere, is_there};

/// What a case's first line wants.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Ok,
    Fail(BTreeSet<String>),
    Error(String),
}

/// A verdict and the warning that goes with it.
#[derive(Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) verdict: Verdict,
    warning: Option<String>,
}

impl Expected {
    fn parse(text: &str) -> Self {
        let (verdict, warning) = match text.split_once(" warn ") {
            Some((verdict, warning)) => (verdict, Some(warning.to_owned())),
            None => (text, None),
        };
        let verdict = match verdict.split_once(' ') {
            Some(("fail", ids)) => Verdict::Fail(ids.split(' ').map(str::to_owned).collect()),
            Some(("error", text)) => Verdict::Error(text.to_owned()),
            _ => {
                assert_eq!(verdict, "ok");
                Verdict::Ok
            }
        };
        Expected { verdict, warning }
    }

    pub(super) fn is_met(&self, evaluation: &Evaluation, ids: &BTreeSet<String>) -> bool {
        let verdict = match &self.verdict {
            Verdict::Ok => evaluation.ok,
            Verdict::Fail(wanted) => !evaluation.ok && failed(evaluation, ids) == *wanted,
            Verdict::Error(text) => {
                evaluation.error.as_ref().is_some_and(|error| error.contains(text))
            }
        };
        let is_given = |id: &String| evaluation.warnings.iter().any(|one| id_of(one) == id);
        verdict && self.warning.as_ref().is_none_or(is_given)
    }
}

fn id_of(message: &str) -> &str {
    message.split(':').next().unwrap()
}

/// The ids of the failed assertions; those that a case made up itself are `other`.
fn failed(evaluation: &Evaluation, ids: &BTreeSet<String>) -> BTreeSet<String> {
    let known =
        |message: &String| ids.get(id_of(message)).map_or("other", String::as_str).to_owned();
    evaluation.failed_assertions.iter().map(known).collect()
}

/// A case on one system and release.
pub(super) struct Run {
    pub(super) question: Question,
    pub(super) expected: Expected,
}

pub(super) fn runs(case: &Path) -> Vec<Run> {
    let text = fs::read_to_string(case).unwrap();
    let line = text.lines().next().unwrap().strip_prefix("# expect").unwrap();
    let (flags, verdicts) = line.split_once(": ").unwrap();
    let sdk = !flags.is_empty();
    assert!(!sdk || flags == " --sdk snippet", "{flags:?} is no flag");
    let run = |question: Question| {
        let mut verdicts = verdicts.split("; ");
        let first = verdicts.next().unwrap();
        let fits = |verdict: &&str| {
            let selector = verdict.split_once(": ").unwrap().0;
            selector == question.system || selector == question.release
        };
        let verdict = verdicts
            .filter(fits)
            .last()
            .map_or(first, |verdict| verdict.split_once(": ").unwrap().1);
        Run { expected: Expected::parse(verdict), question }
    };
    everywhere(&[case], sdk).into_iter().map(run).collect()
}

pub(super) fn all_runs(folder: &Path) -> Vec<Run> {
    let entries = fs::read_dir(folder).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases.iter().flat_map(|case| runs(case)).collect()
}

pub(super) fn facts(surface: &Surface) -> Value {
    serde_json::from_slice(&fs::read(surface.0.join("nixpkgs-options.json")).unwrap()).unwrap()
}

pub(super) fn assertion_ids(facts: &Value) -> BTreeSet<String> {
    let assertions = facts["assertions"].as_array().unwrap().iter();
    assertions.map(|assertion| assertion["id"].as_str().unwrap().to_owned()).collect()
}

/// Which runs came out otherwise than expected.
fn unexpected(surface: &Surface, runs: Vec<Run>, ids: &BTreeSet<String>) -> Vec<String> {
    let is_error = |run: &Run| matches!(run.expected.verdict, Verdict::Error(_));
    let (errors, others): (Vec<_>, Vec<_>) = runs.into_iter().partition(is_error);
    // An error ends a batch, so that those who expect one go alone.
    let kinds = [(errors, 1), (others, BATCH)];
    kinds.iter().flat_map(|(runs, most)| complaints(surface, runs, *most, ids)).collect()
}

fn complaints(surface: &Surface, runs: &[Run], most: usize, ids: &BTreeSet<String>) -> Vec<String> {
    let questions: Vec<_> = runs.iter().map(|run| run.question.clone()).collect();
    let answers = surface.evaluate_all(&questions, most);
    let pairs = runs.iter().zip(answers);
    let others = pairs.filter(|(run, answer)| !run.expected.is_met(answer, ids));
    others
        .map(|(Run { question, expected }, answer)| {
            let Question { modules, system, release, .. } = question;
            let name = modules[0].file_name().unwrap().display();
            let (failed, warnings, error) = (failed(&answer, ids), answer.warnings, answer.error);
            format!(
                "{name} {system} {release}: {expected:?}, not {failed:?} {warnings:?} {error:?}"
            )
        })
        .collect()
}

#[test]
fn every_case_comes_out_as_its_first_line_says() {
    if !is_there("every_case_comes_out_as_its_first_line_says") {
        return;
    }
    let surface = Surface::default();
    let ids = assertion_ids(&facts(&surface));
    let runs = all_runs(&surface.0.join("cases"));
    assert!(runs.len() >= 115 * 4, "the cases were found");
    let unexpected = unexpected(&surface, runs, &ids);
    assert!(unexpected.is_empty(), "\n{}", unexpected.join("\n"));
}
