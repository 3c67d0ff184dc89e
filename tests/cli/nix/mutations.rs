//! The cases would see it if the stand-in for nixpkgs lost one of its rules.

use std::fs;

use tempfile::TempDir;

use super::cases::{Run, Verdict, all_runs, assertion_ids, facts, runs};
use super::{Surface, is_there};

const FILES: [&str; 7] = [
    "eval.nix",
    "batch.nix",
    "flakes.nix",
    "pkgs.nix",
    "surface.nix",
    "nixpkgs-options.json",
    "lib/default.nix",
];

/// A rule of a file, what stands in its place without it, and the case that is for it.
const RULES: &[(&str, &str, &str, &str)] = &[
    (
        "lib/default.nix",
        "if all (d: d.value == (head defs).value) defs then (head defs).value\n    else fail \"The option",
        "if true then (head defs).value\n    else fail \"The option",
        "c-same-key-two-files",
    ),
    (
        "lib/default.nix",
        "if length defs == 1 then (head defs).value\n",
        "if true then (head defs).value\n",
        "c-sdk-package",
    ),
    (
        "lib/default.nix",
        "bad = filter (d: !type.check d.value) s.defs;",
        "bad = [ ];",
        "t-strategy",
    ),
    ("lib/default.nix", "prio d == best", "true", "o-force"),
    ("lib/default.nix", "if length ds == 1 then", "if true then", "c-sdk-declared-twice"),
    (
        "lib/default.nix",
        "then fail \"The option `${dots here}' is read-only",
        "&& false then fail \"The option `${dots here}' is read-only",
        "t-enabled-read-only",
    ),
    ("lib/default.nix", "if free == [ ] && stray != [ ] then", "if false then", "u-option"),
    ("pkgs.nix", "else if refusedParts != [ ] then", "else if false then", "a-unfree-variable"),
    ("pkgs.nix", "if stop != null then", "if false then", "a-license-470"),
    ("pkgs.nix", "if problems != [ ] then", "if false then", "m-bad-hash"),
];

/// A copy of the stand-in with a part of a file replaced, which stands there once.
fn copy_with(file: &str, part: &str, other: &str) -> (TempDir, Surface) {
    let original = Surface::default().0;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lib")).unwrap();
    for name in FILES {
        let mut text = fs::read_to_string(original.join(name)).unwrap();
        if name == file {
            assert_eq!(text.matches(part).count(), 1, "{part:?} in {file}");
            text = text.replace(part, other);
        }
        fs::write(folder.path().join(name), text).unwrap();
    }
    let surface = Surface(folder.path().to_owned());
    (folder, surface)
}

/// Whether a run comes out as the original has it.
fn is_met(surface: &Surface, run: &Run) -> bool {
    let ids = assertion_ids(&facts(&Surface::default()));
    let answer = surface.evaluate_all(std::slice::from_ref(&run.question), 1).remove(0);
    run.expected.is_met(&answer, &ids)
}

#[test]
fn a_rule_that_is_taken_away_breaks_its_case() {
    if !is_there("a_rule_that_is_taken_away_breaks_its_case") {
        return;
    }
    let original = Surface::default();
    let empty = &runs(&original.0.join("cases/o-empty.nix"))[0];
    for (file, rule, other, case) in RULES {
        let runs = runs(&original.0.join(format!("cases/{case}.nix")));
        let (_folder, mutant) = copy_with(file, rule, other);
        assert!(is_met(&mutant, empty), "without {rule:?} nothing can be evaluated");
        let breaks = runs.iter().any(|run| !is_met(&mutant, run));
        assert!(breaks, "{case} does not need {rule:?}");
    }
}

#[test]
fn an_assertion_that_is_taken_away_breaks_a_case() {
    if !is_there("an_assertion_that_is_taken_away_breaks_a_case") {
        return;
    }
    let original = Surface::default();
    let facts = facts(&original);
    let runs = all_runs(&original.0.join("cases"));
    for assertion in facts["assertions"].as_array().unwrap() {
        // The others are errors of packages, and stand among the rules above.
        if assertion["kind"] == "throw" {
            continue;
        }
        let id = assertion["id"].as_str().unwrap();
        let is_for = |run: &&Run| matches!(&run.expected.verdict, Verdict::Fail(wanted) if wanted.contains(id));
        let run = runs.iter().find(is_for).unwrap_or_else(|| panic!("no case is for {id}"));
        let holds = "implies (all a.when) holds.${a.id}";
        let without = format!("a.id == {id:?} || {holds}");
        let (_folder, mutant) = copy_with("surface.nix", holds, &without);
        assert!(!is_met(&mutant, run), "{id} makes no difference");
    }
}
