//! The persistence daemon, by the traces that need no question to systemd. Its unit is among the services.

use serde::{Deserialize, Serialize};

use super::Evidence;
use super::files::Files;
use super::services::Service;
use crate::model::Absent;

const SOCKET: &str = "/run/nvidia-persistenced/socket";
const PID: &str = "/run/nvidia-persistenced/nvidia-persistenced.pid";

/// The persistence daemon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persistenced {
    /// Whether its socket is there.
    pub socket: Evidence<bool>,
    /// Its process: that of its unit, else the one of its pid file if that lives and has its name.
    pub pid: Evidence<u32>,
}

impl Persistenced {
    /// Whether the daemon runs, as far as its process tells.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.pid.fact.is_ok()
    }
}

pub(super) fn read(files: Files<'_>, services: &[Service]) -> Persistenced {
    let unit = services.iter().find(|service| service.name == "nvidia-persistenced.service");
    let of_unit = unit.and_then(|unit| {
        let pid = unit.pids.known()?.first()?;
        Some(Evidence::new(&unit.pids.source, Ok(*pid)))
    });
    Persistenced { socket: files.presence(SOCKET), pid: of_unit.unwrap_or_else(|| of_file(files)) }
}

/// The kernel cuts the name of a process after fifteen letters.
fn of_file(files: Files<'_>) -> Evidence<u32> {
    let pid = files.read(PID, |text| text.trim().parse::<u32>().ok());
    let lives = |pid: &u32| {
        files
            .line(&format!("/proc/{pid}/comm"))
            .text()
            .is_some_and(|name| name == "nvidia-persiste")
    };
    match pid.known() {
        Some(known) if !lives(known) => Evidence::new(PID, Err(Absent::Gone)),
        _ => pid,
    }
}
