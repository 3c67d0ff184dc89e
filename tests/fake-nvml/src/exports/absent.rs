//! Functions that are there, and that none of these GPUs supports.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use super::exports;
use crate::code::Code;

/// Defines such functions. What they are to fill in is never touched, so it need not be declared.
macro_rules! absent {
    ($($name:ident)*) => {
        exports! { $(any fn $name() |_call| Err(Code::NOT_SUPPORTED))* }
    };
}

absent! {
    nvmlDeviceGetCoolerInfo
    nvmlDeviceGetPlatformInfo
    nvmlDeviceGetCapabilities
    nvmlDeviceGetC2cModeInfoV
    nvmlDeviceGetDramEncryptionMode
    nvmlDeviceGetConfComputeProtectedMemoryUsage
    nvmlDeviceWorkloadPowerProfileGetCurrentProfiles
    nvmlDeviceGetRepairStatus
    nvmlDeviceGetNvLinkInfo
    nvmlDeviceGetHostVgpuMode
    nvmlDeviceGetActiveVgpus
    nvmlDeviceGetVgpuUtilization
    nvmlDeviceGetBridgeChipInfo
    nvmlDeviceGetDriverModel
    nvmlDeviceGetDriverModel_v2
    nvmlDeviceGetGpuOperationMode
    nvmlDeviceGetAutoBoostedClocksEnabled
    nvmlDeviceGetRetiredPages
    nvmlDeviceGetRetiredPages_v2
    nvmlDeviceGetAccountingPids
    nvmlDeviceGetTopologyNearestGpus
    nvmlDeviceGetGpcClkVfOffset
    nvmlDeviceGetMemClkVfOffset
}
