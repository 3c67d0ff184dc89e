//! The machine of the benches: eight GPUs and sixteen real processes.

use std::process::{Child, Command};
use std::time::Duration;

/// Real processes that end with the measurement.
pub(crate) struct Processes(Vec<Child>);

impl Processes {
    pub(crate) fn start(count: u32) -> Self {
        Self((0..count).map(|_| Command::new("sleep").arg("600").spawn().unwrap()).collect())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

/// Eight H100 with two of the processes on each, on the machine's clock.
pub(crate) fn scenario(processes: &Processes, faults: &str) -> String {
    let process = |child: &Child| {
        let pid = child.id();
        format!(
            "[[gpu.process]]\npid = {pid}\nkind = \"C\"\nmem = \"9GiB\"\nsm = 40\nmem_util = 20\n"
        )
    };
    let gpu = |(number, pair): (usize, &[Child])| {
        let uuid = format!("GPU-00000000-0000-0000-0000-00000000000{number}");
        let address = format!("0000:{:02x}:00.0", 0x18 + number * 16);
        let processes: Vec<_> = pair.iter().map(process).collect();
        format!(
            "[[gpu]]\npreset = \"h100\"\nuuid = {uuid:?}\nbdf = {address:?}\n{}",
            processes.concat()
        )
    };
    let gpus: Vec<_> = processes.0.chunks(2).enumerate().map(gpu).collect();
    let gpus = gpus.concat();
    format!("preset = \"h100\"\n[lib]\nclock = \"real\"\nlog = false\n{gpus}\n{faults}")
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn row(what: &str, budget: &str, measured: &str) {
    println!("| {what} | {budget} | {measured} |");
}
