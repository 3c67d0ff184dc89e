//! What several test binaries share.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod docs;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_nvml::Fake;
use nvsdk_top::model::{GpuSample, Metric, MetricSet, Sample, Sysroot};
use nvsdk_top::source::nvml::{NvmlOptions, NvmlSource};
use nvsdk_top::source::{Feed, ManualClock, Patience, Request, Snapshot, SourceError, SystemClock};

/// 2026-01-01T00:00:00Z, where the clocks of the tests stand at first.
pub(crate) const START_UNIX_US: u64 = 1_767_225_600_000_000;
/// No wait takes longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A fake driver with a source that reads it, on clocks that move together.
pub(crate) struct Machine {
    pub(crate) fake: Fake,
    clock: Arc<ManualClock>,
    options: NvmlOptions,
    feed: Feed,
    pub(crate) sysroot: tempfile::TempDir,
}

impl Machine {
    pub(crate) fn preset(name: &str) -> Self {
        Self::new(Fake::preset(name).unwrap(), tempfile::tempdir().unwrap())
    }

    pub(crate) fn scenario(toml: &str) -> Self {
        Self::new(Fake::scenario(toml).unwrap(), tempfile::tempdir().unwrap())
    }

    /// A source whose `/proc` and `/sys` are those of `sysroot`.
    pub(crate) fn new(fake: Fake, sysroot: tempfile::TempDir) -> Self {
        let root = Sysroot::new(sysroot.path());
        Self::with_sysroot(fake, sysroot, root)
    }

    /// A source that looks at the real `/proc`, for tests with real processes.
    pub(crate) fn with_real_proc(toml: &str) -> Self {
        let (fake, sysroot) = (Fake::scenario(toml).unwrap(), tempfile::tempdir().unwrap());
        Self::with_sysroot(fake, sysroot, Sysroot::default())
    }

    /// The same machine as the program sees it with `--wake`.
    pub(crate) fn waking(mut self) -> Self {
        self.options.wake = true;
        self.restart();
        self
    }

    /// The same machine with a source that measures in real time.
    pub(crate) fn in_real_time(mut self) -> Self {
        self.options.clock = Arc::new(SystemClock);
        self.restart();
        self
    }

    /// Tells the source to read GPUs that sleep too.
    pub(crate) fn wake(&mut self) {
        self.feed.wake();
    }

    fn with_sysroot(fake: Fake, sysroot: tempfile::TempDir, root: Sysroot) -> Self {
        let clock = Arc::new(ManualClock::at(START_UNIX_US));
        let library = Some(fake.path().to_owned());
        let options = NvmlOptions { library, sysroot: root, clock: clock.clone(), wake: false };
        let feed = Feed::new(Box::new(NvmlSource::new(options.clone())));
        Self { fake, clock, options, feed, sysroot }
    }

    /// A new source for the same driver, as if the program were started again.
    pub(crate) fn restart(&mut self) {
        self.feed = Feed::new(Box::new(NvmlSource::new(self.options.clone())));
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.fake.advance(by);
    }

    /// A sample of everything, waited for.
    pub(crate) fn whole(&mut self) -> Result<Snapshot, SourceError> {
        self.sample(Patience::Whole { limit: LIMIT })
    }

    /// A sample of everything from a machine that answers.
    pub(crate) fn sampled(&mut self) -> Sample {
        self.whole().unwrap().sample
    }

    /// One sample of a series.
    pub(crate) fn tick(&mut self) -> Result<Snapshot, SourceError> {
        self.sample(Patience::Tick { interval: Duration::from_secs(1) })
    }

    pub(crate) fn sample(&mut self, patience: Patience) -> Result<Snapshot, SourceError> {
        let request = Request { metrics: MetricSet::all(), processes: true, patience };
        self.request(&request)
    }

    /// What the request asks for.
    pub(crate) fn request(&mut self, request: &Request) -> Result<Snapshot, SourceError> {
        self.feed.next(request).map(Arc::unwrap_or_clone)
    }

    /// Takes samples of a series, a second of the clocks apart, until one satisfies `is_so`.
    pub(crate) fn tick_until(&mut self, is_so: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let start = Instant::now();
        loop {
            if let Ok(snapshot) = self.tick()
                && is_so(&snapshot)
            {
                return snapshot;
            }
            assert!(start.elapsed() < LIMIT, "the condition was not met in {LIMIT:?}");
            self.advance(Duration::from_secs(1));
        }
    }

    /// How often the GPU's driver was called by a function, or by all.
    pub(crate) fn calls(&self, function: Option<&str>, gpu: Option<u32>) -> u64 {
        let counts = self.fake.calls();
        let asked = counts.iter().filter(|count| {
            function.is_none_or(|function| count.function == function)
                && gpu.is_none_or(|gpu| count.gpu == Some(gpu))
        });
        asked.map(|count| count.count).sum()
    }
}

/// The value of a metric, or the id of the reason why there is none.
pub(crate) fn told(gpu: &GpuSample, metric: Metric) -> Result<f64, String> {
    gpu.values.get(metric).value.map_err(|why| why.id().into_owned())
}

/// Writes a file of a test's `/proc` or `/sys`, and the folders above it.
pub(crate) fn write(root: &Path, absolute: &str, text: &str) {
    let path = root.join(absolute.trim_start_matches('/'));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// An NVIDIA GPU in a test's `/sys`, bound to NVIDIA's driver.
pub(crate) fn write_pci_gpu(root: &Path, address: &str, runtime_status: &str) {
    let folder = format!("/sys/bus/pci/devices/{address}");
    write(root, &format!("{folder}/vendor"), "0x10de\n");
    write(root, &format!("{folder}/class"), "0x030000\n");
    write(root, &format!("{folder}/power/runtime_status"), &format!("{runtime_status}\n"));
    let link = root.join(folder.trim_start_matches('/')).join("driver");
    if std::fs::symlink_metadata(&link).is_err() {
        std::fs::create_dir_all(root.join("sys/bus/pci/drivers/nvidia")).unwrap();
        std::os::unix::fs::symlink("../../drivers/nvidia", link).unwrap();
    }
}
