//! However a value is written, it is found; and what it is joined with counts as NixOS counts it.

use super::*;
use crate::setup::nix::Priority;
use crate::setup::nix::{Marker, Mode};
use proptest::prelude::*;

fn one(text: &str) -> Configuration {
    written(&[("configuration.nix", text)]).1
}

#[test]
fn every_spelling_of_a_module_is_found() {
    for text in [
        "{ hardware.nvidia.open = true; }",
        "{ hardware = { nvidia.open = true; }; }",
        "{ hardware.nvidia = { open = true; }; hardware.nvidia.package = x; }",
        "{ \"hardware\".\"nvidia\" = { \"open\" = (true); }; }",
        "{ config, ... }: { hardware.nvidia.open = true; }",
        "let a = 1; in { config, ... }: { hardware.nvidia.open = true; }",
        "args@{ ... }: ({ hardware.nvidia.open = true; })",
        "x: { config.hardware.nvidia.open = true; options = { }; }",
        "{ lib, ... }: with lib; let a = 1; in { config = { hardware.nvidia.open = true; }; }",
        "{ lib, ... }: lib.mkMerge [ { } { hardware.nvidia.open = true; } ]",
        "{ config = (let x = 1; in lib.mkMerge ([ (with x; { hardware.nvidia.open = true; }) ])); }",
        "{ hardware = rec { nvidia = { open = true; }; }; }",
        "{ imports = [ ({ ... }: { hardware.nvidia.open = true; }) ]; }",
        "{ imports = [ { hardware = lib.mkMerge [ { nvidia.open = lib.mkMerge [ true ]; } ]; } ]; }",
        "assert 1 == 1; { hardware.nvidia.open = true; }",
    ] {
        let read = one(text);
        assert_eq!(value(&read, OPEN), Expr::Bool(true), "{text}");
        assert_eq!(read.not_followed, [], "{text}");
        let found = read.definitions(&AttrPath::dotted(OPEN))[0].clone();
        assert_eq!(
            (&text[found.value_bytes.clone()], found.text.as_str()),
            ("true", "true"),
            "{text}"
        );
        assert!(text[found.entry_bytes].contains("true"), "{text}");
    }
}

#[test]
fn priorities_are_read_and_the_strongest_wins() {
    for (text, priority) in [
        ("lib.mkDefault false", 1000),
        ("mkForce (false)", 50),
        ("lib.mkOverride 900 false", 900),
        ("(lib.modules.mkVMOverride false)", 10),
        ("lib.mkOrder 5 false", 100),
    ] {
        let text = format!("{{ hardware.nvidia = {{ open = {text}; }}; }}");
        let read = one(&text);
        let found = read.definitions(&AttrPath::dotted(OPEN))[0];
        assert_eq!(
            (&found.value, found.priority),
            (&Expr::Bool(false), Priority(priority)),
            "{text}"
        );
        assert_eq!(&text[found.value_bytes.clone()], "false");
    }
    let read = one(
        "{ imports = [ { hardware = lib.mkForce { nvidia.open = true; }; } ]; hardware.nvidia.open = false; }",
    );
    assert_eq!(value(&read, OPEN), Expr::Bool(true));
    assert!(matches!(
        declared(&one("{ hardware.nvidia.open = x.mkForce true; }"), OPEN),
        Declared::Unknown { .. }
    ));
}

#[test]
fn the_library_is_the_same_by_way_of_the_packages() {
    for scope in ["pkgs.lib", "inputs.nixpkgs.lib", "lib.modules"] {
        let read = one(&format!("{{ hardware.nvidia.open = {scope}.mkForce true; }}"));
        assert_eq!(value(&read, OPEN), Expr::Bool(true), "{scope}");
        assert_eq!(read.definitions(&AttrPath::dotted(OPEN))[0].priority, Priority::FORCE);
    }
    for text in ["pkgs.lib.optionals x [ 1 ]", "[ (pkgs.lib.head x) ]", "with pkgs.lib; [ x ]"] {
        let read = one(&format!("{{ hardware.nvidia.open = {text}; }}"));
        assert!(matches!(declared(&read, OPEN), Declared::Unknown { .. }), "{text}");
    }
}

#[test]
fn of_many_inherited_names_each_is_kept_once() {
    let names: Vec<_> = (0..300).map(|n| format!("n{n}{}", "x".repeat(90))).collect();
    let text = format!("{{ hardware = {{ inherit (x) {}; }}; }}", names.join(" "));
    let read = one(&text);
    let found = read.under(&AttrPath::dotted("hardware"));
    assert_eq!(found.len(), names.len());
    assert!(found.iter().map(|found| found.text.len()).sum::<usize>() < text.len());
    assert!(matches!(
        declared(&read, &format!("hardware.{}", names[7])),
        Declared::Unknown { text, .. } if text == names[7]
    ));
}

#[test]
fn conditions_are_not_decided() {
    for text in [
        "{ hardware.nvidia.open = lib.mkIf c true; }",
        "{ hardware = lib.mkIf c { nvidia.open = true; }; }",
        "{ config = lib.mkIf c { hardware.nvidia.open = lib.mkForce true; }; }",
        "{ hardware.nvidia = lib.optionalAttrs c { open = true; }; }",
        "{ hardware.nvidia = if c then { open = true; } else { }; }",
        "{ ... }: if c then { hardware.nvidia.open = true; } else { }",
        "{ hardware.nvidia.open = if c then true else false; }",
    ] {
        let read = one(text);
        assert!(read.definitions(&AttrPath::dotted(OPEN))[0].conditional, "{text}");
        assert!(matches!(declared(&read, OPEN), Declared::Unknown { .. }), "{text}");
    }
    let both = |condition: &str| {
        one(&format!(
            "{{ imports = [ {{ hardware.nvidia.open = {condition}; }} ]; hardware.nvidia.open = false; }}"
        ))
    };
    assert_eq!(value(&both("lib.mkIf c (lib.mkDefault true)"), OPEN), Expr::Bool(false));
    let stronger = declared(&both("lib.mkIf c (lib.mkForce true)"), OPEN);
    assert!(matches!(stronger, Declared::Unknown { .. }), "{stronger}");
}

#[test]
fn what_would_have_to_be_evaluated_is_unknown_with_its_place() {
    for (text, shown) in [
        ("let v = true; in { hardware.nvidia.open = v; }", "v"),
        ("{ hardware.nvidia.open = config.my.gpu; }", "config.my.gpu"),
        ("{ hardware.nvidia.open = !x; }", "!x"),
        ("{ hardware.nvidia = { inherit (x) open; }; }", "inherit (x) open;"),
        ("{ inherit (x) hardware; }", "inherit (x) hardware;"),
        ("{ hardware.nvidia = someExpression; }", "someExpression"),
        ("{ hardware = import ./x; }", "import ./x"),
        ("{ hardware.nvidia = { } // x; }", "{ } // x"),
        ("{ hardware.${x}.open = true; }", "hardware.${x}.open = true;"),
    ] {
        match declared(&one(text), OPEN) {
            Declared::Unknown { place, text: found } => {
                assert_eq!((place.line, found.as_str()), (1, shown));
            }
            other => panic!("{text}: {other}"),
        }
    }
    let root = one("{ ... }: { a = 1; } // { b = 2; }");
    assert_eq!((root.not_followed.len(), root.not_followed[0].place.column), (1, 10));
    assert!(matches!(declared(&root, OPEN), Declared::NotFound { imports_not_followed: 1, .. }));
}

#[test]
fn contradictions_are_told_and_lists_join() {
    let two = |one: &str, other: &str| {
        let files = [
            ("configuration.nix", format!("{{ imports = [ ./b.nix ]; hardware.x = {one}; }}")),
            ("b.nix", format!("{{ pkgs, ... }}: {{\n  hardware.x = {other}; }}")),
        ];
        written(&[(files[0].0, &files[0].1), (files[1].0, &files[1].1)]).1
    };
    let read = two("true", "false");
    let Declared::Conflict(places) = declared(&read, "hardware.x") else { panic!() };
    assert_eq!(
        places.iter().map(at).collect::<Vec<_>>(),
        [("configuration.nix".into(), 1), ("b.nix".into(), 2)]
    );
    assert_eq!(value(&two("1", "1"), "hardware.x"), Expr::Int(1));

    let text = |text: &str| Expr::Text(text.to_owned());
    assert_eq!(
        value(&two("[ \"a\" ]", "[ \"a\" \"b\" ]"), "hardware.x"),
        Expr::List(vec![text("a"), text("a"), text("b")])
    );
    assert_eq!(
        value(&two("[ \"a\" ]", "lib.mkDefault [ \"b\" ]"), "hardware.x"),
        Expr::List(vec![text("a")])
    );
    let joined = value(&two("[ \"a\" ]", "with pkgs; [ git ]"), "hardware.x");
    assert!(matches!(joined, Expr::List(items) if matches!(items[1], Expr::With(..))));
    let unsure = declared(&two("[ \"a\" ]", "lib.optional c \"b\""), "hardware.x");
    assert!(matches!(unsure, Declared::Unknown { .. }), "{unsure}");
}

#[test]
fn imports_are_followed_as_far_as_they_are_written_out() {
    let main = "{ inputs, modulesPath, ... }: { imports = [ ./a.nix (./dir) ../up/c.nix <nixpkgs/x.nix>
        (modulesPath + \"/y.nix\") inputs.a.nixosModules.b (import ./d.nix) ./gone.nix ./\"odd\" ] ++ [ ./a.nix ./d.nix ]
        ++ lib.optional true ./e.nix; }";
    let main = main.replace("./\"odd\"", "./x-${y}.nix");
    let (folder, read) = written(&[
        ("etc/configuration.nix", &main),
        ("etc/a.nix", "{ imports = [ ./configuration.nix ./dir/../a.nix ]; a = 1; }"),
        ("etc/dir/default.nix", "{ imports = [ ./b.nix ]; }"),
        ("etc/dir/b.nix", "{ b = 1; }"),
        ("up/c.nix", "{ c = 1; }"),
        ("etc/d.nix", "{ d = 1; }"),
        ("etc/e.nix", "{ e = 1; }"),
    ]);
    let names: Vec<_> = read.files.iter().map(|file| name(&file.path)).collect();
    assert_eq!(names, ["configuration.nix", "a.nix", "default.nix", "c.nix", "d.nix", "b.nix"]);
    let skipped: Vec<_> = read.not_followed.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(
        skipped,
        [
            "<nixpkgs/x.nix>",
            "modulesPath + \"/y.nix\"",
            "inputs.a.nixosModules.b",
            "import ./d.nix",
            "./x-${y}.nix",
            "lib.optional true ./e.nix",
        ]
    );
    assert_eq!(
        read.problems.iter().map(|problem| name(problem.path())).collect::<Vec<_>>(),
        ["gone.nix"]
    );
    assert_eq!(value(&read, "c"), Expr::Int(1));
    assert_eq!(
        declared(&read, "e").to_string(),
        "not found in the 6 files read (7 imports not followed)"
    );
    drop(folder);
}

#[test]
fn a_file_of_ours_is_known_by_its_marker() {
    let (_folder, read) = written(&[
        ("configuration.nix", "{ imports = [ ./gpu.nix ]; }"),
        ("gpu.nix", "# made\n# nvsdk-top:model v1 mode=snippet body=sha256:00\n{ }\n"),
    ]);
    let marker = Marker { mode: Mode::Snippet, is_hand_edited: true };
    assert_eq!(read.files[1].marker, Some(marker));
    let crate::setup::declared::NewFile::Beside { file, .. } = read.new_file() else { panic!() };
    assert_eq!(name(&file), "nvsdk-top.nix", "one that was changed is the user's");
}

/// A way to write `names = value;`: where a set is opened, and which names are quoted.
fn entry_text(names: &[String], opened: &[bool], quoted: &[bool]) -> String {
    let mut text = String::new();
    let mut closing = String::new();
    for (place, name) in names.iter().enumerate() {
        let mark = if quoted[place] { "\"" } else { "" };
        text.extend([mark, name, mark]);
        let last = place + 1 == names.len();
        if last {
            text += " = 42;";
        } else if opened[place] {
            text += " = {\n  ";
            closing += " };";
        } else {
            text += ".";
        }
    }
    text + &closing
}

proptest! {
    #[test]
    fn nested_dotted_and_quoted_spellings_are_the_same(
        names in prop::collection::vec("x[a-z0-9_-]{0,6}", 1..6),
        opened in prop::collection::vec(any::<bool>(), 6),
        quoted in prop::collection::vec(any::<bool>(), 6),
    ) {
        let entry = entry_text(&names, &opened, &quoted);
        let text = format!("{{ pkgs, ... }}:\n{{ other = 1;\n {entry} }}");
        let read = one(&text);
        let found = read.definitions(&AttrPath::new(names.clone()));
        prop_assert_eq!(found.len(), 1, "{}", text);
        prop_assert_eq!(&found[0].value, &Expr::Int(42));
        prop_assert_eq!(&text[found[0].value_bytes.clone()], "42");
    }

    #[test]
    fn any_bytes_are_survived_and_kept(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("configuration.nix");
        std::fs::write(&file, &bytes).unwrap();
        let read = read(&file);
        prop_assert_eq!(read.files.len() + read.problems.len(), 1);
        for file in &read.files {
            prop_assert_eq!(file.text.as_bytes(), &bytes);
        }
    }
}
