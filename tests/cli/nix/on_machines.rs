//! Plans for machines where something runs already, for each configuration: what is written is evaluated, what is left
//! to the user is pasted and evaluated, and what is refused does not evaluate.

use std::path::Path;
use std::sync::Arc;

use nvsdk_top::setup::facts::Facts;
use nvsdk_top::setup::{Plan, Setup};

use super::existing::{CONFIGURATIONS, Checkout, Choices, Existing};
use super::machines::{MACHINES, machine};
use super::yielded::{Expectations, Expected, expected, values};
use super::{RELEASES, is_there};

const CHOICES: &[(&str, Choices)] = &[
    ("driver", &[("enable", "true"), ("driver.package", "production")]),
    ("opposite", &[("driver.open", "false"), ("persistenced", "false"), ("podman", "false")]),
    (
        "containers",
        &[
            ("driver.open", "true"),
            ("persistenced", "true"),
            ("container.enable", "true"),
            ("container.device-names", "uuid"),
            ("docker", "true"),
        ],
    ),
    (
        "packages",
        &[
            ("driver.package", "production"),
            ("systemPackages", "true"),
            ("monitoring", "true"),
            ("components", "cudnn libcutensor"),
        ],
    ),
    ("alice", &[("users", "alice"), ("driver.package", "legacy_580")]),
    (
        "data centre",
        &[("datacenter", "true"), ("driver.package", "dc_580"), ("persistenced", "true")],
    ),
];

/// The checks that keep from being written what does not evaluate; the others are about the machine.
const OF_EVALUATION: &[&str] = &[
    "two-drivers",
    "datacenter-platform",
    "no-open-module",
    "container-without-driver",
    "unfree-refused",
    "32-bit-on-arm",
    "upstream-clash",
];

/// The checks that know more than an evaluation tells.
const OF_MACHINES: &[&str] = &[
    "datacenter-upstream",
    "driver-too-new",
    "driver-too-old",
    "open-before-turing",
    "proprietary-on-blackwell",
    "proprietary-on-grace",
    "unknown-user",
];

/// What the hardware keeps from being written: the machine, the configuration and the choice, and the check.
const REFUSED: &[(&str, &str)] = &[
    ("maxwell-desktop/docker-nvidia/containers", "open-before-turing"),
    ("maxwell-desktop/let/packages", "driver-too-new"),
    ("blackwell-desktop/docker-nvidia/driver", "proprietary-on-blackwell"),
    ("grace-hopper/server/opposite", "proprietary-on-grace"),
    ("hopper-server/upstream-module/data centre", "datacenter-upstream"),
    ("hopper-server/let/alice", "unknown-user"),
];

/// One choice for one configuration of one machine.
struct Case<'a> {
    existing: &'a Existing,
    facts: &'a Arc<Facts>,
    system: &'static str,
    release: &'static str,
    choice: &'static str,
    choices: Choices,
    folder: &'a Path,
    name: String,
}

impl Case<'_> {
    /// The configuration with what is written, in a folder of its own.
    fn written(&self, what: &str) -> (Checkout, Setup, Plan) {
        let mut checkout =
            self.existing.copy_to(self.folder.join(format!("{}/{what}", self.name)), self.system);
        let setup = checkout.setup(self.facts, self.choices, self.release);
        let plan = setup.plan();
        checkout.write(&setup, &plan);
        (checkout, setup, plan)
    }

    /// Asks what comes of it, and returns the checks that keep it from being written.
    fn ask(&self, expectations: &mut Expectations) -> Vec<&'static str> {
        let (checkout, setup, plan) = self.written("written");
        let (mut pasted, _, same) = self.written("pasted");
        let by_hand = pasted.paste(&same);
        assert_eq!(plan.refusals, [], "{}", self.name);
        let refused: Vec<_> = setup.blockers().iter().map(|finding| finding.id).collect();
        if !refused.is_empty() {
            let is_known = |id| OF_EVALUATION.contains(id) || OF_MACHINES.contains(id);
            assert!(refused.iter().all(is_known), "{}: {refused:?}", self.name);
            if refused.iter().any(|id| OF_EVALUATION.contains(id)) {
                let name = format!("{}, refused for {refused:?}", self.name);
                expectations.add(name, pasted.question(self.release), Expected::Nothing);
            }
            return refused;
        }
        let after = checkout.setup(self.facts, self.choices, self.release);
        let is_written = checkout.is_unread() || after.plan().file.is_none();
        expectations.expect(is_written, || format!("{}: written again", self.name));
        let expected = if does_not_evaluate(&setup) {
            Expected::Nothing
        } else {
            expected(self.existing, self.choice, &checkout, (&setup, &plan, &after))
        };
        expectations.add(self.name.clone(), checkout.question(self.release), expected);
        if !by_hand.is_empty() {
            self.ask_pasted(&pasted, &setup, &by_hand, expectations);
        }
        refused
    }

    /// With the lines in place, the files say what was chosen.
    fn ask_pasted(
        &self,
        pasted: &Checkout,
        setup: &Setup,
        by_hand: &[&str],
        expectations: &mut Expectations,
    ) {
        let name = format!("{}, pasted", self.name);
        let after = pasted.setup(self.facts, self.choices, self.release);
        for path in by_hand {
            let wanted = setup.row(path).unwrap().wanted.as_ref().map(|(value, _)| value);
            let now = after.row(path).unwrap().stated.value();
            expectations.expect(now == wanted, || format!("{name}: {path} is {now:?}"));
        }
        let values = values(setup, &after.plan(), &after);
        let expected = Expected::Values(values, setup.mode);
        expectations.add(name, pasted.question(self.release), expected);
    }
}

/// Whether Setup says of the user's own files that they do not evaluate, whatever is written.
pub(super) fn does_not_evaluate(setup: &Setup) -> bool {
    setup.findings().iter().any(|finding| finding.id == "32-bit-on-arm")
}

#[test]
fn what_is_planned_for_machines_in_use_evaluates() {
    if !is_there("what_is_planned_for_machines_in_use_evaluates") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut expectations, mut seen) = (Expectations::default(), 0);
    for (number, name) in MACHINES.iter().enumerate() {
        let (facts, system) = machine(name);
        for (place, existing) in CONFIGURATIONS.iter().enumerate() {
            for (nth, (choice, choices)) in CHOICES.iter().enumerate() {
                let case = Case {
                    existing,
                    facts: &facts,
                    system,
                    release: RELEASES[(number + place + nth) % 2],
                    choice,
                    choices,
                    folder: folder.path(),
                    name: format!("{name}/{}/{choice}", existing.name()),
                };
                let refused = case.ask(&mut expectations);
                let wanted = REFUSED.iter().filter(|(name, _)| *name == case.name);
                for (name, check) in wanted {
                    expectations.expect(refused.contains(check), || format!("{name}: {refused:?}"));
                    seen += 1;
                }
            }
        }
    }
    assert_eq!(seen, REFUSED.len(), "each of them was met");
    assert!(expectations.len() > 500, "{}", expectations.len());
    expectations.check();
}
