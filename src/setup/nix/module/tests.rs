//! What a module looks like, what it refuses, and that its text is stable.

use super::super::Marker;
use super::*;
use proptest::prelude::*;

fn module(entries: &[(&str, Expr, Priority)]) -> Module {
    let mut module = Module::new(Mode::Standalone, &["What this is."]).unwrap();
    for (path, value, priority) in entries {
        module.set(AttrPath::dotted(path), value.clone(), *priority).unwrap();
    }
    module
}

/// The text behind the marker.
fn body(module: &Module) -> String {
    let text = module.to_string();
    let lines: Vec<_> = text.splitn(3, '\n').collect();
    assert_eq!(lines[0], "# What this is.");
    assert!(
        lines[1].starts_with("# nvsdk-top:model v1 mode=standalone body=sha256:"),
        "{}",
        lines[1]
    );
    lines[2].to_owned()
}

fn plain(paths: &[&str]) -> String {
    let entries: Vec<_> = paths.iter().map(|path| (*path, Expr::Null, Priority::PLAIN)).collect();
    body(&module(&entries)).strip_prefix("{ ... }:\n\n").unwrap().to_owned()
}

fn name(path: &str) -> Expr {
    Expr::Name(AttrPath::dotted(path))
}

fn arguments(value: Expr) -> String {
    body(&module(&[("x", value, Priority::PLAIN)])).split("\n\n").next().unwrap().to_owned()
}

#[test]
fn a_module_that_sets_nothing_is_a_module() {
    assert_eq!(body(&module(&[])), "{ ... }:\n{ }\n");
    assert!(module(&[]).is_empty());
}

#[test]
fn what_stands_alone_is_one_line() {
    assert_eq!(plain(&["a.b.c", "imports"]), "{\n  a.b.c = null;\n  imports = null;\n}\n");
    assert_eq!(plain(&["a.b.c", "a.d.c"]), "{\n  a.b.c = null;\n  a.d.c = null;\n}\n");
}

#[test]
fn what_begins_alike_stands_together_where_the_first_of_it_was_set() {
    let text = "{\n  a.b = {\n    c = null;\n    d = {\n      e = null;\n      f.g = null;\n    };\n  };\n  x = null;\n}\n";
    assert_eq!(plain(&["a.b.c", "x", "a.b.d.e", "a.b.d.f.g"]), text);
    let text = "{\n  a.b.c = {\n    d = null;\n    e = null;\n  };\n  a.d.c = null;\n}\n";
    assert_eq!(plain(&["a.b.c.d", "a.d.c", "a.b.c.e"]), text, "the longest beginning");
}

#[test]
fn a_priority_is_a_function_of_lib() {
    for (priority, value, line) in [
        (Priority::PLAIN, Expr::Bool(true), "true"),
        (Priority::DEFAULT, Expr::Bool(true), "lib.mkDefault true"),
        (Priority::OWN, Expr::Int(-1), "lib.mkOverride 900 (-1)"),
        (Priority::FORCE, Expr::List(Vec::new()), "lib.mkForce [ ]"),
    ] {
        let pattern = if priority == Priority::PLAIN { "{ ... }" } else { "{ lib, ... }" };
        assert_eq!(
            body(&module(&[("x", value, priority)])),
            format!("{pattern}:\n\n{{\n  x = {line};\n}}\n")
        );
    }
}

#[test]
fn only_the_arguments_that_are_used_stand_in_the_pattern() {
    let list =
        Expr::List(vec![name("pkgs.git"), name("config.a.lib"), name("builtins.x"), name("true")]);
    assert_eq!(arguments(list), "{ config, pkgs, ... }:");
    assert_eq!(arguments(Expr::Text("pkgs".to_owned())), "{ ... }:");
    assert_eq!(
        arguments(name("nvidia-sdk.x")),
        "{ nvidia-sdk, ... }:",
        "a flake may pass anything"
    );
    let body = Expr::List(vec![name("git"), name("lib.x")]);
    assert_eq!(
        arguments(Expr::With(Box::new(name("pkgs")), Box::new(body))),
        "{ lib, pkgs, ... }:"
    );
    for (text, pattern) in [
        ("pkg: builtins.elem (lib.getName pkg) [ ]", "{ lib, ... }:"),
        ("pkgs.lib.x or {inherit(config)a;}", "{ config, pkgs, ... }:"),
        ("my-lib.config pkgs' _pkgs", "{ ... }:"),
    ] {
        assert_eq!(arguments(Expr::Verbatim(text.to_owned())), pattern, "{text}");
    }
}

#[test]
fn a_pattern_of_many_or_long_names_stands_over_several_lines() {
    let pattern = |names: &[&str]| {
        let names = names.iter().map(|path| name(path)).collect();
        let module = module(&[("x", Expr::List(names), Priority::PLAIN)]);
        let text = body(&module);
        assert_eq!(nixfmt_rs::format(&text).unwrap(), text);
        text.split("\n\n").next().unwrap().to_owned()
    };
    assert_eq!(pattern(&["pkgs.x", "lib.x"]), "{ lib, pkgs, ... }:");
    assert_eq!(
        pattern(&["pkgs.x", "lib.x", "config.x"]),
        "{\n  config,\n  lib,\n  pkgs,\n  ...\n}:"
    );
    let (a, b) = ("a".repeat(40), "b".repeat(WIDTH - 52));
    assert_eq!(pattern(&[&a, &b]), format!("{{ {a}, {b}, ... }}:"));
    assert_eq!(pattern(&[&a, &format!("{b}b")]), format!("{{\n  {a},\n  {b}b,\n  ...\n}}:"));
}

#[test]
fn a_key_stands_once() {
    let mut module = module(&[("a.b", Expr::Null, Priority::PLAIN)]);
    for path in ["a.b", "a", "a.b.c"] {
        let refused = module.set(AttrPath::dotted(path), Expr::Null, Priority::PLAIN);
        let (path, set) = (AttrPath::dotted(path), AttrPath::dotted("a.b"));
        assert_eq!(refused, Err(ModuleError::Twice { path, set }));
    }
    assert_eq!(body(&module), "{ ... }:\n\n{\n  a.b = null;\n}\n", "nothing was taken");
}

#[test]
fn what_cannot_be_written_is_refused_with_its_path() {
    let mut module = module(&[]);
    let refused = module.set(AttrPath::dotted("a.b"), Expr::Text("x\0".to_owned()), Priority::OWN);
    let sentence = "a.b cannot be written: it holds the invisible character U+0000: take it out";
    assert_eq!(refused.unwrap_err().to_string(), sentence);
    assert!(module.set(AttrPath::new([""; 0]), Expr::Null, Priority::PLAIN).is_err());
    assert!(module.is_empty());
    for comment in ["a\nb", "a\u{1b}[2J", "\u{202e}"] {
        let refused = Module::new(Mode::Snippet, &[comment]);
        assert_eq!(refused, Err(ModuleError::Comment(comment.to_owned())));
    }
}

proptest! {
    #[test]
    fn a_written_file_is_stable_and_ours(
        paths in prop::collection::vec("[a-c](\\.[a-c]){0,3}", 0..12),
        value in "\\PC{0,8}",
    ) {
        let mut module = Module::new(Mode::Snippet, &["One.", "", "Two."]).unwrap();
        let mut taken = 0;
        for path in paths {
            let value = Expr::Text(value.clone());
            taken += usize::from(module.set(AttrPath::dotted(&path), value, Priority::PLAIN).is_ok());
        }
        let text = module.to_string();
        prop_assert_eq!(&text, &module.clone().to_string());
        prop_assert_eq!(Marker::read(&text), Some(Marker { mode: Mode::Snippet, is_hand_edited: false }));
        prop_assert_eq!(nixfmt_rs::format(&text).unwrap(), text.clone());
        prop_assert_eq!(text.matches(" = \"").count(), taken);
    }
}
