//! When the next sample is due. Time is a parameter.

use std::time::{Duration, Instant};

/// Samples that are asked for by hand are at least so far apart: a key that is held down repeats faster than that.
const LEAST_APART: Duration = Duration::from_millis(250);
/// What could not be read is tried again after so long, however long the interval is.
const SOON: Duration = Duration::from_secs(1);

/// Samples at the start and then at multiples of the interval; a sample that comes late is not made up for.
pub(super) struct Rhythm {
    interval: Duration,
    due: Instant,
    /// When the last sample was taken.
    last: Option<Instant>,
}

impl Rhythm {
    /// The first sample is due at once.
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self { interval, due: now, last: None }
    }

    /// How long it is until the next sample.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.due.saturating_duration_since(now)
    }

    pub(super) fn set_interval(&mut self, interval: Duration, now: Instant) {
        self.interval = interval;
        self.due = self.due.min(now + interval);
    }

    /// The user wants a sample now.
    pub(super) fn hurry(&mut self, now: Instant) {
        let earliest = self.last.map_or(now, |last| last + LEAST_APART);
        self.due = self.due.min(earliest.max(now));
    }

    /// A sample was taken; one that is not whole is soon followed by the next.
    pub(super) fn sampled(&mut self, is_whole: bool, now: Instant) {
        self.last = Some(now);
        let step = if is_whole { self.interval } else { self.interval.min(SOON) };
        while self.due <= now {
            self.due += step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rhythm;
    use std::time::{Duration, Instant};

    const MINUTE: Duration = Duration::from_secs(60);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn samples_come_at_multiples_and_late_ones_are_passed_over() {
        let start = Instant::now();
        let mut rhythm = Rhythm::new(ms(1000), start);
        assert_eq!(rhythm.left(start), ms(0));
        rhythm.sampled(true, start + ms(30));
        assert_eq!(rhythm.left(start + ms(30)), ms(970));
        rhythm.sampled(true, start + ms(3200));
        assert_eq!(rhythm.left(start + ms(3200)), ms(800));
    }

    #[test]
    fn what_is_not_whole_is_tried_again_soon_whatever_the_interval() {
        let start = Instant::now();
        for (interval, next) in [(MINUTE * 60, ms(1000)), (ms(250), ms(250))] {
            let mut rhythm = Rhythm::new(interval, start);
            rhythm.sampled(false, start);
            assert_eq!(rhythm.left(start), next);
            rhythm.sampled(true, start + next);
            assert_eq!(rhythm.left(start + next), interval);
        }
    }

    #[test]
    fn a_key_that_is_held_down_gives_four_samples_a_second() {
        let start = Instant::now();
        let mut rhythm = Rhythm::new(MINUTE, start);
        let mut samples = 0;
        for now in (0..1000).map(|now| start + ms(now)) {
            rhythm.hurry(now);
            if rhythm.left(now).is_zero() {
                samples += 1;
                rhythm.sampled(true, now);
            }
        }
        assert_eq!(samples, 4);
    }

    #[test]
    fn a_shorter_interval_counts_from_now() {
        let start = Instant::now();
        let mut rhythm = Rhythm::new(MINUTE, start);
        rhythm.sampled(true, start);
        rhythm.set_interval(ms(500), start + ms(10_000));
        assert_eq!(rhythm.left(start + ms(10_000)), ms(500));
        rhythm.set_interval(MINUTE, start + ms(10_100));
        assert_eq!(rhythm.left(start + ms(10_100)), ms(400));
    }
}
