//! Temperatures, their limits, and fans.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_int, c_uint};

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::cast::FromAnswer as _;
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::metric::Metric;

exports! {
    device fn nvmlDeviceGetTemperature(sensor: c_uint, temperature: Out<c_uint>) |call| {
        if sensor != 0 {
            return Err(Code::INVALID_ARGUMENT);
        }
        put(temperature, call.number(Metric::Temperature)?)
    }
    device fn nvmlDeviceGetTemperatureV(temperature: Out<sys::nvmlTemperature_t>) |call| {
        let mut answer = temperature.versioned(1)?;
        if answer.sensorType != 0 {
            return Err(Code::INVALID_ARGUMENT);
        }
        answer.temperature = c_int::from_answer(call.number(Metric::Temperature)?);
        temperature.put(answer)
    }
    device fn nvmlDeviceGetMarginTemperature(margin: Out<sys::nvmlMarginTemperature_t>) |call| {
        let mut answer = margin.versioned(1)?;
        answer.marginTemperature = c_int::from_answer(left(call)?);
        margin.put(answer)
    }
    device fn nvmlDeviceGetTemperatureThreshold(kind: c_uint, temperature: Out<c_uint>) |call| {
        let limits = call.gpu.spec.threshold;
        let limit = match kind {
            0 => limits.shutdown,
            1 => limits.slowdown,
            2 => limits.memory_max,
            3 => limits.gpu_max,
            4..=7 => None,
            _ => return Err(Code::INVALID_ARGUMENT),
        };
        put(temperature, call.fixed(limit)?)
    }
    device fn nvmlDeviceGetThermalSettings(
        _sensor: c_uint,
        settings: Out<sys::nvmlGpuThermalSettings_t>,
    ) |call| settings.put(thermal_settings(call)?)
    device fn nvmlDeviceGetNumFans(fans: Out<c_uint>) |call|
        put(fans, call.or_fault(call.gpu.spec.fans.into()))
    device fn nvmlDeviceGetFanSpeed(speed: Out<c_uint>) |call| put(speed, fan(call, 0)?)
    device fn nvmlDeviceGetFanSpeed_v2(index: c_uint, speed: Out<c_uint>) |call|
        put(speed, fan(call, index)?)
    device fn nvmlDeviceGetTargetFanSpeed(index: c_uint, speed: Out<c_uint>) |call|
        put(speed, fan(call, index)?)
    device fn nvmlDeviceGetFanSpeedRPM(speed: Out<sys::nvmlFanSpeedInfo_t>) |call| {
        let mut answer = speed.versioned(1)?;
        fan(call, answer.fan)?;
        answer.speed = c_uint::from_answer(call.number(Metric::FanRpm)?);
        speed.put(answer)
    }
    device fn nvmlDeviceGetMinMaxFanSpeed(lowest: Out<c_uint>, highest: Out<c_uint>) |call| {
        fan(call, 0)?;
        put(lowest, call.or_fault(30))?;
        put(highest, call.or_fault(100))
    }
}

/// Degrees left until the GPU slows down.
fn left(call: &GpuCall<'_>) -> Answer<i64> {
    if let Some(value) = call.effects.value {
        return Ok(value);
    }
    let slowdown = call.gpu.spec.threshold.slowdown.map(i64::from);
    let limit = call.gpu.spec.t_limit.at.map(i64::from).or(slowdown).ok_or(Code::NOT_SUPPORTED)?;
    Ok(limit - call.number(Metric::Temperature)?)
}

/// The speed of one fan; a GPU without fans has none to ask for.
fn fan(call: &GpuCall<'_>, index: c_uint) -> Answer<i64> {
    if call.gpu.spec.fans == 0 {
        return Err(Code::NOT_SUPPORTED);
    }
    if index >= call.gpu.spec.fans {
        return Err(Code::INVALID_ARGUMENT);
    }
    call.number(Metric::Fan)
}

fn thermal_settings(call: &GpuCall<'_>) -> Answer<sys::nvmlGpuThermalSettings_t> {
    let none = sys::nvmlGpuThermalSettings_t__bindgen_ty_1 {
        controller: 0,
        defaultMinTemp: 0,
        defaultMaxTemp: 0,
        currentTemp: 0,
        target: sys::nvmlThermalTarget_t_NVML_THERMAL_TARGET_NONE,
    };
    let mut settings = sys::nvmlGpuThermalSettings_t { count: 1, sensor: [none; 3] };
    let target = sys::nvmlThermalTarget_t_NVML_THERMAL_TARGET_GPU;
    settings.sensor[0].currentTemp = c_int::from_answer(call.number(Metric::Temperature)?);
    settings.sensor[0].target = target;
    Ok(settings)
}
