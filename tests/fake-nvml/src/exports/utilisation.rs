//! How busy the engines of a GPU are.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::cast::FromAnswer as _;
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::metric::Metric;

/// How long the driver averages an engine's utilisation.
pub(super) const SAMPLE_PERIOD_US: u64 = 166_667;
/// How many samples the driver keeps.
const KEPT_SAMPLES: u64 = 120;

exports! {
    device fn nvmlDeviceGetUtilizationRates(rates: Out<sys::nvmlUtilization_t>) |call| {
        let gpu = c_uint::from_answer(call.number(Metric::Util)?);
        let memory = c_uint::from_answer(call.number(Metric::MemUtil)?);
        rates.put(sys::nvmlUtilization_t { gpu, memory })
    }
    device fn nvmlDeviceGetEncoderUtilization(busy: Out<c_uint>, period: Out<c_uint>) |call|
        engine(call, Metric::Encoder, busy, period)
    device fn nvmlDeviceGetDecoderUtilization(busy: Out<c_uint>, period: Out<c_uint>) |call|
        engine(call, Metric::Decoder, busy, period)
    device fn nvmlDeviceGetJpgUtilization(busy: Out<c_uint>, period: Out<c_uint>) |call|
        engine(call, Metric::Jpeg, busy, period)
    device fn nvmlDeviceGetOfaUtilization(busy: Out<c_uint>, period: Out<c_uint>) |call|
        engine(call, Metric::Ofa, busy, period)
    device fn nvmlDeviceGetDynamicPstatesInfo(info: Out<sys::nvmlGpuDynamicPstatesInfo_t>) |call|
        info.put(dynamic_pstates(call)?)
    device fn nvmlDeviceGetSamples(
        kind: c_uint,
        last_seen: c_ulonglong,
        value_type: Out<c_uint>,
        count: Out<c_uint>,
        samples: Out<sys::nvmlSample_t>,
    ) |call| recent_samples(call, kind, last_seen, value_type, count, samples)
    device fn nvmlDeviceGetEncoderStats(
        sessions: Out<c_uint>,
        fps: Out<c_uint>,
        latency: Out<c_uint>,
    ) |call| {
        let metrics = [Metric::EncoderSessions, Metric::EncoderFps, Metric::EncoderLatency];
        [sessions, fps, latency].into_iter().zip(metrics).try_for_each(|(out, metric)| {
            // Without a waveform nothing is being encoded.
            put(out, call.number(metric).unwrap_or(0))
        })
    }
    device fn nvmlDeviceGetEncoderSessions(
        count: Out<c_uint>,
        _sessions: Out<sys::nvmlEncoderSessionInfo_t>,
    ) |_call| put(count, 0)
    device fn nvmlDeviceGetFBCStats(stats: Out<sys::nvmlFBCStats_t>) |_call|
        stats.put(sys::nvmlFBCStats_t { sessionsCount: 0, averageFPS: 0, averageLatency: 0 })
    device fn nvmlDeviceGetFBCSessions(
        count: Out<c_uint>,
        _sessions: Out<sys::nvmlFBCSessionInfo_t>,
    ) |_call| put(count, 0)
}

fn engine(call: &GpuCall<'_>, metric: Metric, busy: Out<c_uint>, period: Out<c_uint>) -> Answer {
    put(busy, call.number(metric)?)?;
    put(period, i64::try_from(SAMPLE_PERIOD_US).unwrap_or(0))
}

/// The domains GPU, frame buffer, video and bus, in NVML's order.
fn dynamic_pstates(call: &GpuCall<'_>) -> Answer<sys::nvmlGpuDynamicPstatesInfo_t> {
    let absent = sys::nvmlGpuDynamicPstatesInfo_st__bindgen_ty_1 {
        bIsPresent: 0,
        percentage: 0,
        incThreshold: 0,
        decThreshold: 0,
    };
    let mut info = sys::nvmlGpuDynamicPstatesInfo_t { flags: 0, utilization: [absent; 8] };
    call.number(Metric::Util)?;
    let domains = [Metric::Util, Metric::MemUtil, Metric::Decoder, Metric::Bus];
    for (domain, metric) in info.utilization.iter_mut().zip(domains) {
        if let Ok(percent) = call.number(metric) {
            domain.bIsPresent = 1;
            domain.percentage = c_uint::from_answer(percent);
        }
    }
    Ok(info)
}

fn recent_samples(
    call: &GpuCall<'_>,
    kind: c_uint,
    last_seen: c_ulonglong,
    value_type: Out<c_uint>,
    count: Out<c_uint>,
    samples: Out<sys::nvmlSample_t>,
) -> Answer {
    const METRICS: &[Metric] = &[
        Metric::Power,
        Metric::Util,
        Metric::MemUtil,
        Metric::Encoder,
        Metric::Decoder,
        Metric::SmClock,
        Metric::MemoryClock,
        Metric::ModulePower,
        Metric::Jpeg,
        Metric::Ofa,
    ];
    let kind = usize::try_from(kind).map_err(|_| Code::INVALID_ARGUMENT)?;
    let metric = *METRICS.get(kind).ok_or(Code::INVALID_ARGUMENT)?;
    call.number(metric)?;
    let newest = call.now / SAMPLE_PERIOD_US;
    let oldest = (newest + 1).saturating_sub(KEPT_SAMPLES);
    let stamp = |tick: &u64| call.library.timestamp(call.world, tick * SAMPLE_PERIOD_US);
    let ticks: Vec<u64> = (oldest..=newest).filter(|tick| stamp(tick) > last_seen).collect();
    if ticks.is_empty() {
        return Err(Code::NOT_FOUND);
    }
    value_type.put(sys::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT)?;
    let room = if samples.is_null() { None } else { usize::try_from(count.get()?).ok() };
    let Some(room) = room else {
        return put(count, i64::try_from(ticks.len()).unwrap_or(0));
    };
    // The newest ones where there is no room for all.
    let chosen = &ticks[ticks.len().saturating_sub(room)..];
    for (i, tick) in chosen.iter().enumerate() {
        let value = call.number_at(metric, tick * SAMPLE_PERIOD_US)?;
        samples.at(i).put(sys::nvmlSample_t {
            timeStamp: stamp(tick),
            sampleValue: sys::nvmlValue_t { ullVal: u64::from_answer(value) & 0xffff_ffff },
        })?;
    }
    put(count, i64::try_from(chosen.len()).unwrap_or(0))
}
