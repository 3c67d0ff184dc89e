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
pub(super) use super::fill::Fill;
use super::fill::possible;
use super::links::LINKS;
use super::raw::{Plain, function, struct_version};
use super::{engines, gpm, mig};
use crate::model::{Absent, Instances, Kind, Metric};

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
    /// The functions of NVML that say it, the newest first; the others are for drivers that lack it.
    pub(super) asks: &'static [&'static str],
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
    asks: &'static [&'static str],
    fills: &'static [Metric],
    read: fn(&mut Device) -> Result<f64, Absent>,
) -> Probe {
    Probe { every, asks, fills, read: Read::One(read) }
}

pub(super) const fn many(
    every: Every,
    asks: &'static [&'static str],
    fills: &'static [Metric],
    read: fn(&mut Device, &mut Fill<'_>),
) -> Probe {
    Probe { every, asks, fills, read: Read::Many(read) }
}

/// Every probe, in the order in which those run that are due.
pub(super) const PROBES: &[Probe] = &[
    many(
        Every::Tick,
        &["nvmlDeviceGetUtilizationRates"],
        &[Metric::Busy, Metric::MemoryController],
        utilization,
    ),
    many(
        Every::Tick,
        &["nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetMemoryInfo"],
        &[Metric::MemoryTotal, Metric::MemoryUsed, Metric::MemoryReserved, Metric::MemoryFree],
        memory,
    ),
    FIELDS[0],
    one(
        Every::Tick,
        &["nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"],
        &[Metric::Temperature],
        temperature,
    ),
    one(
        Every::Tick,
        &["nvmlDeviceGetMarginTemperature", "nvmlDeviceGetTemperatureThreshold"],
        &[Metric::SlowdownMargin],
        slowdown_margin,
    ),
    one(Every::Tick, &["nvmlDeviceGetClockInfo"], &[Metric::ClockGraphics], |d| {
        clock(d, CLOCK_GRAPHICS)
    }),
    one(Every::Tick, &["nvmlDeviceGetClockInfo"], &[Metric::ClockSm], |d| clock(d, CLOCK_SM)),
    one(Every::Tick, &["nvmlDeviceGetClockInfo"], &[Metric::ClockMemory], |d| {
        clock(d, CLOCK_MEMORY)
    }),
    one(Every::Tick, &["nvmlDeviceGetClockInfo"], &[Metric::ClockVideo], |d| clock(d, CLOCK_VIDEO)),
    one(
        Every::Tick,
        &["nvmlDeviceGetPerformanceState"],
        &[Metric::PerformanceState],
        performance_state,
    ),
    one(
        Every::Tick,
        &["nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"],
        &[Metric::ClockEventReasons],
        |d| {
            let current = d.get(&function!(nvmlDeviceGetCurrentClocksEventReasons));
            or_older(current, || d.get(&function!(nvmlDeviceGetCurrentClocksThrottleReasons)))
                .map(|mask| mask as f64)
        },
    ),
    one(Every::Tick, &["nvmlDeviceGetEncoderUtilization"], &[Metric::EncoderUtilization], |d| {
        let answer = d.get_pair(&function!(nvmlDeviceGetEncoderUtilization));
        hidden_by_mig(d, answer.map(|(percent, _period_us)| percent.into()))
    }),
    one(Every::Tick, &["nvmlDeviceGetDecoderUtilization"], &[Metric::DecoderUtilization], |d| {
        let answer = d.get_pair(&function!(nvmlDeviceGetDecoderUtilization));
        hidden_by_mig(d, answer.map(|(percent, _period_us)| percent.into()))
    }),
    many(Every::Tick, &["nvmlDeviceGetFanSpeed_v2", "nvmlDeviceGetFanSpeed"], &[Metric::Fan], fans),
    many(Every::Tick, gpm::ASKS, gpm::GPU_METRICS, gpm::read),
    many(Every::Tick, gpm::ASKS, gpm::INSTANCE_METRICS, gpm::read_instances),
    many(Every::Tick, &["nvmlDeviceGetDynamicPstatesInfo"], engines::DOMAINS, engines::domains),
    many(
        Every::Seconds(2),
        &["nvmlDeviceGetJpgUtilization"],
        &[Metric::JpegUtilization],
        engines::jpeg,
    ),
    many(
        Every::Seconds(2),
        &["nvmlDeviceGetOfaUtilization"],
        &[Metric::OpticalFlowUtilization],
        engines::optical_flow,
    ),
    many(Every::Seconds(2), &["nvmlDeviceGetEncoderStats"], engines::ENCODER, engines::encoder),
    many(
        Every::Seconds(2),
        &["nvmlDeviceGetFanSpeedRPM"],
        &[Metric::FanSpeed],
        engines::fan_speeds,
    ),
    many(
        Every::Seconds(2),
        &["nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetMemoryInfo"],
        &[Metric::InstanceMemoryUsed],
        mig::memory,
    ),
    many(
        Every::Seconds(5),
        &["nvmlDeviceGetBAR1MemoryInfo"],
        &[Metric::Bar1Total, Metric::Bar1Used],
        engines::bar1,
    ),
    one(
        Every::Seconds(2),
        &["nvmlDeviceGetCurrPcieLinkGeneration"],
        &[Metric::PcieLinkGeneration],
        |d| pcie_link(d, |d| d.get(&function!(nvmlDeviceGetCurrPcieLinkGeneration))),
    ),
    one(Every::Seconds(2), &["nvmlDeviceGetCurrPcieLinkWidth"], &[Metric::PcieLinkWidth], |d| {
        pcie_link(d, |d| d.get(&function!(nvmlDeviceGetCurrPcieLinkWidth)))
    }),
    one(
        Every::Seconds(5),
        &["nvmlDeviceGetEnforcedPowerLimit"],
        &[Metric::PowerEnforcedLimit],
        |d| d.get(&function!(nvmlDeviceGetEnforcedPowerLimit)).map(thousandths),
    ),
    one(Every::Seconds(10), &["nvmlDeviceGetPersistenceMode"], &[Metric::PersistenceMode], |d| {
        d.get(&function!(nvmlDeviceGetPersistenceMode)).map(f64::from)
    }),
    many(
        Every::Once,
        &["nvmlDeviceGetPowerManagementLimitConstraints"],
        &[Metric::PowerMinimumLimit, Metric::PowerMaximumLimit],
        |d, fill| {
            let limits = d.get_pair(&function!(nvmlDeviceGetPowerManagementLimitConstraints));
            fill.put(Metric::PowerMinimumLimit, limits.map(|(lowest, _)| thousandths(lowest)));
            fill.put(Metric::PowerMaximumLimit, limits.map(|(_, highest)| thousandths(highest)));
        },
    ),
    one(
        Every::Once,
        &["nvmlDeviceGetPowerManagementDefaultLimit"],
        &[Metric::PowerDefaultLimit],
        |d| d.get(&function!(nvmlDeviceGetPowerManagementDefaultLimit)).map(thousandths),
    ),
    one(Every::Once, &["nvmlDeviceGetMaxClockInfo"], &[Metric::ClockGraphicsMaximum], |d| {
        clock_maximum(d, CLOCK_GRAPHICS)
    }),
    one(Every::Once, &["nvmlDeviceGetMaxClockInfo"], &[Metric::ClockSmMaximum], |d| {
        clock_maximum(d, CLOCK_SM)
    }),
    one(Every::Once, &["nvmlDeviceGetMaxClockInfo"], &[Metric::ClockMemoryMaximum], |d| {
        clock_maximum(d, CLOCK_MEMORY)
    }),
    one(Every::Once, &["nvmlDeviceGetMaxClockInfo"], &[Metric::ClockVideoMaximum], |d| {
        clock_maximum(d, CLOCK_VIDEO)
    }),
    one(
        Every::Once,
        &["nvmlDeviceGetMaxPcieLinkGeneration"],
        &[Metric::PcieLinkGenerationMaximum],
        |d| pcie_link(d, |d| d.get(&function!(nvmlDeviceGetMaxPcieLinkGeneration))),
    ),
    one(Every::Once, &["nvmlDeviceGetMaxPcieLinkWidth"], &[Metric::PcieLinkWidthMaximum], |d| {
        pcie_link(d, |d| d.get(&function!(nvmlDeviceGetMaxPcieLinkWidth)))
    }),
    FIELDS[1],
    FIELDS[2],
    LINKS[0],
    LINKS[1],
    one(Every::Seconds(2), &["nvmlDeviceGetPcieThroughput"], &[Metric::PcieRx], |d| {
        pcie_throughput(d, PCIE_RX)
    }),
    one(Every::Seconds(2), &["nvmlDeviceGetPcieThroughput"], &[Metric::PcieTx], |d| {
        pcie_throughput(d, PCIE_TX)
    }),
];

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
    use super::{Every, PROBES};
    use crate::model::{Kind, Metric};

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
}
