//! Waveforms: pure functions of the seed, the GPU, the metric and the time, so that an answer
//! depends neither on how often it was asked for nor on which thread asked.

use std::f64::consts::TAU;

use crate::metric::Metric;

/// How a number moves with time. Times are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wave {
    Const(f64),
    Periodic {
        shape: Shape,
        period: f64,
        phase: f64,
        lo: f64,
        hi: f64,
    },
    /// The value of the last step that has begun; before the first, the first one's.
    Steps(Vec<(f64, f64)>),
    /// A new random level every so often, in pairs that are mirror images about the middle: what
    /// makes the integral a closed form.
    Noise {
        every: f64,
        lo: f64,
        hi: f64,
    },
    /// Between `lo` and `hi` as the other metric goes from 0 to 100.
    Follow {
        metric: Metric,
        lo: f64,
        hi: f64,
    },
    /// The other metric summed over time: a counter.
    Integral(Metric),
    Sum(Vec<Wave>),
    Scaled(Box<Wave>, f64),
}

/// One period of a periodic wave, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Square { duty: f64 },
    Sine,
    Ramp,
}

impl Shape {
    fn value(self, part: f64) -> f64 {
        match self {
            Self::Square { duty } => f64::from(u8::from(part < duty)),
            Self::Sine => (1.0 - (TAU * part).cos()) / 2.0,
            Self::Ramp => part,
        }
    }

    /// The integral over the first `periods` periods.
    fn integral(self, periods: f64) -> f64 {
        let part = periods - periods.floor();
        let (whole, rest) = match self {
            Self::Square { duty } => (duty, part.min(duty)),
            Self::Sine => (0.5, part / 2.0 - (TAU * part).sin() / (2.0 * TAU)),
            Self::Ramp => (0.5, part * part / 2.0),
        };
        periods.floor() * whole + rest
    }
}

/// The waves of one GPU; a metric without one is not supported.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    waves: Vec<Option<Wave>>,
    seed: u64,
}

impl Metrics {
    /// No metric supported yet; `seed` must already differ from GPU to GPU.
    pub(crate) fn new(seed: u64) -> Self {
        Self { waves: vec![None; Metric::ALL.len()], seed }
    }

    pub(crate) fn set(&mut self, metric: Metric, wave: Option<Wave>) {
        self.waves[metric as usize] = wave;
    }

    pub(crate) fn has(&self, metric: Metric) -> bool {
        self.waves[metric as usize].is_some()
    }

    /// The value at `t`, counters counting from `origin`.
    pub(crate) fn value(&self, metric: Metric, origin: f64, t: f64) -> Option<f64> {
        let wave = self.waves[metric as usize].as_ref()?;
        Some(self.at(wave, metric as u64, origin, t))
    }

    /// The integral from `origin` to `t`.
    pub(crate) fn integral(&self, metric: Metric, origin: f64, t: f64) -> Option<f64> {
        let wave = self.waves[metric as usize].as_ref()?;
        let salt = metric as u64;
        Some(self.area(wave, salt, t) - self.area(wave, salt, origin))
    }

    /// The value of a wave that belongs to no metric, such as a process's share.
    pub(crate) fn free(&self, wave: &Wave, salt: u64, t: f64) -> f64 {
        self.at(wave, salt, 0.0, t)
    }

    fn at(&self, wave: &Wave, salt: u64, origin: f64, t: f64) -> f64 {
        match wave {
            Wave::Const(value) => *value,
            Wave::Periodic { shape, period, phase, lo, hi } => {
                let periods = (t + phase) / period;
                lo + (hi - lo) * shape.value(periods - periods.floor())
            }
            Wave::Steps(steps) => {
                let begun = steps.iter().rev().find(|(from, _)| *from <= t);
                begun.or(steps.first()).map_or(0.0, |(_, value)| *value)
            }
            Wave::Noise { every, lo, hi } => {
                let half = (hi - lo) / 2.0;
                let (level, _) = self.noise(salt, *every, t);
                lo + half + half * level
            }
            Wave::Follow { metric, lo, hi } => {
                lo + (hi - lo) * self.value(*metric, origin, t).unwrap_or(0.0) / 100.0
            }
            Wave::Integral(metric) => self.integral(*metric, origin, t).unwrap_or(0.0),
            Wave::Sum(waves) => waves.iter().map(|wave| self.at(wave, salt, origin, t)).sum(),
            Wave::Scaled(wave, by) => self.at(wave, salt, origin, t) * by,
        }
    }

    /// The integral of a wave from 0 to `t`; a counter has none, and loading refuses to ask.
    fn area(&self, wave: &Wave, salt: u64, t: f64) -> f64 {
        match wave {
            Wave::Const(value) => value * t,
            Wave::Periodic { shape, period, phase, lo, hi } => {
                let from = shape.integral(phase / period);
                let to = shape.integral((t + phase) / period);
                lo * t + (hi - lo) * period * (to - from)
            }
            Wave::Steps(steps) => steps_area(steps, t),
            Wave::Noise { every, lo, hi } => {
                let half = (hi - lo) / 2.0;
                let (_, area) = self.noise(salt, *every, t);
                (lo + half) * t + half * area
            }
            Wave::Follow { metric, lo, hi } => {
                lo * t + (hi - lo) * self.integral(*metric, 0.0, t).unwrap_or(0.0) / 100.0
            }
            Wave::Integral(_) => 0.0,
            Wave::Sum(waves) => waves.iter().map(|wave| self.area(wave, salt, t)).sum(),
            Wave::Scaled(wave, by) => self.area(wave, salt, t) * by,
        }
    }

    /// The noise level at `t`, from -1 to 1, and its integral from 0 to `t`.
    fn noise(&self, salt: u64, every: f64, t: f64) -> (f64, f64) {
        let pair = (t / (2.0 * every)).floor();
        let level = unit(hash(hash(self.seed, salt), pair.to_bits())) * 2.0 - 1.0;
        let into = t - pair * 2.0 * every;
        if into < every { (level, level * into) } else { (-level, level * (2.0 * every - into)) }
    }

    /// Why a metric cannot be computed: it follows itself, or sums up a counter.
    pub(crate) fn check(&self, metric: Metric) -> Result<(), String> {
        self.check_within(metric, 0, false)
    }

    fn check_within(&self, metric: Metric, depth: usize, summed: bool) -> Result<(), String> {
        if depth > Metric::ALL.len() {
            return Err(format!("`{}` follows itself", metric.name()));
        }
        let Some(wave) = &self.waves[metric as usize] else {
            let name = metric.name();
            return if depth == 0 { Ok(()) } else { Err(format!("`{name}` is not supported")) };
        };
        wave.referred().into_iter().try_for_each(|(other, sums)| {
            if sums && summed {
                return Err(format!("`{}` is a counter and cannot be summed", metric.name()));
            }
            self.check_within(other, depth + 1, summed || sums)
        })
    }
}

impl Wave {
    /// The metrics that the wave is made from, and whether it sums them up.
    fn referred(&self) -> Vec<(Metric, bool)> {
        match self {
            Self::Follow { metric, .. } => vec![(*metric, false)],
            Self::Integral(metric) => vec![(*metric, true)],
            Self::Sum(waves) => waves.iter().flat_map(Self::referred).collect(),
            Self::Scaled(wave, _) => wave.referred(),
            _ => Vec::new(),
        }
    }
}

fn steps_area(steps: &[(f64, f64)], t: f64) -> f64 {
    let mut area = 0.0;
    let mut from = 0.0;
    let mut level = steps.first().map_or(0.0, |(_, value)| *value);
    for &(at, value) in steps {
        let to = at.clamp(from, t.max(from));
        area += (to - from) * level;
        from = to;
        level = value;
        if at >= t {
            return area;
        }
    }
    area + (t - from) * level
}

/// Mixes two words into one that looks random (the finaliser of splitmix64).
pub(crate) fn hash(seed: u64, value: u64) -> u64 {
    let mut z =
        seed ^ value.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x2545_F491_4F6C_DD1D);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A hash as a number from 0 up to, but not including, 1.
pub(crate) fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wave_text::parse;

    fn metrics(waves: &[(Metric, &str)]) -> Metrics {
        let mut metrics = Metrics::new(7);
        for (metric, text) in waves {
            metrics.set(*metric, parse(text).unwrap());
        }
        metrics
    }

    #[test]
    fn the_same_time_gives_the_same_value_in_any_order() {
        let a = metrics(&[(Metric::Power, "sine(period=3s,lo=1,hi=9)+noise(every=1s,lo=-5,hi=5)")]);
        let forward: Vec<_> =
            (0..50).map(|i| a.value(Metric::Power, 0.0, f64::from(i) * 0.3)).collect();
        let mut backward: Vec<_> =
            (0..50).rev().map(|i| a.value(Metric::Power, 0.0, f64::from(i) * 0.3)).collect();
        backward.reverse();
        assert_eq!(forward, backward);
    }

    #[test]
    fn closed_forms_agree_with_summing_up() {
        for text in [
            "const(3)",
            "square(period=4s,lo=2,hi=97,phase=700ms,duty=0.3)",
            "sine(period=5s,lo=-3,hi=11,phase=1s)",
            "ramp(period=2s,lo=1,hi=4)",
            "steps(1s:5, 3s:1, 8s:9)",
            "noise(every=300ms,lo=10,hi=30)",
            "sine(period=5s,lo=0,hi=1)*3 + 2",
        ] {
            let m =
                metrics(&[(Metric::Util, text), (Metric::Power, "follow(util,lo=50W,hi=300W)")]);
            for metric in [Metric::Util, Metric::Power] {
                for end in [0.7, 3.3, 12.9] {
                    let steps = 200_000;
                    let dt = end / f64::from(steps);
                    let summed: f64 = (0..steps)
                        .map(|i| m.value(metric, 0.0, (f64::from(i) + 0.5) * dt).unwrap() * dt)
                        .sum();
                    let closed = m.integral(metric, 0.0, end).unwrap();
                    let scale = closed.abs().max(1.0);
                    assert!(
                        (summed - closed).abs() / scale < 1e-3,
                        "{text} {end}: {summed} {closed}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_counter_starts_again_at_its_origin() {
        let m = metrics(&[(Metric::Power, "100W"), (Metric::Energy, "integral(power)")]);
        assert_eq!(m.value(Metric::Energy, 0.0, 10.0), Some(1e6));
        assert_eq!(m.value(Metric::Energy, 9.0, 10.0), Some(1e5));
    }

    #[test]
    fn circles_and_summed_counters_are_refused() {
        let m = metrics(&[
            (Metric::Power, "follow(temperature,lo=0,hi=1)"),
            (Metric::Temperature, "follow(power,lo=0,hi=1)"),
        ]);
        assert!(m.check(Metric::Power).is_err());
        let m = metrics(&[
            (Metric::Power, "1"),
            (Metric::Energy, "integral(power)"),
            (Metric::Util, "integral(energy)"),
        ]);
        assert!(m.check(Metric::Util).is_err());
        assert!(m.check(Metric::Energy).is_ok());
    }
}
