//! What is written is read again as it was meant, whatever was chosen.

use proptest::prelude::*;

use super::*;
use rowan::ast::AstNode;

use crate::setup::nix::Marker;
use crate::setup::{Kind, Mode, OPTIONS, SdkOption};

/// A new machine of each mode.
fn fresh(mode: Mode) -> &'static str {
    match mode {
        Mode::Standalone => FRESH,
        Mode::Snippet => {
            "{ inputs, ... }: { imports = [ ./hardware-configuration.nix inputs.nvidia-sdk.nixosModules.default ]; }"
        }
    }
}

fn values(option: &'static SdkOption) -> BoxedStrategy<Value> {
    let text = |word: &&str| (*word).to_owned();
    match option.kind {
        Kind::Toggle => any::<bool>().prop_map(Value::Bool).boxed(),
        Kind::Choice(words) => {
            proptest::sample::select(words).prop_map(move |word| Value::Text(text(&word))).boxed()
        }
        Kind::Several(words) => proptest::sample::subsequence(words, 0..=words.len())
            .prop_map(move |words| Value::List(words.iter().map(text).collect()))
            .boxed(),
        Kind::Users => proptest::collection::btree_set("[a-z_][a-z0-9_-]{0,8}", 0..3)
            .prop_map(|users| Value::List(users.into_iter().collect()))
            .boxed(),
    }
}

/// Some options with a value each. What permits unfree packages follows from the others and is left to them.
fn choices() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let options: Vec<_> = OPTIONS.iter().filter(|option| option.path != "unfree").collect();
    let some = proptest::sample::subsequence(options.clone(), 1..=options.len());
    some.prop_flat_map(|some| {
        some.into_iter()
            .map(|option| values(option).prop_map(|value| (option.path, value)))
            .collect::<Vec<_>>()
    })
}

/// Whether each choice is declared now, or asked for nothing.
fn assert_declared(setup: &Setup, choices: &[(&'static str, Value)]) -> Result<(), TestCaseError> {
    for (path, value) in choices {
        let row = setup.row(path).unwrap();
        let nothing = [OFF, words(&[])].contains(value) && row.stated.value().is_none();
        prop_assert!(
            nothing || row.stated.value() == Some(value),
            "{path} = {value:?}: {:?}",
            row.stated
        );
    }
    Ok(())
}

/// The path of each entry of a text's sets, in order.
fn entries(text: &str) -> Vec<Vec<String>> {
    let root = crate::setup::nix::parse(text).unwrap();
    let entries = root.syntax().descendants().filter_map(rnix::ast::AttrpathValue::cast);
    entries
        .map(|entry| {
            let names = entry.attrpath().unwrap().attrs();
            names.map(|name| crate::setup::nix::attr_name(&name).unwrap()).collect()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_written_is_read_again(
        mut chosen in choices(),
        release in proptest::sample::select(vec!["25.11", "26.05"]),
        mode in proptest::sample::select(Mode::ALL.to_vec()),
    ) {
        chosen.retain(|(path, _)| !crate::setup::option(path).unwrap().homes(mode).is_empty());
        let folder = Folder::of(&[("configuration.nix", fresh(mode))]);
        chosen.push((Setup::RELEASE, word(release)));
        let facts = || machine(&[9], false, "x86_64");
        let before = folder.setup(facts(), &chosen);
        prop_assert_eq!(before.mode, mode);
        if before.plan().file.is_none() {
            return Ok(());
        }
        let written = folder.apply(&before);
        chosen.pop();
        let after = folder.setup(facts(), &[(Setup::RELEASE, word(release))]);
        assert_declared(&after, &chosen)?;
        prop_assert!(after.plan().is_empty());
        prop_assert_eq!(Marker::read(&written), Some(Marker { mode, is_hand_edited: false }));
        prop_assert_eq!(&nixfmt_rs::format(&written).unwrap(), &written);

        // The same choices again change nothing.
        chosen.push((Setup::RELEASE, word(release)));
        prop_assert!(folder.setup(facts(), &chosen).plan().file.is_none());
    }

    #[test]
    fn another_choice_and_the_first_again_give_the_same_bytes(
        chosen in choices(),
        option in proptest::sample::select(OPTIONS.iter().filter(|option| option.kind == Kind::Toggle).collect::<Vec<_>>()),
        mode in proptest::sample::select(Mode::ALL.to_vec()),
    ) {
        prop_assume!(!option.homes(mode).is_empty());
        let folder = Folder::of(&[("configuration.nix", fresh(mode))]);
        let facts = || machine(&[9], false, "x86_64");
        let mut first = chosen.clone();
        first.retain(|(path, _)| *path != option.path);
        first.push((option.path, ON));
        let once = folder.apply(&folder.setup(facts(), &first));
        let other = folder.apply(&folder.setup(facts(), &[(option.path, OFF)]));
        prop_assert_ne!(&once, &other);
        prop_assert_eq!(folder.apply(&folder.setup(facts(), &[(option.path, ON)])), once);
    }

    /// Names of users are the only free texts.
    #[test]
    fn no_text_changes_the_tree(name in "[a-z_][a-z0-9_-]{0,12}|[a-z_][a-z0-9_\"${;}-]*|\\PC*") {
        let folder = Folder::of(&[("configuration.nix", FRESH)]);
        let mut setup = folder.setup(no_machine(), &[("users", words(&["alice"]))]);
        let mut expected = entries(&setup.plan().file.unwrap().after);
        if setup.choose("users", Value::List(vec![name.clone()])).is_ok() {
            for part in expected.iter_mut().flatten().filter(|part| **part == "alice") {
                part.clone_from(&name);
            }
            prop_assert_eq!(entries(&setup.plan().file.unwrap().after), expected);
            prop_assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c)));
        }
        for option in OPTIONS.iter().filter(|option| option.kind != Kind::Users) {
            let known = matches!(option.kind, Kind::Choice(words) if words.contains(&name.as_str()));
            prop_assert_eq!(setup.choose(option.path, Value::Text(name.clone())).is_ok(), known);
        }
    }
}

#[test]
fn the_last_thing_taken_out_leaves_a_module() {
    let folder = Folder::of(&[("configuration.nix", FRESH)]);
    folder.apply(
        &folder.setup(no_machine(), &[("components", words(&["cudnn"])), ("unfree", word("none"))]),
    );
    let text = folder.apply(&folder.setup(no_machine(), &[("components", words(&[]))]));
    assert!(text.ends_with("{ ... }:\n{ }\n"), "{text}");
    assert!(folder.setup(no_machine(), &[]).plan().is_empty());
}

#[test]
fn the_other_mode_says_the_same() {
    let user = "{ inputs, ... }: { imports = [ ./hardware-configuration.nix inputs.nvidia-sdk.nixosModules.default ]; }";
    let folder = Folder::of(&[("configuration.nix", user)]);
    let facts = || machine(&[9], false, "x86_64");
    let standalone = (Setup::MODE, word("standalone"));
    folder.apply(
        &folder.setup(
            facts(),
            &[standalone, ("enable", ON), ("persistenced", ON), ("monitoring", OFF)],
        ),
    );
    let text = folder.apply(&folder.setup(facts(), &[(Setup::MODE, word("snippet"))]));
    assert!(text.contains("persistenced = ") && !text.contains("nvidiaPersistenced"), "{text}");
    let again = folder.setup(facts(), &[]);
    assert!(
        again.is_wanted("enable") && again.is_wanted("persistenced") && again.plan().is_empty()
    );
    assert!(folder.path().join("nvsdk-top.nix").is_file());
}
