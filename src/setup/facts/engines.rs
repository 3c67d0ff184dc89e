//! What runs containers: Docker, Podman, containerd and k3s, and what their configurations say of GPUs.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Evidence;
use super::files::Files;
use super::services::Service;
use super::versions::{package_version, store_name};
use crate::model::{Absent, Fact};

/// Where programs lie that were installed for the whole machine.
const PROGRAM_FOLDERS: &[&str] =
    &["/run/current-system/sw/bin", "/usr/bin", "/usr/local/bin", "/snap/bin"];

/// The container engines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engines {
    /// Docker; see the service `docker.service` for its state.
    pub docker: Engine,
    /// Podman, which has no daemon.
    pub podman: Engine,
    /// containerd by itself.
    pub containerd: Engine,
    /// k3s, which brings a containerd of its own.
    pub k3s: Engine,
    /// The socket of NVIDIA's device plugin for Kubernetes.
    pub kubernetes_plugin: Evidence<bool>,
}

/// A container engine. What its configuration does not set is not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Its program, where it lies in truth.
    pub program: Evidence<String>,
    /// Its version, where the name of its package tells it.
    pub version: Evidence<String>,
    /// Its configuration file.
    pub configuration: Evidence<String>,
    /// Whether its configuration turns CDI on or off.
    pub cdi: Evidence<bool>,
    /// The folders in which it looks for CDI specs.
    pub cdi_folders: Evidence<Vec<String>>,
    /// The runtimes that its configuration adds, such as `nvidia`.
    pub runtimes: Evidence<Vec<String>>,
    /// The runtime of containers that ask for none.
    pub default_runtime: Evidence<String>,
}

/// Where each thing stands in an engine's configuration: alternatives, each a path of keys.
struct Layout {
    program: &'static str,
    cdi: &'static [&'static [&'static str]],
    cdi_folders: &'static [&'static [&'static str]],
    runtimes: &'static [&'static [&'static str]],
    default_runtime: &'static [&'static [&'static str]],
}

/// The two names of containerd's plugin for Kubernetes, of version 2 and of version 1.
const CRI: [&str; 2] = ["io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"];

const DOCKER: Layout = Layout {
    program: "docker",
    cdi: &[&["features", "cdi"]],
    cdi_folders: &[&["cdi-spec-dirs"]],
    runtimes: &[&["runtimes"]],
    default_runtime: &[&["default-runtime"]],
};

const PODMAN: Layout = Layout {
    program: "podman",
    cdi: &[],
    cdi_folders: &[&["engine", "cdi_spec_dirs"]],
    runtimes: &[&["engine", "runtimes"]],
    default_runtime: &[&["engine", "runtime"]],
};

const CONTAINERD: Layout = Layout {
    program: "containerd",
    cdi: &[&["plugins", CRI[0], "enable_cdi"], &["plugins", CRI[1], "enable_cdi"]],
    cdi_folders: &[&["plugins", CRI[0], "cdi_spec_dirs"], &["plugins", CRI[1], "cdi_spec_dirs"]],
    runtimes: &[
        &["plugins", CRI[0], "containerd", "runtimes"],
        &["plugins", CRI[1], "containerd", "runtimes"],
    ],
    default_runtime: &[
        &["plugins", CRI[0], "containerd", "default_runtime_name"],
        &["plugins", CRI[1], "containerd", "default_runtime_name"],
    ],
};

const K3S: Layout = Layout { program: "k3s", ..CONTAINERD };

pub(super) fn read(files: Files<'_>, services: &[Service]) -> Engines {
    let service = |name: &str| services.iter().find(|service| service.name == name);
    let option =
        |name, option: &str| service(name).and_then(|it| it.option(option)).map(str::to_owned);
    let docker = option("docker.service", "--config-file")
        .unwrap_or_else(|| "/etc/docker/daemon.json".to_owned());
    let containerd = option("containerd.service", "--config")
        .or_else(|| option("containerd.service", "-c"))
        .unwrap_or_else(|| "/etc/containerd/config.toml".to_owned());
    let podman =
        files.first(&["/etc/containers/containers.conf", "/usr/share/containers/containers.conf"]);
    Engines {
        docker: engine(files, &DOCKER, service("docker.service"), &docker),
        podman: engine(files, &PODMAN, None, &podman.source),
        containerd: engine(files, &CONTAINERD, service("containerd.service"), &containerd),
        k3s: engine(
            files,
            &K3S,
            service("k3s.service"),
            "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
        ),
        kubernetes_plugin: kubernetes_plugin(files),
    }
}

fn engine(
    files: Files<'_>,
    layout: &Layout,
    service: Option<&Service>,
    configuration: &str,
) -> Engine {
    let places: Vec<_> =
        PROGRAM_FOLDERS.iter().map(|folder| format!("{folder}/{}", layout.program)).collect();
    let program = files.first(&places);
    let program = Evidence::new(
        &program.source,
        program.fact.and_then(|path| Ok(files.resolve(path)?.to_string_lossy().into_owned())),
    );
    let content = content(files, configuration);
    let value = |paths: &[&[&str]]| find(&content, paths);
    let evidence = |fact| Evidence::new(configuration, fact);
    Engine {
        version: version(service, &program),
        program,
        configuration: evidence(
            content.as_ref().map(|_| configuration.to_owned()).map_err(|why| *why),
        ),
        cdi: Evidence::new(configuration, value(layout.cdi).and_then(boolean)),
        cdi_folders: Evidence::new(configuration, value(layout.cdi_folders).and_then(texts)),
        runtimes: Evidence::new(configuration, value(layout.runtimes).and_then(keys)),
        default_runtime: evidence(value(layout.default_runtime).and_then(text)),
    }
}

/// A configuration as values, by the ending of its name.
fn content(files: Files<'_>, path: &str) -> Fact<Value> {
    let text = files.text(path)?;
    let value = if Path::new(path).extension().is_some_and(|ending| ending == "json") {
        serde_json::from_str(&text).ok()
    } else {
        toml::from_str(&text).ok()
    };
    value.ok_or(Absent::Malformed)
}

/// The value at the first of these paths that leads to one.
fn find<'a>(content: &'a Fact<Value>, paths: &[&[&str]]) -> Fact<&'a Value> {
    let content = content.as_ref().map_err(|why| *why)?;
    let at = |path: &&[&str]| path.iter().try_fold(content, |value, key| value.get(key));
    paths.iter().find_map(at).ok_or(Absent::NotFound)
}

fn boolean(value: &Value) -> Fact<bool> {
    value.as_bool().ok_or(Absent::Malformed)
}

fn text(value: &Value) -> Fact<String> {
    value.as_str().map(str::to_owned).ok_or(Absent::Malformed)
}

fn texts(value: &Value) -> Fact<Vec<String>> {
    value.as_array().ok_or(Absent::Malformed)?.iter().map(text).collect()
}

fn keys(value: &Value) -> Fact<Vec<String>> {
    Ok(value.as_object().ok_or(Absent::Malformed)?.keys().cloned().collect())
}

/// The version that the package of the running daemon has, else that of the installed program.
fn version(service: Option<&Service>, program: &Evidence<String>) -> Evidence<String> {
    let of = |path: &str| {
        let name = store_name(path.as_ref()).and_then(package_version);
        name.map(str::to_owned).ok_or(Absent::NotFound)
    };
    let running = service.map(|service| &service.command);
    let running = running.map_or(Evidence::new("", Err(Absent::NotFound)), |command| {
        let path = command.known().and_then(|words| words.first());
        Evidence::new(&command.source, path.ok_or(Absent::NotFound).and_then(|path| of(path)))
    });
    let installed = program.fact.as_ref().map_err(|why| *why).and_then(|path| of(path));
    if running.fact.is_ok() { running } else { Evidence::new(&program.source, installed) }
}

/// The plugin makes its socket in a folder that mostly only root may look into.
fn kubernetes_plugin(files: Files<'_>) -> Evidence<bool> {
    const FOLDER: &str = "/var/lib/kubelet/device-plugins";
    let is_socket =
        |name: &String| Path::new(name).extension().is_some_and(|ending| ending == "sock");
    let is_plugin = |name: &String| name.starts_with("nvidia") && is_socket(name);
    let names = Evidence::new(FOLDER, files.names(FOLDER));
    names.map(|names| names.iter().any(is_plugin)).or_absent(Absent::NotFound, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_path_that_leads_to_a_value_counts() {
        let version_1 = "[plugins.\"io.containerd.grpc.v1.cri\"]\nenable_cdi = true\n\
            [plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\n";
        let content = Ok(toml::from_str(version_1).unwrap());
        assert_eq!(find(&content, CONTAINERD.cdi).and_then(boolean), Ok(true));
        let runtimes = find(&content, CONTAINERD.runtimes).and_then(keys);
        assert_eq!(runtimes, Ok(vec!["nvidia".to_owned()]));
        assert_eq!(find(&content, CONTAINERD.cdi_folders), Err(Absent::NotFound));
        assert_eq!(find(&Err(Absent::NoPermission), DOCKER.cdi), Err(Absent::NoPermission));
        let odd = Ok(serde_json::json!({"features": {"cdi": "yes"}, "cdi-spec-dirs": [1]}));
        assert_eq!(find(&odd, DOCKER.cdi).and_then(boolean), Err(Absent::Malformed));
        assert_eq!(find(&odd, DOCKER.cdi_folders).and_then(texts), Err(Absent::Malformed));
    }
}
