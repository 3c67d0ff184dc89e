//! The machine's totals (processors, load, memory, pressure) and its name.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sysinfo::{MINIMUM_CPU_UPDATE_INTERVAL, System};

use crate::model::{Absent, Host, HostMetric, Sysroot};

/// Reads the totals once a tick.
///
/// Processors, load and memory come from sysinfo, which reads the real machine whatever the sysroot is; the pressure
/// comes from the sysroot. A tick reads six small files: `stat`, `loadavg`, `meminfo` and three of pressure. The
/// first also reads `cpuinfo`, where sysinfo finds the names of the processors.
pub struct HostReader {
    system: System,
    first_cpu_reading: Option<Instant>,
    pressure_folder: PathBuf,
}

impl HostReader {
    /// Reads nothing yet.
    #[must_use]
    pub fn new(sysroot: &Sysroot) -> Self {
        Self {
            system: System::new(),
            first_cpu_reading: None,
            pressure_folder: sysroot.path("/proc/pressure"),
        }
    }

    /// Every total in the table's order and unit, or why there is none.
    ///
    /// The share of the processors is [`Absent::NeedsTwoReadings`] until 200 ms after the first tick; where ticks are
    /// closer together than that, it is taken anew only every 200 ms.
    pub fn read(&mut self) -> [Result<f64, Absent>; HostMetric::COUNT] {
        let cpu = self.read_cpu();
        let load = load_averages();
        self.system.refresh_memory();
        let available = self.system.available_memory();
        let swap = self.system.total_swap();
        let free_swap = self.system.free_swap();
        // No machine is without memory, so zero says that it could not be read; it may well be without swap.
        let memory = not_zero(self.system.total_memory());
        let pressure = |resource| Pressure::read(&self.pressure_folder.join(resource));
        let of_cpu = pressure("cpu");
        let of_memory = pressure("memory");
        let of_io = pressure("io");

        std::array::from_fn(|row| match HostMetric::ALL[row] {
            HostMetric::Cpu => cpu,
            HostMetric::CpuCount => {
                not_zero(self.system.cpus().len() as u64).map(|count| count as f64)
            }
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
        // sysinfo leaves a reading out that comes too soon after the last, and its first one is the mean since boot.
        let is_second = self
            .first_cpu_reading
            .is_some_and(|first| first.elapsed() >= MINIMUM_CPU_UPDATE_INTERVAL);
        self.system.refresh_cpu_usage();
        if self.system.cpus().is_empty() {
            return Err(Absent::NotFound);
        }
        self.first_cpu_reading.get_or_insert_with(Instant::now);
        if is_second {
            Ok(f64::from(self.system.global_cpu_usage()))
        } else {
            Err(Absent::NeedsTwoReadings)
        }
    }
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
    fn read(path: &Path) -> Self {
        match super::read_once(path, &mut [0; 256]) {
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
    use super::{HostReader, Pressure, average, identity, used};
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

        reader.first_cpu_reading =
            std::time::Instant::now().checked_sub(std::time::Duration::from_secs(1));
        let second = reader.read()[HostMetric::Cpu as usize].unwrap();
        assert!((0.0..=100.0).contains(&second), "{second}");
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
        let missing = Pressure::read(&folder.path().join("cpu"));
        assert_eq!(missing, Pressure { some: Err(Absent::NotFound), full: Err(Absent::NotFound) });
    }
}
