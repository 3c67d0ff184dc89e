//! Processes: NVML's lists in all their layouts, joined with what the host knows.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::Machine;
use nvsdk_top::model::{Absent, ProcessMetric};

const MIB: f64 = 1024.0 * 1024.0;

/// A real process that ends with its test.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn process(pid: u32, kind: &str, memory: &str) -> String {
    format!(
        "[[gpu.process]]\npid = {pid}\nkind = \"{kind}\"\nmem = \"{memory}\"\nsm = 40\nmem_util = 20\nenc = 0\ndec = 0\n"
    )
}

fn gpu_with(lib: &str, processes: &str) -> String {
    format!("[lib]\ndriver = \"580.95.05\"\n{lib}\n[[gpu]]\npreset = \"rtx4090\"\nprocess = []\n")
        .replace("process = []\n", "")
        + processes
}

#[test]
fn a_process_is_joined_with_its_user_command_and_memory() {
    let sleeper = Sleeper::start();
    let pid = sleeper.0.id();
    let mut machine = Machine::with_real_proc(&gpu_with("", &process(pid, "C", "512MiB")));
    let first = machine.sampled();
    machine.advance(Duration::from_secs(1));
    let sample = machine.sampled();
    let found = sample.processes.iter().find(|process| process.pid == pid).unwrap();
    let identity = found.identity.as_ref().unwrap();
    assert_eq!(&*identity.command, "sleep 60");
    assert_eq!(&*identity.name, "sleep");
    assert_eq!(found.get(ProcessMetric::GpuMemory), Ok(512.0 * MIB));
    assert!(found.get(ProcessMetric::ResidentMemory).unwrap() > 0.0);
    assert!(found.get(ProcessMetric::Cpu).is_ok());
    let cpu =
        first.processes.iter().find(|process| process.pid == pid).unwrap().get(ProcessMetric::Cpu);
    assert_eq!(cpu, Err(Absent::NeedsTwoReadings));
}

#[test]
fn a_process_in_two_lists_is_one_and_holds_its_memory_once() {
    let mut machine = Machine::scenario(&gpu_with("", &process(4_000_001, "C+G", "300MiB")));
    let sample = machine.sampled();
    let found: Vec<_> =
        sample.processes.iter().filter(|process| process.pid == 4_000_001).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].kinds.letters(), "C+G");
    assert_eq!(found[0].get(ProcessMetric::GpuMemory), Ok(300.0 * MIB));
    assert_eq!(found[0].identity, Err(Absent::Gone));
}

#[test]
fn every_layout_of_the_lists_is_understood() {
    let processes: String =
        (0..20).map(|n| process(4_000_000 + n, "C", &format!("{}MiB", 100 + n))).collect();
    let newest = "missing = [\"nvmlDeviceGetRunningProcessDetailList\"]";
    for layout in [
        "",
        newest,
        &format!("{newest}\nprocess_abi = \"v2+cc\""),
        &format!("{newest}\nprocess_abi = \"v1\""),
    ] {
        let mut machine = Machine::scenario(&gpu_with(layout, &processes));
        let sample = machine.sampled();
        let found: Vec<_> = sample
            .processes
            .iter()
            .filter(|p| p.pid >= 4_000_000)
            .map(|p| (p.pid, p.get(ProcessMetric::GpuMemory).unwrap() / MIB))
            .collect();
        let expected: Vec<_> = (0..20).map(|n| (4_000_000 + n, f64::from(100 + n))).collect();
        assert_eq!(found, expected, "{layout}");
    }
}

#[test]
fn use_is_read_from_a_cursor_and_fades_when_a_process_falls_silent() {
    let mut machine = Machine::scenario(&gpu_with("", &process(4_000_001, "C", "300MiB")));
    machine.sampled();
    machine.advance(Duration::from_secs(1));
    let sample = machine.sampled();
    let found = sample.processes.iter().find(|p| p.pid == 4_000_001).unwrap();
    assert_eq!(found.get(ProcessMetric::Sm), Ok(40.0));
    assert_eq!(found.get(ProcessMetric::Encoder), Ok(0.0));
    machine
        .fake
        .update("[[fault]]\nfn = \"nvmlDeviceGetProcess*Utilization*\"\ncode = 6\n")
        .unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        machine.advance(Duration::from_secs(1));
        let sample = machine.sampled();
        let found = sample.processes.iter().find(|p| p.pid == 4_000_001).unwrap();
        seen.push(found.get(ProcessMetric::Sm).unwrap());
    }
    assert_eq!(seen, [40.0, 0.0, 0.0]);
}
