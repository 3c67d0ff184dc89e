//! MIG devices: what a GPU was divided into, and the memory of each part.

use super::device::{Device, or_older};
use super::engines::memory_with_version;
use super::probes::Fill;
use super::raw::{Handle, MIG_DEVICE, function};
use crate::model::{Absent, Fact, Instances, Metric, MigDevice};

/// More MIG devices than any GPU has; a larger count is not believed.
const MOST_DEVICES: u32 = 64;
const NOT_FOUND: u32 = super::raw::code::NOT_FOUND;
const MEBIBYTE: u64 = 1_048_576;

/// A GPU instance that MIG has made, as the memory of it is asked for.
#[derive(Clone, Copy)]
pub(super) struct GpuInstance {
    /// Its number, which GPM takes.
    pub(super) id: u32,
    /// A device in it, and its place among the devices.
    handle: Handle,
    index: u32,
}

/// Lists the MIG devices, and notes on the device a handle for each GPU instance.
///
/// A handle may come to mean another instance after the GPU was divided anew, so the list is made again now and then.
pub(super) fn devices(device: &mut Device) -> Fact<Vec<MigDevice>> {
    let most = device.get::<u32>(&function!(nvmlDeviceGetMaxMigDeviceCount))?;
    let mut devices = Vec::new();
    let mut instances: Vec<GpuInstance> = Vec::new();
    for index in 0..most.min(MOST_DEVICES) {
        let found =
            device.call(MIG_DEVICE.name, index, |gpu, library| gpu.mig_device(library, index));
        let handle = match found {
            Ok(handle) => handle,
            // A hole between others, or a place that is no longer one.
            Err(Absent::NvmlError(NOT_FOUND)) => continue,
            Err(why) => return Err(why),
        };
        let mig_device = describe(device, handle, index);
        if let Ok(id) = mig_device.gpu_instance
            && !instances.iter().any(|known| known.id == id)
        {
            instances.push(GpuInstance { id, handle, index });
        }
        devices.push(mig_device);
    }
    instances.sort_unstable_by_key(|instance| instance.id);
    device.gpu_instances = instances;
    Ok(devices)
}

fn describe(device: &mut Device, handle: Handle, index: u32) -> MigDevice {
    let number = |device: &mut Device, function| ask_number(device, handle, index, function);
    MigDevice {
        uuid: ask_text(device, handle, index, &function!(nvmlDeviceGetUUID)),
        gpu_instance: number(device, &function!(nvmlDeviceGetGpuInstanceId)),
        compute_instance: number(device, &function!(nvmlDeviceGetComputeInstanceId)),
        profile: profile(device, handle, index),
        memory_total_bytes: sizes(device, handle, index).map(|(total, _)| total),
    }
}

/// What tells the answers of a MIG device from those of its GPU and of the others.
fn which(index: u32) -> u32 {
    index + 1
}

fn ask_number(
    device: &mut Device,
    handle: Handle,
    index: u32,
    function: &super::raw::Function<super::raw::Getter<u32>>,
) -> Fact<u32> {
    device.call(function.name, which(index), |_, library| handle.get(library, function, 0))
}

fn ask_text(
    device: &mut Device,
    handle: Handle,
    index: u32,
    function: &super::raw::Function<super::raw::TextGetter>,
) -> Fact<String> {
    let text =
        device.call(function.name, which(index), |_, library| handle.get_text(library, function));
    text.and_then(|text| if text.is_empty() { Err(Absent::Unknown) } else { Ok(text) })
}

/// The size as the device's name tells it; a driver that does not name it tells the slices and the memory.
fn profile(device: &mut Device, handle: Handle, index: u32) -> Fact<String> {
    let name = ask_text(device, handle, index, &function!(nvmlDeviceGetName));
    let named = name.as_deref().ok().and_then(|name| name.rsplit_once(" MIG "));
    if let Some((_, profile)) = named {
        return Ok(profile.to_owned());
    }
    let function = function!(nvmlDeviceGetAttributes_v2);
    let attributes = device.call(function.name, which(index), |_, library| {
        handle.get(library, &function, super::raw::Plain::zeroed())
    })?;
    Ok(profile_of(
        attributes.computeInstanceSliceCount,
        attributes.gpuInstanceSliceCount,
        attributes.memorySizeMB,
    ))
}

/// The name of a size: `1g.10gb`, or `1c.3g.40gb` for a compute instance that is a part of its GPU instance.
fn profile_of(compute_slices: u32, slices: u32, mebibytes: u64) -> String {
    let part = if compute_slices < slices { format!("{compute_slices}c.") } else { String::new() };
    // What is left of the gigabytes in the name after the driver took its share.
    format!("{part}{slices}g.{}gb", mebibytes.div_ceil(1024))
}

/// The whole memory and what of it is used.
fn sizes(device: &mut Device, handle: Handle, index: u32) -> Fact<(u64, u64)> {
    let newer = function!(nvmlDeviceGetMemoryInfo_v2);
    let answer = device.call(newer.name, which(index), |_, library| {
        handle.get(library, &newer, memory_with_version())
    });
    let answer = answer.map(|memory| (memory.total, memory.used));
    let answer = or_older(answer, || {
        let older = function!(nvmlDeviceGetMemoryInfo);
        let memory = device.call(older.name, which(index), |_, library| {
            handle.get(library, &older, super::raw::Plain::zeroed())
        })?;
        Ok((memory.total, memory.used))
    });
    match answer? {
        (total, used) if used > total || total < MEBIBYTE => Err(Absent::OutOfRange),
        sizes => Ok(sizes),
    }
}

/// Reads the memory that is used in each GPU instance.
pub(super) fn memory(device: &mut Device, fill: &mut Fill<'_>) {
    let instances = device.gpu_instances.clone();
    if instances.is_empty() {
        return fill.put(Metric::InstanceMemoryUsed, Err(Absent::NotMig));
    }
    let most = Instances::MOST.gpu_instances.into();
    for (position, instance) in instances.into_iter().take(most).enumerate() {
        let sizes = sizes(device, instance.handle, instance.index);
        let used = sizes.map(|(_, used)| used as f64);
        fill.put_instance(Metric::InstanceMemoryUsed, position, used);
    }
}

#[cfg(test)]
mod tests {
    use super::profile_of;

    #[test]
    fn sizes_are_called_as_nvidia_calls_them() {
        assert_eq!(profile_of(1, 1, 9984), "1g.10gb");
        assert_eq!(profile_of(3, 3, 40_448), "3g.40gb");
        assert_eq!(profile_of(1, 3, 40_448), "1c.3g.40gb");
        assert_eq!(profile_of(7, 7, 40_192), "7g.40gb");
        assert_eq!(profile_of(1, 1, 4864), "1g.5gb");
    }
}
