//! The tab Setup: its pictures, what its keys lead to, and that nothing is too much for it.

mod anything;
mod pictures;
mod script;

use std::path::PathBuf;
use std::sync::Arc;

use nvsdk_top::app::Event;
use nvsdk_top::app::setup::{SetupNotWritten, SetupReading, SetupWritten};
use nvsdk_top::model::Sysroot;
use nvsdk_top::setup::declared::{Asked, Configuration, Entry, Environment, Limits};
use nvsdk_top::setup::{Draft, Setup, demo};

use crate::support::Monitor;

/// The simulated machine, as if it were this one.
pub(crate) fn reading() -> SetupReading {
    let setup = demo::setup().unwrap();
    SetupReading { setup, complaints: Vec::new(), draft: Draft::default(), is_demo: false }
}

/// The simulated machine with another configuration, or with none.
pub(crate) fn reading_of(configuration: Option<&str>) -> SetupReading {
    let read = configuration.map(|folder| {
        // Tests run in the folder of the package, and no picture is to hold a path of this machine.
        let file = PathBuf::from("tests/configurations").join(folder);
        let asked = Asked { config: Some(file.join("configuration.nix")), flake: None };
        let entry = Entry::find(&asked, &Environment::default(), &Sysroot::default()).unwrap();
        Arc::new(Configuration::read(&entry, Limits::default()))
    });
    let facts = Arc::new(demo::facts().unwrap());
    let (setup, complaints) = Setup::new(facts, read, &Draft::default());
    SetupReading { setup, complaints, draft: Draft::default(), is_demo: false }
}

/// A monitor with the tab open.
pub(crate) fn opened_with(reading: SetupReading) -> Monitor {
    let mut monitor = Monitor::watching("h100");
    monitor.press("5");
    monitor.tell(Event::SetupRead(Box::new(Ok(reading))));
    monitor.effects.clear();
    monitor
}

pub(crate) fn opened() -> Monitor {
    opened_with(reading())
}

/// Moves to an option, by its number.
pub(crate) fn go(monitor: &mut Monitor, path: &str) {
    let number = nvsdk_top::setup::OPTIONS.iter().position(|option| option.path == path).unwrap();
    monitor.press("home").press(&"down ".repeat(number));
}

pub(crate) fn written() -> SetupWritten {
    SetupWritten {
        path: "/etc/nixos/nvsdk-top.nix".into(),
        backup: Some("/home/desk/.local/state/nvsdk-top/backups/nvsdk-top.nix".into()),
        warnings: vec!["it is on a tmpfs and will be gone after a reboot".to_owned()],
        steps: vec![
            "in /etc/nixos/configuration.nix add ./nvsdk-top.nix to imports, or write: imports = [ ./nvsdk-top.nix ];"
                .to_owned(),
            "nixos-rebuild build".to_owned(),
            "sudo nixos-rebuild switch".to_owned(),
        ],
    }
}

pub(crate) fn not_written() -> SetupNotWritten {
    SetupNotWritten {
        why: "/etc/nixos/nvsdk-top.nix may not be written by you (Permission denied); the new text is in \
              /home/desk/.local/state/nvsdk-top/saved/nvsdk-top.nix."
            .to_owned(),
        command: Some(
            "sudo install -o root -g root -m 0644 /home/desk/.local/state/nvsdk-top/saved/nvsdk-top.nix \
             /etc/nixos/nvsdk-top.nix"
                .to_owned(),
        ),
        steps: vec!["nixos-rebuild build".to_owned()],
    }
}
