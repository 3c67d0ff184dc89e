//! Where the configuration begins.

use super::Place;
use crate::model::Sysroot;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A flake on this machine, and the host in it: `DIR#HOST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlakeName {
    /// The folder, or the `flake.nix` in it.
    pub folder: PathBuf,
    /// The host, where one is given.
    pub host: Option<String>,
}

/// The text names no flake on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no folder on this machine; give DIR#HOST")]
pub struct FlakeNameError(String);

impl FromStr for FlakeName {
    type Err = FlakeNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (folder, host) =
            text.split_once('#').map_or((text, None), |(folder, host)| (folder, Some(host)));
        let folder = ["path:", "git+file://", "file://"]
            .iter()
            .find_map(|scheme| folder.strip_prefix(scheme))
            .unwrap_or(folder);
        let folder = folder.split('?').next().unwrap_or_default();
        if folder.contains(':') {
            return Err(FlakeNameError(text.to_owned()));
        }
        let folder = if folder.is_empty() { "." } else { folder };
        // What follows `#` may be the whole path of the attribute.
        let host = host.map(|host| {
            host.strip_prefix("nixosConfigurations.").unwrap_or(host).trim_matches('"')
        });
        Ok(Self {
            folder: folder.into(),
            host: host.filter(|host| !host.is_empty()).map(str::to_owned),
        })
    }
}

/// What the command line names. The first that is there counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// `--flake DIR#HOST`.
    pub flake: Option<FlakeName>,
}

/// What the environment names; an empty value is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `$NIXOS_CONFIG`.
    pub nixos_config: Option<String>,
    /// `$NIX_PATH`.
    pub nix_path: Option<String>,
    /// `$NH_OS_FLAKE`.
    pub nh_os_flake: Option<String>,
    /// `$NH_FLAKE`.
    pub nh_flake: Option<String>,
    /// The name of this host.
    pub host: Option<String>,
}

/// What named the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// `--config` or `--flake`.
    Asked,
    /// A variable of the environment, by its name.
    Variable(&'static str),
    /// It lies in /etc/nixos.
    Usual,
}

/// Where the configuration begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file: a module, or a `flake.nix`.
    pub file: PathBuf,
    /// Whether it is a flake.
    pub is_flake: bool,
    /// The host that is asked for, of a flake.
    pub host: Option<String>,
    /// The name of this host, for a flake with several.
    pub this_host: Option<String>,
    /// What named it.
    pub found: Found,
    /// The root below which absolute paths lie.
    pub sysroot: Sysroot,
}

/// Where NixOS looks by itself.
const USUAL: &str = "/etc/nixos/configuration.nix";
const USUAL_FLAKE: &str = "/etc/nixos/flake.nix";

impl Entry {
    /// The entry that the user, the environment or the system names; `None` where there is no configuration.
    ///
    /// A file that is asked for need not be there: reading it says so. Paths of the environment lie below `sysroot`,
    /// those that are asked for are taken as they are.
    pub fn find(asked: &Asked, environment: &Environment, sysroot: &Sysroot) -> Option<Self> {
        let new = |file: PathBuf, host: Option<String>, found| Self {
            is_flake: file.file_name().is_some_and(|name| name == "flake.nix"),
            file,
            host,
            this_host: environment.host.clone(),
            found,
            sysroot: sysroot.clone(),
        };
        if let Some(file) = &asked.config {
            return Some(new(file.clone(), None, Found::Asked));
        }
        if let Some(FlakeName { folder, host }) = &asked.flake {
            return Some(new(flake_file(folder), host.clone(), Found::Asked));
        }
        let below = |path: &str| sysroot.path(Path::new(path));
        if let Some(file) = set(environment.nixos_config.as_ref()) {
            return Some(new(below(file), None, Found::Variable("NIXOS_CONFIG")));
        }
        // NixOS itself puts the usual file there, also where a flake is what is built.
        let nix_path =
            set(environment.nix_path.as_ref()).and_then(nixos_config).filter(|file| *file != USUAL);
        if let Some(file) = nix_path.map(below).filter(|file| file.exists()) {
            return Some(new(file, None, Found::Variable("NIX_PATH")));
        }
        let flakes =
            [("NH_OS_FLAKE", &environment.nh_os_flake), ("NH_FLAKE", &environment.nh_flake)];
        for (name, value) in flakes {
            if let Some(flake) =
                set(value.as_ref()).and_then(|value| value.parse::<FlakeName>().ok())
            {
                let file = flake_file(&sysroot.path(&flake.folder));
                return Some(new(file, flake.host, Found::Variable(name)));
            }
        }
        let usual = [USUAL_FLAKE, USUAL].map(below).into_iter().find(|file| file.exists());
        usual.map(|file| new(file, None, Found::Usual))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match &self.host {
            Some(host) => write!(f, "#{host}"),
            None => Ok(()),
        }
    }
}

impl Entry {
    /// The place of the whole file.
    pub(super) fn place(&self) -> Place {
        Place { file: self.file.clone(), line: 1, column: 1 }
    }
}

fn set(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

/// What `nixos-config=` of a search path names.
fn nixos_config(nix_path: &str) -> Option<&str> {
    nix_path.split(':').find_map(|part| part.strip_prefix("nixos-config="))
}

fn flake_file(folder: &Path) -> PathBuf {
    if folder.ends_with("flake.nix") { folder.to_owned() } else { folder.join("flake.nix") }
}
