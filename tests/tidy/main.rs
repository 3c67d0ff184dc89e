//! The rules of the source tree that the compiler does not know, and the texts that are made from its tables.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod docs;
mod schema;

use std::fs;
use std::path::Path;

/// Each part of `src/` and the parts that it may use. One that is not here is an error: say where it belongs.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("store", &["model"]),
    ("source", &["model"]),
    ("setup", &["model", "source"]),
    ("config", &["model"]),
    ("theme", &["model"]),
    ("app", &["model", "store", "source", "setup", "config", "theme"]),
    ("ui", &["model", "store", "setup", "config", "theme", "app"]),
    ("export", &["model", "store", "source"]),
    ("cli", &["model", "source", "setup", "config", "export"]),
    (
        "run",
        &["model", "store", "source", "setup", "config", "theme", "app", "ui", "export", "cli"],
    ),
];

/// Words of the code and the only places where they may stand.
const ONLY_IN: &[(&str, &str)] = &[
    ("nvml_wrapper", "src/source/nvml"),
    ("nvml_wrapper_sys", "src/source/nvml"),
    ("tokio", "src/run/"),
    ("unsafe", "src/source/nvml/raw"),
    ("unsafe_code", "src/source/nvml/raw"),
];

/// Words that say that something is not done.
const NOWHERE: &[&str] = &["todo!", "unimplemented!", "dbg!"];

/// Longer files are to be parted; tests do not count.
const MOST_LINES: usize = 400;
/// Files that are mostly a table.
const TABLES: &[&str] = &["src/model/metric.rs", "src/source/demo/presets.rs"];

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    assert!(files.len() > 10, "the source tree was found");
    let complaints: Vec<_> = files
        .iter()
        .flat_map(|file| {
            let path = file.strip_prefix(root).unwrap().to_str().unwrap();
            complaints(path, &fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// What is wrong with a file.
fn complaints(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut complain = |what: String| found.push(format!("{path}: {what}"));
    if !text.starts_with("//! ") {
        complain("does not begin with a sentence that says what it is for".to_owned());
    }
    let lines = without_tests(text).lines().count();
    if lines > MOST_LINES && !TABLES.contains(&path) {
        complain(format!("has {lines} lines, {MOST_LINES} are the most"));
    }
    let code = code(text);
    for (word, place) in ONLY_IN {
        if !path.starts_with(place) && words(&code).any(|found| found == *word) {
            complain(format!("`{word}` belongs in {place}"));
        }
    }
    for word in NOWHERE.iter().filter(|word| code.contains(**word)) {
        complain(format!("`{word}`"));
    }
    for attribute in ["allow(", "expect("].iter().flat_map(|start| attributes(&code, start)) {
        if !attribute.contains("reason") {
            complain(format!("`{attribute}` gives no reason"));
        }
    }
    if let Some(layer) = layer(path) {
        match LAYERS.iter().find(|(name, _)| *name == layer) {
            None => complain(format!("`{layer}` is in no layer")),
            Some((_, may_use)) => {
                for used in crate_uses(&code) {
                    if used != layer && !may_use.contains(&used) {
                        complain(format!("`{layer}` must not use `{used}`"));
                    }
                }
            }
        }
        if climbs_out(path, &code) {
            complain("reaches the crate's root through `super`; write `crate::`".to_owned());
        }
    }
    found
}

/// The part of `src/` that a file belongs to; `main.rs` and `lib.rs` stand above all.
fn layer(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let layer = inside.split('/').next()?;
    let layer = layer.strip_suffix(".rs").unwrap_or(layer);
    (!["main", "lib"].contains(&layer)).then_some(layer)
}

fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap_or(text)
}

/// The text without its comment lines.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Every attribute of this name with what is in its brackets.
fn attributes<'a>(code: &'a str, start: &str) -> Vec<&'a str> {
    ["#[", "#!["]
        .iter()
        .flat_map(|open| code.match_indices(format!("{open}{start}").as_str()).collect::<Vec<_>>())
        .map(|(at, _)| &code[at..at + code[at..].find(")]").map_or(0, |end| end + 2)])
        .collect()
}

/// The parts named by `crate::part` and `crate::{part, other::thing}`.
fn crate_uses(code: &str) -> Vec<&str> {
    let starts = code.match_indices("crate::").map(|(at, path)| &code[at + path.len()..]);
    starts
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => heads(group),
            None => words(rest).take(1).collect(),
        })
        .collect()
}

/// The first word of each item of a group whose opening brace has been passed.
fn heads(group: &str) -> Vec<&str> {
    let (mut heads, mut depth, mut start) = (Vec::new(), 1, 0);
    for (at, c) in group.char_indices() {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if (c == ',' && depth == 1) || depth == 0 {
            heads.extend(words(&group[start..at]).next());
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// Whether some path of the code proper goes up to the crate's root.
fn climbs_out(path: &str, code: &str) -> bool {
    let depth = path.split('/').count() - 1 - usize::from(path.ends_with("/mod.rs"));
    without_tests(code).contains(&"super::".repeat(depth))
}

/// Whether exactly one complaint is made and holds this text.
fn complains(path: &str, code: &str, about: &str) {
    let found = complaints(path, &format!("//! A file.\n{code}"));
    assert!(matches!(found.as_slice(), [one] if one.contains(about)), "{about}: {found:?}");
}

#[test]
fn what_looks_up_is_found() {
    let source = "src/source/x.rs";
    complains(source, "use crate::export::json;", "must not use `export`");
    complains(
        source,
        "use crate::{\n    model::{Unit, Metric},\n    run,\n};",
        "must not use `run`",
    );
    complains(source, "fn f() { crate::ui::view() }", "must not use `ui`");
    complains("src/model/x.rs", "pub use crate::source::Clock;", "must not use `source`");
    complains("src/source/nvml/x.rs", "use super::super::super::export;", "through `super`");
    complains("src/somewhere/x.rs", "", "in no layer");
}

#[test]
fn what_is_misplaced_or_unfinished_is_found() {
    complains("src/run/x.rs", "use nvml_wrapper::Nvml;", "`nvml_wrapper`");
    complains("src/export/x.rs", "use tokio::task;", "`tokio`");
    complains("src/run/x.rs", "fn f() { unsafe { g() } }", "`unsafe`");
    complains("src/run/x.rs", "fn f() { todo!() }", "`todo!`");
    complains("src/run/x.rs", "#[allow(dead_code)]\nfn f() {}", "no reason");
    complains("src/run/x.rs", &"\n".repeat(500), "lines");
    assert_eq!(complaints("src/run/x.rs", "fn f() {}").len(), 1, "no sentence at its start");
}

#[test]
fn what_is_allowed_is_left_alone() {
    let code = "//! A file; see [`crate::run`].\nuse crate::{model::Unit, source};\n\
         use super::Selection;\n#[expect(dead_code, reason = \"it is\")]\nfn f() {}\n\
         #[cfg(test)]\nmod tests {\n    use super::super::f;\n}\n";
    assert_eq!(complaints("src/export/x.rs", code), [""; 0]);
    assert_eq!(
        complaints("src/source/nvml/raw.rs", "//! Raw.\nunsafe { nvml_wrapper::f() }"),
        [""; 0]
    );
}
