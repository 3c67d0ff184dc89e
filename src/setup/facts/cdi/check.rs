//! A spec held against the machine: its paths, its libraries, its devices and its age.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::document::{Document, Edits};
use super::{CDI_FOLDERS, Machine, Role, Spec, Trouble};
use crate::model::Absent;
use crate::setup::facts::gpus::Gpu;
use crate::setup::facts::versions::library_version;

/// As many paths of a spec as are looked at; one for sixteen GPUs names some hundreds.
const MOST_PATHS: usize = 2048;

/// A path on the host and what it is for.
pub(super) type Named = (Role, String);

/// Every path on the host that a document names, each once.
pub(super) fn paths_of(document: &Document) -> BTreeSet<Named> {
    let edits = document.devices.iter().map(|device| &device.container_edits);
    edits.chain([&document.container_edits]).flat_map(paths_of_edits).collect()
}

fn paths_of_edits(edits: &Edits) -> impl Iterator<Item = Named> + '_ {
    let mounts = edits.mounts.iter().map(|mount| (Role::Mount, mount.host_path.clone()));
    let nodes = edits.device_nodes.iter().map(|node| {
        let on_host = node.host_path.as_ref().filter(|path| !path.is_empty());
        (Role::DeviceNode, on_host.unwrap_or(&node.path).clone())
    });
    let hooks = edits.hooks.iter().map(|hook| (Role::Hook, hook.path.clone()));
    mounts.chain(nodes).chain(hooks)
}

/// The driver that a library belongs to.
pub(super) fn driver_of((role, path): &Named) -> Option<&str> {
    let name = (*role == Role::Mount).then(|| Path::new(path).file_name())??;
    library_version(name.to_str()?)
}

/// What is wrong with a spec by itself.
pub(super) fn troubles(
    machine: &Machine<'_>,
    spec: &Spec,
    paths: &BTreeSet<Named>,
) -> Vec<Trouble> {
    let mut troubles = missing(machine, paths);
    if spec.is_of_nvidia() {
        troubles.extend(other_driver(machine, paths));
    }
    if spec.kind.text() == Some("nvidia.com/gpu") {
        troubles.extend(other_gpus(machine.gpus, &spec.devices));
    }
    troubles.extend(age(machine, spec));
    troubles
}

fn missing(machine: &Machine<'_>, paths: &BTreeSet<Named>) -> Vec<Trouble> {
    let look = |(role, path): &Named| {
        let (role, path) = (*role, path.clone());
        // Runtimes would take a path without a root from wherever they happen to be.
        if !path.starts_with('/') {
            return Some(Trouble::Missing { role, path });
        }
        match machine.files.resolve(&path) {
            Ok(_) => None,
            Err(Absent::NotFound) => Some(Trouble::Missing { role, path }),
            Err(why) => Some(Trouble::Hidden { role, path, why }),
        }
    };
    let mut troubles: Vec<_> = paths.iter().take(MOST_PATHS).filter_map(look).collect();
    if paths.len() > MOST_PATHS {
        troubles.push(Trouble::NotAllLookedAt { paths: paths.len() - MOST_PATHS });
    }
    troubles
}

fn other_driver<'a>(
    machine: &Machine<'a>,
    paths: &'a BTreeSet<Named>,
) -> impl Iterator<Item = Trouble> + 'a {
    let loaded = machine.driver;
    paths.iter().take(MOST_PATHS).filter_map(move |named| {
        let (version, loaded) = (driver_of(named)?, loaded?);
        (version != loaded).then(|| Trouble::OtherDriver {
            path: named.1.clone(),
            version: version.to_owned(),
            loaded: loaded.to_owned(),
        })
    })
}

/// The differences between a spec's devices and NVML's GPUs, by index and by UUID, whichever the spec uses. Names of
/// MIG instances are not looked at, and a GPU that is divided need not be there as a whole.
fn other_gpus(gpus: &[Gpu], devices: &[String]) -> Vec<Trouble> {
    let by_index = |gpu: &Gpu| gpu.index.known().map(u32::to_string);
    let by_uuid = |gpu: &Gpu| gpu.uuid.known().cloned();
    let known: Vec<_> = gpus.iter().filter(|gpu| gpu.index.fact.is_ok()).collect();
    if known.is_empty() {
        return Vec::new();
    }
    let named_by_index: BTreeSet<_> = devices.iter().filter_map(|name| index_in(name)).collect();
    let named_by_uuid: BTreeSet<_> =
        devices.iter().filter(|name| name.starts_with("GPU-")).map(String::as_str).collect();
    let mut troubles = differences(&known, &named_by_index, by_index);
    troubles.extend(differences(&known, &named_by_uuid, by_uuid));
    troubles
}

/// The number of a device that is named by index, `0` or `gpu0`.
fn index_in(name: &str) -> Option<&str> {
    let number = name.strip_prefix("gpu").unwrap_or(name);
    (!number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())).then_some(number)
}

fn differences(
    gpus: &[&Gpu],
    named: &BTreeSet<&str>,
    name_of: impl Fn(&Gpu) -> Option<String>,
) -> Vec<Trouble> {
    if named.is_empty() {
        return Vec::new();
    }
    let known: BTreeSet<_> = gpus.iter().filter_map(|gpu| name_of(gpu)).collect();
    let too_many = named.iter().filter(|name| !known.contains(**name));
    let too_many = too_many.map(|name| Trouble::NoSuchGpu { device: (*name).to_owned() });
    let whole = gpus.iter().filter(|gpu| !gpu.mig.is_true()).filter_map(|gpu| name_of(gpu));
    let too_few = whole.filter(|name| !named.contains(name.as_str()));
    too_many.chain(too_few.map(|device| Trouble::GpuLeftOut { device })).collect()
}

/// Files under `/run` are gone at the next boot, so only the others can be old.
fn age(machine: &Machine<'_>, spec: &Spec) -> Option<Trouble> {
    let (boot_time, modified) = (machine.boot_time?, *spec.modified_unix_seconds.known()?);
    let is_old = spec.is_of_nvidia()
        && spec.path.starts_with(CDI_FOLDERS[0])
        && i64::try_from(boot_time).is_ok_and(|boot_time| modified < boot_time);
    is_old.then_some(Trouble::OlderThanBoot {
        modified_unix_seconds: modified,
        boot_time_unix_seconds: boot_time,
    })
}

/// Adds to each spec the devices that other specs have too.
pub(super) fn names(specs: &mut [Spec]) {
    let mut holders: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, spec) in specs.iter().enumerate() {
        for device in whole_names(spec) {
            holders.entry(device).or_default().insert(at);
        }
    }
    for (device, holders) in holders {
        for at in &holders {
            let mut others = holders.iter().filter(|other| *other != at);
            // One other file is enough to say what is wrong; a folder of copies would be a long list.
            let trouble =
                others.find_map(|other| doubled(&specs[*at].path, &specs[*other].path, &device));
            specs[*at].troubles.extend(trouble);
        }
    }
}

fn whole_names(spec: &Spec) -> impl Iterator<Item = String> + '_ {
    let kind = spec.kind.text();
    spec.devices.iter().filter_map(move |name| Some(format!("{}={name}", kind?)))
}

/// What the same device in another file means for this one.
fn doubled(path: &str, other: &str, device: &str) -> Option<Trouble> {
    let folder = |path: &str| CDI_FOLDERS.iter().position(|folder| path.starts_with(folder));
    let (device, path, other_path) = (device.to_owned(), folder(path), other.to_owned());
    match path.cmp(&folder(other)) {
        std::cmp::Ordering::Equal => Some(Trouble::Conflict { device, path: other_path }),
        std::cmp::Ordering::Less => Some(Trouble::Shadowed { device, path: other_path }),
        std::cmp::Ordering::Greater => None,
    }
}
