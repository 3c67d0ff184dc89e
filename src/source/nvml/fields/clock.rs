//! The driver's timestamps on our own clock.

/// Finds out by how much the driver's clock differs from ours, which runs evenly and is never set.
///
/// Of all the differences that are seen, the smallest is the true one: between the driver's reading and ours some time
/// always passes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DriverClock {
    offset: Option<Offset>,
}

#[derive(Clone, Copy, Debug)]
struct Offset {
    /// Ours less theirs, in microseconds.
    us: i64,
    /// When it was last looked at, on our clock.
    at_us: u64,
    /// The timestamp then, and what it was taken for.
    last: (i64, u64),
}

/// A difference this much larger than before is no delay: the driver's clock was set, stands still, or is none.
const SET_US: i64 = 500_000;
/// How fast two clocks can drift apart: one part in so many.
const DRIFT: u64 = 2000;

impl DriverClock {
    /// The time on our clock that a timestamp stands for; now, where it cannot be believed.
    pub(super) fn ours(&mut self, timestamp_us: i64, now_us: u64) -> u64 {
        let Some(seen) = i64::try_from(now_us).ok().and_then(|now| now.checked_sub(timestamp_us))
        else {
            return now_us;
        };
        // The same reading once more has the same time.
        if let Some(Offset { last: (stamp_us, ours), .. }) = self.offset
            && stamp_us == timestamp_us
            && now_us.saturating_sub(ours) < SET_US.unsigned_abs()
        {
            return ours;
        }
        let known = self.offset.map(|offset| offset.after(now_us));
        let us = match known {
            Some(known) if timestamp_us > 0 && seen.saturating_sub(known) < SET_US => {
                known.min(seen)
            }
            _ => seen,
        };
        let ours = timestamp_us.checked_add(us).and_then(|ours| u64::try_from(ours).ok());
        let ours = ours.map_or(now_us, |ours| ours.min(now_us));
        self.offset = Some(Offset { us, at_us: now_us, last: (timestamp_us, ours) });
        ours
    }
}

impl Offset {
    /// What it may have become by drifting.
    fn after(self, now_us: u64) -> i64 {
        let drift = now_us.saturating_sub(self.at_us) / DRIFT;
        self.us.saturating_add(i64::try_from(drift).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::DriverClock;
    use proptest::prelude::*;

    const UNIX: i64 = 1_767_225_600_000_000;

    #[test]
    fn what_the_driver_read_earlier_has_its_own_time() {
        let mut clock = DriverClock::default();
        assert_eq!(clock.ours(UNIX, 1_000_000), 1_000_000);
        assert_eq!(clock.ours(UNIX + 900_000, 2_000_000), 1_900_500, "drift apart");
        assert_eq!(clock.ours(UNIX + 2_000_000, 3_000_000), 3_000_000);
    }

    #[test]
    fn a_clock_that_counts_from_the_start_of_the_machine_will_do() {
        let mut clock = DriverClock::default();
        assert_eq!(clock.ours(5_000_000, 1_000_000), 1_000_000);
        assert_eq!(clock.ours(5_990_000, 2_000_000), 1_990_500);
    }

    #[test]
    fn the_same_reading_once_more_has_the_same_time() {
        let mut clock = DriverClock::default();
        assert_eq!(clock.ours(UNIX, 1_000_000), 1_000_000);
        assert_eq!(clock.ours(UNIX, 1_400_000), 1_000_000);
        assert_eq!(clock.ours(UNIX, 1_600_000), 1_600_000, "it stands still");
    }

    #[test]
    fn a_clock_that_was_set_or_stands_still_is_not_believed() {
        let mut clock = DriverClock::default();
        clock.ours(UNIX, 1_000_000);
        assert_eq!(clock.ours(UNIX - 3_600_000_000, 2_000_000), 2_000_000, "set back");
        assert_eq!(clock.ours(UNIX + 3_600_000_000, 3_000_000), 3_000_000, "set forward");
        for second in 4..10 {
            assert_eq!(clock.ours(0, second * 1_000_000), second * 1_000_000, "none");
        }
    }

    proptest! {
        #[test]
        fn it_is_never_later_than_now(stamps in proptest::collection::vec((any::<i64>(), any::<u64>()), 1..20)) {
            let mut clock = DriverClock::default();
            for (stamp, now_us) in stamps {
                prop_assert!(clock.ours(stamp, now_us) <= now_us);
            }
        }
    }
}
