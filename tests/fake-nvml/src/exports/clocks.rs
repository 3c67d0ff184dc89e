//! Clocks, performance states, and what holds them down.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::{Out, chars};
use crate::cast::FromAnswer as _;
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::metric::Metric;

/// Every reason that NVML 13.0 has a bit for.
const ALL_REASONS: i64 = 0x1ff;

exports! {
    device fn nvmlDeviceGetClockInfo(kind: c_uint, clock: Out<c_uint>) |call|
        put(clock, current(call, kind)?)
    device fn nvmlDeviceGetMaxClockInfo(kind: c_uint, clock: Out<c_uint>) |call|
        put(clock, highest(call, kind)?)
    device fn nvmlDeviceGetMaxCustomerBoostClock(kind: c_uint, clock: Out<c_uint>) |call|
        put(clock, highest(call, kind)?)
    device fn nvmlDeviceGetApplicationsClock(kind: c_uint, clock: Out<c_uint>) |call|
        put(clock, highest(call, kind)?)
    device fn nvmlDeviceGetDefaultApplicationsClock(kind: c_uint, clock: Out<c_uint>) |call|
        put(clock, highest(call, kind)?)
    device fn nvmlDeviceGetClock(kind: c_uint, id: c_uint, clock: Out<c_uint>) |call|
        put(clock, match id {
            0 => current(call, kind)?,
            1..=3 => highest(call, kind)?,
            _ => return Err(Code::INVALID_ARGUMENT),
        })
    device fn nvmlDeviceGetPerformanceState(state: Out<c_uint>) |call|
        put(state, call.number(Metric::PState)?)
    device fn nvmlDeviceGetPowerState(state: Out<c_uint>) |call|
        put(state, call.number(Metric::PState)?)
    device fn nvmlDeviceGetCurrentClocksEventReasons(reasons: Out<c_ulonglong>) |call|
        put(reasons, call.number(Metric::ClockReasons)?)
    device fn nvmlDeviceGetCurrentClocksThrottleReasons(reasons: Out<c_ulonglong>) |call|
        put(reasons, call.number(Metric::ClockReasons)?)
    device fn nvmlDeviceGetSupportedClocksEventReasons(reasons: Out<c_ulonglong>) |call|
        put(reasons, call.or_fault(ALL_REASONS))
    device fn nvmlDeviceGetSupportedClocksThrottleReasons(reasons: Out<c_ulonglong>) |call|
        put(reasons, call.or_fault(ALL_REASONS))
    device fn nvmlDeviceGetViolationStatus(
        policy: c_uint,
        status: Out<sys::nvmlViolationTime_t>,
    ) |call| status.put(violation(call, policy)?)
    device fn nvmlDeviceGetClockOffsets(offset: Out<sys::nvmlClockOffset_t>) |call| {
        let mut answer = offset.versioned(1)?;
        (answer.clockOffsetMHz, answer.minClockOffsetMHz, answer.maxClockOffsetMHz) = (0, -1000, 1000);
        current(call, answer.type_)?;
        offset.put(answer)
    }
    device fn nvmlDeviceGetPerformanceModes(modes: Out<sys::nvmlDevicePerfModes_t>) |call| {
        let mut answer = modes.versioned(1)?;
        let (graphics, memory) = (highest(call, 0)?, highest(call, 2)?);
        answer.str_ = chars(&format!(
            "perf=0, nvclock={graphics}, nvclockmin=210, nvclockmax={graphics}, memclock={memory}, \
             memtransferrate={}",
            memory * 2
        ));
        modes.put(answer)
    }
    device fn nvmlDeviceGetCurrentClockFreqs(clocks: Out<sys::nvmlDeviceCurrentClockFreqs_t>) |call| {
        let mut answer = clocks.versioned(1)?;
        let (graphics, memory) = (current(call, 0)?, current(call, 2)?);
        let state = call.number(Metric::PState)?;
        answer.str_ = chars(&format!(
            "perf={state}, nvclock={graphics}, memclock={memory}, memtransferrate={}",
            memory * 2
        ));
        clocks.put(answer)
    }
}

fn current(call: &GpuCall<'_>, kind: c_uint) -> Answer<i64> {
    call.number(match kind {
        0 => Metric::GraphicsClock,
        1 => Metric::SmClock,
        2 => Metric::MemoryClock,
        3 => Metric::VideoClock,
        _ => return Err(Code::INVALID_ARGUMENT),
    })
}

fn highest(call: &GpuCall<'_>, kind: c_uint) -> Answer<i64> {
    let clocks = call.gpu.spec.max_clock;
    call.fixed(match kind {
        0 => clocks.graphics,
        1 => clocks.sm.or(clocks.graphics),
        2 => clocks.memory,
        3 => clocks.video,
        _ => return Err(Code::INVALID_ARGUMENT),
    })
}

fn violation(call: &GpuCall<'_>, policy: c_uint) -> Answer<sys::nvmlViolationTime_t> {
    let metric = match policy {
        0 => Metric::LimitedPower,
        1 => Metric::LimitedThermal,
        2 => Metric::LimitedSyncBoost,
        3 => Metric::LimitedBoard,
        4 => Metric::LimitedLowUtil,
        5 => Metric::LimitedReliability,
        11 => Metric::LimitedBaseClocks,
        10 => return Err(Code::NOT_SUPPORTED),
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    Ok(sys::nvmlViolationTime_t {
        referenceTime: call.library.timestamp(call.world, call.now),
        violationTime: c_ulonglong::from_answer(call.total(metric, 1e9)?),
    })
}
