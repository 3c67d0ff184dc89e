//! What kind of machine it is: its distribution, its shape, and whether it is a whole machine at all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::files::Files;
use super::{Evidence, Surroundings};
use crate::model::Absent;

/// Each file that only a container has, and the kind of container.
const CONTAINERS: &[(&str, &str)] = &[
    ("/run/.containerenv", "podman"),
    ("/.dockerenv", "docker"),
    ("/var/run/secrets/kubernetes.io", "kubernetes"),
];

/// The machine around the GPUs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// Its distribution.
    pub distribution: Evidence<Distribution>,
    /// Its architecture: `x86_64` or `aarch64`.
    pub machine: Evidence<String>,
    /// The kind of container that this is; absent as not found on a whole machine.
    pub container: Evidence<String>,
    /// Whether it is Windows' Subsystem for Linux.
    pub wsl: Evidence<bool>,
    /// Whether it is a Jetson or another Tegra.
    pub tegra: Evidence<bool>,
    /// Whether it has a battery, as a laptop has.
    pub battery: Evidence<bool>,
    /// Whether a display manager is installed; a machine without one is headless, as far as files tell.
    pub display_manager: Evidence<bool>,
    /// When it was started, in seconds since 1970.
    pub boot_time_unix_seconds: Evidence<u64>,
}

/// What os-release says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// `nixos`, `ubuntu`, …
    pub id: String,
    /// The families it belongs to, such as `debian`.
    pub id_like: Vec<String>,
    /// The release, such as `25.11`; empty where it has none.
    pub version_id: String,
    /// The name for people.
    pub name: String,
}

impl System {
    /// Whether it is NixOS; not known to be is not.
    #[must_use]
    pub fn is_nixos(&self) -> bool {
        self.distribution.known().is_some_and(|distribution| distribution.id == "nixos")
    }

    /// Whether it is known to be another distribution.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.distribution.known().is_some_and(|distribution| distribution.id != "nixos")
    }
}

pub(super) fn read(files: Files<'_>, surroundings: &Surroundings) -> System {
    let distribution = files
        .read("/etc/os-release", distribution)
        .or_else(|| files.read("/usr/lib/os-release", distribution));
    System {
        distribution,
        machine: machine(files, surroundings),
        container: container(files),
        wsl: files.presence("/dev/dxg"),
        tegra: tegra(files),
        battery: battery(files),
        display_manager: files.presence_of_any(&[
            "/etc/systemd/system/display-manager.service",
            "/run/systemd/system/display-manager.service",
        ]),
        boot_time_unix_seconds: files.read("/proc/stat", |text| {
            text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
        }),
    }
}

fn distribution(text: &str) -> Option<Distribution> {
    let fields: BTreeMap<_, _> =
        text.lines().filter_map(|line| line.trim().split_once('=')).collect();
    let field = |key| fields.get(key).map_or("", |value| value.trim_matches(['"', '\'']));
    let id = field("ID");
    (!id.is_empty()).then(|| Distribution {
        id: id.to_owned(),
        id_like: field("ID_LIKE").split_whitespace().map(str::to_owned).collect(),
        version_id: field("VERSION_ID").to_owned(),
        name: field("PRETTY_NAME").to_owned(),
    })
}

/// NixOS writes down what it was built for; newer kernels tell their architecture.
fn machine(files: Files<'_>, surroundings: &Surroundings) -> Evidence<String> {
    let built_for = files.line("/run/current-system/system");
    let built_for = built_for.map(|system| system.split('-').next().unwrap_or_default().to_owned());
    built_for
        .or_else(|| files.line("/proc/sys/kernel/arch"))
        .or_else(|| Evidence::new("uname", surroundings.machine.clone()))
}

fn container(files: Files<'_>) -> Evidence<String> {
    // systemd and podman's own file know best which kind it is.
    let told = files.line("/run/systemd/container");
    if told.absent() != Some(Absent::NotFound) {
        return told;
    }
    let marked = CONTAINERS.iter().find(|(path, _)| files.exists(path) == Ok(true));
    match marked {
        Some((path, kind)) => Evidence::new(*path, Ok((*kind).to_owned())),
        None => told,
    }
}

fn tegra(files: Files<'_>) -> Evidence<bool> {
    const RELEASE: &str = "/etc/nv_tegra_release";
    if files.exists(RELEASE) == Ok(true) {
        return Evidence::new(RELEASE, Ok(true));
    }
    files
        .read("/proc/device-tree/compatible", |text| Some(text.contains("nvidia,tegra")))
        .or_absent(Absent::NotFound, false)
}

/// Batteries of mice and keyboards have the scope of a device.
fn battery(files: Files<'_>) -> Evidence<bool> {
    const SUPPLIES: &str = "/sys/class/power_supply";
    let names = match files.names(SUPPLIES) {
        Ok(names) => names,
        Err(why) => return Evidence::new(SUPPLIES, Err(why)).or_absent(Absent::NotFound, false),
    };
    let is_system_battery = |name: &&String| {
        let attribute = |key| files.line(&format!("{SUPPLIES}/{name}/{key}")).fact;
        attribute("type").as_deref() == Ok("Battery")
            && attribute("scope").as_deref() != Ok("Device")
    };
    match names.iter().find(is_system_battery) {
        Some(name) => Evidence::new(format!("{SUPPLIES}/{name}"), Ok(true)),
        None => Evidence::new(SUPPLIES, Ok(false)),
    }
}

#[cfg(test)]
mod tests {
    use super::distribution;
    use proptest::prelude::*;

    #[test]
    fn os_release_with_and_without_quotes() {
        let text = "NAME=x\nID=ubuntu\nID_LIKE=\"debian other\"\nVERSION_ID=\"24.04\"\nPRETTY_NAME='Ubuntu 24.04'\n";
        let ubuntu = distribution(text).unwrap();
        assert_eq!((ubuntu.id.as_str(), ubuntu.version_id.as_str()), ("ubuntu", "24.04"));
        assert_eq!(ubuntu.id_like, ["debian", "other"]);
        assert_eq!(ubuntu.name, "Ubuntu 24.04");
        assert_eq!(distribution("ID=\"\"\n"), None);
        assert_eq!(distribution("VERSION_ID=1"), None);
        assert_eq!(distribution("ID=arch").unwrap().version_id, "");
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            distribution(&format!("ID={text}"));
        }
    }
}
