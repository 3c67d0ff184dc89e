//! What this process's environment leads to: which programs and libraries come first.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::Files;
use super::{Evidence, Surroundings};

/// As many folders of a list as are looked at.
const MOST_FOLDERS: usize = 64;

/// What `PATH` and `LD_LIBRARY_PATH` lead to, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Every `nvidia-smi`.
    pub nvidia_smi: Evidence<Vec<String>>,
    /// Every `nvcc`.
    pub nvcc: Evidence<Vec<String>>,
    /// The folders that the dynamic linker looks into first.
    pub library_folders: Evidence<Vec<String>>,
    /// Every `libcuda.so.1` in them; one that does not belong to the loaded driver breaks CUDA.
    pub libcuda: Evidence<Vec<String>>,
}

pub(super) fn read(files: Files<'_>, surroundings: &Surroundings) -> Environment {
    let programs = folders(surroundings, "PATH");
    let libraries = folders(surroundings, "LD_LIBRARY_PATH");
    Environment {
        nvidia_smi: holders(files, &programs, "nvidia-smi"),
        nvcc: holders(files, &programs, "nvcc"),
        libcuda: holders(files, &libraries, "libcuda.so.1"),
        library_folders: libraries,
    }
}

/// The folders of a variable; those that depend on the current folder are passed over.
fn folders(surroundings: &Surroundings, variable: &str) -> Evidence<Vec<String>> {
    let folders = surroundings.variable(variable).map(|list| {
        let folders = list.split(':').filter(|folder| folder.starts_with('/'));
        folders.take(MOST_FOLDERS).map(str::to_owned).collect()
    });
    Evidence::new(format!("${variable}"), folders)
}

/// Every path of this name in the folders.
fn holders(files: Files<'_>, folders: &Evidence<Vec<String>>, name: &str) -> Evidence<Vec<String>> {
    let fact = folders.fact.as_ref().map_err(|why| *why).map(|folders| {
        let paths = folders.iter().map(|folder| Path::new(folder).join(name));
        let there = paths.filter(|path| files.exists(path) == Ok(true));
        there.map(|path| path.to_string_lossy().into_owned()).collect()
    });
    Evidence::new(&folders.source, fact)
}
