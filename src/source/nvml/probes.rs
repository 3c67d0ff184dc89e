//! The probe table: which call fills which metrics, and how often it is made.
//!
//! A metric is added here and in the metric table, and nowhere else.

use nvml_wrapper_sys::bindings::{
    nvmlClockType_enum_NVML_CLOCK_GRAPHICS as CLOCK_GRAPHICS,
    nvmlClockType_enum_NVML_CLOCK_MEM as CLOCK_MEMORY,
    nvmlClockType_enum_NVML_CLOCK_SM as CLOCK_SM,
    nvmlClockType_enum_NVML_CLOCK_VIDEO as CLOCK_VIDEO, nvmlMarginTemperature_t, nvmlMemory_v2_t,
    nvmlPcieUtilCounter_enum_NVML_PCIE_UTIL_RX_BYTES as PCIE_RX,
    nvmlPcieUtilCounter_enum_NVML_PCIE_UTIL_TX_BYTES as PCIE_TX, nvmlTemperature_t,
    nvmlTemperatureSensors_enum_NVML_TEMPERATURE_GPU as SENSOR_GPU,
    nvmlTemperatureThresholds_enum_NVML_TEMPERATURE_THRESHOLD_SLOWDOWN as THRESHOLD_SLOWDOWN,
};

use super::device::{Device, or_older};
use super::fields::FIELDS;
use super::links::LINKS;
use super::raw::{Plain, function, struct_version};
use super::{engines, gpm, mig};
use crate::model::{Absent, Instances, Kind, Metric, Unit, Values};
use crate::source::Clock;

/// How often a probe is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Every {
    /// At every tick, before the sample is published.
    Tick,
    /// After the sample is published, this many seconds apart.
    Seconds(u32),
    /// Once, and again when the driver changes. What could not be had this time is asked for again.
    Once,
}

/// How a probe hands over what it read.
#[derive(Clone, Copy)]
pub(super) enum Read {
    /// The one metric that the probe fills.
    One(fn(&mut Device) -> Result<f64, Absent>),
    /// Several, or several instances of one.
    Many(fn(&mut Device, &mut Fill<'_>)),
}

/// One row: a call (or two that belong together) and what it fills.
#[derive(Clone, Copy)]
pub(super) struct Probe {
    pub(super) every: Every,
    pub(super) fills: &'static [Metric],
    pub(super) read: Read,
}

impl Probe {
    /// Whether a quick sample does without the call: it takes long, or says nothing the first time.
    pub(super) fn is_left_out_of_quick(&self) -> bool {
        let kinds = || self.fills.iter().map(|metric| metric.spec().kind);
        kinds().any(|kind| matches!(kind, Kind::Measured | Kind::Interval))
    }
}

pub(super) const fn one(
    every: Every,
    fills: &'static [Metric],
    read: fn(&mut Device) -> Result<f64, Absent>,
) -> Probe {
    Probe { every, fills, read: Read::One(read) }
}

pub(super) const fn many(
    every: Every,
    fills: &'static [Metric],
    read: fn(&mut Device, &mut Fill<'_>),
) -> Probe {
    Probe { every, fills, read: Read::Many(read) }
}

/// Every probe, in the order in which those run that are due.
pub(super) const PROBES: &[Probe] = &[
    many(Every::Tick, &[Metric::Busy, Metric::MemoryController], utilization),
    many(
        Every::Tick,
        &[Metric::MemoryTotal, Metric::MemoryUsed, Metric::MemoryReserved, Metric::MemoryFree],
        memory,
    ),
    FIELDS[0],
    one(Every::Tick, &[Metric::Temperature], temperature),
    one(Every::Tick, &[Metric::SlowdownMargin], slowdown_margin),
    one(Every::Tick, &[Metric::ClockGraphics], |d| clock(d, CLOCK_GRAPHICS)),
    one(Every::Tick, &[Metric::ClockSm], |d| clock(d, CLOCK_SM)),
    one(Every::Tick, &[Metric::ClockMemory], |d| clock(d, CLOCK_MEMORY)),
    one(Every::Tick, &[Metric::ClockVideo], |d| clock(d, CLOCK_VIDEO)),
    one(Every::Tick, &[Metric::PerformanceState], performance_state),
    one(Every::Tick, &[Metric::ClockEventReasons], |d| {
        let current = d.get(&function!(nvmlDeviceGetCurrentClocksEventReasons));
        or_older(current, || d.get(&function!(nvmlDeviceGetCurrentClocksThrottleReasons)))
            .map(|mask| mask as f64)
    }),
    one(Every::Tick, &[Metric::EncoderUtilization], |d| {
        let answer = d.get_pair(&function!(nvmlDeviceGetEncoderUtilization));
        hidden_by_mig(d, answer.map(|(percent, _period_us)| percent.into()))
    }),
    one(Every::Tick, &[Metric::DecoderUtilization], |d| {
        let answer = d.get_pair(&function!(nvmlDeviceGetDecoderUtilization));
        hidden_by_mig(d, answer.map(|(percent, _period_us)| percent.into()))
    }),
    many(Every::Tick, &[Metric::Fan], fans),
    many(Every::Tick, gpm::GPU_METRICS, gpm::read),
    many(Every::Tick, gpm::INSTANCE_METRICS, gpm::read_instances),
    many(Every::Tick, engines::DOMAINS, engines::domains),
    many(Every::Seconds(2), &[Metric::JpegUtilization], engines::jpeg),
    many(Every::Seconds(2), &[Metric::OpticalFlowUtilization], engines::optical_flow),
    many(Every::Seconds(2), engines::ENCODER, engines::encoder),
    many(Every::Seconds(2), &[Metric::FanSpeed], engines::fan_speeds),
    many(Every::Seconds(2), &[Metric::InstanceMemoryUsed], mig::memory),
    many(Every::Seconds(5), &[Metric::Bar1Total, Metric::Bar1Used], engines::bar1),
    one(Every::Seconds(2), &[Metric::PcieLinkGeneration], |d| {
        pcie_link(d, |d| d.get(&function!(nvmlDeviceGetCurrPcieLinkGeneration)))
    }),
    one(Every::Seconds(2), &[Metric::PcieLinkWidth], |d| {
        pcie_link(d, |d| d.get(&function!(nvmlDeviceGetCurrPcieLinkWidth)))
    }),
    one(Every::Seconds(5), &[Metric::PowerEnforcedLimit], |d| {
        d.get(&function!(nvmlDeviceGetEnforcedPowerLimit)).map(thousandths)
    }),
    one(Every::Seconds(10), &[Metric::PersistenceMode], |d| {
        d.get(&function!(nvmlDeviceGetPersistenceMode)).map(f64::from)
    }),
    many(Every::Once, &[Metric::PowerMinimumLimit, Metric::PowerMaximumLimit], |d, fill| {
        let limits = d.get_pair(&function!(nvmlDeviceGetPowerManagementLimitConstraints));
        fill.put(Metric::PowerMinimumLimit, limits.map(|(lowest, _)| thousandths(lowest)));
        fill.put(Metric::PowerMaximumLimit, limits.map(|(_, highest)| thousandths(highest)));
    }),
    one(Every::Once, &[Metric::PowerDefaultLimit], |d| {
        d.get(&function!(nvmlDeviceGetPowerManagementDefaultLimit)).map(thousandths)
    }),
    one(Every::Once, &[Metric::ClockGraphicsMaximum], |d| clock_maximum(d, CLOCK_GRAPHICS)),
    one(Every::Once, &[Metric::ClockSmMaximum], |d| clock_maximum(d, CLOCK_SM)),
    one(Every::Once, &[Metric::ClockMemoryMaximum], |d| clock_maximum(d, CLOCK_MEMORY)),
    one(Every::Once, &[Metric::ClockVideoMaximum], |d| clock_maximum(d, CLOCK_VIDEO)),
    one(Every::Once, &[Metric::PcieLinkGenerationMaximum], |d| {
        pcie_link(d, |d| d.get(&function!(nvmlDeviceGetMaxPcieLinkGeneration)))
    }),
    one(Every::Once, &[Metric::PcieLinkWidthMaximum], |d| {
        pcie_link(d, |d| d.get(&function!(nvmlDeviceGetMaxPcieLinkWidth)))
    }),
    FIELDS[1],
    FIELDS[2],
    LINKS[0],
    LINKS[1],
    one(Every::Seconds(2), &[Metric::PcieRx], |d| pcie_throughput(d, PCIE_RX)),
    one(Every::Seconds(2), &[Metric::PcieTx], |d| pcie_throughput(d, PCIE_TX)),
];

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
fn possible(metric: Metric, value: f64) -> Result<f64, Absent> {
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

fn thousandths(value: u32) -> f64 {
    f64::from(value) / 1e3
}

/// Utilisation is reported per MIG instance, if at all, once a GPU is divided.
pub(super) fn hidden_by_mig<T>(device: &Device, answer: Result<T, Absent>) -> Result<T, Absent> {
    match answer {
        Err(Absent::NotSupported) if device.mig => Err(Absent::Mig),
        answer => answer,
    }
}

fn utilization(device: &mut Device, fill: &mut Fill<'_>) {
    let answer = device.get(&function!(nvmlDeviceGetUtilizationRates));
    let answer = hidden_by_mig(device, answer);
    fill.put(Metric::Busy, answer.map(|utilization| utilization.gpu.into()));
    fill.put(Metric::MemoryController, answer.map(|utilization| utilization.memory.into()));
}

fn memory(device: &mut Device, fill: &mut Fill<'_>) {
    let mut with_version = nvmlMemory_v2_t::zeroed();
    with_version.version = struct_version::<nvmlMemory_v2_t>(2);
    let answer = device
        .get_from(&function!(nvmlDeviceGetMemoryInfo_v2), with_version)
        .map(|memory| (memory.total, memory.used, Ok(memory.reserved as f64), memory.free));
    let answer = or_older(answer, || {
        let memory = device.get(&function!(nvmlDeviceGetMemoryInfo))?;
        Ok((memory.total, memory.used, Err(Absent::IncludedInUsed), memory.free))
    });
    let answer = match answer {
        Err(Absent::NotSupported) | Ok((0, ..)) if device.integrated => Err(Absent::UnifiedMemory),
        Ok((total, used, _, free)) if total == 0 || used > total || free > total => {
            Err(Absent::OutOfRange)
        }
        answer => answer,
    };
    fill.put(Metric::MemoryTotal, answer.map(|(total, ..)| total as f64));
    fill.put(Metric::MemoryUsed, answer.map(|(_, used, ..)| used as f64));
    fill.put(Metric::MemoryReserved, answer.and_then(|(_, _, reserved, _)| reserved));
    fill.put(Metric::MemoryFree, answer.map(|(.., free)| free as f64));
}

fn temperature(device: &mut Device) -> Result<f64, Absent> {
    let mut with_version = nvmlTemperature_t::zeroed();
    with_version.version = struct_version::<nvmlTemperature_t>(1);
    with_version.sensorType = SENSOR_GPU;
    let answer = device
        .get_from(&function!(nvmlDeviceGetTemperatureV), with_version)
        .map(|answer| answer.temperature.into());
    or_older(answer, || {
        device.get_indexed(&function!(nvmlDeviceGetTemperature), SENSOR_GPU).map(f64::from)
    })
}

fn slowdown_margin(device: &mut Device) -> Result<f64, Absent> {
    let mut with_version = nvmlMarginTemperature_t::zeroed();
    with_version.version = struct_version::<nvmlMarginTemperature_t>(1);
    let answer = device
        .get_from(&function!(nvmlDeviceGetMarginTemperature), with_version)
        .map(|answer| answer.marginTemperature.into());
    or_older(answer, || {
        let threshold = device
            .get_indexed(&function!(nvmlDeviceGetTemperatureThreshold), THRESHOLD_SLOWDOWN)?;
        let threshold = possible(Metric::SlowdownMargin, threshold.into())?;
        Ok(threshold - possible(Metric::Temperature, temperature(device)?)?)
    })
}

fn clock(device: &mut Device, clock: u32) -> Result<f64, Absent> {
    device.get_indexed(&function!(nvmlDeviceGetClockInfo), clock).map(f64::from)
}

fn clock_maximum(device: &mut Device, clock: u32) -> Result<f64, Absent> {
    device.get_indexed(&function!(nvmlDeviceGetMaxClockInfo), clock).map(f64::from)
}

/// `NVML_PSTATE_UNKNOWN`.
const PSTATE_UNKNOWN: u32 = 32;

fn performance_state(device: &mut Device) -> Result<f64, Absent> {
    match device.get(&function!(nvmlDeviceGetPerformanceState))? {
        PSTATE_UNKNOWN => Err(Absent::Unknown),
        state => Ok(state.into()),
    }
}

fn fans(device: &mut Device, fill: &mut Fill<'_>) {
    let fans = match device.fans {
        Ok(0) => return fill.put(Metric::Fan, Err(Absent::NotSupported)),
        Ok(fans) => fans.min(Instances::MOST.fans.into()),
        // A driver that cannot count fans may still know the speed of one.
        Err(why) if why.lasts() => 1,
        Err(why) => return fill.put(Metric::Fan, Err(why)),
    };
    for fan in 0..fans {
        let answer = device.get_indexed(&function!(nvmlDeviceGetFanSpeed_v2), fan);
        let answer = or_older(answer, || match fan {
            0 => device.get(&function!(nvmlDeviceGetFanSpeed)),
            _ => Err(Absent::MissingSymbol),
        });
        fill.put_instance(Metric::Fan, fan as usize, answer.map(f64::from));
    }
}

/// A GPU on the processor's chip answers generation 1, one lane: that is no link.
pub(super) fn pcie_link(
    device: &mut Device,
    read: impl FnOnce(&mut Device) -> Result<u32, Absent>,
) -> Result<f64, Absent> {
    if device.integrated {
        return Err(Absent::Integrated);
    }
    match read(device)? {
        0 => Err(Absent::Unknown),
        value => Ok(value.into()),
    }
}

/// The driver counts for 20 ms and answers in KB/s.
fn pcie_throughput(device: &mut Device, direction: u32) -> Result<f64, Absent> {
    let answer = device.get_indexed(&function!(nvmlDeviceGetPcieThroughput), direction);
    answer.map(|kilobytes| f64::from(kilobytes) * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::{Every, PROBES, possible};
    use crate::model::{Absent, Kind, Metric};

    #[test]
    fn every_metric_is_filled_once_or_derived() {
        for &metric in Metric::ALL {
            let probes = PROBES.iter().filter(|probe| probe.fills.contains(&metric)).count();
            let derived = metric.spec().kind.counter().is_some();
            assert_eq!(probes, usize::from(!derived), "{}", metric.spec().id);
        }
    }

    #[test]
    fn facts_are_read_once_and_nothing_else_is() {
        for probe in PROBES {
            for metric in probe.fills {
                let fact = metric.spec().kind == Kind::Fact;
                assert_eq!(fact, probe.every == Every::Once, "{}", metric.spec().id);
            }
        }
    }

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
