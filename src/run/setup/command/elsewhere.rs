//! What a machine without NixOS does in place of a module: hints, by distribution.

use std::io::{self, Write};

use super::page::{Page, Tone};
use crate::setup::facts::Facts;

/// The commands of one distribution or family.
struct Hints {
    /// Its name in os-release.
    id: &'static str,
    /// What is to be there first.
    needs: &'static str,
    /// The driver, the persistence daemon and the container toolkit.
    commands: [(&'static str, &'static str); 3],
}

const PERSISTENCED: (&str, &str) =
    ("persistenced", "sudo systemctl enable --now nvidia-persistenced");

/// A distribution comes before the family that it belongs to.
static HINTS: &[Hints] = &[
    Hints {
        id: "ubuntu",
        needs: "NVIDIA's container repository for the toolkit",
        commands: [
            ("driver", "sudo ubuntu-drivers install"),
            PERSISTENCED,
            ("container.enable", "sudo apt install nvidia-container-toolkit"),
        ],
    },
    Hints {
        id: "debian",
        needs: "the components contrib and non-free, and NVIDIA's container repository for the toolkit",
        commands: [
            ("driver", "sudo apt install nvidia-driver"),
            ("persistenced", "sudo apt install nvidia-persistenced"),
            ("container.enable", "sudo apt install nvidia-container-toolkit"),
        ],
    },
    Hints {
        id: "fedora",
        needs: "RPM Fusion's nonfree repository, and NVIDIA's container repository for the toolkit",
        commands: [
            ("driver", "sudo dnf install akmod-nvidia"),
            PERSISTENCED,
            ("container.enable", "sudo dnf install nvidia-container-toolkit"),
        ],
    },
    Hints {
        id: "arch",
        needs: "nothing else",
        commands: [
            ("driver", "sudo pacman -S nvidia-open"),
            PERSISTENCED,
            ("container.enable", "sudo pacman -S nvidia-container-toolkit"),
        ],
    },
];

/// Says what Setup is for, and what this distribution has in its place.
pub(super) fn write<W: Write>(page: &mut Page<W>, facts: &Facts) -> io::Result<()> {
    page.heading("This machine is not NixOS")?;
    page.line(Tone::Plain, "  Setup writes modules for NixOS. Nothing here is changed by one.")?;
    page.line(
        Tone::Plain,
        "  A module for another machine is written with --flake DIR#HOST, or with -o FILE.",
    )?;
    let Some(hints) = hints(facts) else { return Ok(()) };
    let name = facts.system.distribution.known().map_or(hints.id, |known| &known.name);
    page.line(Tone::Plain, &format!("  Hints for {name}, which were not tried here:"))?;
    for (option, command) in hints.commands {
        page.line(Tone::Plain, &format!("    {option:<18}{command}"))?;
    }
    page.line(Tone::Quiet, &format!("  They need {}.", hints.needs))
}

fn hints(facts: &Facts) -> Option<&'static Hints> {
    let known = facts.system.distribution.known()?;
    let mut names = [&known.id].into_iter().chain(&known.id_like);
    names.find_map(|name| HINTS.iter().find(|hints| hints.id == *name))
}
