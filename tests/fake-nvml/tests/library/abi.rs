//! The layout of the structs, against the sizes that another client of NVML computes for itself
//! (`ctypes.sizeof` in nvidia-ml-py 13.615.71).

use nvml_wrapper_sys::bindings as sys;

macro_rules! sizes {
    ($($type:ident $size:literal)*) => {
        #[test]
        fn structs_are_as_long_as_others_take_them_to_be() {
            $(assert_eq!(size_of::<sys::$type>(), $size, stringify!($type));)*
        }
    };
}

sizes! {
    nvmlAccountingStats_t 56
    nvmlBAR1Memory_t 24
    nvmlClockOffset_t 24
    nvmlConfComputeMemSizeInfo_t 16
    nvmlConfComputeSystemState_t 12
    nvmlDeviceAddressingMode_t 8
    nvmlDeviceAttributes_t 40
    nvmlDeviceCurrentClockFreqs_t 2052
    nvmlDevicePerfModes_t 2052
    nvmlDevicePowerMizerModes_v1_t 12
    nvmlEventData_t 32
    nvmlFBCStats_t 12
    nvmlFanSpeedInfo_t 12
    nvmlFieldValue_t 40
    nvmlGpuDynamicPstatesInfo_t 132
    nvmlGpuThermalSettings_t 64
    nvmlMarginTemperature_t 8
    nvmlMemory_t 24
    nvmlMemory_v2_t 40
    nvmlPciInfo_t 68
    nvmlProcessDetailList_t 24
    nvmlProcessDetail_v1_t 32
    nvmlProcessInfo_v1_t 16
    nvmlProcessInfo_v2_t 24
    nvmlProcessUtilizationInfo_v1_t 40
    nvmlProcessUtilizationSample_t 32
    nvmlProcessesUtilizationInfo_t 24
    nvmlRowRemapperHistogramValues_t 20
    nvmlSample_t 16
    nvmlSystemDriverBranchInfo_t 84
    nvmlTemperature_t 12
    nvmlUtilization_t 8
    nvmlViolationTime_t 16
}
