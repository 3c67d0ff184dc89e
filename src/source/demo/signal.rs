//! How a simulated number follows the load of its GPU.

use super::preset::{Board, GpuRow};
use super::wave::{Ripple, mix_text};
use crate::model::{Absent, Metric, Unit};

/// Seconds that the simulated driver has been loaded when the demo starts, so that every mean has a past.
///
/// Whole periods of every wave, so that the demo starts where the waves do.
pub(super) const UPTIME_S: f64 = 252_000.0;
/// Seconds over which the heat of a GPU evens out.
const HEAT_LAG_S: f64 = 40.0;
/// Below this load a GPU counts as idle.
const IDLE: f64 = 0.02;
/// From this load on a GPU is held back by whatever limits it.
const FULL: f64 = 0.97;

/// The rule of one number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// Always the same.
    Fixed(f64),
    /// Never there, for this reason.
    Absent(Absent),
    /// Follows the load from one value to the other, a little uneven.
    Load { idle: f64, full: f64 },
    /// One value while the GPU is idle, the other while it is not.
    Switch { idle: f64, busy: f64 },
    /// Clock-event bits: idle while it is idle, these at full load, else none.
    Reasons { full: u64 },
    /// Seconds in which [`Self::Reasons`] told of full load.
    TimeAtFull,
    /// What a load that grows by so much in a second at full load has added up to.
    LoadTotal { full: f64 },
    /// Memory that processes hold.
    MemoryUsed,
    /// What is left of this many bytes.
    MemoryLeft { of: f64 },
    /// Mean power of the last second.
    Power,
    /// The integral of the power.
    Energy,
    /// What the power of the last while makes of the temperature.
    Temperature,
    /// So many degrees more than that.
    WarmerBy(f64),
    /// Degrees left until the board slows down.
    HeatMargin,
    /// A fan that stands until the GPU is warm.
    Fan,
    /// The turns of such a fan.
    FanSpeed,
    /// Follows the load up to this value in the first part of a divided GPU, and to less in each further one.
    PartLoad { full: f64 },
    /// A value for each part of a divided GPU.
    Parts(&'static [f64]),
}

impl Signal {
    /// The value of a number that depends on nothing but a load from 0 to 1, as the host's do.
    pub(super) fn of_load(self, load: f64, unit: Unit) -> Result<f64, Absent> {
        match self {
            Self::Absent(why) => Err(why),
            Self::Fixed(value) => Ok(value),
            Self::Load { idle, full } => Ok(round(unit, idle + (full - idle) * load)),
            _ => Err(Absent::NotSupported),
        }
    }
}

/// One GPU at one instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    board: &'a Board,
    gpu: &'a GpuRow,
    seed: u64,
    t: f64,
    memory_used: f64,
}

impl<'a> Moment<'a> {
    /// The GPU `elapsed_s` after the demo started, while processes hold `memory_used` bytes of it.
    pub(super) fn new(gpu: &'a GpuRow, seed: u64, elapsed_s: f64, memory_used: f64) -> Self {
        let t = UPTIME_S + elapsed_s - gpu.lag_s;
        Self { board: gpu.board, gpu, seed, t, memory_used }
    }

    /// How busy the GPU is, from 0 to 1.
    pub(super) fn load(&self) -> f64 {
        self.gpu.load.at(self.t)
    }

    /// What this signal makes of an instance of the metric, rounded as drivers round it.
    pub(super) fn value(
        &self,
        signal: Signal,
        metric: Metric,
        instance: u32,
    ) -> Result<f64, Absent> {
        let value = match signal {
            Signal::Absent(why) => return Err(why),
            Signal::Fixed(value) => value,
            Signal::Load { idle, full } => idle + (full - idle) * self.uneven_load(metric),
            Signal::Switch { idle, busy } => self.by_load(idle, busy, busy),
            Signal::Reasons { full } => self.by_load(1.0, 0.0, full as f64),
            Signal::TimeAtFull => self.gpu.load.seconds_from(FULL, self.t),
            Signal::LoadTotal { full } => full * self.gpu.load.integral(self.t),
            Signal::MemoryUsed => self.memory_used,
            Signal::MemoryLeft { of } => of - self.memory_used,
            Signal::Power => self.energy(self.t) - self.energy(self.t - 1.0),
            Signal::Energy => self.energy(self.t),
            Signal::Temperature => self.temperature(),
            Signal::WarmerBy(degrees) => self.temperature() + degrees,
            Signal::HeatMargin => self.board.slowdown - self.temperature(),
            Signal::Fan => self.fan(instance),
            Signal::FanSpeed => self.fan(instance) * 28.5,
            Signal::PartLoad { full } => {
                full * self.uneven_load(metric) / f64::from(instance + 1).sqrt()
            }
            Signal::Parts(values) => *values.get(instance as usize).ok_or(Absent::NotSupported)?,
        };
        Ok(round(metric.spec().unit, value))
    }

    fn by_load(&self, idle: f64, between: f64, full: f64) -> f64 {
        match self.load() {
            load if load < IDLE => idle,
            load if load < FULL => between,
            _ => full,
        }
    }

    /// The load less up to 4 % of it, for each number its own.
    fn uneven_load(&self, metric: Metric) -> f64 {
        let ripple = Ripple::new(mix_text(self.seed, metric.spec().id));
        self.load() * (0.98 + 0.02 * ripple.at(self.t))
    }

    /// Joules until `t`. The ripple is smaller than any board's idle power, so that energy always grows.
    fn energy(&self, t: f64) -> f64 {
        let (idle, full) = self.board.power;
        let ripple = 0.01 * full * Ripple::new(self.seed).integral(t);
        idle * t + (full - idle) * self.gpu.load.integral(t) + ripple
    }

    fn temperature(&self) -> f64 {
        let (idle, full) = self.board.temperature;
        idle + (full - idle) * self.gpu.load.mean(self.t, HEAT_LAG_S)
    }

    fn fan(&self, instance: u32) -> f64 {
        let warmth = self.temperature() - 50.0;
        if warmth < 0.0 { 0.0 } else { (30.0 + 1.8 * warmth + f64::from(instance)).min(100.0) }
    }
}

/// The steps in which drivers report a unit.
fn round(unit: Unit, value: f64) -> f64 {
    let steps = match unit {
        Unit::Watts | Unit::Joules | Unit::Seconds => 1000.0,
        Unit::Number => 100.0,
        Unit::BytesPerSecond => 0.001,
        _ => 1.0,
    };
    (value * steps).round() / steps
}
