//! What it costs to take the samples: the calls to the driver, the ticks that came late, our own processor time.

use std::borrow::Cow;

use super::inventory::Fact;

/// When a function of the driver is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Once, and again when something changed.
    #[default]
    Once,
    /// At every tick, which waits for it.
    Tick,
    /// Some seconds apart; no tick waits for it.
    Slow,
    /// As [`Lane::Slow`], though it is made for every tick: it takes over 10 ms on average.
    TooSlow,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 4] = [Self::Once, Self::Tick, Self::Slow, Self::TooSlow];

    /// The lane as JSON spells it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Tick => "tick",
            Self::Slow => "slow",
            Self::TooSlow => "too_slow",
        }
    }

    /// The lane in a word or two.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Tick => "every tick",
            Self::Slow => "seldom",
            Self::TooSlow => "too slow",
        }
    }
}

/// What one function of the driver has cost, on all GPUs together.
#[derive(Clone, Debug, PartialEq)]
pub struct CallCost {
    /// The function.
    pub function: Cow<'static, str>,
    /// When it was called last.
    pub lane: Lane,
    /// How often it was called since the start.
    pub calls: u64,
    /// How often it was called in a second, in the last half minute or minute.
    pub calls_per_second: Fact<f64>,
    /// The mean time of a call since the start, in microseconds.
    pub mean_us: f64,
    /// The longest time of a call since the start, in microseconds.
    pub worst_us: f64,
}

/// What taking samples has cost so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Samples that were begun.
    pub ticks: u64,
    /// Samples that were closed at their deadline, before every GPU had answered.
    pub ticks_late: u64,
    /// Samples that were never begun, since the one before them took too long.
    pub ticks_dropped: u64,
    /// Calls to the driver since the sample before.
    pub calls: u64,
    /// Calls in a second, in the last half minute or minute.
    pub calls_per_second: Fact<f64>,
    /// Processor time of the whole program in the same time; 100 is one core.
    pub cpu_percent: Fact<f64>,
    /// Each function that was called, the one that took the most time first.
    pub functions: Vec<CallCost>,
}

impl Cost {
    /// The mean time of a call since the start, in microseconds.
    #[must_use]
    pub fn mean_us(&self) -> Option<f64> {
        let calls: u64 = self.functions.iter().map(|function| function.calls).sum();
        let total_us: f64 = self.functions.iter().map(CallCost::total_us).sum();
        (calls > 0).then(|| total_us / calls as f64)
    }

    /// The function of which a call took longest.
    #[must_use]
    pub fn worst(&self) -> Option<&CallCost> {
        self.functions.iter().max_by(|a, b| a.worst_us.total_cmp(&b.worst_us))
    }
}

impl CallCost {
    /// All its calls since the start together, in microseconds.
    #[must_use]
    pub fn total_us(&self) -> f64 {
        self.mean_us * self.calls as f64
    }
}
