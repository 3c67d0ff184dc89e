//! The driver and its kernel module against the GPUs and the machine.

use super::{Found, Setup, Severity};
use crate::model::Architecture;
use crate::setup::declared::Place;
use crate::setup::facts::PciKind;
use crate::setup::{Mode, Stated, TABLE_DATE, Value, Version};

const KEPLER: Architecture = Architecture(2);
const MAXWELL: Architecture = Architecture(3);
const HOPPER: Architecture = Architecture(9);

/// Drivers up to this one know GPUs up to this architecture, and later ones do not.
const LAST_DRIVERS: &[(Architecture, u32, &str)] = &[
    (KEPLER, 470, "legacy_470"),
    // All before Turing: Maxwell, Pascal, Volta.
    (Architecture(Architecture::TURING.0 - 1), 580, "legacy_580"),
];

/// The first driver that knows Blackwell.
const FIRST_FOR_BLACKWELL: u32 = 570;

/// The first GPU whose architecture is one that `is_affected`, with its name; where only its number on the bus tells,
/// the finding is no error.
pub(super) fn gpu(
    setup: &Setup,
    is_affected: impl Fn(Architecture) -> bool,
) -> Option<(String, Severity)> {
    setup.driven_gpus().find_map(|gpu| {
        let architecture = gpu.architecture.known().filter(|known| is_affected(known.name))?;
        let name = gpu.name.text().or(gpu.pci_bus_id.text()).unwrap_or("a GPU");
        let likely = if architecture.likely { "likely " } else { "" };
        let severity = if architecture.likely { Severity::Warning } else { Severity::Error };
        Some((format!("{name} ({likely}{})", architecture.name), severity))
    })
}

fn one(found: Option<Found>) -> Vec<Found> {
    found.into_iter().collect()
}

fn error(sentence: impl Into<String>) -> Vec<Found> {
    vec![(Severity::Error, sentence.into())]
}

fn warning(sentence: impl Into<String>) -> Vec<Found> {
    vec![(Severity::Warning, sentence.into())]
}

/// The wanted branch with its version in the release that is written for.
fn driver(setup: &Setup) -> Option<(&'static str, Version)> {
    let branch = setup.branch().filter(|_| setup.may_have_driver())?;
    Some((branch.name, branch.version(setup.release)))
}

pub(super) fn jetson(setup: &Setup) -> Vec<Found> {
    if !setup.is_said("enable") || !setup.facts.system.tegra.is_true() {
        return Vec::new();
    }
    error(
        "this is a Jetson, whose driver nixpkgs does not have: leave enable off and use jetpack-nixos",
    )
}

/// NixOS signs no modules of its own. One that is loaded was taken all the same.
pub(super) fn unsigned(setup: &Setup) -> Vec<Found> {
    let is_said = setup.is_said("enable") || setup.is_said("datacenter");
    let is_loaded = setup.facts.driver.loaded.fact.is_ok();
    match setup.facts.kernel.refuses_unsigned_modules().filter(|_| is_said && !is_loaded) {
        Some(source) => warning(format!(
            "the kernel loads signed modules alone ({source}), and NixOS does not sign the driver's: turn Secure Boot or \
             the lockdown off, or sign the modules"
        )),
        None => Vec::new(),
    }
}

pub(super) fn two_drivers(setup: &Setup) -> Vec<Found> {
    // What runs and is not declared is no second driver.
    if !setup.is_said("enable") || !setup.is_said("datacenter") {
        return Vec::new();
    }
    error(
        "the drivers for displays and for data centres exclude each other: set enable or datacenter to false",
    )
}

pub(super) fn nvswitch(setup: &Setup) -> Vec<Found> {
    let has_switch = setup.facts.devices(PciKind::NvSwitch).next().is_some();
    let is_arm = setup.machine().as_deref() == Some("aarch64");
    if !has_switch || is_arm || !setup.is_said("enable") || setup.is_wanted("datacenter") {
        return Vec::new();
    }
    warning(
        "this board has NVSwitches, and without the fabric manager its GPUs do not reach each other: set datacenter in \
         place of enable",
    )
}

pub(super) fn datacenter_platform(setup: &Setup) -> Vec<Found> {
    if !setup.is_said("datacenter") || setup.machine().as_deref() != Some("aarch64") {
        return Vec::new();
    }
    error(
        "data centre drivers are for x86_64 alone: on Grace set enable with driver.package production and driver.open",
    )
}

pub(super) fn datacenter_branch(setup: &Setup) -> Vec<Found> {
    let Some(branch) = setup.branch() else { return Vec::new() };
    match (setup.is_said("datacenter"), setup.is_said("enable"), branch.is_datacenter()) {
        (true, _, false) => error(format!(
            "{} has no fabric manager, which datacenter needs: set driver.package to dc",
            branch.name
        )),
        (false, true, true) => error(format!(
            "{} has no parts for displays: set datacenter in place of enable, or another driver.package",
            branch.name
        )),
        _ => Vec::new(),
    }
}

pub(super) fn datacenter_upstream(setup: &Setup) -> Vec<Found> {
    if setup.mode != Mode::Snippet || !setup.is_said("datacenter") {
        return Vec::new();
    }
    error(
        "the upstream module has no driver for data centres: write with --mode standalone and without that module",
    )
}

/// GPUs that a driver does not know any more are left out by it in silence.
pub(super) fn too_new(setup: &Setup) -> Vec<Found> {
    let Some((branch, version)) = driver(setup) else { return Vec::new() };
    one(LAST_DRIVERS.iter().find_map(|(last, major, legacy)| {
        let first = if *last == KEPLER { Architecture(0) } else { MAXWELL };
        let (gpu, severity) = gpu(setup, |it| it >= first && it <= *last)?;
        let sentence = format!(
            "{branch} is driver {version} (table of {TABLE_DATE}), and {major} is the last that knows {gpu}: set \
             driver.package to {legacy}"
        );
        (version.major() > *major).then_some((severity.min(setup.of_branch()), sentence))
    }))
}

pub(super) fn too_old(setup: &Setup) -> Vec<Found> {
    let Some((branch, version)) = driver(setup) else { return Vec::new() };
    if version.major() >= FIRST_FOR_BLACKWELL {
        return Vec::new();
    }
    one(gpu(setup, |it| it >= Architecture::BLACKWELL).map(|(gpu, severity)| {
        let sentence = format!(
            "{branch} is driver {version} (table of {TABLE_DATE}), and {FIRST_FOR_BLACKWELL} is the first that knows \
             {gpu}: set driver.package to production"
        );
        (severity.min(setup.of_branch()), sentence)
    }))
}

pub(super) fn licence(setup: &Setup) -> Vec<Found> {
    let is_chosen = setup.row("driver.package").is_some_and(super::super::Row::is_changed);
    match setup.branch().filter(|branch| is_chosen && !branch.has_open) {
        Some(branch) => warning(format!(
            "{} comes under NVIDIA's licence alone: what is written accepts it (nixpkgs.config.nvidia.acceptLicense), so \
             read it first",
            branch.name
        )),
        None => Vec::new(),
    }
}

pub(super) fn open_before_turing(setup: &Setup) -> Vec<Found> {
    if !setup.may_have_driver() || !setup.is_wanted("driver.open") {
        return Vec::new();
    }
    one(gpu(setup, |it| it < Architecture::TURING).map(|(gpu, severity)| {
        let sentence = format!(
            "the open module needs Turing or newer, and {gpu} is older: set driver.open to false"
        );
        (severity, sentence)
    }))
}

pub(super) fn proprietary_on_blackwell(setup: &Setup) -> Vec<Found> {
    if !setup.may_have_driver() || !setup.is_proprietary() {
        return Vec::new();
    }
    one(gpu(setup, |it| it >= Architecture::BLACKWELL).map(|(gpu, severity)| {
        (severity, format!("{gpu} runs on the open module alone: set driver.open to true"))
    }))
}

/// Grace joins its processor to Hopper or newer, which only the open module drives.
pub(super) fn proprietary_on_grace(setup: &Setup) -> Vec<Found> {
    let is_arm = setup.machine().as_deref() == Some("aarch64");
    if !is_arm || !setup.may_have_driver() || !setup.is_proprietary() {
        return Vec::new();
    }
    one(gpu(setup, |it| (HOPPER..Architecture::BLACKWELL).contains(&it)).map(|(gpu, severity)| {
        let sentence = format!(
            "beside an ARM processor {gpu} runs on the open module alone: set driver.open to true"
        );
        (severity, sentence)
    }))
}

pub(super) fn no_open_module(setup: &Setup) -> Vec<Found> {
    let branch = setup.branch().filter(|branch| !branch.has_open && setup.may_have_driver());
    let Some(branch) = branch else { return Vec::new() };
    if setup.is_wanted("driver.open") {
        return error(format!(
            "{} comes without the open module: set driver.open to false, or another driver.package",
            branch.name
        ));
    }
    // The user's files keep what they say, and the driver that is written beside them has to go with it.
    let (open, package) =
        (place(setup, "driver.open", &Value::Bool(true)), setup.row("driver.package"));
    let is_written = package.is_some_and(|row| row.stated.is_said_nowhere());
    match open.filter(|_| is_written) {
        Some(open) => error(format!(
            "{} comes without the open module, and driver.open is true at {open}: change it there first",
            branch.name
        )),
        None => Vec::new(),
    }
}

/// Where the user's files say that an option has this value.
fn place(setup: &Setup, path: &str, value: &Value) -> Option<Place> {
    match &setup.row(path)?.stated {
        Stated::Value { value: stated, places } if stated == value => {
            places.iter().find(|place| setup.is_theirs(place)).cloned()
        }
        _ => None,
    }
}

pub(super) fn laptop(setup: &Setup) -> Vec<Found> {
    if !setup.is_said("persistenced") || !setup.facts.system.battery.is_true() {
        return Vec::new();
    }
    warning("on battery the daemon keeps the GPU awake and drains it: set persistenced to false")
}
