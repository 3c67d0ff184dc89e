//! Time as a parameter, so that tests never sleep.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// Two readings of time: one for differences, one for people.
pub trait Clock: Send + Sync {
    /// Microseconds that never go back.
    fn monotonic_us(&self) -> u64;
    /// Microseconds since 1970.
    fn unix_us(&self) -> u64;
}

/// The machine's clocks. The one for differences goes on while the machine is suspended, so that a suspend is a gap.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn monotonic_us(&self) -> u64 {
        let now = clock_gettime(ClockId::Boottime);
        let parts = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
        let (Ok(seconds), Ok(nanoseconds)) = parts else { return 0 };
        seconds * 1_000_000 + nanoseconds / 1000
    }

    fn unix_us(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, micros)
    }
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
