//! What speaks against a choice on this machine, before anything is planned: one row per check.

mod configuration;
mod driver;
#[cfg(test)]
mod tests;
mod toolkit;

use super::model::Because;
use super::{Setup, Value};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is worth knowing.
    Warning,
    /// The machine would not work, or the configuration not evaluate: nothing is written.
    Error,
}

/// What a check says of one thing: how grave it is, and a sentence or two that end in what to do.
type Found = (Severity, String);

/// A row.
#[derive(Debug)]
pub struct Check {
    /// Its name, in the words of the check.
    pub id: &'static str,
    /// The option that it is shown at.
    pub option: &'static str,
    /// The other options that it is about: a change of any of them may bring it about.
    pub with: &'static [&'static str],
    /// What it finds.
    find: fn(&Setup) -> Vec<Found>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check's name.
    pub id: &'static str,
    /// The option that it is shown at.
    pub option: &'static str,
    /// The other options that it is about.
    pub with: &'static [&'static str],
    /// How grave it is.
    pub severity: Severity,
    /// What it is and what to do, in a sentence or two.
    pub sentence: String,
}

impl Finding {
    /// The options that it is about.
    pub fn options(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.option).chain(self.with.iter().copied())
    }
}

const fn check(
    id: &'static str,
    option: &'static str,
    with: &'static [&'static str],
    find: fn(&Setup) -> Vec<Found>,
) -> Check {
    Check { id, option, with, find }
}

/// What brings a driver, and what says which.
const DRIVER: &[&str] = &["enable", "datacenter"];
const DRIVER_AND_PACKAGE: &[&str] = &["enable", "datacenter", "driver.package"];
/// What the toolkit comes with, and what it has to fit.
const CUDA: &[&str] = &["components", "users", "enable", "datacenter", "driver.package"];
/// The options of the upstream module that it hands on to options of nixpkgs.
const UPSTREAM: &[&str] = &["driver.package", "driver.open", "persistenced", "container.enable"];
/// What stops the evaluation whatever is written is about every option.
const EVERY: &[&str] = &[
    "enable",
    "datacenter",
    "driver.package",
    "driver.open",
    "persistenced",
    "container.enable",
    "container.device-names",
    "docker",
    "podman",
    "systemPackages",
    "components",
    "users",
    "monitoring",
    "unfree",
];

/// The checks, in the order of the options.
#[rustfmt::skip]
pub static CHECKS: &[Check] = &[
    check("jetson", "enable", &[], driver::jetson),
    check("unsigned-modules", "enable", &["datacenter"], driver::unsigned),
    check("two-drivers", "datacenter", &["enable"], driver::two_drivers),
    check("nvswitch", "datacenter", &["enable"], driver::nvswitch),
    check("datacenter-platform", "datacenter", &[], driver::datacenter_platform),
    check("datacenter-branch", "driver.package", DRIVER, driver::datacenter_branch),
    check("datacenter-upstream", "datacenter", &[], driver::datacenter_upstream),
    check("driver-too-new", "driver.package", DRIVER, driver::too_new),
    check("driver-too-old", "driver.package", DRIVER, driver::too_old),
    check("licence", "driver.package", &[], driver::licence),
    check("open-before-turing", "driver.open", DRIVER_AND_PACKAGE, driver::open_before_turing),
    check("proprietary-on-blackwell", "driver.open", DRIVER_AND_PACKAGE, driver::proprietary_on_blackwell),
    check("proprietary-on-grace", "driver.open", DRIVER_AND_PACKAGE, driver::proprietary_on_grace),
    check("no-open-module", "driver.open", DRIVER_AND_PACKAGE, driver::no_open_module),
    check("laptop-persistenced", "persistenced", &[], driver::laptop),
    check("persistenced-finegrained", "persistenced", &[], configuration::persistenced_and_finegrained),
    check("container-without-driver", "container.enable", DRIVER, configuration::container),
    check("cuda-and-driver", "systemPackages", CUDA, toolkit::cuda_and_driver),
    check("cuda-before-turing", "systemPackages", CUDA, toolkit::before_turing),
    check("unknown-user", "users", &[], configuration::unknown_user),
    check("unfree-refused", "unfree", DRIVER, configuration::unfree),
    check("unfree-names", "unfree", &["components"], toolkit::unfree_names),
    check("old-option", "enable", EVERY, configuration::old_options),
    check("32-bit-on-arm", "enable", EVERY, configuration::no_32_bit),
    check("upstream-clash", "enable", UPSTREAM, configuration::upstream_clash),
    check("hosts-not-listed", "enable", &[], configuration::hosts_not_listed),
    check("not-read", "enable", &[], configuration::not_read),
];

impl Setup {
    /// What the checks find, the gravest first.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let found = |check: &'static Check| {
            (check.find)(self).into_iter().map(|(severity, sentence)| Finding {
                id: check.id,
                option: check.option,
                with: check.with,
                severity,
                sentence,
            })
        };
        let mut findings: Vec<_> = CHECKS.iter().flat_map(found).collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }

    /// Whether an option is on in the configuration as it would be, and not only on this machine.
    pub(super) fn is_said(&self, path: &str) -> bool {
        let wanted = self.row(path).and_then(|row| row.wanted.as_ref());
        wanted.is_some_and(|(value, because)| {
            *value == Value::Bool(true) && *because != Because::Running
        })
    }

    /// Whether the configuration as it would be says that the module is not the open one; what merely runs is said where
    /// the driver is written.
    fn is_proprietary(&self) -> bool {
        let wanted = self.row("driver.open").and_then(|row| row.wanted.as_ref());
        wanted.is_some_and(|(value, because)| {
            let is_said = *because != Because::Running || self.says_module_of_driver();
            *value == Value::Bool(false) && is_said
        })
    }

    /// How grave it is what holds only if nothing that was not read says otherwise.
    fn unless_said_elsewhere(&self) -> Severity {
        if self.is_partly_read() { Severity::Warning } else { Severity::Error }
    }

    /// How grave it is what follows from the driver's branch: where nothing names one, it is the default only as far as
    /// was read, and of a driver that is there.
    fn of_branch(&self) -> Severity {
        match self.wanted_word("driver.package") {
            Some(_) => Severity::Error,
            None if self.has_driver() => self.unless_said_elsewhere(),
            None => Severity::Warning,
        }
    }
}
