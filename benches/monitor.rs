//! What the monitor costs, from outside: the program in a terminal of 180x50, 8 GPUs, 16 real processes, a sample a
//! second. Prints a table for BENCHMARKS.md; takes three minutes.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "the table is the purpose")]

mod machine;

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use fake_nvml::Fake;
use machine::{Processes, median, milliseconds, row, scenario};
use nvsdk_top::app::{Event, State, update};
use nvsdk_top::config::{Config, Keymap};
use nvsdk_top::model::{MetricSet, Watch};
use nvsdk_top::source::demo::{Demo, PRESETS};
use nvsdk_top::source::{Feed, ManualClock, Patience, Request};
use nvsdk_top::store::Store;
use nvsdk_top::theme::{Depth, Glyphs, Theme};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

const SIZE: PtySize = PtySize { rows: 50, cols: 180, pixel_width: 0, pixel_height: 0 };
/// What ends every frame.
const FRAME_END: &[u8] = b"\x1b[?2026l";
const LIMIT: Duration = Duration::from_secs(20);
/// The temperature of one GPU never comes back.
const HANG: &str =
    "[[fault]]\nfn = \"nvmlDeviceGetTemperatureV\"\ngpu = 3\nhang = \"until-released\"\n";

/// The program, and when its bytes came.
struct Monitor {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    chunks: Receiver<(Instant, Vec<u8>)>,
    bytes: Arc<AtomicU64>,
    started: Instant,
    _master: Box<dyn MasterPty + Send>,
    _scenario: tempfile::NamedTempFile,
}

impl Monitor {
    fn start(fake: &Path, scenario: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), scenario).unwrap();
        let pair = native_pty_system().openpty(SIZE).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_nvsdk-top"));
        command.arg("--nvml-lib");
        command.arg(fake);
        command.env_clear();
        for (name, value) in
            [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")]
        {
            command.env(name, value);
        }
        command.env("FAKE_NVML_SCENARIO", file.path());
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (sender, chunks) = channel();
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                counted.fetch_add(length as u64, Ordering::Relaxed);
                if sender.send((Instant::now(), buffer[..length].to_vec())).is_err() {
                    return;
                }
            }
        });
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        let (master, scenario) = (pair.master, file);
        Self { child, keys, chunks, bytes, started, _master: master, _scenario: scenario }
    }

    /// When the next chunk came that has this in it.
    fn wait_for(&self, mark: &[u8]) -> Instant {
        let mut seen = Vec::new();
        loop {
            let (at, chunk) = self.chunks.recv_timeout(LIMIT).unwrap();
            seen.extend(chunk);
            if contains(&seen, mark) {
                return at;
            }
        }
    }

    /// Takes what has come.
    fn drain(&self) {
        while self.chunks.try_recv().is_ok() {}
    }

    /// The time from a key to the end of the frame that shows it.
    fn key(&mut self, key: &str) -> f64 {
        self.drain();
        let sent = Instant::now();
        self.keys.write_all(key.as_bytes()).unwrap();
        milliseconds(self.wait_for(FRAME_END) - sent)
    }

    /// A median of many keys, none of which falls together with a tick for long.
    fn keys(&mut self) -> f64 {
        let one = |number: usize| {
            std::thread::sleep(Duration::from_millis(130));
            self.key(if number.is_multiple_of(2) { "\x1b[B" } else { "\x1b[A" })
        };
        median((0..30).map(one).collect())
    }

    /// The time from `q` until the process has ended.
    fn quit(&mut self) -> f64 {
        let sent = Instant::now();
        self.keys.write_all(b"q").unwrap();
        while self.child.try_wait().unwrap().is_none() {
            assert!(sent.elapsed() < LIMIT);
            std::thread::sleep(Duration::from_micros(200));
        }
        milliseconds(sent.elapsed())
    }

    fn file(&self, name: &str) -> String {
        let pid = self.child.process_id().unwrap();
        std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap()
    }

    /// The processor time of all threads, in milliseconds.
    fn cpu(&self) -> f64 {
        let pid = self.child.process_id().unwrap();
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let spent = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.unwrap().path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<f64>().ok()
        });
        spent.sum::<f64>() / 1e6
    }

    /// Resident memory in MiB.
    fn memory(&self) -> f64 {
        let status = self.file("status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

fn contains(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark)
}

/// The memory of this process, in MiB.
fn own_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// What a day of samples adds to what a minute takes, in MiB.
fn growth_in_a_day() -> f64 {
    let clock = Arc::new(ManualClock::at(0));
    let mut feed = Feed::new(Box::new(Demo::new(&PRESETS[0], Arc::clone(&clock) as _)));
    let theme = Theme::load("nvsdk-dark", None, Depth::TrueColor).0;
    let (config, keymap) = (Config::default(), Keymap::default());
    let mut state = State::new(config, keymap, theme, &Glyphs::UNICODE, None, (180, 50));
    let patience = Patience::Tick { interval: Duration::from_secs(1) };
    let request = Request { metrics: MetricSet::all(), processes: true, patience };
    let mut watch = |seconds: u32| {
        for _ in 0..seconds {
            clock.advance(Duration::from_secs(1));
            let snapshot = feed.next(&request).unwrap();
            update(&mut state, Event::Sampled(snapshot), &mut Vec::new());
        }
        own_memory()
    };
    let minute = watch(60);
    watch(24 * 3600) - minute
}

/// The time that the health rules take for a sample of 8 GPUs with minutes of history, in microseconds.
fn health_rules() -> f64 {
    const LOOKS: u32 = 2000;
    let clock = Arc::new(ManualClock::at(0));
    let mut feed = Feed::new(Box::new(Demo::new(&PRESETS[0], Arc::clone(&clock) as _)));
    let (mut store, mut watch) = (Store::new(Duration::from_secs(1)), Watch::default());
    let patience = Patience::Tick { interval: Duration::from_secs(1) };
    let request = Request { metrics: MetricSet::all(), processes: true, patience };
    let runs = (0..200).map(|_| {
        clock.advance(Duration::from_secs(1));
        let snapshot = feed.next(&request).unwrap();
        store.push(&snapshot.sample, &snapshot.inventory);
        let before = Instant::now();
        for _ in 0..LOOKS / 200 {
            watch.look(&snapshot.inventory, &snapshot.sample, &store);
        }
        milliseconds(before.elapsed()) * 1000.0 / f64::from(LOOKS / 200)
    });
    median(runs.collect())
}

fn main() {
    if std::env::args().any(|argument| argument == "health") {
        println!("{:.1} µs", health_rules());
        return;
    }
    // Loading it finds the library that lies beside the benches.
    let fake = Fake::preset("h100").unwrap();
    let processes = Processes::start(16);
    let plain = scenario(&processes, "");

    let starts: Vec<_> = (0..15)
        .map(|_| {
            let mut monitor = Monitor::start(fake.path(), &plain);
            let (first, chunk) = monitor.chunks.recv_timeout(LIMIT).unwrap();
            let is_whole = contains(&chunk, FRAME_END);
            let frame = if is_whole { first } else { monitor.wait_for(FRAME_END) };
            let times = (first - monitor.started, frame - monitor.started);
            monitor.quit();
            times
        })
        .collect();
    let first_byte = median(starts.iter().map(|(byte, _)| milliseconds(*byte)).collect());
    let first_frame = median(starts.iter().map(|(_, frame)| milliseconds(*frame)).collect());

    let mut monitor = Monitor::start(fake.path(), &plain);
    std::thread::sleep(Duration::from_secs(6));
    let windows: Vec<_> = (0..5)
        .map(|_| {
            let (cpu, bytes) = (monitor.cpu(), monitor.bytes.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_secs(12));
            let written = monitor.bytes.load(Ordering::Relaxed) - bytes;
            ((monitor.cpu() - cpu) / 12.0, written as f64 / 12.0 / 1000.0)
        })
        .collect();
    let cpu = median(windows.iter().map(|(cpu, _)| *cpu).collect());
    let written = median(windows.iter().map(|(_, written)| *written).collect());
    let memory = monitor.memory();
    let key = monitor.keys();
    monitor.quit();

    let mut hanging = Monitor::start(fake.path(), &scenario(&processes, HANG));
    std::thread::sleep(Duration::from_secs(7));
    let key_in_hang = hanging.keys();
    let quit_in_hang = hanging.quit();

    println!("| what | budget | measured |");
    println!("|---|---|---|");
    row("CPU a tick, all threads", "1.2 ms", &format!("{cpu:.2} ms"));
    row("from start to the first byte", "8 ms", &format!("{first_byte:.1} ms"));
    row("from start to the first whole frame", "15 ms", &format!("{first_frame:.1} ms"));
    row("memory after a minute", "12 MiB", &format!("{memory:.1} MiB"));
    let day = memory + growth_in_a_day();
    row("memory with a day of history", "30 MiB", &format!("{day:.1} MiB"));
    row("written to the terminal", "3.5 KB/s", &format!("{written:.1} KB/s"));
    row("health rules, for 8 GPUs", "20 µs", &format!("{:.0} µs", health_rules()));
    row("a key on the screen", "1 ms", &format!("{key:.2} ms"));
    row("the same while one GPU's call hangs", "16 ms", &format!("{key_in_hang:.2} ms"));
    row("`q` until the end, then too", "200 ms", &format!("{quit_in_hang:.1} ms"));
}
