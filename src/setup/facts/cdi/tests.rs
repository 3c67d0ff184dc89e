//! Specs with every kind of trouble.

use serde_json::{Value, json};

use super::{Role, Spec, Trouble};
use crate::model::Absent;
use crate::setup::facts::tests::machine::TestMachine;
use crate::setup::facts::tests::travelled;

/// A machine with driver 580.95.05, two GPUs, and what a fitting spec names.
fn machine() -> TestMachine {
    let mut machine = TestMachine::new();
    machine.driver("580.95.05", true).files(&[
        ("/lib/libcuda.so.580.95.05", ""),
        ("/lib/libgbm.so.1.1.2", ""),
        ("/dev/nvidia0", ""),
        ("/dev/nvidia1", ""),
        ("/bin/hook", ""),
        ("/proc/stat", "btime 4000000000\n"),
    ]);
    machine.nvml(&["0000:18:00.0", "0000:2a:00.0"]);
    machine
}

/// A spec with these devices and mounts.
fn spec_of(devices: &[&str], mounts: &[&str]) -> Value {
    json!({
        "cdiVersion": "0.5.0",
        "kind": "nvidia.com/gpu",
        "devices": devices.iter().map(|name| json!({
            "name": name,
            "containerEdits": {"deviceNodes": [{"path": "/dev/nvidia0"}]},
        })).collect::<Vec<_>>(),
        "containerEdits": {
            "mounts": mounts.iter().map(|path| json!({"hostPath": path})).collect::<Vec<_>>(),
            "hooks": [{"path": "/bin/hook"}],
        },
    })
}

/// The specs that the machine has with this file.
fn read(machine: &TestMachine, path: &str, content: impl AsRef<[u8]>) -> Spec {
    machine.file(path, content);
    let facts = machine.facts();
    assert_eq!(travelled(&facts), facts);
    facts.cdi.specs.into_iter().find(|spec| spec.path == path).unwrap()
}

fn troubles_of(devices: &[&str], mounts: &[&str]) -> Vec<Trouble> {
    read(&machine(), "/run/cdi/a.json", spec_of(devices, mounts).to_string()).troubles
}

#[test]
fn a_fitting_spec_has_no_trouble() {
    let content =
        spec_of(&["0", "1", "all"], &["/lib/libcuda.so.580.95.05", "/lib/libgbm.so.1.1.2"]);
    let spec = read(&machine(), "/run/cdi/a.json", content.to_string());
    assert_eq!(spec.troubles, []);
    assert_eq!(spec.library_versions, ["580.95.05"]);
    assert_eq!(spec.kind.text(), Some("nvidia.com/gpu"));
    assert_eq!(spec.cdi_version.text(), Some("0.5.0"));
}

#[test]
fn what_it_names_must_be_there() {
    let machine = machine();
    let content = json!({
        "cdiVersion": "0.5.0", "kind": "nvidia.com/gpu",
        "containerEdits": {
            "mounts": [{"hostPath": "/gone"}, {"hostPath": "/gone"}, {"hostPath": "bin/hook"}],
            "deviceNodes": [{"path": "/dev/nvidia9"}, {"path": "/x", "hostPath": "/dev/nvidia0"}],
            "hooks": [{"path": "/bin/gone"}],
        },
    });
    let missing = |role, path: &str| Trouble::Missing { role, path: path.to_owned() };
    assert_eq!(
        read(&machine, "/run/cdi/a.json", content.to_string()).troubles,
        [
            missing(Role::Mount, "/gone"),
            missing(Role::Mount, "bin/hook"),
            missing(Role::DeviceNode, "/dev/nvidia9"),
            missing(Role::Hook, "/bin/gone"),
        ]
    );
    machine.link("/loop", "/loop");
    let content = spec_of(&["0", "1"], &["/loop"]);
    let (role, path, why) = (Role::Mount, "/loop".to_owned(), Absent::Unreadable);
    assert_eq!(
        read(&machine, "/run/cdi/a.json", content.to_string()).troubles,
        [Trouble::Hidden { role, path, why }]
    );
}

#[test]
fn a_library_of_another_driver_is_named() {
    let machine = machine();
    machine.file("/lib/libcuda.so.570.124.06", "");
    let content = spec_of(&["0", "1"], &["/lib/libcuda.so.570.124.06"]).to_string();
    let spec = read(&machine, "/run/cdi/a.json", &content);
    let trouble = Trouble::OtherDriver {
        path: "/lib/libcuda.so.570.124.06".to_owned(),
        version: "570.124.06".to_owned(),
        loaded: "580.95.05".to_owned(),
    };
    assert_eq!(spec.troubles, [trouble]);
    let other = content.replace("nvidia.com/gpu", "example.org/gpu");
    assert_eq!(read(&machine, "/run/cdi/a.json", other).troubles, []);
}

#[test]
fn devices_are_held_against_the_gpus() {
    let none = |device: &str| Trouble::NoSuchGpu { device: device.to_owned() };
    let left_out = |device: &str| Trouble::GpuLeftOut { device: device.to_owned() };
    assert_eq!(troubles_of(&["all"], &[]), []);
    assert_eq!(troubles_of(&["gpu0", "gpu1"], &[]), []);
    assert_eq!(troubles_of(&["0", "2", "0:1", "MIG-1"], &[]), [none("2"), left_out("1")]);
    let uuids = ["GPU-00000000", "GPU-00000007", "all"];
    assert_eq!(troubles_of(&uuids, &[]), [none("GPU-00000007"), left_out("GPU-00000001")]);

    let mut divided = machine();
    divided.surroundings.nvml.as_mut().unwrap().gpus[1].mig = Ok(true);
    let spec = read(&divided, "/run/cdi/a.json", spec_of(&["0", "1:0"], &[]).to_string());
    assert_eq!(spec.troubles, []);
    divided.surroundings.nvml = Err(Absent::NotFound);
    let spec = read(&divided, "/run/cdi/a.json", spec_of(&["7"], &[]).to_string());
    assert_eq!(spec.troubles, []);
}

#[test]
fn only_specs_that_outlive_a_boot_can_be_older_than_it() {
    let content = spec_of(&["0", "1"], &[]).to_string();
    assert_eq!(read(&machine(), "/run/cdi/a.json", &content).troubles, []);
    let troubles = read(&machine(), "/etc/cdi/a.json", &content).troubles;
    assert!(matches!(troubles.as_slice(), [Trouble::OlderThanBoot { .. }]), "{troubles:?}");
    let machine = machine();
    machine.file("/proc/stat", "btime 1000000000\n");
    assert_eq!(read(&machine, "/etc/cdi/a.json", &content).troubles, []);
}

#[test]
fn the_same_device_twice() {
    let machine = machine();
    machine.file("/proc/stat", "");
    let content = spec_of(&["0", "1"], &[]).to_string();
    machine.file("/etc/cdi/a.json", &content).file("/run/cdi/b.json", &content);
    let specs = machine.facts().cdi.specs;
    let shadowed = |name: &str| Trouble::Shadowed {
        device: format!("nvidia.com/gpu={name}"),
        path: "/run/cdi/b.json".to_owned(),
    };
    assert_eq!(specs[0].troubles, [shadowed("0"), shadowed("1")]);
    assert_eq!(specs[1].troubles, []);

    let yaml = "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: all\n- name: 1\n";
    let spec = read(&machine, "/run/cdi/c.yaml", yaml);
    let conflict = |path: &str| Trouble::Conflict {
        device: "nvidia.com/gpu=1".to_owned(),
        path: path.to_owned(),
    };
    assert!(spec.troubles.contains(&conflict("/run/cdi/b.json")), "{spec:?}");
    let specs = machine.facts().cdi.specs;
    assert_eq!(specs[1].troubles, [conflict("/run/cdi/c.yaml")]);
}

#[test]
fn what_is_no_spec_says_so() {
    for (path, content) in [
        ("/etc/cdi/a.json", "{"),
        ("/etc/cdi/a.json", "[]"),
        ("/etc/cdi/a.json", "{\"kind\": \"nvidia.com/gpu\"}"),
        ("/etc/cdi/a.yaml", ""),
        ("/etc/cdi/a.yml", "kind: [nvidia.com/gpu]\ncdiVersion: 1\n"),
    ] {
        let spec = read(&TestMachine::new(), path, content);
        assert!(matches!(spec.troubles.as_slice(), [Trouble::Unparsable { .. }]), "{spec:?}");
        assert_eq!(spec.kind.absent(), Some(Absent::Malformed));
    }
    let large = vec![b' '; 4 * 1024 * 1024 + 1];
    let spec = read(&TestMachine::new(), "/etc/cdi/a.json", large);
    let (bytes, most_bytes) = (4 * 1024 * 1024 + 1, 4 * 1024 * 1024);
    assert_eq!(spec.troubles, [Trouble::TooLarge { bytes, most_bytes }]);
}

#[test]
fn too_many_files_and_too_many_paths_are_counted() {
    let machine = TestMachine::new();
    for number in 0..70 {
        machine.file(&format!("/etc/cdi/{number:02}.json"), "{}");
    }
    machine.file("/etc/cdi/readme.txt", "{}");
    let cdi = machine.facts().cdi;
    assert_eq!((cdi.specs.len(), cdi.files_left_out), (64, 6));
    assert_eq!(cdi.folders[0].known().map(Vec::len), Some(70));
    assert_eq!(cdi.folders[1].absent(), Some(Absent::NotFound));

    let mounts: Vec<_> = (0..2100).map(|number| format!("/gone/{number}")).collect();
    let mounts: Vec<_> = mounts.iter().map(String::as_str).collect();
    let content = spec_of(&[], &mounts);
    let spec = read(&TestMachine::new(), "/run/cdi/a.json", content.to_string());
    assert_eq!(spec.troubles.len(), 2049);
    assert_eq!(spec.troubles[2048], Trouble::NotAllLookedAt { paths: 53 });
}
