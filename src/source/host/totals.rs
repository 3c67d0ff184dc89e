//! The machine's totals (processors, load, memory, pressure) and its name.

use std::fs::File;

use sysinfo::System;

use super::kernel_file::KernelFile;
use crate::model::{Absent, Host, HostMetric, Sysroot};

/// Reads the totals once a tick.
///
/// Load and memory come from sysinfo, which reads the real machine whatever the sysroot is; processors and pressure come
/// from the sysroot. sysinfo would read the processors one by one, and nothing within 200 ms of its last reading.
pub struct HostReader {
    system: System,
    stat_file: KernelFile,
    cpu_count: Result<f64, Absent>,
    /// The processors' time at the previous reading.
    cpu_before: Option<CpuTime>,
    cpu_pressure: KernelFile,
    memory_pressure: KernelFile,
    io_pressure: KernelFile,
}

impl HostReader {
    /// Counts the processors and reads nothing else yet.
    #[must_use]
    pub fn new(sysroot: &Sysroot) -> Self {
        let is_kept = *sysroot == Sysroot::default();
        let file = |path| KernelFile::new(sysroot.path(path), is_kept);
        let stat = super::read_text(&sysroot.path("/proc/stat"));
        Self {
            system: System::new(),
            cpu_count: stat.and_then(|stat| cpu_count(&stat)),
            stat_file: file("/proc/stat"),
            cpu_before: None,
            cpu_pressure: file("/proc/pressure/cpu"),
            memory_pressure: file("/proc/pressure/memory"),
            io_pressure: file("/proc/pressure/io"),
        }
    }

    /// Every total in the table's order and unit, or why there is none.
    ///
    /// The share of the processors is [`Absent::NeedsTwoReadings`] at the first reading.
    pub fn read(&mut self) -> [Result<f64, Absent>; HostMetric::COUNT] {
        let cpu = self.read_cpu();
        let load = load_averages();
        self.system.refresh_memory();
        let available = self.system.available_memory();
        let swap = self.system.total_swap();
        let free_swap = self.system.free_swap();
        // No machine is without memory, so zero says that it could not be read; it may well be without swap.
        let memory = not_zero(self.system.total_memory());
        let of_cpu = Pressure::read(&mut self.cpu_pressure);
        let of_memory = Pressure::read(&mut self.memory_pressure);
        let of_io = Pressure::read(&mut self.io_pressure);

        std::array::from_fn(|row| match HostMetric::ALL[row] {
            HostMetric::Cpu => cpu,
            HostMetric::CpuCount => self.cpu_count,
            HostMetric::Load1 => load.map(|[one, _, _]| one),
            HostMetric::Load5 => load.map(|[_, five, _]| five),
            HostMetric::Load15 => load.map(|[_, _, fifteen]| fifteen),
            HostMetric::MemoryTotal => memory.map(|total| total as f64),
            HostMetric::MemoryUsed => memory.and_then(|total| used(total, available)),
            HostMetric::MemoryAvailable => memory.map(|_| available as f64),
            HostMetric::SwapTotal => memory.map(|_| swap as f64),
            HostMetric::SwapUsed => memory.and_then(|_| used(swap, free_swap)),
            HostMetric::PressureCpuSome => of_cpu.some,
            HostMetric::PressureMemorySome => of_memory.some,
            HostMetric::PressureMemoryFull => of_memory.full,
            HostMetric::PressureIoSome => of_io.some,
            HostMetric::PressureIoFull => of_io.full,
        })
    }

    fn read_cpu(&mut self) -> Result<f64, Absent> {
        // The first line holds the sum of all processors.
        let mut buffer = [0; 256];
        let now = self.stat_file.read(&mut buffer).map_err(|error| super::absence(&error));
        let now = now.and_then(CpuTime::parse)?;
        let before = self.cpu_before.replace(now).ok_or(Absent::NeedsTwoReadings)?;
        now.busy_percent_since(before)
    }
}

/// What all processors together have done since boot, in clock ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CpuTime {
    all: u64,
    idle: u64,
}

impl CpuTime {
    /// Reads the line `cpu  USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …`; what follows is part of the former.
    fn parse(stat: &[u8]) -> Result<Self, Absent> {
        let line = stat.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| Absent::OutOfRange)?;
        let fields = line.strip_prefix("cpu ").ok_or(Absent::OutOfRange)?;
        let numbers = fields.split_ascii_whitespace().take(8).map(str::parse::<u64>);
        let numbers: Vec<u64> =
            numbers.collect::<Result<_, _>>().map_err(|_| Absent::OutOfRange)?;
        let idle = numbers.get(3).ok_or(Absent::OutOfRange)?;
        let waiting = numbers.get(4).unwrap_or(&0);
        let sum =
            |numbers: &[u64]| numbers.iter().try_fold(0u64, |sum, number| sum.checked_add(*number));
        let all = sum(&numbers).ok_or(Absent::OutOfRange)?;
        Ok(Self { all, idle: idle + waiting })
    }

    /// The share of the time since `before` that was not idle. Time spent waiting for a disk may be told anew and lower.
    fn busy_percent_since(self, before: Self) -> Result<f64, Absent> {
        let all = self.all.checked_sub(before.all).ok_or(Absent::CounterReset)?;
        let idle = self.idle.saturating_sub(before.idle).min(all);
        if all == 0 {
            Err(Absent::NeedsTwoReadings)
        } else {
            Ok((all - idle) as f64 / all as f64 * 100.0)
        }
    }
}

/// How many lines of `/proc/stat` are about one processor.
fn cpu_count(stat: &str) -> Result<f64, Absent> {
    let one = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    not_zero(stat.lines().filter(one).count() as u64).map(|count| count as f64)
}

fn not_zero(number: u64) -> Result<u64, Absent> {
    if number == 0 { Err(Absent::NotFound) } else { Ok(number) }
}

/// What is not free; a container's view of the host's memory can hold more free than there is.
fn used(total: u64, free: u64) -> Result<f64, Absent> {
    total.checked_sub(free).map(|used| used as f64).ok_or(Absent::OutOfRange)
}

/// The load over 1, 5 and 15 minutes.
fn load_averages() -> Result<[f64; 3], Absent> {
    let load = System::load_average();
    let averages = [load.one, load.five, load.fifteen];
    // sysinfo gives zeros when it cannot read the file, and so does a machine that idles.
    if averages.iter().all(|&load| load <= 0.0) {
        File::open("/proc/loadavg").map_err(|error| super::absence(&error))?;
    }
    Ok(averages)
}

/// How long tasks waited for one resource, in percent of the last 10 s.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pressure {
    /// While some task waited.
    some: Result<f64, Absent>,
    /// While all waited that had something to do.
    full: Result<f64, Absent>,
}

impl Pressure {
    /// Reads a file of `/proc/pressure`; a kernel without pressure accounting has none.
    fn read(file: &mut KernelFile) -> Self {
        match file.read(&mut [0; 256]) {
            Ok(bytes) => Self { some: average(bytes, "some"), full: average(bytes, "full") },
            Err(error) => {
                let why = Err(super::absence(&error));
                Self { some: why, full: why }
            }
        }
    }
}

/// `avg10` of the line that begins with `kind`.
fn average(bytes: &[u8], kind: &str) -> Result<f64, Absent> {
    let text = std::str::from_utf8(bytes).map_err(|_| Absent::OutOfRange)?;
    let mut lines = text.lines().map(str::split_ascii_whitespace);
    let fields = lines.find_map(|mut line| (line.next() == Some(kind)).then_some(line));
    let value = fields.and_then(|mut fields| fields.find_map(|field| field.strip_prefix("avg10=")));
    let percent: f64 = value.ok_or(Absent::NotFound)?.parse().map_err(|_| Absent::OutOfRange)?;
    if (0.0..=100.0).contains(&percent) { Ok(percent) } else { Err(Absent::OutOfRange) }
}

/// The machine's network name and the release of its kernel, from `/proc/sys/kernel`; where that does not say, from
/// the kernel that this program runs on.
#[must_use]
pub fn identity(sysroot: &Sysroot) -> Host {
    let fact = |name| {
        let text = super::read_text(&sysroot.path(format!("/proc/sys/kernel/{name}"))).ok()?;
        let text = text.trim_end();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let running = rustix::system::uname();
    let or_running = |fact: Option<String>, running: &std::ffi::CStr| {
        fact.unwrap_or_else(|| running.to_string_lossy().into_owned())
    };
    Host {
        name: or_running(fact("hostname"), running.nodename()),
        kernel: Ok(or_running(fact("osrelease"), running.release())),
    }
}

#[cfg(test)]
mod tests {
    use super::{CpuTime, HostReader, KernelFile, Pressure, average, cpu_count, identity, used};
    use crate::model::{Absent, HostMetric, Sysroot};
    use proptest::prelude::*;
    use std::fs;

    #[test]
    fn the_machine_that_runs_the_test_has_processors_and_memory() {
        let mut reader = HostReader::new(&Sysroot::default());
        let first = reader.read();
        let value = |metric: HostMetric| first[metric as usize];
        assert_eq!(value(HostMetric::Cpu), Err(Absent::NeedsTwoReadings));
        assert!(value(HostMetric::CpuCount).unwrap() >= 1.0);
        assert!(value(HostMetric::Load1).unwrap() >= 0.0);
        let total = value(HostMetric::MemoryTotal).unwrap();
        let used = value(HostMetric::MemoryUsed).unwrap();
        assert!(total > used && used > 0.0);
        assert!((total - used - value(HostMetric::MemoryAvailable).unwrap()).abs() < 1.0);
        assert!(value(HostMetric::SwapUsed).unwrap() <= value(HostMetric::SwapTotal).unwrap());

        // Two readings within one tick of the kernel's clock have no time between them.
        match reader.read()[HostMetric::Cpu as usize] {
            Ok(percent) => assert!((0.0..=100.0).contains(&percent), "{percent}"),
            Err(why) => assert_eq!(why, Absent::NeedsTwoReadings),
        }
    }

    #[test]
    fn pressure_is_the_mean_of_ten_seconds() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        let mut reader = HostReader::new(&sysroot);
        assert_eq!(reader.read()[HostMetric::PressureIoFull as usize], Err(Absent::NotFound));

        fs::create_dir_all(sysroot.path("/proc/pressure")).unwrap();
        let text = "some avg10=12.50 avg60=3.00 avg300=1.00 total=99\n\
                    full avg10=0.00 avg60=0.50 avg300=0.10 total=7\n";
        fs::write(sysroot.path("/proc/pressure/memory"), text).unwrap();
        let values = reader.read();
        assert_eq!(values[HostMetric::PressureMemorySome as usize], Ok(12.5));
        assert_eq!(values[HostMetric::PressureMemoryFull as usize], Ok(0.0));
        assert_eq!(values[HostMetric::PressureCpuSome as usize], Err(Absent::NotFound));
    }

    #[test]
    fn what_an_old_kernel_lacks_is_not_zero() {
        let some_only = b"some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n";
        assert_eq!(average(some_only, "full"), Err(Absent::NotFound));
        assert_eq!(average(b"some avg60=1.00\n", "some"), Err(Absent::NotFound));
        assert_eq!(average(b"some avg10=much\n", "some"), Err(Absent::OutOfRange));
        assert_eq!(average(b"some avg10=-1\n", "some"), Err(Absent::OutOfRange));
        assert_eq!(average(b"some avg10=NaN\n", "some"), Err(Absent::OutOfRange));
        assert_eq!(used(1, 2), Err(Absent::OutOfRange));
    }

    #[test]
    fn the_name_is_of_the_sysroot_or_of_the_running_kernel() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        assert_eq!(identity(&sysroot), identity(&Sysroot::default()));
        fs::create_dir_all(sysroot.path("/proc/sys/kernel")).unwrap();
        fs::write(sysroot.path("/proc/sys/kernel/hostname"), "forge\n").unwrap();
        fs::write(sysroot.path("/proc/sys/kernel/osrelease"), "6.99.0-test\n").unwrap();
        let host = identity(&sysroot);
        assert_eq!(host.name, "forge");
        assert_eq!(host.kernel.as_deref(), Ok("6.99.0-test"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = average(&bytes, "some");
            let _ = average(&[b"some avg10=", &bytes[..]].concat(), "some");
        }

        #[test]
        fn an_average_comes_back(hundredths in 0u16..=10_000) {
            let percent = f64::from(hundredths) / 100.0;
            let text = format!("some avg10={percent:.2} avg60=0.00 avg300=0.00 total=5\n");
            prop_assert_eq!(average(text.as_bytes(), "some"), Ok(percent));
        }
    }

    #[test]
    fn an_unreadable_file_says_so_of_both_lines() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Pressure::read(&mut KernelFile::new(folder.path().join("cpu"), false));
        assert_eq!(missing, Pressure { some: Err(Absent::NotFound), full: Err(Absent::NotFound) });
    }

    #[test]
    fn processors_are_busy_when_they_are_not_idle_nor_waiting() {
        let at = |text: &str| CpuTime::parse(text.as_bytes()).unwrap();
        let before = at("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3");
        let after = at("cpu  150 0 125 750 125 0 0 50 0 0");
        assert_eq!(after.busy_percent_since(before), Ok(62.5));
        assert_eq!(before.busy_percent_since(before), Err(Absent::NeedsTwoReadings));
        assert_eq!(before.busy_percent_since(after), Err(Absent::CounterReset));
        for bad in [
            "",
            "cpu",
            "cpu  1 2",
            "cpu  a b c d",
            "cpu0 1 2 3 4",
            "cpu  1 2 3 18446744073709551615",
        ] {
            assert_eq!(CpuTime::parse(bad.as_bytes()), Err(Absent::OutOfRange), "{bad}");
        }
        assert_eq!(cpu_count("cpu  1\ncpu0 1\ncpu1 1\nintr 5"), Ok(2.0));
        assert_eq!(cpu_count("nothing"), Err(Absent::NotFound));
    }
}
