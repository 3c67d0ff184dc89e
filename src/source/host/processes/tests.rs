//! A machine of files with processes that change between ticks, and one real process.

use super::{ProcessReader, ProcessReading, command_line, exists, run_time_seconds};
use crate::model::{Absent, ProcessIdentity, Sysroot};
use crate::source::host::processes::stat::ProcessStat;
use crate::source::{ManualClock, SystemClock};
use proptest::prelude::*;
use rustix::param::{clock_ticks_per_second, page_size};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

const BOOT_UNIX_S: u64 = 1_700_000_000;

/// A machine that was booted 1000 s ago, where every process belongs to `ada`.
struct Machine {
    sysroot: Sysroot,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machine = Self {
            sysroot: Sysroot::new(folder.path()),
            clock: Arc::new(ManualClock::at(0)),
            _folder: folder,
        };
        machine.write("/proc/stat", format!("cpu  1 2 3 4\nbtime {BOOT_UNIX_S}\nprocesses 9\n"));
        machine.write("/proc/uptime", "1000.00 2000.00\n");
        let user = rustix::process::geteuid().as_raw();
        machine.write("/etc/passwd", format!("ada:x:{user}:100::/:/bin/sh\n"));
        machine
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.sysroot.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Starts or changes a process that began at this second after boot.
    fn process(&self, pid: u32, name: &[u8], start_s: u64, cpu_ticks: u64) {
        let start_ticks = start_s * clock_ticks_per_second();
        let fields =
            format!(") S 1 1 1 0 -1 0 0 0 0 0 {cpu_ticks} 0 0 0 20 0 1 0 {start_ticks} 0 10 0\n");
        let line = [format!("{pid} (").as_bytes(), name, fields.as_bytes()].concat();
        self.write(&format!("/proc/{pid}/stat"), line);
        self.write(&format!("/proc/{pid}/cmdline"), "");
    }

    fn reader(&self) -> ProcessReader {
        ProcessReader::new(self.sysroot.clone(), self.clock.clone())
    }

    fn second_passes(&self) {
        self.clock.advance(Duration::from_secs(1));
    }
}

fn read_one(reader: &mut ProcessReader, pid: u32) -> ProcessReading {
    let [reading] = reader.read(&[pid]) else { panic!("one reading for one process") };
    reading.clone()
}

#[test]
fn a_process_is_read_whole() {
    let machine = Machine::new();
    machine.process(7, b"python3", 400, 0);
    machine.write("/proc/7/cmdline", "python3\0train.py\0--name\0a b\0");
    let mut reader = machine.reader();
    let reading = read_one(&mut reader, 7);
    assert_eq!(reading.resident_memory_bytes, Ok(10.0 * page_size() as f64));
    assert_eq!(reading.run_time_seconds, Ok(600.0));
    assert_eq!(reading.cpu_percent, Err(Absent::NeedsTwoReadings));
    let identity = reading.identity.unwrap();
    assert_eq!(identity.start_unix_s, BOOT_UNIX_S + 400);
    assert_eq!(identity.user.as_deref(), Some("ada"));
    assert_eq!(&*identity.name, "python3");
    assert_eq!(&*identity.command, "python3 train.py --name a b");

    machine.second_passes();
    machine.process(7, b"python3", 400, 2 * clock_ticks_per_second());
    let next = read_one(&mut reader, 7);
    assert_eq!(next.cpu_percent, Ok(200.0));
    assert!(Arc::ptr_eq(&next.identity.unwrap(), &identity), "read once");
}

#[test]
fn readings_keep_the_order_of_the_question() {
    let machine = Machine::new();
    machine.process(5, b"five", 1, 0);
    machine.process(6, b"six", 1, 0);
    let mut reader = machine.reader();
    let pids: Vec<_> = reader.read(&[6, 4, 5]).iter().map(|reading| reading.pid).collect();
    assert_eq!(pids, [6, 4, 5]);
    assert!(reader.read(&[]).is_empty());
}

#[test]
fn names_and_commands_stay_raw() {
    let machine = Machine::new();
    machine.process(7, b"a) R 9 (\n\x1b[2J\xff", 1, 0);
    machine.write("/proc/7/cmdline", b"\x1b]0;x\x07\0\xff\0\0last\0\0\0");
    machine.process(8, b"kworker/0:1", 1, 0);
    let mut reader = machine.reader();
    let identity = read_one(&mut reader, 7).identity.unwrap();
    assert_eq!(&*identity.name, "a) R 9 (\n\u{1b}[2J\u{fffd}");
    assert_eq!(&*identity.command, "\u{1b}]0;x\u{7} \u{fffd}  last");
    let without = read_one(&mut reader, 8).identity.unwrap();
    assert_eq!(&*without.command, "[kworker/0:1]");
    machine.write("/proc/8/cmdline", "kworker/0:1\0of its own\0");
    let with = read_one(&mut reader, 8).identity.unwrap();
    assert_eq!(&*with.command, "kworker/0:1 of its own");
}

#[test]
fn a_command_line_has_an_end() {
    let machine = Machine::new();
    machine.process(7, b"java", 1, 0);
    machine.write("/proc/7/cmdline", "x".repeat(100_000));
    assert_eq!(read_one(&mut machine.reader(), 7).identity.unwrap().command.len(), 4096);
}

#[test]
fn the_same_id_with_another_start_is_another_process() {
    let machine = Machine::new();
    machine.process(7, b"old", 1, 1000);
    let mut reader = machine.reader();
    assert_eq!(&*read_one(&mut reader, 7).identity.unwrap().name, "old");
    machine.second_passes();
    machine.process(7, b"old", 2, 2000);
    machine.write("/proc/7/cmdline", "new");
    let reading = read_one(&mut reader, 7);
    assert_eq!(reading.cpu_percent, Err(Absent::NeedsTwoReadings));
    assert_eq!(&*reading.identity.unwrap().command, "new");
}

#[test]
fn a_new_name_is_a_reason_to_read_the_command_again() {
    let machine = Machine::new();
    machine.process(7, b"ray::IDLE", 1, 100);
    let mut reader = machine.reader();
    read_one(&mut reader, 7);
    machine.second_passes();
    machine.process(7, b"ray::train", 1, 100);
    machine.write("/proc/7/cmdline", "ray::train()");
    let reading = read_one(&mut reader, 7);
    assert_eq!(&*reading.identity.unwrap().command, "ray::train()");
    assert_eq!(reading.cpu_percent, Ok(0.0), "the same process nevertheless");
}

#[test]
fn a_process_that_is_no_longer_asked_for_is_forgotten() {
    let machine = Machine::new();
    machine.process(7, b"seven", 1, 0);
    let mut reader = machine.reader();
    read_one(&mut reader, 7);
    reader.read(&[]);
    machine.second_passes();
    assert_eq!(read_one(&mut reader, 7).cpu_percent, Err(Absent::NeedsTwoReadings));
}

#[test]
fn time_that_stands_and_counters_that_fall_give_no_share() {
    let machine = Machine::new();
    machine.process(7, b"seven", 1, 500);
    let mut reader = machine.reader();
    read_one(&mut reader, 7);
    assert_eq!(read_one(&mut reader, 7).cpu_percent, Err(Absent::NeedsTwoReadings));
    machine.second_passes();
    machine.process(7, b"seven", 1, 499);
    assert_eq!(read_one(&mut reader, 7).cpu_percent, Err(Absent::CounterReset));
    machine.second_passes();
    assert_eq!(read_one(&mut reader, 7).cpu_percent, Ok(0.0));
}

#[test]
fn a_command_line_that_does_not_come_back_holds_nobody_up() {
    let machine = Machine::new();
    machine.process(7, b"wedged", 1, 0);
    machine.process(8, b"well", 1, 0);
    let path = machine.sysroot.path("/proc/7/cmdline");
    fs::remove_file(&path).unwrap();
    // A pipe that nobody writes to: opening it hangs.
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
    let mut reader = machine.reader();
    let start = Instant::now();
    let read = |reader: &mut ProcessReader| {
        reader.read(&[7, 8]).iter().map(|reading| reading.identity.clone()).collect::<Vec<_>>()
    };
    let first = read(&mut reader);
    assert_eq!(first[0], Err(Absent::NotReadYet));
    while read(&mut reader)[1].is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "another process waits behind it");
        std::thread::sleep(Duration::from_millis(5));
    }
    fs::OpenOptions::new().write(true).open(&path).unwrap();
    while read(&mut reader)[0].is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "the answer is not taken");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_ended_process_is_gone() {
    let machine = Machine::new();
    machine.process(7, b"seven", 1, 0);
    let mut reader = machine.reader();
    read_one(&mut reader, 7);
    fs::remove_dir_all(machine.sysroot.path("/proc/7")).unwrap();
    assert_eq!(read_one(&mut reader, 7), ProcessReading::absent(7, Absent::Gone));
}

#[test]
fn a_process_that_ends_while_it_is_read_has_numbers_and_no_identity() {
    let machine = Machine::new();
    machine.process(7, b"seven", 1, 0);
    fs::remove_file(machine.sysroot.path("/proc/7/cmdline")).unwrap();
    let mut reader = machine.reader();
    let reading = read_one(&mut reader, 7);
    assert_eq!(reading.identity, Err(Absent::Gone));
    assert_eq!(reading.run_time_seconds, Ok(999.0));
    machine.write("/proc/7/cmdline", "seven");
    assert!(read_one(&mut reader, 7).identity.is_ok(), "an absent identity is asked for again");
}

#[test]
fn what_is_missing_in_a_container_is_outside_it() {
    for (namespace, why) in
        [("pid:[4026531836]", Absent::Gone), ("pid:[4026532999]", Absent::OtherNamespace)]
    {
        let machine = Machine::new();
        machine.process(7, b"seven", 1, 0);
        let link = machine.sysroot.path("/proc/self/ns/pid");
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(namespace, link).unwrap();
        let mut reader = machine.reader();
        reader.read(&[7, 4711]);
        fs::remove_dir_all(machine.sysroot.path("/proc/7")).unwrap();
        let reasons = reader.read(&[7, 4711]).iter().map(|reading| reading.identity.clone());
        assert_eq!(reasons.collect::<Vec<_>>(), [Err(Absent::Gone), Err(why)]);
    }
}

#[test]
fn a_file_that_makes_no_sense_is_no_number() {
    let machine = Machine::new();
    machine.write("/proc/7/stat", "");
    assert_eq!(read_one(&mut machine.reader(), 7), ProcessReading::absent(7, Absent::OutOfRange));
}

#[test]
fn without_the_boot_there_is_no_start() {
    let machine = Machine::new();
    machine.process(7, b"seven", 1, 0);
    fs::remove_file(machine.sysroot.path("/proc/stat")).unwrap();
    fs::remove_file(machine.sysroot.path("/proc/uptime")).unwrap();
    let reading = read_one(&mut machine.reader(), 7);
    assert_eq!(reading.identity, Err(Absent::NotFound));
    assert_eq!(reading.run_time_seconds, Err(Absent::NotFound));
    assert!(reading.resident_memory_bytes.is_ok());
}

#[test]
fn an_uptime_that_is_no_number_is_not_believed() {
    let machine = Machine::new();
    machine.process(7, b"seven", 1, 0);
    for text in ["", "NaN 1.0", "inf 1.0", "soon"] {
        machine.write("/proc/uptime", text);
        let reading = read_one(&mut machine.reader(), 7);
        assert_eq!(reading.run_time_seconds, Err(Absent::OutOfRange), "{text:?}");
    }
}

#[test]
fn a_start_in_the_future_is_not_believed() {
    let stat = ProcessStat { name: b"", cpu_ticks: 0, start_ticks: 500, resident_pages: 0 };
    let start_s = 500.0 / clock_ticks_per_second() as f64;
    assert_eq!(run_time_seconds(start_s - 0.001, &stat), Ok(0.0));
    assert_eq!(run_time_seconds(start_s - 1.0, &stat), Err(Absent::OutOfRange));
}

/// A process that does not outlive the test.
struct Sleeper(Child);

impl Sleeper {
    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn a_real_process_lives_and_ends() {
    let mut sleeper = Sleeper(Command::new("sleep").arg("1000").spawn().unwrap());
    let pid = sleeper.0.id();
    let clock = Arc::new(SystemClock);
    let mut reader = ProcessReader::new(Sysroot::default(), clock);
    let mut reading = read_one(&mut reader, pid);
    // A child in the midst of exec has neither arguments nor memory yet.
    let is_ready = |reading: &ProcessReading| {
        let has_command = |identity: &Arc<ProcessIdentity>| !identity.command.starts_with('[');
        reading.identity.as_ref().is_ok_and(has_command)
            && reading.resident_memory_bytes.is_ok_and(|bytes| bytes > 0.0)
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_ready(&reading) && Instant::now() < deadline {
        std::thread::yield_now();
        reading = read_one(&mut reader, pid);
    }
    let identity = reading.identity.unwrap();
    assert_eq!(identity.user_id, rustix::process::geteuid().as_raw());
    assert!(identity.command.ends_with("sleep 1000"), "{identity:?}");
    assert!(reading.resident_memory_bytes.unwrap() > 0.0);
    assert!((0.0..60.0).contains(&reading.run_time_seconds.unwrap()));
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    assert!(identity.start_unix_s.abs_diff(now) < 60);
    assert!(read_one(&mut reader, pid).cpu_percent.unwrap() >= 0.0);

    assert!(exists(pid));
    sleeper.end();
    assert_eq!(read_one(&mut reader, pid), ProcessReading::absent(pid, Absent::Gone));
}

#[test]
fn no_machine_has_these_processes() {
    for pid in [0, u32::MAX, i32::MAX as u32] {
        assert!(!exists(pid));
    }
}

proptest! {
    #[test]
    fn arguments_come_back(arguments in proptest::collection::vec("[a-zé-]{1,9}", 1..5)) {
        let text = arguments.join("\0") + "\0";
        prop_assert_eq!(command_line(text.as_bytes()), Some(arguments.join(" ")));
    }

    #[test]
    fn any_command_line_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let is_empty = bytes.iter().all(|&byte| byte == 0);
        prop_assert_eq!(command_line(&bytes).is_none(), is_empty);
    }
}
