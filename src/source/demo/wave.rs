//! Shapes in time whose value and whose integral are both known in closed form.

use std::f64::consts::TAU;

/// A level that repeats: straight lines between points of (seconds, level).
///
/// The first point is at 0 s and the last is the period. Two points at the same second make a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wave(pub(super) &'static [(f64, f64)]);

impl Wave {
    /// The level at `t` seconds.
    pub(super) fn at(self, t: f64) -> f64 {
        let phase = t.rem_euclid(self.period());
        let piece = self.pieces().find(|(from, to)| (from.0..to.0).contains(&phase));
        piece.map_or(0.0, |(from, to)| lerp(from.1, to.1, (phase - from.0) / (to.0 - from.0)))
    }

    /// The area under the level from 0 to `t` seconds.
    pub(super) fn integral(self, t: f64) -> f64 {
        let period = self.period();
        (t / period).floor() * self.area_until(period) + self.area_until(t.rem_euclid(period))
    }

    /// Seconds from 0 to `t` in which the level was `threshold` or more.
    pub(super) fn seconds_from(self, threshold: f64, t: f64) -> f64 {
        let period = self.period();
        let until = |phase: f64| -> f64 {
            self.pieces().map(|piece| seconds_of_piece(piece, threshold, phase)).sum()
        };
        (t / period).floor() * until(period) + until(t.rem_euclid(period))
    }

    /// The mean level of the last `window` seconds before `t`.
    pub(super) fn mean(self, t: f64, window: f64) -> f64 {
        (self.integral(t) - self.integral(t - window)) / window
    }

    fn period(self) -> f64 {
        self.0.last().map_or(1.0, |(end, _)| *end)
    }

    fn pieces(self) -> impl Iterator<Item = ((f64, f64), (f64, f64))> {
        self.0
            .iter()
            .copied()
            .zip(self.0.iter().copied().skip(1))
            .filter(|(from, to)| from.0 < to.0)
    }

    fn area_until(self, phase: f64) -> f64 {
        self.pieces()
            .filter(|(from, _)| from.0 < phase)
            .map(|(from, to)| {
                let width = to.0.min(phase) - from.0;
                let end = lerp(from.1, to.1, width / (to.0 - from.0));
                width * f64::midpoint(from.1, end)
            })
            .sum()
    }
}

/// Seconds of a piece up to `phase` in which its level is `threshold` or more.
fn seconds_of_piece((from, to): ((f64, f64), (f64, f64)), threshold: f64, phase: f64) -> f64 {
    let crossing = || from.0 + (to.0 - from.0) * (threshold - from.1) / (to.1 - from.1);
    let (start, end) = match (from.1 >= threshold, to.1 >= threshold) {
        (false, false) => return 0.0,
        (true, true) => (from.0, to.0),
        (true, false) => (from.0, crossing()),
        (false, true) => (crossing(), to.0),
    };
    (end.min(phase) - start).max(0.0)
}

fn lerp(from: f64, to: f64, share: f64) -> f64 {
    from + (to - from) * share
}

/// A sine of height 1 that keeps a number from standing unnaturally still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ripple {
    period: f64,
    phase: f64,
}

impl Ripple {
    /// The ripple of one number: its period and phase follow from `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self { period: 3.0 + 9.0 * unit_interval(seed), phase: TAU * unit_interval(mix(seed)) }
    }

    /// Between -1 and 1 at `t` seconds.
    pub(super) fn at(self, t: f64) -> f64 {
        (TAU * t / self.period + self.phase).sin()
    }

    /// The area under the ripple from 0 to `t` seconds.
    pub(super) fn integral(self, t: f64) -> f64 {
        (self.phase.cos() - (TAU * t / self.period + self.phase).cos()) * self.period / TAU
    }
}

/// Another number for each number, spread over all of them: the finalizer of `SplitMix64`.
pub(super) const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The seed of something by its name.
pub(super) fn mix_text(seed: u64, name: &str) -> u64 {
    name.bytes().fold(seed, |seed, byte| mix(seed ^ u64::from(byte)))
}

/// `seed` spread over 0 (included) to 1 (not included).
fn unit_interval(seed: u64) -> f64 {
    (mix(seed) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::{Ripple, Wave};
    use proptest::prelude::*;

    const STEP: Wave = Wave(&[(0.0, 1.0), (4.0, 1.0), (4.0, 0.0), (10.0, 0.0)]);
    const TENT: Wave = Wave(&[(0.0, 0.0), (5.0, 1.0), (20.0, 0.0)]);

    #[test]
    fn a_step_has_no_slope_and_a_known_area() {
        assert_eq!((STEP.at(3.999), STEP.at(4.0), STEP.at(10.0)), (1.0, 0.0, 1.0));
        assert!((STEP.integral(25.0) - 12.0).abs() < 1e-9);
        assert!((STEP.mean(10.0, 10.0) - 0.4).abs() < 1e-9);
    }

    #[test]
    fn the_time_above_a_level_is_counted() {
        assert!((STEP.seconds_from(0.5, 25.0) - 12.0).abs() < 1e-9);
        assert!((TENT.seconds_from(0.6, 20.0) - 8.0).abs() < 1e-9);
        assert!((TENT.seconds_from(0.6, 4.0) - 1.0).abs() < 1e-9);
        assert!(TENT.seconds_from(1.1, 200.0).abs() < 1e-9);
        assert!((TENT.seconds_from(0.0, 47.0) - 47.0).abs() < 1e-9);
    }

    proptest! {
        /// Both integrals are checked against the midpoint rule over a short stretch without a step.
        #[test]
        fn an_integral_grows_by_the_value(t in -50.0..3e5f64, seed in any::<u64>()) {
            let width = 1e-3;
            let grown = TENT.integral(t + width) - TENT.integral(t);
            prop_assert!((grown / width - TENT.at(t + width / 2.0)).abs() < 1e-3);
            let ripple = Ripple::new(seed);
            let grown = ripple.integral(t + width) - ripple.integral(t);
            prop_assert!((grown / width - ripple.at(t + width / 2.0)).abs() < 1e-3);
        }

        #[test]
        fn levels_stay_between_the_points(t in -50.0..3e5f64) {
            prop_assert!((0.0..=1.0).contains(&TENT.at(t)));
        }
    }
}
