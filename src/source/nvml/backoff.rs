//! How long to wait before what failed is tried again.

/// A wait in microseconds that doubles every time that it was in vain.
pub(super) struct Backoff {
    pub(super) next_us: u64,
    longest_us: u64,
}

impl Backoff {
    /// Before the driver is opened again.
    pub(super) fn of_driver() -> Self {
        Self { next_us: 1_000_000, longest_us: 30_000_000 }
    }

    /// Opening the driver anew costs the other GPUs some ticks, so a GPU that stays lost is tried less and less often.
    pub(super) fn of_lost_gpu() -> Self {
        Self { next_us: 30_000_000, longest_us: 600_000_000 }
    }

    /// The wait that is due now.
    pub(super) fn take(&mut self) -> u64 {
        let wait_us = self.next_us;
        self.next_us = (wait_us * 2).min(self.longest_us);
        wait_us
    }
}
