//! A NixOS machine made of files, and the commands of Setup on it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::common::write;
use crate::support::{assert_harmless, program};

/// A configuration as the installer leaves it.
pub(super) const CONFIGURATION: &str = "{ pkgs, ... }:\n\n{\n  imports = [ ./hardware-configuration.nix ];\n  \
                                        boot.loader.systemd-boot.enable = true;\n  \
                                        system.stateVersion = \"25.11\";\n}\n";

pub(super) struct Place {
    pub(super) folder: TempDir,
}

impl Place {
    /// NixOS 25.11 with a configuration of channels.
    pub(super) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        let release = "ID=nixos\nVERSION_ID=\"25.11\"\nPRETTY_NAME=\"NixOS 25.11\"\n";
        write(&place.root(), "/etc/os-release", release);
        place.nix("configuration.nix", CONFIGURATION);
        place.nix("hardware-configuration.nix", "{ }\n");
        place
    }

    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A file of the configuration.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root().join("etc/nixos").join(name)
    }

    pub(super) fn nix(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(super) fn state(&self) -> PathBuf {
        self.folder.path().join("state/nvsdk-top")
    }

    /// `setup` with these words, on this machine.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(&["setup"]);
        self.aim(command.args(arguments));
        command
    }

    pub(super) fn aim(&self, command: &mut Command) {
        command.arg("--root").arg(self.root());
        command.env("HOME", self.folder.path());
        command.env("XDG_STATE_HOME", self.folder.path().join("state"));
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).output().unwrap())
    }

    /// What stands in the folder of the configuration: each name with its bytes, mode and owner.
    pub(super) fn files(&self) -> BTreeMap<PathBuf, (Vec<u8>, u32, u32)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.path("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = fs::symlink_metadata(&path).unwrap();
                if metadata.is_dir() {
                    folders.push(path.clone());
                }
                let bytes = metadata.is_file().then(|| fs::read(&path).unwrap());
                let link = metadata.is_symlink().then(|| fs::read_link(&path).unwrap());
                let link = link.map(|link| link.to_string_lossy().into_owned().into_bytes());
                let bytes = bytes.or(link).unwrap_or_default();
                found.insert(path, (bytes, metadata.mode(), metadata.uid()));
            }
        }
        found
    }

    /// The command fails with this code and a sentence that has all these words, and no file is touched.
    pub(super) fn refuses(&self, arguments: &[&str], code: i32, words: &[&str]) {
        let before = self.files();
        let said = self.run(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {}{}", said.out, said.errors);
        for word in words {
            assert!(said.errors.contains(word), "{arguments:?}, no {word}: {}", said.errors);
        }
        assert_eq!(self.files(), before, "{arguments:?}");
    }
}

/// What a command said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) errors: String,
}

impl Said {
    pub(super) fn of(output: &Output) -> Self {
        let [out, errors] =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap());
        assert_harmless(&out);
        assert_harmless(&errors);
        assert!(!errors.contains("panicked"), "{errors}");
        Self { code: output.status.code().unwrap(), out, errors }
    }

    /// The output of a command that ends with this code.
    pub(super) fn ok(self, code: i32) -> String {
        assert_eq!((self.code, self.errors.as_str()), (code, ""), "{}", self.out);
        self.out
    }
}

/// A path as a word of the command line.
pub(super) fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}
