//! Events: sets tell of what the scenario has happen, `[[fault]]` with `do = "event"`.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};
use std::mem::offset_of;
use std::time::Duration;

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::code::{Answer, Code};
use crate::entry::{Call, GpuCall, put};

exports! {
    system fn nvmlEventSetCreate(set: Out<sys::nvmlEventSet_t>) |call|
        set.put(std::ptr::without_provenance_mut(call.library.event_sets.make()))
    system fn nvmlEventSetFree(set: sys::nvmlEventSet_t) |call| free(call, set)
    system fn nvmlEventSetWait(
        set: sys::nvmlEventSet_t,
        data: Out<sys::nvmlEventData_t>,
        timeout_ms: c_uint,
    ) |call| wait(call, set, data, timeout_ms, false)
    system fn nvmlEventSetWait_v2(
        set: sys::nvmlEventSet_t,
        data: Out<sys::nvmlEventData_t>,
        timeout_ms: c_uint,
    ) |call| wait(call, set, data, timeout_ms, true)
    device fn nvmlDeviceGetSupportedEventTypes(types: Out<c_ulonglong>) |call|
        put(types, call.or_fault(call.gpu.spec.event_types.cast_signed()))
    device fn nvmlDeviceRegisterEvents(types: c_ulonglong, set: sys::nvmlEventSet_t) |call|
        register(call, types, set)
}

fn known(call: &Call<'_>, set: sys::nvmlEventSet_t) -> Answer {
    if call.library.event_sets.knows(set.addr()) {
        return Ok(());
    }
    call.library.log.violation(format!("an event set that is none: {:#x}", set.addr()));
    Err(Code::INVALID_ARGUMENT)
}

fn free(call: &Call<'_>, set: sys::nvmlEventSet_t) -> Answer {
    known(call, set)?;
    call.library.event_sets.free(set.addr());
    Ok(())
}

fn register(call: &GpuCall<'_>, types: c_ulonglong, set: sys::nvmlEventSet_t) -> Answer {
    known(call, set)?;
    if types & !call.gpu.spec.event_types != 0 {
        return Err(Code::NOT_SUPPORTED);
    }
    call.library.event_sets.register(set.addr(), call.gpu.index, types, call.now);
    Ok(())
}

fn wait(
    call: &Call<'_>,
    set: sys::nvmlEventSet_t,
    data: Out<sys::nvmlEventData_t>,
    timeout_ms: c_uint,
    has_instances: bool,
) -> Answer {
    known(call, set)?;
    let sets = &call.library.event_sets;
    if sets.has_lost(set.addr(), call.world, call.now) {
        return Err(Code::GPU_IS_LOST);
    }
    let Some((index, event)) = sets.next(set.addr(), call.world, call.now) else {
        // On a virtual clock nobody waits; the cap keeps a forgotten wait from holding up a test.
        if call.library.clock.is_real() {
            std::thread::sleep(Duration::from_millis(u64::from(timeout_ms.min(1_000))));
        }
        return Err(Code::TIMEOUT);
    };
    let gpu = call.world.gpus.iter().find(|gpu| gpu.index == index).ok_or(Code::UNKNOWN)?;
    data.field(offset_of!(sys::nvmlEventData_t, device)).put(call.handle(gpu, None))?;
    data.field(offset_of!(sys::nvmlEventData_t, eventType)).put(event.types)?;
    data.field(offset_of!(sys::nvmlEventData_t, eventData)).put(event.data)?;
    if has_instances {
        let (gpu_instance, compute_instance) = event.instances;
        data.field(offset_of!(sys::nvmlEventData_t, gpuInstanceId)).put(gpu_instance)?;
        data.field(offset_of!(sys::nvmlEventData_t, computeInstanceId)).put(compute_instance)?;
    }
    Ok(())
}
