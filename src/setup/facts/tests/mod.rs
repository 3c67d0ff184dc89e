//! Whole machines, each read as the facts that it should give.

mod bad_input;
pub(super) mod machine;

use super::*;
use crate::model::{Absent, Architecture, KernelModule};
use machine::{TestMachine, store};

/// JSON and back.
pub(super) fn travelled(facts: &Facts) -> Facts {
    serde_json::from_str(&serde_json::to_string(facts).unwrap()).unwrap()
}

const H100S: [&str; 8] = [
    "0000:18:00.0",
    "0000:2a:00.0",
    "0000:3a:00.0",
    "0000:5d:00.0",
    "0000:9a:00.0",
    "0000:ab:00.0",
    "0000:ba:00.0",
    "0000:db:00.0",
];

/// NixOS on a board with eight H100, its persistence daemon, its fabric manager, Docker and CDI.
fn nixos_server() -> TestMachine {
    let mut machine = TestMachine::new();
    let system = machine.nixos_system("tower-25.11", "6.12.40", "nvidia-open-6.12.40-580.95.05");
    for address in H100S {
        machine.pci(address, ["0x10de", "0x2330", "0x030200"], Some("nvidia"));
        machine.file(
            &format!("/proc/driver/nvidia/gpus/{address}/information"),
            "Model: \t NVIDIA H100\nGPU UUID: \t GPU-????????\nGPU Firmware: \t 580.95.05\n",
        );
    }
    let docker = store("docker-28.5.1");
    let daemon = store("daemon.json");
    machine
        .driver("580.95.05", true)
        .modules(&["nvidia_modeset", "nvidia_drm", "nvidia_peermem"])
        .pci("0000:05:00.0", ["0x10de", "0x22a3", "0x068000"], None)
        .libraries(&store("nvidia-x11-580.95.05/lib"), "580.95.05")
        .folder(&store("firmware/nvidia/580.95.05"))
        .folder(&store("firmware/nvidia/ga102"))
        .link(&format!("{system}/firmware"), store("firmware"))
        .link("/run/booted-system", &system)
        .link("/run/current-system", &system)
        .link("/nix/var/nix/profiles/system-42-link", &system)
        .link("/nix/var/nix/profiles/system", "system-42-link")
        .link("/run/opengl-driver", store("nvidia-x11-580.95.05"))
        .files(&[
            ("/etc/os-release", "ID=nixos\nVERSION_ID=\"25.11\"\nPRETTY_NAME=\"NixOS 25.11\"\n"),
            ("/proc/stat", "cpu 1 2 3\nbtime 1760000000\n"),
            ("/proc/cmdline", "init=/x nvidia-drm.modeset=1 luks=secret\n"),
            ("/proc/sys/kernel/osrelease", "6.12.40\n"),
            ("/proc/driver/nvidia/params", "EnableGpuFirmware: 18\n"),
            ("/sys/module/nvidia_drm/parameters/modeset", "Y\n"),
            ("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n"),
            ("/sys/module/module/parameters/sig_enforce", "N\n"),
            ("/etc/systemd/system/nvidia-persistenced.service", "[Service]\nExecStart=/x\n"),
            ("/etc/systemd/system/multi-user.target.wants/nvidia-persistenced.service", ""),
            ("/sys/fs/cgroup/system.slice/nvidia-persistenced.service/cgroup.procs", "812\n"),
            ("/run/nvidia-persistenced/socket", ""),
            ("/sys/fs/cgroup/system.slice/docker.service/cgroup.procs", "900\n901\n"),
            ("/dev/nvidia0", ""),
            ("/dev/nvidiactl", ""),
            ("/dev/null", ""),
        ])
        .file(&daemon, r#"{"features": {"cdi": true}, "runtimes": {}}"#)
        .file(
            "/proc/900/cmdline",
            format!("{docker}/libexec/docker/dockerd\0--config-file={daemon}\0"),
        )
        .file(
            "/etc/systemd/system/nvidia-fabricmanager.service",
            format!(
                "[Service]\nExecStart={}/bin/nv-fabricmanager\n",
                store("fabricmanager-580.95.05")
            ),
        )
        .file(
            "/run/cdi/nvidia-container-toolkit.json",
            r#"{"cdiVersion": "0.5.0", "kind": "nvidia.com/gpu", "devices": [{"name": "all"}]}"#,
        );
    machine.nvml(&H100S);
    machine
}

#[test]
fn a_nixos_server_with_eight_gpus() {
    let machine = nixos_server();
    let facts = machine.facts();
    let loaded = facts.driver.loaded.known().unwrap();
    assert_eq!((loaded.version.as_str(), loaded.flavour), ("580.95.05", KernelModule::Open));
    assert_eq!(facts.driver.loaded.source, "/proc/driver/nvidia/version");
    assert_eq!(facts.driver.firmware_versions.fact, Ok(vec!["580.95.05".to_owned()]));
    let library = facts.driver.library("libcuda.so.1").unwrap();
    assert_eq!(library.version.as_deref(), Some("580.95.05"));
    assert_eq!(library.path.source, "/run/opengl-driver/lib/libcuda.so.1");
    assert_eq!(facts.driver.mismatch(), None);

    assert!(facts.system.is_nixos());
    assert_eq!(facts.system.boot_time_unix_seconds.fact, Ok(1_760_000_000));
    assert!(facts.system.battery.is_false() && facts.system.display_manager.is_false());
    assert_eq!(facts.system.container.absent(), Some(Absent::NotFound));
    assert!(facts.kernel.modules.nvidia_peermem.is_true());
    assert!(facts.kernel.modules.nouveau.is_false());
    assert_eq!(facts.kernel.flags.fact, Ok(vec!["nvidia-drm.modeset=1".to_owned()]));
    assert_eq!(facts.kernel.refuses_unsigned_modules(), None);

    assert_eq!(facts.gpus().len(), 8);
    let gpu = &facts.gpus()[1];
    assert_eq!(gpu.prime_bus_id.text(), Some("PCI:42@0:0:0"));
    assert_eq!(gpu.kernel_driver.text(), Some("nvidia"));
    assert_eq!(
        (gpu.uuid.text(), gpu.name.text()),
        (Some("GPU-00000001"), Some("NVIDIA H100 80GB HBM3"))
    );
    assert_eq!(gpu.gsp_firmware_version.text(), Some("580.95.05"));
    let architecture = GpuArchitecture { name: Architecture(9), likely: false };
    assert_eq!(gpu.architecture, Evidence::new("NVML", Ok(architecture)));
    assert_eq!(facts.devices(PciKind::NvSwitch).count(), 1);
}

#[test]
fn the_services_of_a_nixos_server() {
    let facts = nixos_server().facts();
    let persistenced = facts.service("nvidia-persistenced.service").unwrap();
    assert_eq!(persistenced.is_running(), Ok(true));
    assert!(persistenced.enabled.is_true());
    assert_eq!(facts.persistenced.pid.fact, Ok(812));
    assert!(facts.persistenced.socket.is_true());
    let fabric = facts.service("nvidia-fabricmanager.service").unwrap();
    assert_eq!(fabric.is_running(), Ok(false));
    assert!(fabric.command.known().unwrap()[0].contains("fabricmanager-580.95.05"));

    let docker = &facts.engines.docker;
    assert!(docker.cdi.is_true());
    assert_eq!(docker.version.text(), Some("28.5.1"));
    assert_eq!(docker.runtimes.fact, Ok(Vec::new()));
    assert_eq!(docker.configuration.text(), Some(store("daemon.json").as_str()));
    assert_eq!(facts.engines.podman.program.absent(), Some(Absent::NotFound));

    let nodes = facts.device_nodes.known().unwrap();
    let paths: Vec<_> = nodes.iter().map(|node| node.path.as_str()).collect();
    assert_eq!(paths, ["/dev/nvidia0", "/dev/nvidiactl"]);
    assert!(nodes[0].usable && !nodes[0].is_character_device && nodes[0].mode.len() == 4);
    let [spec] = facts.cdi.specs.as_slice() else { panic!("{:?}", facts.cdi) };
    assert_eq!(spec.devices, ["all"]);
    assert_eq!(spec.troubles, []);
}

#[test]
fn the_systems_at_hand_and_what_waits_for_a_reboot() {
    let machine = nixos_server();
    let Generations { current, .. } = machine.facts().generations;
    let driver = BuiltDriver { version: "580.95.05".to_owned(), flavour: KernelModule::Open };
    assert_eq!(current.driver.fact, Ok(driver));
    assert_eq!(current.kernel_version.text(), Some("6.12.40"));
    assert_eq!(current.nixos_version.text(), Some("25.11.20251120.abcdef0"));
    assert_eq!(current.store_path.text(), Some(store("nixos-system-tower-25.11").as_str()));
    assert_eq!(machine.facts().generations.pending(), []);

    let next = machine.nixos_system("next", "6.18.2", "nvidia-x11-590.44.01-6.18.2-bin");
    let profile = machine.sysroot().path("/nix/var/nix/profiles/system");
    std::fs::remove_file(&profile).unwrap();
    machine.link("/nix/var/nix/profiles/system", &next);
    let generations = machine.facts().generations;
    assert_eq!(generations.pending(), [Pending::NextBoot]);
    let driver = generations.next_boot.driver.known().unwrap();
    assert_eq!((driver.version.as_str(), driver.flavour), ("590.44.01", KernelModule::Proprietary));

    std::fs::remove_file(machine.sysroot().path("/run/current-system")).unwrap();
    machine.link("/run/current-system", &next);
    assert_eq!(machine.facts().generations.pending(), [Pending::Kernel, Pending::KernelModules]);
}

#[test]
fn a_library_that_was_replaced_under_the_loaded_driver() {
    let machine = nixos_server();
    std::fs::remove_file(machine.sysroot().path("/run/opengl-driver")).unwrap();
    machine.libraries("/run/opengl-driver/lib", "590.44.01");
    let facts = machine.facts();
    let library = facts.driver.mismatch().unwrap();
    assert_eq!(library.version.as_deref(), Some("590.44.01"));
}

/// A laptop with Intel's GPU for the display and NVIDIA's beside it.
fn laptop() -> TestMachine {
    let mut machine = TestMachine::new();
    machine
        .driver("580.95.05", false)
        .pci("0000:00:02.0", ["0x8086", "0x9a49", "0x030000"], Some("i915"))
        .pci("0000:01:00.0", ["0x10de", "0x25a0", "0x030200"], Some("nvidia"))
        .pci("0000:01:00.1", ["0x10de", "0x2291", "0x040300"], None)
        .files(&[
            ("/sys/class/power_supply/AC/type", "Mains\n"),
            ("/sys/class/power_supply/BAT0/type", "Battery\n"),
            ("/sys/class/power_supply/hidpp_battery_0/type", "Battery\n"),
            ("/sys/class/power_supply/hidpp_battery_0/scope", "Device\n"),
            ("/etc/systemd/system/display-manager.service", "[Unit]\n"),
            ("/proc/driver/nvidia/params", "PreserveVideoMemoryAllocations: 1\n"),
            ("/etc/os-release", "ID=nixos\n"),
        ]);
    machine.surroundings.machine = Ok("x86_64".to_owned());
    machine
}

#[test]
fn a_laptop_with_two_gpus() {
    let facts = laptop().facts();
    assert!(facts.system.battery.is_true() && facts.system.display_manager.is_true());
    assert_eq!(facts.system.battery.source, "/sys/class/power_supply/BAT0");
    assert_eq!(facts.system.machine, Evidence::new("uname", Ok("x86_64".to_owned())));
    let [gpu] = facts.gpus() else { panic!("{:?}", facts.gpus) };
    assert_eq!(gpu.prime_bus_id.text(), Some("PCI:1@0:0:0"));
    let architecture = gpu.architecture.known().unwrap();
    assert_eq!((architecture.name, architecture.likely), (Architecture(7), true));
    assert_eq!(gpu.architecture.source, "/sys/bus/pci/devices/0000:01:00.0/device");
    assert_eq!(gpu.index.absent(), Some(Absent::NotFound));
    let intel: Vec<_> = facts.devices(PciKind::IntelGpu).collect();
    assert_eq!(intel[0].prime_bus_id, "PCI:0@0:2:0");
    let parameters = facts.driver.parameters.known().unwrap();
    assert_eq!(parameters["PreserveVideoMemoryAllocations"], "1");
}

#[test]
fn a_mouse_is_no_laptop() {
    let machine = TestMachine::new();
    machine.files(&[
        ("/sys/class/power_supply/mouse/type", "Battery\n"),
        ("/sys/class/power_supply/mouse/scope", "Device\n"),
    ]);
    assert!(machine.facts().system.battery.is_false());
}

/// Ubuntu with Docker's nvidia runtime, containerd, and CUDA in the usual place.
fn ubuntu() -> TestMachine {
    let mut machine = TestMachine::new();
    machine
        .driver("570.124.06", false)
        .libraries("/usr/lib/x86_64-linux-gnu", "570.124.06")
        .link("/usr/local/cuda", "cuda-12.8")
        .files(&[
            ("/usr/lib/os-release", "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n"),
            ("/proc/sys/kernel/arch", "x86_64\n"),
            ("/usr/bin/docker", ""),
            ("/usr/lib/systemd/system/docker.service", "[Service]\nExecStart=/usr/bin/dockerd -H fd://\n"),
            (
                "/etc/docker/daemon.json",
                r#"{"runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}, "default-runtime": "nvidia"}"#,
            ),
            ("/etc/containerd/config.toml", "version = 3\n[plugins.'io.containerd.cri.v1.runtime']\nenable_cdi = false\n"),
            ("/etc/containers/containers.conf", "[engine]\ncdi_spec_dirs = [\"/etc/cdi\"]\n"),
            ("/usr/local/cuda-12.8/version.json", r#"{"cuda": {"version": "12.8.1"}}"#),
            ("/usr/local/cuda-12.8/bin/nvcc", ""),
            ("/etc/nvidia-sdk-version", "NVIDIA SDK: 13.1\nDriver: 590.44.01\n"),
            ("/opt/old/libcuda.so.1", ""),
        ]);
    machine.variable("CUDA_HOME", "/gone");
    machine.variable("PATH", "bin:/usr/bin:/usr/local/cuda/bin");
    machine.variable("LD_LIBRARY_PATH", "/opt/old:/usr/lib/none");
    machine.surroundings.systemctl =
        Ok("Id=docker.service\nActiveState=failed\nResult=exit-code\n".to_owned());
    machine
}

#[test]
fn ubuntu_with_docker() {
    let facts = ubuntu().facts();
    assert!(!facts.system.is_nixos());
    assert_eq!(facts.system.distribution.source, "/usr/lib/os-release");
    assert_eq!(facts.generations.current.store_path.absent(), Some(Absent::NotFound));
    assert_eq!(facts.generations.pending(), []);
    let Engines { docker, podman, containerd, .. } = &facts.engines;
    assert_eq!(docker.program.text(), Some("/usr/bin/docker"));
    assert_eq!(docker.version.absent(), Some(Absent::NotFound));
    assert_eq!(docker.runtimes.fact, Ok(vec!["nvidia".to_owned()]));
    assert_eq!(docker.default_runtime.text(), Some("nvidia"));
    assert_eq!(docker.cdi, Evidence::new("/etc/docker/daemon.json", Err(Absent::NotFound)));
    assert!(containerd.cdi.is_false());
    assert_eq!(podman.cdi_folders.fact, Ok(vec!["/etc/cdi".to_owned()]));
    let service = facts.service("docker.service").unwrap();
    assert!(service.has_failed());
    assert_eq!(service.pids.absent(), Some(Absent::NotFound));
    assert_eq!(service.command.known().unwrap()[0], "/usr/bin/dockerd");
}

#[test]
fn cuda_wherever_it_announces_itself() {
    let facts = ubuntu().facts();
    let sources: Vec<_> =
        facts.cuda.toolkits.iter().map(|toolkit| toolkit.folder.source.as_str()).collect();
    assert_eq!(sources, ["$CUDA_HOME", "/usr/local/cuda/bin/nvcc", "/usr/local/cuda"]);
    assert_eq!(facts.cuda.toolkits[0].folder.absent(), Some(Absent::NotFound));
    assert_eq!(facts.cuda.toolkits[1].folder.text(), Some("/usr/local/cuda-12.8"));
    assert_eq!(facts.cuda.version().unwrap().text(), Some("12.8.1"));
    let file = facts.cuda.sdk_file.known().unwrap();
    assert_eq!(file.driver_version.as_deref(), Some("590.44.01"));
    assert_eq!(facts.cuda.cuda_file.absent(), Some(Absent::NotFound));
    assert_eq!(facts.environment.libcuda.fact, Ok(vec!["/opt/old/libcuda.so.1".to_owned()]));
    assert_eq!(facts.environment.nvcc.source, "$PATH");
    assert_eq!(facts.environment.nvidia_smi.fact, Ok(Vec::new()));
}

#[test]
fn nouveau_on_a_locked_machine_with_secure_boot() {
    let machine = TestMachine::new();
    machine
        .pci("0000:01:00.0", ["0x10de", "0x1b80", "0x030000"], Some("nouveau"))
        .pci("0000:02:00.0", ["0x10de", "0x2204", "0x030000"], Some("vfio-pci"))
        .pci("0000:03:00.0", ["0x10de", "0x0640", "0x030000"], None)
        .modules(&["nouveau"])
        .file("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
        .file(
            "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
            [6, 0, 0, 0, 1],
        );
    let facts = machine.facts();
    assert_eq!(facts.driver.loaded.absent(), Some(Absent::NotFound));
    assert!(facts.kernel.modules.nouveau.is_true() && facts.kernel.modules.nvidia.is_false());
    assert!(facts.kernel.secure_boot.is_true());
    assert_eq!(facts.kernel.refuses_unsigned_modules(), Some("/sys/kernel/security/lockdown"));
    let drivers: Vec<_> = facts.gpus().iter().map(|gpu| gpu.kernel_driver.fact.clone()).collect();
    let named = |name: &str| Ok(name.to_owned());
    assert_eq!(drivers, [named("nouveau"), named("vfio-pci"), Err(Absent::NotFound)]);
    assert_eq!(facts.gpus()[2].architecture.absent(), Some(Absent::NotFound));
    assert_eq!(facts.driver.libraries, []);
}

#[test]
fn a_container_that_sees_gpus_only_through_nvml() {
    let mut machine = TestMachine::new();
    machine.driver("580.95.05", true).file("/.dockerenv", "");
    machine.nvml(&["0000:18:00.0"]);
    let facts = machine.facts();
    assert_eq!(facts.system.container.text(), Some("docker"));
    let [gpu] = facts.gpus() else { panic!("{:?}", facts.gpus) };
    assert_eq!(gpu.pci_bus_id.text(), Some("0000:18:00.0"));
    assert_eq!(gpu.pci_device_id.absent(), Some(Absent::NotFound));
    assert_eq!(facts.other_devices.absent(), Some(Absent::NotFound));
    let docker = facts.service("docker.service").unwrap();
    assert_eq!(docker.is_running(), Err(Absent::NotFound));
}

#[test]
fn a_gpu_that_nvml_cannot_place_is_not_counted_twice() {
    let mut machine = TestMachine::new();
    machine.pci("0000:18:00.0", ["0x10de", "0x2330", "0x030200"], Some("nvidia"));
    machine.nvml(&["0000:18:00.0"]);
    assert_eq!(machine.facts().gpus().len(), 1);
    machine.surroundings.nvml.as_mut().unwrap().gpus[0].pci_bus_id = Err(Absent::GpuLost);
    assert_eq!(machine.facts().gpus().len(), 1);
}

#[test]
fn a_jetson_and_windows_subsystem_for_linux() {
    let machine = TestMachine::new();
    assert!(machine.facts().system.tegra.is_false());
    machine.file("/proc/device-tree/compatible", "nvidia,p3737\0nvidia,tegra234\0");
    machine.file("/dev/dxg", "");
    assert!(machine.facts().system.tegra.is_true());
    assert!(machine.facts().system.wsl.is_true());
}

#[test]
fn a_pid_file_whose_process_has_gone() {
    let machine = TestMachine::new();
    machine.file("/run/nvidia-persistenced/nvidia-persistenced.pid", "77\n");
    assert_eq!(machine.facts().persistenced.pid.absent(), Some(Absent::Gone));
    machine.file("/proc/77/comm", "nvidia-persiste\n");
    assert_eq!(machine.facts().persistenced.pid.fact, Ok(77));
    machine.file("/run/nvidia-persistenced/nvidia-persistenced.pid", "-1\n");
    assert_eq!(machine.facts().persistenced.pid.absent(), Some(Absent::Malformed));
}

#[test]
fn facts_travel_as_json() {
    for machine in [TestMachine::new(), nixos_server(), laptop(), ubuntu()] {
        let facts = machine.facts();
        assert_eq!(travelled(&facts), facts);
    }
    let json = serde_json::to_value(nixos_server().facts()).unwrap();
    assert_eq!(json["driver"]["loaded"]["value"]["flavour"], "open");
    assert_eq!(json["gpus"]["value"][0]["architecture"]["value"]["name"], "Hopper");
    assert_eq!(json["cuda"]["cuda_file"]["value"], serde_json::Value::Null);
    assert_eq!(json["cuda"]["cuda_file"]["absent"], "not_found");
    assert_eq!(json["cuda"]["cuda_file"]["source"], "/etc/cuda-version");
}

#[test]
fn this_machine_is_read_too() {
    let facts = read(&Sysroot::default(), &Surroundings::default());
    assert_eq!(travelled(&facts), facts);
}
