//! The state of one loaded copy: scenario, clock, reference count, log.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::cast;
use crate::event_sets::EventSets;
use crate::log::{Log, lock};
use crate::presets::preset_toml;
use crate::scenario::{ClockKind, TimestampBase};
use crate::source::Source;
use crate::world::World;

/// Where a virtual clock starts, unless a scenario says otherwise (in November 2025).
const START_UNIX_US: u64 = 1_764_000_000_000_000;
/// How long the machine had been up at the clock's zero.
const UPTIME_AT_ZERO_US: u64 = 3_600_000_000;
/// How often the counts are written out for another process, at the most.
const REPORT_EVERY: Duration = Duration::from_millis(50);

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::from_environment);

/// This copy's state; the first call makes it from the environment.
pub(crate) fn library() -> &'static Library {
    &LIBRARY
}

pub(crate) struct Library {
    world: RwLock<World>,
    source: Mutex<Source>,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    pub(crate) gate: Gate,
    pub(crate) init: Init,
    pub(crate) event_sets: EventSets,
    clock_override: Option<ClockKind>,
    reports: Option<Reports>,
}

/// Virtual time moves when it is told to; real time moves by itself as well.
pub(crate) struct Clock {
    real: AtomicBool,
    offset_us: AtomicU64,
    started: Instant,
    started_unix_us: u64,
}

impl Clock {
    fn new() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            real: AtomicBool::new(false),
            offset_us: AtomicU64::new(0),
            started: Instant::now(),
            started_unix_us: micros(unix),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        let offset = self.offset_us.load(Ordering::Acquire);
        if self.is_real() { offset + micros(self.started.elapsed()) } else { offset }
    }

    pub(crate) fn advance(&self, us: u64) {
        self.offset_us.fetch_add(us, Ordering::AcqRel);
    }

    pub(crate) fn is_real(&self) -> bool {
        self.real.load(Ordering::Acquire)
    }
}

/// Where hanging calls wait.
#[derive(Default)]
pub(crate) struct Gate {
    releases: Mutex<u64>,
    opened: Condvar,
}

impl Gate {
    /// Blocks until the next release.
    pub(crate) fn wait(&self) {
        let mut releases = lock(&self.releases);
        let before = *releases;
        while *releases == before {
            releases = self.opened.wait(releases).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn release(&self) {
        *lock(&self.releases) += 1;
        self.opened.notify_all();
    }
}

/// The reference count of nvmlInit, and the driver that it was made with.
#[derive(Default)]
pub(crate) struct Init {
    pub(crate) count: AtomicU32,
    pub(crate) epoch: AtomicU32,
}

impl Library {
    fn from_environment() -> Self {
        let clock_override = match std::env::var("FAKE_NVML_CLOCK").as_deref() {
            Ok("real") => Some(ClockKind::Real),
            Ok("virtual") => Some(ClockKind::Virtual),
            _ => None,
        };
        let reports = std::env::var_os("FAKE_NVML_CALLS");
        let library = Self {
            world: RwLock::default(),
            source: Mutex::default(),
            clock: Clock::new(),
            log: Log::new(),
            gate: Gate::default(),
            init: Init::default(),
            event_sets: EventSets::default(),
            clock_override,
            reports: reports.map(|path| Reports { path: path.into(), last: Mutex::new(None) }),
        };
        let chosen = chosen_scenario();
        if let Some(Err(error)) = chosen.map(|text| text.and_then(|text| library.load(&text))) {
            library.complain(&error);
        }
        library
    }

    /// Makes a broken set-up visible where nobody would ask for the violations.
    fn complain(&self, error: &str) {
        use std::io::Write as _;
        // Nothing can be done about a closed standard error.
        let _ = writeln!(std::io::stderr(), "fake NVML: {error}");
        self.log.violation(error.to_owned());
    }

    /// Replaces the scenario; the clock goes on, handles of before are stale.
    pub(crate) fn load(&self, text: &str) -> Result<(), String> {
        let source = Source::read(text)?;
        let generation = self.world().generation + 1;
        self.install(source, generation)
    }

    /// Lays a scenario over the present one; handles stay good.
    pub(crate) fn update(&self, text: &str) -> Result<(), String> {
        let mut source = lock(&self.source).clone();
        source.update(text)?;
        let generation = self.world().generation;
        self.install(source, generation)
    }

    fn install(&self, source: Source, generation: u32) -> Result<(), String> {
        let world = World::build(source.resolve()?, generation)?;
        let kind = self.clock_override.unwrap_or(world.lib.clock);
        self.clock.real.store(kind == ClockKind::Real, Ordering::Release);
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = world;
        *lock(&self.source) = source;
        Ok(())
    }

    pub(crate) fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver's time stamp for a moment of the clock, in microseconds.
    pub(crate) fn timestamp(&self, world: &World, at: u64) -> u64 {
        match world.lib.timestamp_base {
            TimestampBase::Boot => UPTIME_AT_ZERO_US + at,
            TimestampBase::Unix => self.start_unix_us(world) + at,
        }
    }

    fn start_unix_us(&self, world: &World) -> u64 {
        let real = self.clock.is_real();
        let default = if real { self.clock.started_unix_us } else { START_UNIX_US };
        world.lib.start_unix_us.unwrap_or(default)
    }

    /// Writes the counts to `FAKE_NVML_CALLS` now and then, and whenever `now` is set.
    pub(crate) fn report_calls(&self, now: bool) {
        let Some(reports) = &self.reports else { return };
        let mut last = if now {
            lock(&reports.last)
        } else {
            // Whoever finds another thread writing leaves it to that one.
            let Ok(last) = reports.last.try_lock() else { return };
            last
        };
        if !now && last.is_some_and(|last| last.elapsed() < REPORT_EVERY) {
            return;
        }
        *last = Some(Instant::now());
        let text = serde_json::json!({
            "now_us": self.clock.now(),
            "counts": self.log.counts(),
            "violations": self.log.violations(),
        })
        .to_string();
        // A reader must never see half a file. A folder that is gone is the test's own affair.
        let draft = reports.path.with_extension("draft");
        let _ = std::fs::write(&draft, text).and_then(|()| std::fs::rename(&draft, &reports.path));
    }
}

/// Where another process can read how often it called what.
struct Reports {
    path: PathBuf,
    last: Mutex<Option<Instant>>,
}

/// The scenario that the environment names.
fn chosen_scenario() -> Option<Result<String, String>> {
    if let Some(path) = std::env::var_os("FAKE_NVML_SCENARIO") {
        let path = PathBuf::from(path);
        let read = std::fs::read_to_string(&path);
        return Some(read.map_err(|error| format!("{}: {error}", path.display())));
    }
    let name = std::env::var("FAKE_NVML_PRESET").ok()?;
    let text = preset_toml(&name).map(str::to_owned);
    Some(text.ok_or_else(|| format!("FAKE_NVML_PRESET: `{name}` is not a preset")))
}

fn micros(duration: Duration) -> u64 {
    cast::micros(duration.as_secs_f64())
}
