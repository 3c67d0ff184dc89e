//! Starting and stopping, and what is true of the machine as a whole.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_char, c_int, c_uint};
use std::sync::atomic::Ordering;

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::{Out, chars};
use crate::code::{Answer, Code};
use crate::entry::{Call, put};

exports! {
    free fn nvmlInit() |call| init(call)
    free fn nvmlInit_v2() |call| init(call)
    free fn nvmlInitWithFlags(_flags: c_uint) |call| init(call)
    free fn nvmlShutdown() |call| shutdown(call)
    system fn nvmlSystemGetDriverVersion(version: Out<c_char>, length: c_uint) |call|
        call.text(version, length, call.world.driver(call.now))
    free fn nvmlSystemGetNVMLVersion(version: Out<c_char>, length: c_uint) |call|
        call.text(version, length, &call.world.lib.nvml)
    system fn nvmlSystemGetCudaDriverVersion(version: Out<c_int>) |call|
        put(version, call.or_fault(call.world.lib.cuda.into()))
    system fn nvmlSystemGetCudaDriverVersion_v2(version: Out<c_int>) |call|
        put(version, call.or_fault(call.world.lib.cuda.into()))
    system fn nvmlSystemGetDriverBranch(
        branch: Out<sys::nvmlSystemDriverBranchInfo_t>,
        _length: c_uint,
    ) |call| driver_branch(call, branch)
    system fn nvmlSystemGetProcessName(pid: c_uint, name: Out<c_char>, length: c_uint) |call|
        process_name(call, pid, name, length)
    system fn nvmlSystemGetConfComputeState(state: Out<sys::nvmlConfComputeSystemState_t>) |_call|
        state.put(sys::nvmlConfComputeSystemState_t { environment: 0, ccFeature: 0, devToolsMode: 0 })
    system fn nvmlDeviceGetCount(count: Out<c_uint>) |call| device_count(call, count)
    system fn nvmlDeviceGetCount_v2(count: Out<c_uint>) |call| device_count(call, count)
    system fn nvmlUnitGetCount(count: Out<c_uint>) |call| put(count, call.or_fault(0))
    system fn nvmlGetExcludedDeviceCount(count: Out<c_uint>) |call| put(count, call.or_fault(0))
}

fn init(call: &Call<'_>) -> Answer {
    if call.driver_is_down() {
        return Err(Code::DRIVER_NOT_LOADED);
    }
    let init = &call.library.init;
    // A reload leaves old counts behind, which the first new nvmlInit makes good.
    let epoch = call.world.epoch(call.now);
    if init.epoch.swap(epoch, Ordering::AcqRel) != epoch {
        init.count.store(0, Ordering::Release);
    }
    init.count.fetch_add(1, Ordering::AcqRel);
    Ok(())
}

fn shutdown(call: &Call<'_>) -> Answer {
    call.library.report_calls(true);
    let count = &call.library.init.count;
    let lower = |count: u32| count.checked_sub(1);
    if let Ok(before) = count.fetch_update(Ordering::AcqRel, Ordering::Acquire, lower) {
        if before == 1 {
            call.library.event_sets.clear();
        }
        return Ok(());
    }
    call.break_rule("without a library that is initialised");
    Err(Code::UNINITIALIZED)
}

fn device_count(call: &Call<'_>, count: Out<c_uint>) -> Answer {
    put(count, call.or_fault(i64::try_from(call.world.gpus.len()).unwrap_or(0)))
}

fn driver_branch(call: &Call<'_>, out: Out<sys::nvmlSystemDriverBranchInfo_t>) -> Answer {
    let mut info = out.versioned(1)?;
    let driver = call.world.driver(call.now);
    let major = driver.split('.').next().unwrap_or(driver);
    info.branch = chars(&format!("r{major}_00"));
    out.put(info)
}

fn process_name(call: &Call<'_>, pid: c_uint, name: Out<c_char>, length: c_uint) -> Answer {
    let mut processes = call.world.gpus.iter().flat_map(|gpu| &gpu.processes);
    let process = processes.find(|process| process.pid == pid && process.alive(call.now));
    let process = process.ok_or(Code::NOT_FOUND)?;
    call.text(name, length, process.spec.name.as_deref().unwrap_or("python3"))
}

/// What a code means, in words.
static MEANINGS: &[(u32, &std::ffi::CStr)] = &[
    (0, c"Success"),
    (1, c"Uninitialized"),
    (2, c"Invalid Argument"),
    (3, c"Not Supported"),
    (4, c"Insufficient Permissions"),
    (6, c"Not Found"),
    (7, c"Insufficient Size"),
    (8, c"Insufficient External Power"),
    (9, c"Driver Not Loaded"),
    (10, c"Timeout"),
    (13, c"Function Not Found"),
    (15, c"GPU is lost"),
    (16, c"GPU requires reset"),
    (17, c"The operating system has blocked the request"),
    (18, c"Driver/library version mismatch"),
    (25, c"Argument version mismatch"),
    (26, c"Deprecated"),
    (27, c"Not ready"),
    (28, c"GPU not found"),
];

/// Needs no nvmlInit and cannot fail, so it is the one export outside the common entry path.
#[unsafe(no_mangle)]
extern "C" fn nvmlErrorString(code: sys::nvmlReturn_t) -> *const c_char {
    let known = MEANINGS.iter().find(|(known, _)| *known == code);
    known.map_or(c"Unknown Error", |(_, text)| *text).as_ptr()
}
