//! The log file: what happened to the driver and its GPUs, one line each, for who reads it the next morning.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};

use crate::app::Event;
use crate::model::{
    Gpu, GpuEvent, GpuSample, GpuState, Inventory, KernelModule, Sample, printable, rfc3339,
};
use crate::source::{Clock, Snapshot, SystemClock};

/// The log of one run. A thread of its own writes it, since a file may lie on a disk that is slow or gone.
pub(super) struct Log {
    lines: Sender<String>,
    told: Told,
}

impl Log {
    /// Adds to the file, or makes it.
    ///
    /// # Errors
    /// Where the file cannot be opened, or no thread is to be had.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let (lines, written) = mpsc::channel();
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write(file, &written))?;
        let log = Self { lines, told: Told::default() };
        log.say(&format!("nvsdk-top {} starts", env!("CARGO_PKG_VERSION")));
        Ok(log)
    }

    /// Writes down what an event tells that is new.
    pub(super) fn hear(&mut self, event: &Event) {
        for line in self.told.news(event) {
            self.say(&line);
        }
    }

    /// Writes a line with the time before it. A disk that is full is no reason to stop the monitor.
    pub(super) fn say(&self, line: &str) {
        let time = rfc3339(SystemClock.unix_us());
        drop(self.lines.send(format!("{time} {}\n", printable(line))));
    }
}

fn write(mut file: File, lines: &Receiver<String>) {
    for line in lines {
        drop(file.write_all(line.as_bytes()));
    }
}

/// What was said last, so that nothing is said twice.
#[derive(Default)]
struct Told {
    /// Why there are no samples; empty while there are.
    outage: Option<String>,
    driver: Option<String>,
    gpus: Vec<String>,
    errors: Vec<String>,
}

impl Told {
    /// The lines for what this event tells that is new.
    fn news(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::Sampled(snapshot) => self.sampled(snapshot),
            Event::Opening(sentence) => self.down(sentence, &[]),
            Event::Outage(outage) => self.down(&outage.message, &outage.findings),
            _ => Vec::new(),
        }
    }

    fn down(&mut self, message: &str, findings: &[String]) -> Vec<String> {
        if self.outage.as_deref() == Some(message) {
            return Vec::new();
        }
        *self = Self { outage: Some(message.to_owned()), ..Self::default() };
        let found = findings.iter().map(|finding| format!("found: {finding}"));
        std::iter::once(format!("no samples: {message}")).chain(found).collect()
    }

    fn sampled(&mut self, Snapshot { inventory, sample, .. }: &Snapshot) -> Vec<String> {
        self.outage = None;
        let module = match inventory.driver.kernel_module {
            Ok(KernelModule::Open) => " (open)",
            Ok(KernelModule::Proprietary) => " (proprietary)",
            Err(_) => "",
        };
        let version = inventory.driver.version.as_deref().unwrap_or("of unknown version");
        let driver = format!("driver {version}{module}, {} GPUs", inventory.gpus.len());
        let mut lines = Vec::new();
        if self.driver.as_ref() != Some(&driver) {
            lines.push(driver.clone());
            self.driver = Some(driver);
            self.gpus.clear();
        }
        self.gpus.resize(sample.gpus.len(), "live".to_owned());
        for ((told, gpu), now) in self.gpus.iter_mut().zip(&inventory.gpus).zip(&sample.gpus) {
            let state = state(now);
            if *told != state {
                lines.push(format!("{}: {state}", name(gpu)));
                *told = state;
            }
        }
        lines.extend(self.errors(sample));
        lines.extend(sample.events.new.iter().map(|event| told(event, inventory)));
        lines
    }

    fn errors(&mut self, sample: &Sample) -> Vec<String> {
        let now: Vec<_> = sample
            .errors
            .iter()
            .map(|error| match error.gpu {
                Some(gpu) => format!("GPU {gpu}: {}", error.message),
                None => error.message.clone(),
            })
            .collect();
        let new = now.iter().filter(|error| !self.errors.contains(error)).cloned().collect();
        self.errors = now;
        new
    }
}

/// What happened, with its own time, which may be long before the program's start.
fn told(event: &GpuEvent, inventory: &Inventory) -> String {
    let gpu = event.gpu.and_then(|position| inventory.gpus.get(position));
    let device = match (gpu, event.pci) {
        (Some(gpu), _) => name(gpu),
        (None, Some(address)) => address.to_string(),
        (None, None) => "some device".to_owned(),
    };
    let process = match (event.pid, event.process.as_deref()) {
        (Some(pid), Some(name)) => format!(", process {pid} {name}"),
        (Some(pid), None) => format!(", process {pid}"),
        (None, _) => String::new(),
    };
    let message = event.message.as_deref().map(|words| format!(": {words}")).unwrap_or_default();
    let (time, title, source) = (rfc3339(event.unix_us), event.title(), event.source.text());
    format!("event of {time}: {device}: {title}{process}{message} ({source})")
}

fn name(gpu: &Gpu) -> String {
    let words = [gpu.pci_bus_id.as_deref(), gpu.uuid.as_deref()];
    let words: Vec<_> = words.into_iter().flatten().collect();
    format!("GPU {} {}", gpu.index, words.join(" "))
}

/// A state without its age, which changes all the time.
fn state(gpu: &GpuSample) -> String {
    match &gpu.state {
        GpuState::Live => "live".to_owned(),
        GpuState::Asleep { .. } => "asleep".to_owned(),
        GpuState::LetGo { .. } => "let go, so that it can sleep".to_owned(),
        GpuState::Stale { call: Some(call), .. } => format!("stale, in {call}"),
        GpuState::Stale { call: None, .. } => "stale".to_owned(),
        GpuState::Stuck { call, .. } => format!("stuck in {call}"),
        GpuState::Refused { why } => format!("refused: {}", why.sentence()),
        GpuState::Lost { .. } => "off the bus".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Log, Told};
    use crate::app::{Event, Outage};
    use crate::model::{GpuState, MetricSet};
    use crate::source::demo::{Demo, PRESETS};
    use crate::source::{ManualClock, Patience, Request, Snapshot, Source};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn snapshot() -> Snapshot {
        let mut demo = Demo::new(&PRESETS[0], Arc::new(ManualClock::at(0)));
        let patience = Patience::Quick { limit: Duration::from_secs(1) };
        demo.sample(&Request { metrics: MetricSet::all(), processes: false, patience }).unwrap()
    }

    #[test]
    fn what_changes_is_said_once() {
        let (mut told, mut now) = (Told::default(), snapshot());
        let mut hear = |event: Event| told.news(&event);
        let outage = || {
            let (message, findings) = ("no driver".to_owned(), vec!["PCI: nothing".to_owned()]);
            Event::Outage(Arc::new(Outage { message, findings }))
        };
        assert_eq!(hear(outage()), ["no samples: no driver", "found: PCI: nothing"]);
        assert!(hear(outage()).is_empty());
        let sampled = |now: &Snapshot| Event::Sampled(Arc::new(now.clone()));
        let lines = hear(sampled(&now));
        assert_eq!((lines.len(), &*lines[0]), (2, "driver 580.95.05 (open), 8 GPUs"));
        assert!(lines[1].starts_with("event of 1970-01-01T00:00:00.000000Z: GPU 7 0000:db:00.0 "));
        let end = ": Xid 63: memory row remapped: Row Remapper: New row marked for remapping (kernel log)";
        assert!(lines[1].ends_with(end), "{}", lines[1]);
        now.sample.events.new.clear();
        assert!(hear(sampled(&now)).is_empty());
        for age_us in [5_000_000, 6_000_000] {
            now.sample.gpus[3].state = GpuState::Stuck { age_us, call: "nvmlX".into() };
            let lines = hear(sampled(&now));
            let is_news = age_us == 5_000_000;
            assert_eq!(lines.len(), usize::from(is_news), "{lines:?}");
            assert!(lines.iter().all(|line| line.ends_with(": stuck in nvmlX")), "{lines:?}");
        }
        now.sample.gpus[3].state = GpuState::Live;
        assert!(hear(sampled(&now))[0].ends_with(": live"));
    }

    #[test]
    fn lines_are_added_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("monitor.log");
        std::fs::write(&path, "before\n").unwrap();
        Log::open(&path).unwrap().say("a\x1b[2Jb");
        let start = Instant::now();
        loop {
            let text = std::fs::read_to_string(&path).unwrap();
            if text.ends_with("Z a\\u{1b}[2Jb\n") {
                assert!(text.starts_with("before\n20"), "{text}");
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{text}");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(Log::open(folder.path()).is_err(), "a folder is no file");
    }
}
