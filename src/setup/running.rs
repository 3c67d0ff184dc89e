//! What the machine does now of each option, with the evidence for it.

use std::borrow::Cow;

use super::Value;
use super::facts::{Evidence, Facts, PciKind};
use crate::model::{Absent, Fact, KernelModule};

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The option's value, where what runs is one.
    pub value: Option<Value>,
    /// What runs, in a few words.
    pub text: String,
    /// What this was read from, with its words.
    pub evidence: Vec<String>,
}

impl Running {
    fn new(value: Option<Value>, text: impl Into<String>, evidence: Vec<String>) -> Self {
        Self { value, text: text.into(), evidence }
    }

    /// The evidence without what it says twice; how often a line is there stands behind it.
    #[must_use]
    pub fn evidence_lines(&self) -> Vec<String> {
        let all = &self.evidence;
        let is_new = |(number, text): &(usize, &String)| !all[..*number].contains(*text);
        let new = all.iter().enumerate().filter(is_new).map(|(_, text)| text);
        new.map(|text| match all.iter().filter(|other| *other == text).count() {
            1 => text.clone(),
            times => format!("{text} ({times} times)"),
        })
        .collect()
    }

    fn toggle(on: bool, text: impl Into<String>, evidence: Vec<String>) -> Self {
        Self::new(Some(Value::Bool(on)), text, evidence)
    }
}

/// A line of evidence: where, and what stands there.
fn line<T>(evidence: &Evidence<T>, words: impl Fn(&T) -> String) -> String {
    match &evidence.fact {
        Ok(value) => format!("{}: {}", evidence.source, words(value)),
        Err(why) => format!("{}: {}", evidence.source, reason(*why)),
    }
}

/// Why something is not known, as a user of this machine would say it.
fn reason(why: Absent) -> Cow<'static, str> {
    match why {
        Absent::NotFound => "not there".into(),
        Absent::NoPermission => "not readable for this user".into(),
        why => why.sentence(),
    }
}

pub(super) fn nothing(_: &Facts) -> Running {
    Running::new(None, "–", Vec::new())
}

pub(super) fn enable(facts: &Facts) -> Running {
    let bound = facts.gpus().iter().map(|gpu| {
        let name = gpu.pci_bus_id.text().unwrap_or("a GPU");
        let driver = gpu.kernel_driver.text().unwrap_or("no driver");
        format!("PCI {name}: {driver}")
    });
    let mut evidence = vec![line(&facts.driver.loaded, |loaded| loaded.version.clone())];
    evidence.extend(bound);
    match &facts.driver.loaded.fact {
        Ok(_) => Running::toggle(true, "loaded", evidence),
        Err(Absent::NotFound) => Running::toggle(false, "not loaded", evidence),
        Err(why) => Running::new(None, reason(*why), evidence),
    }
}

/// The branch of a running driver cannot be told from its version.
pub(super) fn driver_package(facts: &Facts) -> Running {
    let mut evidence = vec![line(&facts.driver.loaded, |loaded| loaded.version.clone())];
    let libraries = facts.driver.libraries.iter().filter_map(|library| {
        let version = library.version.as_deref()?;
        Some(format!("{}: {version}", library.path.source))
    });
    evidence.extend(libraries);
    let systems = [
        ("booted", &facts.generations.booted),
        ("current", &facts.generations.current),
        ("next boot", &facts.generations.next_boot),
    ];
    let built = systems.into_iter().filter_map(|(name, system)| {
        let driver = system.driver.known()?;
        Some(format!("{name}: {} {}", driver.version, module(driver.flavour)))
    });
    evidence.extend(built);
    let text = match &facts.driver.loaded.fact {
        Ok(loaded) => loaded.version.clone(),
        Err(Absent::NotFound) => "none".to_owned(),
        Err(why) => reason(*why).into_owned(),
    };
    Running::new(None, text, evidence)
}

fn module(flavour: KernelModule) -> &'static str {
    match flavour {
        KernelModule::Open => "open",
        KernelModule::Proprietary => "proprietary",
    }
}

pub(super) fn driver_open(facts: &Facts) -> Running {
    let loaded = &facts.driver.loaded;
    let mut evidence = vec![line(loaded, |it| format!("{} {}", module(it.flavour), it.version))];
    evidence.extend(facts.gpus().iter().filter_map(|gpu| {
        let architecture = gpu.architecture.known()?;
        let name = gpu.name.text().or(gpu.pci_bus_id.text())?;
        let likely = if architecture.likely { "likely " } else { "" };
        Some(format!("{name}: {likely}{}", architecture.name))
    }));
    match &loaded.fact {
        Ok(it) => Running::toggle(it.flavour == KernelModule::Open, module(it.flavour), evidence),
        Err(Absent::NotFound) => Running::new(None, "none", evidence),
        Err(why) => Running::new(None, reason(*why), evidence),
    }
}

/// A service as files and systemd tell of it.
fn service(facts: &Facts, name: &str) -> (Fact<bool>, String, Vec<String>) {
    let Some(service) = facts.service(name) else {
        return (Err(Absent::NotReadYet), "not known".to_owned(), Vec::new());
    };
    let evidence = vec![
        line(&service.unit_file, Clone::clone),
        line(&service.enabled, |on| {
            if *on { "starts at boot" } else { "does not start at boot" }.to_owned()
        }),
        line(&service.state, |state| format!("{} ({})", state.active, state.sub)),
    ];
    let running = service.is_running();
    let text = match running {
        _ if service.has_failed() => "failed".to_owned(),
        Ok(true) => "active".to_owned(),
        Ok(false) => "inactive".to_owned(),
        Err(Absent::NotFound) => "not there".to_owned(),
        Err(why) => reason(why).into_owned(),
    };
    (running, text, evidence)
}

fn value_of(running: Fact<bool>) -> Option<Value> {
    match running {
        Ok(on) => Some(Value::Bool(on)),
        Err(Absent::NotFound) => Some(Value::Bool(false)),
        Err(_) => None,
    }
}

pub(super) fn datacenter(facts: &Facts) -> Running {
    let (running, text, mut evidence) = service(facts, "nvidia-fabricmanager.service");
    let switches = facts.devices(PciKind::NvSwitch);
    evidence.extend(switches.map(|switch| format!("PCI {}: NVSwitch", switch.pci_bus_id)));
    Running::new(value_of(running), text, evidence)
}

pub(super) fn persistenced(facts: &Facts) -> Running {
    let (running, text, mut evidence) = service(facts, "nvidia-persistenced.service");
    evidence.push(line(&facts.persistenced.socket, |there| {
        if *there { "there" } else { "not there" }.to_owned()
    }));
    let modes = facts.gpus().iter().filter(|gpu| gpu.persistence_mode.fact.is_ok());
    evidence.extend(modes.map(|gpu| {
        let name = gpu.pci_bus_id.text().unwrap_or("a GPU");
        let mode = if gpu.persistence_mode.is_true() { "on" } else { "off" };
        format!("NVML: persistence mode of {name} {mode}")
    }));
    if facts.persistenced.is_running() {
        return Running::toggle(true, "active", evidence);
    }
    Running::new(value_of(running), text, evidence)
}

pub(super) fn container(facts: &Facts) -> Running {
    let (_, _, mut evidence) = service(facts, "nvidia-container-toolkit-cdi-generator.service");
    let specs: Vec<_> = facts.cdi.gpu_specs().collect();
    for spec in &specs {
        evidence.push(format!("{}: {} devices", spec.path, spec.devices.len()));
        evidence.extend(spec.troubles.iter().map(|trouble| format!("{}: {trouble}", spec.path)));
    }
    let troubled = specs.iter().any(|spec| spec.is_stale());
    match (specs.is_empty(), troubled) {
        (true, _) => Running::toggle(false, "no CDI spec", evidence),
        (false, true) => Running::toggle(true, "CDI stale", evidence),
        (false, false) => Running::toggle(true, "CDI spec", evidence),
    }
}

/// The names in the spec tell the strategy where they are plain.
pub(super) fn device_names(facts: &Facts) -> Running {
    let names: Vec<_> =
        facts.cdi.gpu_specs().flat_map(|spec| spec.devices.iter().map(String::as_str)).collect();
    let shown = names.iter().take(4).copied().collect::<Vec<_>>().join(" ");
    let strategy = names.iter().find(|name| **name != "all").map(|name| {
        if name.starts_with("GPU-") {
            "uuid"
        } else if name.starts_with("gpu") {
            "type-index"
        } else {
            "index"
        }
    });
    let value = strategy.map(|word| Value::Text(word.to_owned()));
    Running::new(value, if shown.is_empty() { "–" } else { &shown }, Vec::new())
}

pub(super) fn docker(facts: &Facts) -> Running {
    let (running, text, mut evidence) = service(facts, "docker.service");
    let docker = &facts.engines.docker;
    evidence.push(line(&docker.version, Clone::clone));
    evidence.push(line(&docker.cdi, |on| format!("features.cdi {on}")));
    Running::new(value_of(running), text, evidence)
}

pub(super) fn podman(facts: &Facts) -> Running {
    let program = &facts.engines.podman.program;
    let evidence = vec![line(program, Clone::clone)];
    match &program.fact {
        Ok(_) => Running::toggle(true, "installed", evidence),
        Err(Absent::NotFound) => Running::toggle(false, "not there", evidence),
        Err(why) => Running::new(None, reason(*why), evidence),
    }
}

pub(super) fn system_packages(facts: &Facts) -> Running {
    let toolkits = facts.cuda.toolkits.iter().map(|toolkit| line(&toolkit.version, Clone::clone));
    let files = [&facts.cuda.sdk_file, &facts.cuda.cuda_file].map(|file| {
        line(file, |it| it.cuda_version.clone().unwrap_or_else(|| "no version".to_owned()))
    });
    let evidence = toolkits.chain(files).collect();
    match facts.cuda.version().and_then(|version| version.known().cloned()) {
        Some(version) => Running::toggle(true, format!("CUDA {version}"), evidence),
        None => Running::toggle(false, "none", evidence),
    }
}

pub(super) fn components(facts: &Facts) -> Running {
    let parts = facts.cuda.toolkits.iter().flat_map(|toolkit| &toolkit.components);
    let shown: Vec<_> = parts.map(|(name, version)| format!("{name} {version}")).collect();
    Running::new(
        None,
        if shown.is_empty() { "–".to_owned() } else { format!("{} parts", shown.len()) },
        shown,
    )
}

/// A machine that runs a driver from its own configuration permits it somewhere, so that nothing has to be added.
pub(super) fn unfree(facts: &Facts) -> Running {
    let built = facts.generations.current.driver.fact.is_ok();
    let is_permitted = facts.system.is_nixos() && built;
    let value = is_permitted.then(|| Value::Text("none".to_owned()));
    let text = if is_permitted { "permitted" } else { "–" };
    Running::new(
        value,
        text,
        vec![line(&facts.generations.current.driver, |it| it.version.clone())],
    )
}
