//! The engines of a GPU beside its shaders, its fans by their speed, and the window into its memory.

use nvml_wrapper_sys::bindings::{nvmlFanSpeedInfo_t, nvmlMemory_v2_t};

use super::device::Device;
use super::probes::{Fill, hidden_by_mig};
use super::raw::{ENCODER_STATS, Handle, Plain, function, struct_version};
use crate::model::{Absent, Instances, Metric};

/// How busy the parts were that power management looks at, in NVML's order of them.
pub(super) const DOMAINS: &[Metric] =
    &[Metric::DomainGpu, Metric::DomainFrameBuffer, Metric::DomainVideo, Metric::DomainBus];

/// What the encoders do, in the order in which NVML answers.
pub(super) const ENCODER: &[Metric] =
    &[Metric::EncoderSessions, Metric::EncoderFrameRate, Metric::EncoderLatency];

/// Reads [`DOMAINS`]; a part that the GPU does not have says so itself.
pub(super) fn domains(device: &mut Device, fill: &mut Fill<'_>) {
    let answer = device.get(&function!(nvmlDeviceGetDynamicPstatesInfo));
    let answer = hidden_by_mig(device, answer);
    for (place, metric) in DOMAINS.iter().enumerate() {
        let percent = answer.and_then(|domains| match domains.utilization.get(place) {
            Some(domain) if domain.bIsPresent & 1 == 1 => Ok(domain.percentage.into()),
            _ => Err(Absent::NotSupported),
        });
        fill.put(*metric, percent);
    }
}

pub(super) fn jpeg(device: &mut Device, fill: &mut Fill<'_>) {
    let answer = device.get_pair(&function!(nvmlDeviceGetJpgUtilization));
    let answer = answer.map(|(percent, _period_us): (u32, _)| percent.into());
    fill.put(Metric::JpegUtilization, hidden_by_mig(device, answer));
}

pub(super) fn optical_flow(device: &mut Device, fill: &mut Fill<'_>) {
    let answer = device.get_pair(&function!(nvmlDeviceGetOfaUtilization));
    let answer = answer.map(|(percent, _period_us): (u32, _)| percent.into());
    fill.put(Metric::OpticalFlowUtilization, hidden_by_mig(device, answer));
}

/// Reads [`ENCODER`]; without a session there is neither a rate nor a latency.
pub(super) fn encoder(device: &mut Device, fill: &mut Fill<'_>) {
    let answer = device.call(ENCODER_STATS.name, 0, Handle::encoder_stats);
    let answer = hidden_by_mig(device, answer);
    for (place, metric) in ENCODER.iter().enumerate() {
        let value = answer.and_then(|stats| match stats {
            [0, ..] if place > 0 => Err(Absent::NoSession),
            stats => Ok(stats[place].into()),
        });
        fill.put(*metric, value);
    }
}

/// Reads the turns of each fan.
pub(super) fn fan_speeds(device: &mut Device, fill: &mut Fill<'_>) {
    let fans = match device.fans {
        Ok(0) => return fill.put(Metric::FanSpeed, Err(Absent::NotSupported)),
        Ok(fans) => fans.min(Instances::MOST.fans.into()),
        Err(why) if why.lasts() => 1,
        Err(why) => return fill.put(Metric::FanSpeed, Err(why)),
    };
    for fan in 0..fans {
        let mut with_version = nvmlFanSpeedInfo_t::zeroed();
        with_version.version = struct_version::<nvmlFanSpeedInfo_t>(1);
        with_version.fan = fan;
        let function = function!(nvmlDeviceGetFanSpeedRPM);
        let answer = device
            .call(function.name, fan, |gpu, library| gpu.get(library, &function, with_version));
        fill.put_instance(Metric::FanSpeed, fan as usize, answer.map(|answer| answer.speed.into()));
    }
}

/// Reads the window; a chip that shares the host's memory needs none.
pub(super) fn bar1(device: &mut Device, fill: &mut Fill<'_>) {
    let answer = device.get(&function!(nvmlDeviceGetBAR1MemoryInfo));
    let answer = match answer {
        Err(Absent::NotSupported) if device.integrated => Err(Absent::UnifiedMemory),
        Ok(window) if window.bar1Used > window.bar1Total => Err(Absent::OutOfRange),
        answer => answer,
    };
    fill.put(Metric::Bar1Total, answer.map(|window| window.bar1Total as f64));
    fill.put(Metric::Bar1Used, answer.map(|window| window.bar1Used as f64));
}

/// A structure for the memory of a GPU or MIG device that says which version it is.
pub(super) fn memory_with_version() -> nvmlMemory_v2_t {
    let mut memory = nvmlMemory_v2_t::zeroed();
    memory.version = struct_version::<nvmlMemory_v2_t>(2);
    memory
}
