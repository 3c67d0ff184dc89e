//! What older functions say, where no field is to be had.

use nvml_wrapper_sys::bindings::nvmlThermalTarget_t_NVML_THERMAL_TARGET_MEMORY as MEMORY;

use crate::model::Absent;
use crate::source::nvml::device::Device;
use crate::source::nvml::raw::function;

/// `NVML_THERMAL_TARGET_ALL`: every sensor.
const EVERY_SENSOR: u32 = 15;

pub(super) fn power(device: &mut Device, _: usize) -> Result<f64, Absent> {
    let milliwatts = device.get(&function!(nvmlDeviceGetPowerUsage))?;
    Ok(f64::from(milliwatts) / 1e3)
}

pub(super) fn energy(device: &mut Device, _: usize) -> Result<f64, Absent> {
    let millijoules = device.get(&function!(nvmlDeviceGetTotalEnergyConsumption))?;
    Ok(millijoules as f64 / 1e3)
}

pub(super) fn memory_temperature(device: &mut Device, _: usize) -> Result<f64, Absent> {
    let settings = device.get_indexed(&function!(nvmlDeviceGetThermalSettings), EVERY_SENSOR)?;
    let count = usize::try_from(settings.count).unwrap_or(usize::MAX);
    let mut sensors = settings.sensor.iter().take(count);
    let memory = sensors.find(|sensor| sensor.target == MEMORY).ok_or(Absent::NotSupported)?;
    Ok(memory.currentTemp.into())
}

pub(super) fn pcie_replays(device: &mut Device, _: usize) -> Result<f64, Absent> {
    device.get(&function!(nvmlDeviceGetPcieReplayCounter)).map(f64::from)
}

pub(super) fn nvlink_version(device: &mut Device, _: usize) -> Result<f64, Absent> {
    device.get_indexed(&function!(nvmlDeviceGetNvLinkVersion), 0).map(f64::from)
}

pub(super) fn nvlink_state(device: &mut Device, link: usize) -> Result<f64, Absent> {
    let link = u32::try_from(link).map_err(|_| Absent::OutOfRange)?;
    if u32::from(device.nvlinks.unwrap_or(0)) <= link {
        return Err(Absent::NotSupported);
    }
    device.get_indexed(&function!(nvmlDeviceGetNvLinkState), link).map(f64::from)
}
