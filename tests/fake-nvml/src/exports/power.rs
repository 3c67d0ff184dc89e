//! Power, its limits, and energy.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::metric::Metric;
use crate::scenario::PowerSpec;
use crate::values::Quantity;
use crate::{cast, units};

exports! {
    device fn nvmlDeviceGetPowerUsage(power: Out<c_uint>) |call|
        put(power, call.number(Metric::Power)?)
    device fn nvmlDeviceGetTotalEnergyConsumption(energy: Out<c_ulonglong>) |call|
        put(energy, call.number(Metric::Energy)?)
    device fn nvmlDeviceGetEnforcedPowerLimit(limit: Out<c_uint>) |call|
        put(limit, power_limit(call, Limit::Enforced)?)
    device fn nvmlDeviceGetPowerManagementLimit(limit: Out<c_uint>) |call|
        put(limit, power_limit(call, Limit::Current)?)
    device fn nvmlDeviceGetPowerManagementDefaultLimit(limit: Out<c_uint>) |call|
        put(limit, power_limit(call, Limit::Default)?)
    device fn nvmlDeviceGetPowerManagementLimitConstraints(
        lowest: Out<c_uint>,
        highest: Out<c_uint>,
    ) |call| {
        put(lowest, power_limit(call, Limit::Min)?)?;
        put(highest, power_limit(call, Limit::Max)?)
    }
    device fn nvmlDeviceGetPowerManagementMode(mode: Out<c_uint>) |call|
        put(mode, call.or_fault(call.gpu.spec.power_limit.is_some().into()))
    device fn nvmlDeviceGetPowerSource(source: Out<c_uint>) |call|
        put(source, call.fixed(call.gpu.spec.power_source)?)
    device fn nvmlDeviceGetPowerMizerMode_v1(mode: Out<sys::nvmlDevicePowerMizerModes_v1_t>) |_call|
        mode.put(sys::nvmlDevicePowerMizerModes_v1_t {
            currentMode: sys::NVML_POWER_MIZER_MODE_AUTO,
            mode: sys::NVML_POWER_MIZER_MODE_AUTO,
            supportedPowerMizerModes: 0b1111,
        })
}

/// The power limits of a GPU.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    Min,
    Max,
    Default,
    Current,
    Enforced,
}

pub(super) fn power_limit(call: &GpuCall<'_>, limit: Limit) -> Answer<i64> {
    let spec = call.gpu.spec.power_limit.as_ref().ok_or(Code::NOT_SUPPORTED)?;
    let milliwatts = units::quantity(&limit.of(spec).0).map_err(|_| Code::UNKNOWN)?;
    Ok(call.or_fault(cast::whole(milliwatts)))
}

impl Limit {
    fn of(self, spec: &PowerSpec) -> &Quantity {
        let current = spec.current.as_ref().unwrap_or(&spec.default);
        match self {
            Self::Min => &spec.min,
            Self::Max => &spec.max,
            Self::Default => &spec.default,
            Self::Current => current,
            Self::Enforced => spec.enforced.as_ref().unwrap_or(current),
        }
    }
}
