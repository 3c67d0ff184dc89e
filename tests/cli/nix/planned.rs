//! What Setup writes for existing configurations, evaluated alone and together with them.

use std::fs;

use nvsdk_top::setup::Setup;
use nvsdk_top::setup::nix::{Marker, Mode};

use super::existing::{CONFIGURATIONS, Choices, WITH_UPSTREAM, draft, value};
use super::machines::unknown;
use super::on_machines::does_not_evaluate;
use super::yielded::{Expectations, Expected, expected, values};
use super::{Question, RELEASES, SYSTEMS, is_there};

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
    ("seed-example", "data centre", "no driver for data centres"),
    ("helper-function cellar", "data centre", "exclude each other"),
    // Their driver comes without the open module, which stays off.
    ("legacy-driver", "packages", "does not run"),
    // They say open = true themselves, which is theirs to change first.
    (
        "helper-function cellar",
        "old driver",
        "comes without the open module, and driver.open is true at",
    ),
    ("seed-example", "old driver", "comes without the open module, and driver.open is true at"),
    ("upstream-module", "old driver", "comes without the open module, and driver.open is true at"),
    ("nixos-hardware", "old driver", "comes without the open module, and driver.open is true at"),
];

/// The configurations that are for `x86_64` alone, since they ask for 32-bit libraries.
const WITH_32_BIT: &[&str] = &["flake", "docker-nvidia"];
/// What is said of libraries that would stop the evaluation.
const NO_32_BIT: &str = "exist on x86_64 alone";

/// Both systems with both releases.
fn everywhere() -> impl Iterator<Item = (&'static str, &'static str)> {
    SYSTEMS.into_iter().flat_map(|system| RELEASES.map(|release| (system, release)))
}

/// Why nothing is written, in words.
fn refusals(setup: &Setup) -> String {
    let refusals = setup.plan().refusals.into_iter().map(|refusal| refusal.to_string());
    let blockers = setup.blockers().into_iter().map(|finding| finding.sentence);
    refusals.chain(blockers).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_written_evaluates_with_the_configurations_it_is_for() {
    if !is_there("what_is_written_evaluates_with_the_configurations_it_is_for") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut expectations, mut refused) = (Expectations::default(), Vec::new());
    for (number, existing) in CONFIGURATIONS.iter().enumerate() {
        let who = existing.name();
        for (choice, choices) in CHOICES {
            for (system, release) in everywhere() {
                let to = folder.path().join(format!("{number}/{choice}/{system}/{release}"));
                let mut checkout = existing.copy_to(to, system);
                let facts = unknown(system);
                let setup = checkout.setup(&facts, choices, release);
                let name = format!("{who}, {choice}, {system}, {release}");
                let refusal = REFUSED
                    .iter()
                    .find(|(refused, what, _)| (*refused, *what) == (who.as_str(), *choice));
                let why = refusals(&setup);
                let is_arm = system == "aarch64-linux";
                let holds = match refusal {
                    Some((_, _, reason)) => why.contains(reason),
                    None if is_arm && *choice == "data centre" => why.contains("x86_64 alone"),
                    None if is_arm && WITH_32_BIT.contains(&existing.folder) => {
                        // What holds back a plan is told where there is one.
                        why.contains(NO_32_BIT) == setup.plan().file.is_some()
                    }
                    None if is_arm
                        && WITH_UPSTREAM.contains(&existing.folder)
                        && setup.plan().file.is_none() =>
                    {
                        // A file of ours would forbid them, and there is none where all is the user's to change.
                        why.contains(NO_32_BIT) == setup.plan().not_written().next().is_some()
                    }
                    None => why.is_empty(),
                };
                expectations.expect(holds, || format!("{name} is refused: {why}"));
                refused.extend(refusal);
                if why.contains(NO_32_BIT) {
                    expectations.add(name, checkout.question(release), Expected::Nothing);
                    continue;
                }
                if !why.is_empty() {
                    continue;
                }
                let plan = setup.plan();
                checkout.write(&setup, &plan);
                let after = checkout.setup(&facts, choices, release);
                let is_written = checkout.is_unread() || after.plan().file.is_none();
                expectations.expect(is_written, || format!("{name}: written again"));
                let expected = if does_not_evaluate(&setup) {
                    Expected::Nothing
                } else {
                    expected(existing, choice, &checkout, (&setup, &plan, &after))
                };
                expectations.add(name, checkout.question(release), expected);
            }
        }
    }
    let unneeded: Vec<_> = REFUSED.iter().filter(|row| !refused.contains(row)).collect();
    assert!(unneeded.is_empty(), "{unneeded:?}");
    assert!(expectations.len() > 200, "{}", expectations.len());
    expectations.check();
}

#[test]
fn each_configuration_takes_the_one_mode_that_evaluates() {
    if !is_there("each_configuration_takes_the_one_mode_that_evaluates") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut expectations = Expectations::default();
    for (number, existing) in CONFIGURATIONS.iter().enumerate() {
        let mut checkout = existing.copy_to(folder.path().join(number.to_string()), "x86_64-linux");
        let is_upstream = WITH_UPSTREAM.contains(&existing.folder);
        let (mode, other, why) = if is_upstream {
            (Mode::Snippet, Mode::Standalone, "would clash with the options of nixpkgs")
        } else {
            (Mode::Standalone, Mode::Snippet, "nothing imports the upstream module")
        };
        let mut setup =
            checkout.setup(&unknown("x86_64-linux"), &[("enable", "true")], RELEASES[1]);
        assert_eq!(setup.mode, mode, "{}", existing.name());
        setup.set_mode(other);
        assert!(refusals(&setup).contains(why), "{}", existing.name());
        let plan = setup.plan();
        checkout.write(&setup, &plan);
        if !is_upstream {
            let question = checkout.question(RELEASES[1]);
            expectations.add(existing.name(), question, Expected::Nothing);
        }
    }
    expectations.check();
}

/// Where the upstream module is imported and nothing is said for it yet.
#[test]
fn a_configuration_that_only_imports_the_upstream_module_takes_either_mode() {
    if !is_there("a_configuration_that_only_imports_the_upstream_module_takes_either_mode") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut expectations = Expectations::default();
    let existing = CONFIGURATIONS.iter().find(|it| it.folder == "upstream-module").unwrap();
    for mode in Mode::ALL {
        for (choice, choices) in CHOICES {
            for (system, release) in everywhere() {
                let to = folder.path().join(format!("{mode}/{choice}/{system}/{release}"));
                let file = to.join("configuration.nix");
                let mut checkout = existing.copy_to(to, system);
                let text = fs::read_to_string(&file).unwrap();
                let (before, rest) = text.split_once("  hardware.nvidia-sdk = {").unwrap();
                let (_, after) = rest.split_once("  };\n").unwrap();
                fs::write(&file, format!("{before}{after}")).unwrap();
                let facts = unknown(system);
                let mut setup = checkout.setup(&facts, choices, release);
                setup.set_mode(mode);
                let name = format!("{mode}, {choice}, {system}, {release}");
                if !refusals(&setup).is_empty() {
                    assert_eq!(*choice, "data centre", "{name}: {}", refusals(&setup));
                    continue;
                }
                let plan = setup.plan();
                checkout.write(&setup, &plan);
                let after = checkout.setup(&facts, choices, release);
                assert_eq!((after.mode, after.plan().file), (mode, None), "{name}");
                let expected = Expected::Values(values(&setup, &plan, &after), mode);
                expectations.add(name, checkout.question(release), expected);
            }
        }
    }
    assert_eq!(expectations.len(), 5 * 8 + 2);
    expectations.check();
}

/// What is left to the user is shown as it stands in the file, and with the shown line in its place the file says what
/// is wanted.
#[test]
fn what_is_left_to_the_user_can_be_pasted() {
    const CHOICE: Choices = &[("driver.open", "false"), ("podman", "false")];
    const OPPOSITE: Choices = &[("driver.open", "true"), ("podman", "true")];
    let folder = tempfile::tempdir().unwrap();
    let facts = unknown(SYSTEMS[0]);
    let mut pasted = 0;
    for (number, existing) in CONFIGURATIONS.iter().enumerate() {
        for (choices, nth) in [(CHOICE, 0), (OPPOSITE, 1)] {
            let to = folder.path().join(format!("{number}-{nth}"));
            let mut checkout = existing.copy_to(to, SYSTEMS[0]);
            let setup = checkout.setup(&facts, choices, RELEASES[0]);
            let done = checkout.paste(&setup.plan());
            let after = checkout.setup(&facts, &[], RELEASES[0]);
            for option in &done {
                let wanted = setup.row(option).unwrap().wanted.clone();
                let stated = after.row(option).unwrap().stated.value().cloned();
                assert_eq!(stated, wanted.map(|(value, _)| value), "{}: {option}", existing.name());
            }
            pasted += done.len();
        }
    }
    assert!(pasted >= 8, "{pasted}");
}

/// For a machine that has nothing yet: the file alone is a whole configuration of the GPUs.
#[test]
fn what_is_written_for_a_new_machine_evaluates_alone() {
    if !is_there("what_is_written_for_a_new_machine_evaluates_alone") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut expectations = Expectations::default();
    for (number, (name, choices)) in CHOICES.iter().enumerate() {
        for mode in Mode::ALL {
            for (system, release) in everywhere() {
                let mut draft = draft(choices, release);
                draft.values.insert(Setup::MODE.to_owned(), value(Setup::MODE, mode.word()));
                let (setup, complaints) = Setup::new(unknown(system), None, &draft);
                assert_eq!(complaints, [""; 0]);
                if !setup.blockers().is_empty() {
                    assert_eq!(*name, "data centre");
                    continue;
                }
                let path = folder.path().join(format!("{number}-{mode}-{system}-{release}.nix"));
                let text = setup.plan().file.unwrap().after;
                let marker = Marker { mode, is_hand_edited: false };
                assert_eq!(Marker::read(&text), Some(marker));
                fs::write(&path, text).unwrap();
                let (modules, sdk) = (vec![path], mode == Mode::Snippet);
                let question = Question { modules, flake: None, system, release, sdk };
                let chosen = setup.rows.iter().filter(|row| row.is_changed());
                let values = chosen.map(|row| (row.option.path, row.wanted.clone().unwrap().0));
                let expected = Expected::Values(values.collect(), mode);
                expectations.add(
                    format!("{name}, {mode}, {system}, {release}"),
                    question,
                    expected,
                );
            }
        }
    }
    assert_eq!(expectations.len(), 5 * 8 + 2);
    expectations.check();
}
