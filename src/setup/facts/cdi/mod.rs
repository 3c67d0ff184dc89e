//! The container device interface: the specs that give GPUs to containers, and what is wrong with them.

mod check;
mod document;
#[cfg(test)]
mod tests;
mod words;
mod yaml;

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Evidence;
use super::files::Files;
use super::gpus::Gpu;
use crate::model::Absent;
use document::Document;

/// The folders that runtimes read; a device in the later one hides the same device in the earlier.
pub const CDI_FOLDERS: &[&str] = &["/etc/cdi", "/run/cdi"];

/// The largest file that is read; a spec for sixteen GPUs has some dozens of KiB.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// As many files of a folder as are read.
const MOST_FILES: usize = 64;

/// The specs of both folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cdi {
    /// The files of each folder; not found where there is no such folder.
    pub folders: Vec<Evidence<Vec<String>>>,
    /// The specs, in the order of the folders and their names.
    pub specs: Vec<Spec>,
    /// How many files were not read, since there are too many.
    pub files_left_out: usize,
}

/// A file that should hold a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Its path.
    pub path: String,
    /// What its devices are, such as `nvidia.com/gpu`.
    pub kind: Evidence<String>,
    /// The version of CDI that it is written in.
    pub cdi_version: Evidence<String>,
    /// The names of its devices, as containers ask for them.
    pub devices: Vec<String>,
    /// The versions of the driver that its libraries belong to.
    pub library_versions: Vec<String>,
    /// When it was written, in seconds since 1970.
    pub modified_unix_seconds: Evidence<i64>,
    /// What is wrong with it.
    pub troubles: Vec<Trouble>,
}

/// What can be wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum Trouble {
    /// The file cannot be read.
    Unreadable {
        /// Why.
        why: Absent,
    },
    /// The file is too large for a spec, and was not read.
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The largest size that is read.
        most_bytes: u64,
    },
    /// The file is no CDI document.
    Unparsable {
        /// The parser's words.
        message: String,
    },
    /// Something that it names is not on this machine.
    Missing {
        /// What it is for.
        role: Role,
        /// Its path.
        path: String,
    },
    /// This user may not see whether something that it names is there.
    Hidden {
        /// What it is for.
        role: Role,
        /// Its path.
        path: String,
        /// Why.
        why: Absent,
    },
    /// It names more paths than are looked at.
    NotAllLookedAt {
        /// How many were left out.
        paths: usize,
    },
    /// A library belongs to another driver than the loaded one.
    OtherDriver {
        /// The library's path.
        path: String,
        /// The driver that it belongs to.
        version: String,
        /// The driver that is loaded.
        loaded: String,
    },
    /// It has a device for a GPU that NVML does not have.
    NoSuchGpu {
        /// The device's name.
        device: String,
    },
    /// It has no device for a GPU that NVML has.
    GpuLeftOut {
        /// The GPU's index or UUID, as the spec would name it.
        device: String,
    },
    /// It was written before the machine was started, so not for the driver that was loaded since. Where its libraries
    /// fit nonetheless, nothing is amiss.
    OlderThanBoot {
        /// When it was written, in seconds since 1970.
        modified_unix_seconds: i64,
        /// When the machine was started.
        boot_time_unix_seconds: u64,
    },
    /// Another file of the same folder has the same device, so that runtimes refuse both.
    Conflict {
        /// The device's whole name, `nvidia.com/gpu=0`.
        device: String,
        /// The other file.
        path: String,
    },
    /// A file of the later folder has the same device and hides this one.
    Shadowed {
        /// The device's whole name.
        device: String,
        /// The other file.
        path: String,
    },
}

/// What a path in a spec is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It is mounted into containers.
    Mount,
    /// It is made in containers.
    DeviceNode,
    /// It is run when a container starts.
    Hook,
}

impl Cdi {
    /// The specs of NVIDIA's GPUs that could be parsed.
    pub fn gpu_specs(&self) -> impl Iterator<Item = &Spec> {
        self.specs.iter().filter(|spec| spec.kind.text() == Some("nvidia.com/gpu"))
    }
}

impl Spec {
    /// Whether its devices are NVIDIA's.
    fn is_of_nvidia(&self) -> bool {
        self.kind.text().is_some_and(|kind| kind.starts_with("nvidia.com/"))
    }
}

/// What specs are held against.
pub(super) struct Machine<'a> {
    pub(super) files: Files<'a>,
    /// The version of the driver that is loaded.
    pub(super) driver: Option<&'a str>,
    /// The GPUs; those that NVML knows have an index.
    pub(super) gpus: &'a [Gpu],
    /// When the machine was started, in seconds since 1970.
    pub(super) boot_time: Option<u64>,
}

pub(super) fn read(machine: &Machine<'_>) -> Cdi {
    let mut cdi = Cdi { folders: Vec::new(), specs: Vec::new(), files_left_out: 0 };
    for folder in CDI_FOLDERS {
        let is_spec = |name: &String| {
            let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
            matches!(ending, Some("json" | "yaml" | "yml"))
        };
        let names = machine.files.names(folder).map(|mut names| {
            names.retain(is_spec);
            names
        });
        let known = names.as_deref().unwrap_or_default();
        cdi.files_left_out += known.len().saturating_sub(MOST_FILES);
        let paths = known.iter().take(MOST_FILES).map(|name| format!("{folder}/{name}"));
        cdi.specs.extend(paths.map(|path| spec(machine, path)));
        cdi.folders.push(Evidence::new(*folder, names));
    }
    check::names(&mut cdi.specs);
    cdi
}

fn spec(machine: &Machine<'_>, path: String) -> Spec {
    let metadata = machine.files.metadata(&path);
    let size = metadata.as_ref().ok().map(std::fs::Metadata::len);
    let modified = Evidence::new(&path, metadata.map(|metadata| metadata.mtime()));
    let document = match size {
        Some(bytes) if bytes > MOST_BYTES => {
            Err(Trouble::TooLarge { bytes, most_bytes: MOST_BYTES })
        }
        _ => machine
            .files
            .bytes(&path, MOST_BYTES)
            .map_err(|why| Trouble::Unreadable { why })
            .and_then(|bytes| {
                document::parse(&path, &bytes).map_err(|message| Trouble::Unparsable { message })
            }),
    };
    match document {
        Ok(document) => checked(machine, path, modified, &document),
        Err(trouble) => unreadable(path, modified, trouble),
    }
}

fn checked(
    machine: &Machine<'_>,
    path: String,
    modified: Evidence<i64>,
    document: &Document,
) -> Spec {
    let mut spec = Spec {
        kind: Evidence::new(&path, Ok(document.kind.clone())),
        cdi_version: Evidence::new(&path, Ok(document.cdi_version.clone())),
        devices: document.devices.iter().map(|device| device.name.clone()).collect(),
        library_versions: Vec::new(),
        modified_unix_seconds: modified,
        troubles: Vec::new(),
        path,
    };
    let paths = check::paths_of(document);
    if spec.is_of_nvidia() {
        let versions: BTreeSet<_> = paths.iter().filter_map(check::driver_of).collect();
        spec.library_versions = versions.into_iter().map(str::to_owned).collect();
    }
    spec.troubles = check::troubles(machine, &spec, &paths);
    spec
}

/// A spec of which nothing is known but why.
fn unreadable(path: String, modified: Evidence<i64>, trouble: Trouble) -> Spec {
    let why = match &trouble {
        Trouble::Unreadable { why } => *why,
        Trouble::TooLarge { .. } => Absent::Unreadable,
        _ => Absent::Malformed,
    };
    Spec {
        kind: Evidence::new(&path, Err(why)),
        cdi_version: Evidence::new(&path, Err(why)),
        devices: Vec::new(),
        library_versions: Vec::new(),
        modified_unix_seconds: modified,
        troubles: vec![trouble],
        path,
    }
}
