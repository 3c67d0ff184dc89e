//! Where a probe puts what it read, and what no GPU can report.

use super::device::Device;
use super::probes::{Probe, Read};
use crate::model::{Absent, Kind, Metric, Unit, Values};
use crate::source::Clock;

/// Where a probe puts what it read.
pub(super) struct Fill<'a> {
    values: &'a mut Values,
    clock: &'a dyn Clock,
    /// When the pass began that the probe belongs to.
    pass_us: u64,
}

/// Gauges read within this time of the start of their pass share its time, so that a sample tells one time for them.
const SAME_TIME_US: u64 = 1000;

impl<'a> Fill<'a> {
    /// Puts into `values` what is read in the pass that began at `pass_us`.
    pub(super) fn new(values: &'a mut Values, clock: &'a dyn Clock, pass_us: u64) -> Self {
        Self { values, clock, pass_us }
    }

    /// Runs a probe.
    pub(super) fn run(&mut self, probe: &Probe, device: &mut Device) {
        match probe.read {
            Read::One(read) => {
                let value = read(device);
                for metric in probe.fills {
                    self.put(*metric, value);
                }
            }
            Read::Many(read) => read(device, self),
        }
    }

    /// Fills a metric that has one value.
    pub(super) fn put(&mut self, metric: Metric, value: Result<f64, Absent>) {
        self.put_instance(metric, 0, value);
    }

    /// Fills one instance of a metric; what cannot be is absent.
    pub(super) fn put_instance(
        &mut self,
        metric: Metric,
        instance: usize,
        value: Result<f64, Absent>,
    ) {
        let now_us = self.clock.monotonic_us();
        let exact = metric.spec().kind == Kind::Counter
            || now_us.saturating_sub(self.pass_us) > SAME_TIME_US;
        let at_us = if exact { now_us } else { self.pass_us };
        self.write(metric, instance, value, at_us);
    }

    /// Fills one instance of a metric that was read at its own time, as counters want it.
    pub(super) fn put_read(
        &mut self,
        metric: Metric,
        instance: usize,
        value: Result<f64, Absent>,
        at_us: u64,
    ) {
        if metric.spec().kind == Kind::Counter {
            self.write(metric, instance, value, at_us);
        } else {
            self.put_instance(metric, instance, value);
        }
    }

    fn write(&mut self, metric: Metric, instance: usize, value: Result<f64, Absent>, at_us: u64) {
        if let Some(reading) = self.values.instances_mut(metric).get_mut(instance) {
            reading.value = value.and_then(|value| possible(metric, value));
            reading.at_us = at_us;
        }
    }

    /// Leaves one instance of a metric as it was; where nothing was read before, its mean has only begun.
    pub(super) fn keep(&mut self, metric: Metric, instance: usize) {
        if let Some(reading) = self.values.instances_mut(metric).get_mut(instance)
            && reading.value == Err(Absent::NotReadYet)
        {
            reading.value = Err(Absent::NeedsTwoReadings);
        }
    }
}

/// Rejects what no GPU can report: drivers have answered with uninitialised memory.
pub(super) fn possible(metric: Metric, value: f64) -> Result<f64, Absent> {
    let range = match metric.spec().unit {
        // Fans may run faster than their quiet maximum.
        Unit::Percent if metric == Metric::Fan => 0.0..=1000.0,
        Unit::Percent => 0.0..=100.0,
        Unit::Celsius => -273.0..=1000.0,
        Unit::Megahertz | Unit::Watts | Unit::FramesPerSecond | Unit::Rpm => 0.0..=100_000.0,
        // What has been sent over all links since the driver was loaded.
        Unit::Bytes if metric.spec().kind == Kind::Counter => 0.0..=1e19,
        Unit::Bytes | Unit::BytesPerSecond => 0.0..=1e15,
        Unit::Joules | Unit::Seconds => 0.0..=1e13,
        Unit::Microseconds => 0.0..=1e8,
        Unit::Number => 0.0..=1024.0,
        Unit::RecoveryAction | Unit::NvLinkVersion | Unit::FabricState | Unit::FabricHealth => {
            0.0..=f64::from(u16::MAX)
        }
        Unit::PerformanceState => 0.0..=15.0,
        Unit::Count | Unit::PerSecond | Unit::ClockEventReasons => 0.0..=9_007_199_254_740_992.0,
        Unit::Flag => 0.0..=1.0,
    };
    if range.contains(&value) { Ok(value) } else { Err(Absent::OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::possible;
    use crate::model::{Absent, Metric};

    #[test]
    fn what_cannot_be_is_absent() {
        assert_eq!(possible(Metric::Busy, 100.0), Ok(100.0));
        assert_eq!(possible(Metric::Busy, 101.0), Err(Absent::OutOfRange));
        assert_eq!(possible(Metric::Fan, 112.0), Ok(112.0));
        assert_eq!(possible(Metric::Temperature, f64::from(u32::MAX)), Err(Absent::OutOfRange));
        assert_eq!(possible(Metric::SlowdownMargin, -3.0), Ok(-3.0));
        assert_eq!(possible(Metric::PowerDraw, f64::NAN), Err(Absent::OutOfRange));
    }
}
