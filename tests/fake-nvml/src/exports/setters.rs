//! What changes a GPU: a monitor has no business here, so every call is a broken rule.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use super::exports;
use crate::code::{Answer, Code};
use crate::entry::GpuCall;

/// Defines setters. Their further arguments are never looked at, and the C calling convention
/// lets a callee leave them out.
macro_rules! setters {
    ($($name:ident)*) => {
        exports! { $(any fn $name() |call| refuse(call))* }
    };
}

setters! {
    nvmlDeviceSetPersistenceMode
    nvmlDeviceSetComputeMode
    nvmlDeviceSetEccMode
    nvmlDeviceClearEccErrorCounts
    nvmlDeviceSetGpuLockedClocks
    nvmlDeviceResetGpuLockedClocks
    nvmlDeviceSetMemoryLockedClocks
    nvmlDeviceResetMemoryLockedClocks
    nvmlDeviceSetApplicationsClocks
    nvmlDeviceResetApplicationsClocks
    nvmlDeviceSetAutoBoostedClocksEnabled
    nvmlDeviceSetClockOffsets
    nvmlDeviceSetFanSpeed_v2
    nvmlDeviceSetDefaultFanSpeed_v2
    nvmlDeviceSetFanControlPolicy
    nvmlDeviceSetTemperatureThreshold
    nvmlDeviceSetPowerManagementLimit
    nvmlDeviceSetPowerManagementLimit_v2
    nvmlDeviceSetGpuOperationMode
    nvmlDeviceSetGpcClkVfOffset
    nvmlDeviceSetMemClkVfOffset
    nvmlDeviceSetAccountingMode
    nvmlDeviceClearAccountingPids
    nvmlDeviceSetMigMode
    nvmlDeviceSetPowerMizerMode_v1
    nvmlDeviceSetCpuAffinity
    nvmlDeviceClearCpuAffinity
    nvmlDeviceResetNvLinkErrorCounters
    nvmlDeviceClearFieldValues
}

fn refuse(call: &GpuCall<'_>) -> Answer {
    call.break_rule("changes a GPU");
    Err(Code::NO_PERMISSION)
}
