//! The PCI Express link.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::cast;
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::metric::Metric;
use crate::scenario::PcieSpec;

exports! {
    device fn nvmlDeviceGetMaxPcieLinkGeneration(generation: Out<c_uint>) |call|
        put(generation, call.or_fault(link(call)?.max_generation.into()))
    device fn nvmlDeviceGetGpuMaxPcieLinkGeneration(generation: Out<c_uint>) |call| {
        let link = link(call)?;
        put(generation, call.or_fault(link.gpu_generation.unwrap_or(link.max_generation).into()))
    }
    device fn nvmlDeviceGetMaxPcieLinkWidth(width: Out<c_uint>) |call|
        put(width, call.or_fault(link(call)?.max_width.into()))
    device fn nvmlDeviceGetCurrPcieLinkGeneration(generation: Out<c_uint>) |call|
        put(generation, current(call, Metric::PcieGeneration, |link| link.max_generation)?)
    device fn nvmlDeviceGetCurrPcieLinkWidth(width: Out<c_uint>) |call|
        put(width, current(call, Metric::PcieWidth, |link| link.max_width)?)
    device fn nvmlDeviceGetPcieSpeed(speed: Out<c_uint>) |call|
        put(speed, megatransfers(current(call, Metric::PcieGeneration, |link| link.max_generation)?)?)
    device fn nvmlDeviceGetPcieLinkMaxSpeed(speed: Out<c_uint>) |call|
        put(speed, call.or_fault(link(call)?.max_generation.into()))
    device fn nvmlDeviceGetPcieThroughput(counter: c_uint, speed: Out<c_uint>) |call| {
        let metric = match counter {
            sys::nvmlPcieUtilCounter_enum_NVML_PCIE_UTIL_TX_BYTES => Metric::PcieTx,
            sys::nvmlPcieUtilCounter_enum_NVML_PCIE_UTIL_RX_BYTES => Metric::PcieRx,
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        put(speed, call.or_fault(cast::whole(call.gauge(metric)? / 1000.0)))
    }
    device fn nvmlDeviceGetPcieReplayCounter(replays: Out<c_uint>) |call|
        put(replays, call.number(Metric::PcieReplay)?)
    device fn nvmlDeviceGetBusType(kind: Out<c_uint>) |call|
        put(kind, call.or_fault(sys::NVML_BUS_TYPE_PCIE.into()))
    device fn nvmlDeviceGetIrqNum(number: Out<c_uint>) |call|
        put(number, call.or_fault((120 + call.gpu.index).into()))
}

fn link(call: &GpuCall<'_>) -> Answer<PcieSpec> {
    call.gpu.spec.pcie.ok_or(Code::NOT_SUPPORTED)
}

/// The link as it is now: at its best, where no waveform says otherwise.
fn current(call: &GpuCall<'_>, metric: Metric, best: fn(PcieSpec) -> u32) -> Answer<i64> {
    let best = best(link(call)?);
    if call.gpu.metrics.has(metric) { call.number(metric) } else { Ok(call.or_fault(best.into())) }
}

fn megatransfers(generation: i64) -> Answer<i64> {
    match generation {
        1 => Ok(2_500),
        2 => Ok(5_000),
        3 => Ok(8_000),
        4 => Ok(16_000),
        5 => Ok(32_000),
        6 => Ok(64_000),
        _ => Err(Code::NOT_SUPPORTED),
    }
}
