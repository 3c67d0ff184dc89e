//! The machine's totals (processors, load, memory, pressure) and its name.

use super::kernel_file::KernelFile;
use crate::model::{Absent, Host, HostMetric, Sysroot};

/// Reads the totals once a tick, each file with one system call where it is the kernel's.
pub struct HostReader {
    stat_file: KernelFile,
    cpu_count: Result<f64, Absent>,
    /// The processors' time at the previous reading.
    cpu_before: Option<CpuTime>,
    load_file: KernelFile,
    memory_file: KernelFile,
    cpu_pressure: KernelFile,
    memory_pressure: KernelFile,
    io_pressure: KernelFile,
}

/// The file that a total is read from.
#[must_use]
pub const fn file_of(metric: HostMetric) -> &'static str {
    match metric {
        HostMetric::Cpu | HostMetric::CpuCount => "/proc/stat",
        HostMetric::Load1 | HostMetric::Load5 | HostMetric::Load15 => "/proc/loadavg",
        HostMetric::MemoryTotal
        | HostMetric::MemoryUsed
        | HostMetric::MemoryAvailable
        | HostMetric::SwapTotal
        | HostMetric::SwapUsed => "/proc/meminfo",
        HostMetric::PressureCpuSome => "/proc/pressure/cpu",
        HostMetric::PressureMemorySome | HostMetric::PressureMemoryFull => "/proc/pressure/memory",
        HostMetric::PressureIoSome | HostMetric::PressureIoFull => "/proc/pressure/io",
    }
}

impl HostReader {
    /// Counts the processors and reads nothing else yet.
    #[must_use]
    pub fn new(sysroot: &Sysroot) -> Self {
        let is_kept = *sysroot == Sysroot::default();
        let file = |metric| KernelFile::new(sysroot.path(file_of(metric)), is_kept);
        let stat = super::read_text(&sysroot.path(file_of(HostMetric::CpuCount)));
        Self {
            cpu_count: stat.and_then(|stat| cpu_count(&stat)),
            stat_file: file(HostMetric::Cpu),
            cpu_before: None,
            load_file: file(HostMetric::Load1),
            memory_file: file(HostMetric::MemoryTotal),
            cpu_pressure: file(HostMetric::PressureCpuSome),
            memory_pressure: file(HostMetric::PressureMemorySome),
            io_pressure: file(HostMetric::PressureIoSome),
        }
    }

    /// Every total in the table's order and unit, or why there is none.
    ///
    /// The share of the processors is [`Absent::NeedsTwoReadings`] at the first reading.
    pub fn read(&mut self) -> [Result<f64, Absent>; HostMetric::COUNT] {
        let cpu = self.read_cpu();
        let load = read(&mut self.load_file, load_averages);
        let memory = read(&mut self.memory_file, |bytes| Ok(Memory::parse(bytes)));
        let memory = memory.unwrap_or_else(Memory::absent);
        let of_cpu = Pressure::read(&mut self.cpu_pressure);
        let of_memory = Pressure::read(&mut self.memory_pressure);
        let of_io = Pressure::read(&mut self.io_pressure);

        std::array::from_fn(|row| match HostMetric::ALL[row] {
            HostMetric::Cpu => cpu,
            HostMetric::CpuCount => self.cpu_count,
            HostMetric::Load1 => load.map(|[one, _, _]| one),
            HostMetric::Load5 => load.map(|[_, five, _]| five),
            HostMetric::Load15 => load.map(|[_, _, fifteen]| fifteen),
            HostMetric::MemoryTotal => memory.total,
            HostMetric::MemoryUsed => used(memory.total, memory.available),
            HostMetric::MemoryAvailable => memory.available,
            HostMetric::SwapTotal => memory.swap_total,
            HostMetric::SwapUsed => used(memory.swap_total, memory.swap_free),
            HostMetric::PressureCpuSome => of_cpu.some,
            HostMetric::PressureMemorySome => of_memory.some,
            HostMetric::PressureMemoryFull => of_memory.full,
            HostMetric::PressureIoSome => of_io.some,
            HostMetric::PressureIoFull => of_io.full,
        })
    }

    fn read_cpu(&mut self) -> Result<f64, Absent> {
        // The first line holds the sum of all processors.
        let now = read(&mut self.stat_file, CpuTime::parse)?;
        let before = self.cpu_before.replace(now).ok_or(Absent::NeedsTwoReadings)?;
        now.busy_percent_since(before)
    }
}

/// What `parse` finds in a file: all that is looked for stands in its first two KiB.
fn read<T>(
    file: &mut KernelFile,
    parse: impl FnOnce(&[u8]) -> Result<T, Absent>,
) -> Result<T, Absent> {
    let mut buffer = [0; 2048];
    parse(file.read(&mut buffer).map_err(|error| super::absence(&error))?)
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
fn used(total: Result<f64, Absent>, free: Result<f64, Absent>) -> Result<f64, Absent> {
    let used = total? - free?;
    if used < 0.0 { Err(Absent::OutOfRange) } else { Ok(used) }
}

/// The load over 1, 5 and 15 minutes: the first numbers of `/proc/loadavg`.
fn load_averages(bytes: &[u8]) -> Result<[f64; 3], Absent> {
    let text = std::str::from_utf8(bytes).map_err(|_| Absent::OutOfRange)?;
    let mut fields = text.split_ascii_whitespace();
    let mut next = || {
        let load: f64 =
            fields.next().ok_or(Absent::NotFound)?.parse().map_err(|_| Absent::OutOfRange)?;
        if load.is_finite() && load >= 0.0 { Ok(load) } else { Err(Absent::OutOfRange) }
    };
    Ok([next()?, next()?, next()?])
}

/// The machine's memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Memory {
    total: Result<f64, Absent>,
    /// What programs could have without making others swap; kernels before 3.14 do not say.
    available: Result<f64, Absent>,
    swap_total: Result<f64, Absent>,
    swap_free: Result<f64, Absent>,
}

impl Memory {
    /// Reads the lines `NAME: NUMBER kB` of `/proc/meminfo`.
    fn parse(bytes: &[u8]) -> Self {
        let of = |name: &str| {
            let mut lines = bytes.split(|byte| *byte == b'\n');
            let rest = lines.find_map(|line| line.strip_prefix(name.as_bytes()));
            let text = std::str::from_utf8(rest.ok_or(Absent::NotFound)?);
            let number = text.ok().and_then(|text| text.strip_suffix(" kB")).map(str::trim_start);
            let kibibytes = number.and_then(|number| number.parse::<u64>().ok());
            kibibytes.map(|kibibytes| kibibytes as f64 * 1024.0).ok_or(Absent::OutOfRange)
        };
        Self {
            total: of("MemTotal:"),
            available: of("MemAvailable:"),
            swap_total: of("SwapTotal:"),
            swap_free: of("SwapFree:"),
        }
    }

    fn absent(why: Absent) -> Self {
        Self { total: Err(why), available: Err(why), swap_total: Err(why), swap_free: Err(why) }
    }
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
        let lines = read(file, |bytes| {
            Ok(Self { some: average(bytes, "some"), full: average(bytes, "full") })
        });
        lines.unwrap_or_else(|why| Self { some: Err(why), full: Err(why) })
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
    use super::{
        CpuTime, HostReader, KernelFile, Memory, Pressure, average, cpu_count, identity,
        load_averages, used,
    };
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
    }

    #[test]
    fn load_and_memory_are_the_sysroots() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = Sysroot::new(folder.path());
        let mut reader = HostReader::new(&sysroot);
        for metric in [HostMetric::Load1, HostMetric::MemoryUsed, HostMetric::SwapTotal] {
            assert_eq!(reader.read()[metric as usize], Err(Absent::NotFound), "{metric:?}");
        }
        fs::create_dir_all(sysroot.path("/proc")).unwrap();
        fs::write(sysroot.path("/proc/loadavg"), "0.00 1.25 3.50 4/128 11231\n").unwrap();
        let text = "MemTotal:       8 kB\nMemFree: 1 kB\nMemAvailable:   3 kB\nSwapCached: 9 kB\n\
                    SwapTotal:      0 kB\nSwapFree:       0 kB\n";
        fs::write(sysroot.path("/proc/meminfo"), text).unwrap();
        let values = reader.read();
        for (metric, value) in [
            (HostMetric::Load1, 0.0),
            (HostMetric::Load5, 1.25),
            (HostMetric::Load15, 3.5),
            (HostMetric::MemoryTotal, 8192.0),
            (HostMetric::MemoryAvailable, 3072.0),
            (HostMetric::MemoryUsed, 5120.0),
            (HostMetric::SwapTotal, 0.0),
            (HostMetric::SwapUsed, 0.0),
        ] {
            assert_eq!(values[metric as usize], Ok(value), "{metric:?}");
        }
    }

    #[test]
    fn what_meminfo_does_not_say_is_not_zero() {
        let memory = Memory::parse(b"MemTotal: 8 kB\nMemAvailable: -1 kB\nSwapTotal: 1");
        assert_eq!(memory.total, Ok(8192.0));
        assert_eq!(memory.available, Err(Absent::OutOfRange));
        assert_eq!(memory.swap_total, Err(Absent::OutOfRange), "the line is cut off");
        assert_eq!(memory.swap_free, Err(Absent::NotFound));
        assert_eq!(used(memory.total, memory.swap_free), Err(Absent::NotFound));
        assert_eq!(used(Ok(1.0), Ok(2.0)), Err(Absent::OutOfRange));
        assert_eq!(used(Ok(2.0), Ok(2.0)), Ok(0.0));
    }

    #[test]
    fn a_load_is_a_number_that_can_be() {
        assert_eq!(load_averages(b"0.50 0.25 1.00 1/2 3"), Ok([0.5, 0.25, 1.0]));
        assert_eq!(load_averages(b"0.50 0.25"), Err(Absent::NotFound));
        for bad in ["0.5 0.25 much", "0.5 0.25 inf", "0.5 NaN 1", "-1 1 1"] {
            assert_eq!(load_averages(bad.as_bytes()), Err(Absent::OutOfRange), "{bad}");
        }
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
            let _ = load_averages(&bytes);
            let _ = Memory::parse(&[b"MemTotal:", &bytes[..]].concat());
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
