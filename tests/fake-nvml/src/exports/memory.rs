//! Memory of GPUs and MIG devices.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::cast::{self, FromAnswer as _};
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::metric::Metric;

exports! {
    any fn nvmlDeviceGetMemoryInfo(memory: Out<sys::nvmlMemory_t>) |call| {
        let Sizes { total, reserved, used } = sizes(call)?;
        let used = used.saturating_add(reserved);
        memory.put(sys::nvmlMemory_t { total, free: total.saturating_sub(used), used })
    }
    any fn nvmlDeviceGetMemoryInfo_v2(memory: Out<sys::nvmlMemory_v2_t>) |call| {
        let version = memory.versioned(2)?.version;
        let Sizes { total, reserved, used } = sizes(call)?;
        let free = total.saturating_sub(used).saturating_sub(reserved);
        memory.put(sys::nvmlMemory_v2_t { version, total, reserved, free, used })
    }
    any fn nvmlDeviceGetBAR1MemoryInfo(memory: Out<sys::nvmlBAR1Memory_t>) |call| {
        let total = call.gpu.spec.bar1.ok_or(Code::NOT_SUPPORTED)?.0;
        let used = u64::from_answer(call.number(Metric::Bar1Used)?);
        let free = total.saturating_sub(used);
        memory.put(sys::nvmlBAR1Memory_t { bar1Total: total, bar1Free: free, bar1Used: used })
    }
    device fn nvmlDeviceGetMemoryBusWidth(width: Out<c_uint>) |call|
        put(width, call.fixed(call.gpu.spec.memory_bus_width)?)
    device fn nvmlDeviceGetConfComputeMemSizeInfo(info: Out<sys::nvmlConfComputeMemSizeInfo_t>) |call| {
        let total = call.gpu.spec.memory.ok_or(Code::NOT_SUPPORTED)?.0;
        let protected = call.gpu.spec.protected_memory.unwrap_or_default().0;
        info.put(sys::nvmlConfComputeMemSizeInfo_t {
            protectedMemSizeKib: protected / 1024,
            unprotectedMemSizeKib: total.saturating_sub(protected) / 1024,
        })
    }
    device fn nvmlDeviceGetAddressingMode(mode: Out<sys::nvmlDeviceAddressingMode_t>) |call| {
        let mut answer = mode.versioned(1)?;
        answer.value = c_uint::from_answer(call.fixed(call.gpu.spec.addressing)?);
        mode.put(answer)
    }
}

struct Sizes {
    total: u64,
    reserved: u64,
    used: u64,
}

/// A fault's value stands in for what is used, so that it can exceed the total.
fn sizes(call: &GpuCall<'_>) -> Answer<Sizes> {
    if let Some(mig) = call.instance {
        let used = call.or_fault(call.wave(&mig.used, mig.slot.into(), call.now));
        return Ok(Sizes { total: mig.spec.memory.0, reserved: 0, used: u64::from_answer(used) });
    }
    let total = call.gpu.spec.memory.ok_or(Code::NOT_SUPPORTED)?.0;
    let reserved = call.gpu.spec.memory_reserved.0;
    let used = match call.effects.value {
        Some(value) => value,
        // A waveform may overshoot; memory in use cannot.
        None => {
            call.number(Metric::MemoryUsed)?.clamp(0, cast::answer(total - reserved.min(total)))
        }
    };
    Ok(Sizes { total, reserved, used: u64::from_answer(used) })
}
