//! Time as a parameter, so that tests never sleep.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::model::{Absent, Fact};

/// Two readings of time: one for differences, one for people.
pub trait Clock: Send + Sync {
    /// Microseconds that never go back.
    fn monotonic_us(&self) -> u64;
    /// The same clock in nanoseconds, to measure what is short.
    fn monotonic_ns(&self) -> u64 {
        self.monotonic_us().saturating_mul(1000)
    }
    /// Processor time that this program has used, in microseconds.
    ///
    /// # Errors
    /// [`Absent::NotSupported`] for a clock that is not the machine's.
    fn cpu_us(&self) -> Fact<u64> {
        Err(Absent::NotSupported)
    }
    /// Microseconds since 1970.
    fn unix_us(&self) -> u64;
    /// Microseconds since the machine started, without those that it was suspended: the time of the kernel log.
    fn uptime_us(&self) -> u64 {
        self.monotonic_us()
    }
}

/// The machine's clocks. The one for differences goes on while the machine is suspended, so that a suspend is a gap.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn monotonic_us(&self) -> u64 {
        self.monotonic_ns() / 1000
    }

    fn monotonic_ns(&self) -> u64 {
        nanoseconds(ClockId::Boottime)
    }

    fn cpu_us(&self) -> Fact<u64> {
        Ok(nanoseconds(ClockId::ProcessCPUTime) / 1000)
    }

    fn unix_us(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, micros)
    }

    fn uptime_us(&self) -> u64 {
        nanoseconds(ClockId::Monotonic) / 1000
    }
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    let parts = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    let (Ok(seconds), Ok(nanoseconds)) = parts else { return 0 };
    seconds * 1_000_000_000 + nanoseconds
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock {
    start_unix_us: u64,
    elapsed_us: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at this many microseconds since 1970.
    #[must_use]
    pub fn at(start_unix_us: u64) -> Self {
        Self { start_unix_us, elapsed_us: AtomicU64::new(0) }
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: std::time::Duration) {
        self.elapsed_us.fetch_add(micros(duration), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn monotonic_us(&self) -> u64 {
        self.elapsed_us.load(Ordering::Relaxed)
    }

    fn unix_us(&self) -> u64 {
        self.start_unix_us + self.monotonic_us()
    }
}
