//! The services around the driver: their units as files, their processes, and what systemd says of them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::Files;
use super::{Evidence, Surroundings};
use crate::model::{Absent, Fact};

/// The units that are looked at. One `systemctl show` asks for all of them.
pub const SERVICES: &[&str] = &[
    "nvidia-persistenced.service",
    "nvidia-fabricmanager.service",
    "nvidia-container-toolkit-cdi-generator.service",
    "nvidia-cdi-refresh.service",
    "docker.service",
    "containerd.service",
    "k3s.service",
    "display-manager.service",
];

/// The properties to ask `systemctl show` for.
pub const UNIT_PROPERTIES: &[&str] =
    &["Id", "LoadState", "ActiveState", "SubState", "Result", "UnitFileState"];

/// Where units lie, the most important folder first.
const UNIT_FOLDERS: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// The targets whose `.wants` folders make a service start at boot.
const TARGETS: &[&str] = &["multi-user", "graphical", "default"];

/// A service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The unit's name, such as `docker.service`.
    pub name: String,
    /// The file of its unit.
    pub unit_file: Evidence<String>,
    /// Whether a target wants it, so that it starts at boot. Units that a socket or a display starts are not seen so.
    pub enabled: Evidence<bool>,
    /// Its processes, from its control group; none means that it does not run, or has done its work.
    pub pids: Evidence<Vec<u32>>,
    /// The words of the command that it runs, else those of the unit's `ExecStart`.
    pub command: Evidence<Vec<String>>,
    /// What systemd says of it.
    pub state: Evidence<UnitState>,
}

/// A unit's state in systemd's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnitState {
    /// `loaded`, `not-found`, `masked`, …
    pub load: String,
    /// `active`, `inactive`, `failed`, …
    pub active: String,
    /// `running`, `exited`, `dead`, …
    pub sub: String,
    /// `success`, or how it failed.
    pub result: String,
    /// `enabled`, `disabled`, `linked`, …; empty where there is none.
    pub unit_file: String,
}

impl Service {
    /// Whether it has a process, or systemd calls it active.
    pub fn is_running(&self) -> Fact<bool> {
        match (&self.pids.fact, &self.state.fact) {
            (Ok(pids), _) if !pids.is_empty() => Ok(true),
            (_, Ok(state)) => Ok(state.active == "active"),
            (pids, _) => pids.as_ref().map(|pids| !pids.is_empty()).map_err(|why| *why),
        }
    }

    /// Whether systemd calls it failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state.known().is_some_and(|state| state.active == "failed")
    }

    /// The value of an option of its command, written `--name=value` or `--name value`.
    pub fn option(&self, name: &str) -> Option<&str> {
        let words = self.command.known()?;
        let at = words.iter().position(|word| {
            word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })?;
        match words[at].split_once('=') {
            Some((_, value)) => Some(value),
            None => words.get(at + 1).map(String::as_str),
        }
    }
}

pub(super) fn read(files: Files<'_>, surroundings: &Surroundings) -> Vec<Service> {
    SERVICES.iter().map(|name| service(files, surroundings, name)).collect()
}

fn service(files: Files<'_>, surroundings: &Surroundings, name: &str) -> Service {
    let places: Vec<_> = UNIT_FOLDERS.iter().map(|folder| format!("{folder}/{name}")).collect();
    let unit_file = files.first(&places);
    let wants: Vec<_> = TARGETS
        .iter()
        .map(|target| format!("/etc/systemd/system/{target}.target.wants/{name}"))
        .collect();
    let wants: Vec<_> = wants.iter().map(String::as_str).collect();
    let pids = pids(files, name);
    let command = running_command(files, &pids).or_else(|| unit_command(files, name, &unit_file));
    let state = surroundings.systemctl.as_ref().map_err(|why| *why);
    let state = state.and_then(|text| unit_state(text, name).ok_or(Absent::NotFound));
    Service {
        name: name.to_owned(),
        unit_file,
        enabled: files.presence_of_any(&wants),
        pids,
        command,
        state: Evidence::new("systemctl show", state),
    }
}

/// The processes of the unit's control group. A machine that has the system's slice and not the unit's group does not
/// run the unit; one without the slice, such as a container, does not tell.
fn pids(files: Files<'_>, name: &str) -> Evidence<Vec<u32>> {
    const SLICE: &str = "/sys/fs/cgroup/system.slice";
    let path = format!("{SLICE}/{name}/cgroup.procs");
    let pids = files.read(&path, |text| {
        Some(text.lines().filter_map(|line| line.trim().parse().ok()).collect())
    });
    let is_told = pids.absent() == Some(Absent::NotFound) && files.exists(SLICE) == Ok(true);
    if is_told { Evidence::new(path, Ok(Vec::new())) } else { pids }
}

/// The command line of the group's first process that may be read.
fn running_command(files: Files<'_>, pids: &Evidence<Vec<u32>>) -> Evidence<Vec<String>> {
    let Some(pid) = pids.known().and_then(|pids| pids.first()) else {
        return Evidence::new(&pids.source, Err(Absent::NotFound));
    };
    let path = format!("/proc/{pid}/cmdline");
    files.read(&path, |text| {
        let words: Vec<_> =
            text.split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        (!words.is_empty()).then_some(words)
    })
}

/// The `ExecStart` that counts: the last one of the unit and its drop-ins. Quotes are taken as they are.
fn unit_command(
    files: Files<'_>,
    name: &str,
    unit_file: &Evidence<String>,
) -> Evidence<Vec<String>> {
    let Some(unit_file) = unit_file.text() else {
        return Evidence::new(&unit_file.source, Err(Absent::NotFound));
    };
    let folder = format!("/etc/systemd/system/{name}.d");
    let drop_ins = files.names(&folder).unwrap_or_default();
    let drop_ins = drop_ins
        .iter()
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "conf"))
        .map(|name| format!("{folder}/{name}"));
    let mut found = Evidence::new(unit_file, Err(Absent::NotFound));
    for path in std::iter::once(unit_file.to_owned()).chain(drop_ins) {
        let command = files.read(&path, |text| Some(exec_start(text)));
        match command.fact {
            Ok(Some(words)) => found = Evidence::new(path, Ok(words)),
            Err(why) if found.fact.is_err() => found = Evidence::new(path, Err(why)),
            _ => {}
        }
    }
    found
}

/// The words of the last `ExecStart=` with a command, without the marks that systemd puts before it.
fn exec_start(unit: &str) -> Option<Vec<String>> {
    let joined = unit.replace("\\\n", " ");
    let values = joined.lines().filter_map(|line| line.trim().strip_prefix("ExecStart="));
    let mut commands = values.map(|value| value.trim_start_matches(['@', '-', ':', '+', '!', ' ']));
    let last = commands.rfind(|command| !command.is_empty())?;
    Some(last.split_whitespace().map(str::to_owned).collect())
}

/// A unit's block in the text of `systemctl show`, which parts the units with empty lines.
fn unit_state(text: &str, name: &str) -> Option<UnitState> {
    let blocks = text.split("\n\n");
    let mut blocks = blocks
        .filter(|block| block.lines().any(|line| line.trim().strip_prefix("Id=") == Some(name)));
    let mut state = UnitState::default();
    for (key, value) in blocks.next()?.lines().filter_map(|line| line.trim().split_once('=')) {
        let field = match key {
            "LoadState" => &mut state.load,
            "ActiveState" => &mut state.active,
            "SubState" => &mut state.sub,
            "Result" => &mut state.result,
            "UnitFileState" => &mut state.unit_file,
            _ => continue,
        };
        value.clone_into(field);
    }
    Some(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &str = "Id=docker.service\nLoadState=loaded\nActiveState=failed\nSubState=failed\n\
        Result=exit-code\nUnitFileState=enabled\n\nId=nvidia-persistenced.service\n\
        LoadState=not-found\nActiveState=inactive\nSubState=dead\nResult=success\nUnitFileState=\n";

    #[test]
    fn each_unit_has_its_block() {
        let docker = unit_state(ANSWER, "docker.service").unwrap();
        assert_eq!((docker.active.as_str(), docker.result.as_str()), ("failed", "exit-code"));
        let persistenced = unit_state(ANSWER, "nvidia-persistenced.service").unwrap();
        assert_eq!(
            (persistenced.load.as_str(), persistenced.unit_file.as_str()),
            ("not-found", "")
        );
        assert_eq!(unit_state(ANSWER, "docker"), None);
        assert_eq!(unit_state("", "docker.service"), None);
    }

    #[test]
    fn the_last_command_counts() {
        let unit =
            "[Service]\nExecStart=/bin/one\nExecStart=\nExecStart=@-/bin/two  --config \\\n  /x\n";
        assert_eq!(exec_start(unit).unwrap(), ["/bin/two", "--config", "/x"]);
        assert_eq!(exec_start("ExecStart=\nExecStartPre=/bin/x\n"), None);
    }

    #[test]
    fn both_forms_of_an_option() {
        let mut service = service(
            Files(&crate::model::Sysroot::new("/nonexistent")),
            &Surroundings::default(),
            "docker.service",
        );
        assert_eq!(service.option("--config"), None);
        let words = |text: &str| Ok(text.split(' ').map(str::to_owned).collect());
        service.command = Evidence::new("", words("dockerd --config-file=/a --config /b --last"));
        assert_eq!(service.option("--config-file"), Some("/a"));
        assert_eq!(service.option("--config"), Some("/b"));
        assert_eq!(service.option("--last"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            exec_start(&text);
            unit_state(&format!("Id=docker.service\n{text}"), "docker.service");
        }
    }
}
