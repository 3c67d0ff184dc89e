//! Who the processes on the GPUs are and what they take of the host.

mod clerk;
mod stat;
mod users;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Pid, test_kill_process};
use rustix::time::{ClockId, clock_gettime};

use super::kernel_file::KernelFile;
use crate::model::{Absent, ProcessIdentity, Sysroot};
use crate::source::Clock;
use clerk::{Answer, Clerk, Question};
use stat::{ProcessStat, STAT_BYTES};

/// A command line is kept up to this length.
const COMMAND_BYTES: u64 = 4096;

/// The files of about so many processes are kept open; a program may only have so many.
const MOST_KEPT: usize = 256;

/// What the link `/proc/self/ns/pid` reads in the machine's first pid namespace, whose inode number is fixed.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// One process at one tick.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessReading {
    /// Its process id.
    pub pid: u32,
    /// Who it is, as raw text.
    pub identity: Result<Arc<ProcessIdentity>, Absent>,
    /// Processor time of all its threads since the reading before; 100 is one core.
    pub cpu_percent: Result<f64, Absent>,
    /// Memory of the host that it holds resident, in bytes.
    pub resident_memory_bytes: Result<f64, Absent>,
    /// Seconds since it started.
    pub run_time_seconds: Result<f64, Absent>,
}

impl ProcessReading {
    fn absent(pid: u32, why: Absent) -> Self {
        Self {
            pid,
            identity: Err(why),
            cpu_percent: Err(why),
            resident_memory_bytes: Err(why),
            run_time_seconds: Err(why),
        }
    }
}

/// Looks up processes by the ids that the driver gives. Who they are is asked in threads of its own.
///
/// A known process costs one read of `/proc/PID/stat` a tick. Its user and command are read once, and again when its
/// short name changes, as it does when it starts another program or gives itself a new title.
pub struct ProcessReader {
    place: Arc<Place>,
    clock: Arc<dyn Clock>,
    clerk: Clerk,
    /// The processes of the last tick.
    known: HashMap<u32, Known>,
    /// Those of the tick that is being read; empty between ticks, and kept for its memory.
    current: HashMap<u32, Known>,
    readings: Vec<ProcessReading>,
}

/// Where the processes are.
struct Place {
    sysroot: Sysroot,
    /// Whether the sysroot is this machine, so that the kernel can be asked as well as the files.
    is_this_machine: bool,
    boot_unix_s: Result<u64, Absent>,
    /// What it means when a process that was never seen has no folder in `/proc`.
    missing: Absent,
}

impl Place {
    /// Why a file of a process could not be read; `was_seen` tells an ended process from one that never was here.
    fn absence(&self, pid: u32, was_seen: bool, error: &io::Error) -> Absent {
        match super::absence(error) {
            // `hidepid=2` hides other users' processes as if they were not there.
            Absent::NotFound if self.is_this_machine && exists(pid) => Absent::NoPermission,
            Absent::NotFound if was_seen => Absent::Gone,
            Absent::NotFound => self.missing,
            why => why,
        }
    }
}

/// What is kept of a process from tick to tick.
struct Known {
    stat_file: KernelFile,
    seen: Option<Seen>,
}

/// A process as it was last seen; one with another start is another process with the same id.
struct Seen {
    start_ticks: u64,
    cpu_ticks: u64,
    at_us: u64,
    name: Vec<u8>,
    /// Kept once it is whole, else read again.
    identity: Option<Arc<ProcessIdentity>>,
}

impl ProcessReader {
    /// Reads when the machine was booted and which pid namespace this is.
    #[must_use]
    pub fn new(sysroot: Sysroot, clock: Arc<dyn Clock>) -> Self {
        let namespace = fs::read_link(sysroot.path("/proc/self/ns/pid"));
        let is_first = namespace.map_or(true, |name| name == Path::new(FIRST_PID_NAMESPACE));
        let place = Arc::new(Place {
            is_this_machine: sysroot == Sysroot::default(),
            boot_unix_s: boot_unix_s(&sysroot),
            missing: if is_first { Absent::Gone } else { Absent::OtherNamespace },
            sysroot,
        });
        Self {
            clock,
            clerk: Clerk::new(place.clone()),
            known: HashMap::new(),
            current: HashMap::new(),
            readings: Vec::new(),
            place,
        }
    }

    /// Reads these processes, each of which is to be named once, in their order. Others are forgotten.
    ///
    /// What is absent is [`Absent::Gone`], [`Absent::OtherNamespace`] or [`Absent::NoPermission`] as a whole;
    /// the share of the processors also [`Absent::NeedsTwoReadings`] or [`Absent::CounterReset`] by itself.
    ///
    /// An old driver in a container names processes by the host's ids. One that the container uses too is taken for
    /// the container's process: nothing tells them apart.
    pub fn read(&mut self, pids: &[u32]) -> &[ProcessReading] {
        self.readings.clear();
        let uptime_s = self.uptime_s();
        for &pid in pids {
            let mut known = self.known.remove(&pid).unwrap_or_else(|| {
                let is_kept = self.place.is_this_machine && self.current.len() < MOST_KEPT;
                let path = self.place.sysroot.path(format!("/proc/{pid}/stat"));
                Known { stat_file: KernelFile::new(path, is_kept), seen: None }
            });
            let reading = self.read_one(pid, &mut known, uptime_s);
            self.readings.push(reading);
            self.current.insert(pid, known);
        }
        self.take_answers();
        std::mem::swap(&mut self.known, &mut self.current);
        self.current.clear();
        &self.readings
    }

    /// Puts what is known by now of who they are to the processes.
    fn take_answers(&mut self) {
        for Answer { question, identity } in self.clerk.answers() {
            let seen = self.current.get_mut(&question.pid).and_then(|known| known.seen.as_mut());
            let is_it = |seen: &&mut Seen| {
                seen.start_ticks == question.start_ticks && seen.name == question.name
            };
            let Some(seen) = seen.filter(is_it) else { continue };
            // In the midst of exec a process has its new name and no arguments yet.
            let is_whole = |identity: &&Arc<ProcessIdentity>| !identity.command.starts_with('[');
            seen.identity = identity.as_ref().ok().filter(is_whole).cloned();
            let mut readings = self.readings.iter_mut();
            if let Some(reading) = readings.find(|reading| reading.pid == question.pid) {
                reading.identity = identity;
            }
        }
    }

    fn read_one(
        &mut self,
        pid: u32,
        known: &mut Known,
        uptime_s: Result<f64, Absent>,
    ) -> ProcessReading {
        let mut buffer = [0; STAT_BYTES];
        let stat = match known.stat_file.read(&mut buffer) {
            Ok(bytes) => ProcessStat::parse(bytes).ok_or(Absent::OutOfRange),
            Err(error) => Err(self.place.absence(pid, known.seen.is_some(), &error)),
        };
        let stat = match stat {
            Ok(stat) => stat,
            Err(why) => return ProcessReading::absent(pid, why),
        };
        let at_us = self.clock.monotonic_us();
        let before = known.seen.take().filter(|seen| seen.start_ticks == stat.start_ticks);
        let cpu_percent = cpu_percent(before.as_ref(), stat.cpu_ticks, at_us);
        let ProcessStat { start_ticks, cpu_ticks, .. } = stat;
        let name = stat.name.to_vec();
        let known_identity = before.and_then(|seen| seen.identity.filter(|_| seen.name == name));
        if known_identity.is_none() {
            self.clerk.ask(Question { pid, start_ticks, name: name.clone() });
        }
        let identity = known_identity.clone().ok_or(Absent::NotReadYet);
        let reading = ProcessReading {
            pid,
            identity,
            cpu_percent,
            resident_memory_bytes: Ok(stat.resident_pages as f64 * page_size() as f64),
            run_time_seconds: uptime_s.and_then(|uptime_s| run_time_seconds(uptime_s, &stat)),
        };
        known.seen = Some(Seen { start_ticks, cpu_ticks, at_us, name, identity: known_identity });
        reading
    }

    /// Seconds since boot on the clock that start times are counted on, which runs on while the machine sleeps.
    fn uptime_s(&self) -> Result<f64, Absent> {
        // In an LXC container `/proc/uptime` is the container's age while start times still count from the boot of
        // the machine, so the clock is asked; another root has only the file.
        if self.place.is_this_machine {
            let uptime = clock_gettime(ClockId::Boottime);
            return Ok(uptime.tv_sec as f64 + uptime.tv_nsec as f64 / 1e9);
        }
        let text = super::read_text(&self.place.sysroot.path("/proc/uptime"))?;
        let seconds = text.split_ascii_whitespace().next().and_then(|word| word.parse().ok());
        seconds.filter(|seconds: &f64| seconds.is_finite()).ok_or(Absent::OutOfRange)
    }
}

/// The share of one core that was used since the process was last seen, in percent.
fn cpu_percent(before: Option<&Seen>, cpu_ticks: u64, at_us: u64) -> Result<f64, Absent> {
    let before = before.ok_or(Absent::NeedsTwoReadings)?;
    let elapsed_us = at_us.saturating_sub(before.at_us);
    if elapsed_us == 0 {
        return Err(Absent::NeedsTwoReadings);
    }
    let ticks = cpu_ticks.checked_sub(before.cpu_ticks).ok_or(Absent::CounterReset)?;
    let seconds = ticks as f64 / clock_ticks_per_second() as f64;
    Ok(seconds / (elapsed_us as f64 / 1e6) * 100.0)
}

/// A process cannot have started after now by more than a tick, by which its start may be rounded.
fn run_time_seconds(uptime_s: f64, stat: &ProcessStat<'_>) -> Result<f64, Absent> {
    let ticks_per_second = clock_ticks_per_second() as f64;
    let seconds = uptime_s - stat.start_ticks as f64 / ticks_per_second;
    if seconds < -1.0 / ticks_per_second { Err(Absent::OutOfRange) } else { Ok(seconds.max(0.0)) }
}

/// The arguments with spaces between them; none for a kernel thread and for a process that has ended unwaited for.
fn command_line(arguments: &[u8]) -> Option<String> {
    let end = arguments.iter().rposition(|&byte| byte != 0)? + 1;
    Some(String::from_utf8_lossy(&arguments[..end]).replace('\0', " "))
}

/// When the machine was booted, in seconds since 1970.
fn boot_unix_s(sysroot: &Sysroot) -> Result<u64, Absent> {
    let text = super::read_text(&sysroot.path("/proc/stat"))?;
    let seconds =
        text.lines().find_map(|line| line.strip_prefix("btime ")).ok_or(Absent::NotFound)?;
    seconds.trim().parse().map_err(|_| Absent::OutOfRange)
}

/// Whether this machine has a process with this id. Signal 0 sends nothing.
fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

#[cfg(test)]
mod tests;
