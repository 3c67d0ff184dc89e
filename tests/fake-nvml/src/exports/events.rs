//! Events: sets can be made and waited on, but nothing ever happens on these GPUs.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};
use std::time::Duration;

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::code::{Answer, Code};
use crate::entry::{Call, put};

/// The one set there is: a number that is never followed.
const EVENT_SET: usize = 0x4e56_5e75;

exports! {
    system fn nvmlEventSetCreate(set: Out<sys::nvmlEventSet_t>) |_call|
        set.put(std::ptr::without_provenance_mut(EVENT_SET))
    system fn nvmlEventSetFree(set: sys::nvmlEventSet_t) |call| known(call, set)
    system fn nvmlEventSetWait(
        set: sys::nvmlEventSet_t,
        _data: Out<sys::nvmlEventData_t>,
        timeout_ms: c_uint,
    ) |call| wait(call, set, timeout_ms)
    system fn nvmlEventSetWait_v2(
        set: sys::nvmlEventSet_t,
        _data: Out<sys::nvmlEventData_t>,
        timeout_ms: c_uint,
    ) |call| wait(call, set, timeout_ms)
    device fn nvmlDeviceGetSupportedEventTypes(types: Out<c_ulonglong>) |call|
        put(types, call.or_fault(0))
    device fn nvmlDeviceRegisterEvents(_types: c_ulonglong, set: sys::nvmlEventSet_t) |call|
        known(call, set).and(Err(Code::NOT_SUPPORTED))
}

fn known(call: &Call<'_>, set: sys::nvmlEventSet_t) -> Answer {
    if set.addr() == EVENT_SET {
        return Ok(());
    }
    call.library.log.violation(format!("an event set that is none: {:#x}", set.addr()));
    Err(Code::INVALID_ARGUMENT)
}

fn wait(call: &Call<'_>, set: sys::nvmlEventSet_t, timeout_ms: c_uint) -> Answer {
    known(call, set)?;
    // On a virtual clock nobody waits; the cap keeps a forgotten wait from holding up a test.
    if call.library.clock.is_real() {
        std::thread::sleep(Duration::from_millis(u64::from(timeout_ms.min(1_000))));
    }
    Err(Code::TIMEOUT)
}
