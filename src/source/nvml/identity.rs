//! What one GPU is: the facts that are asked for before its first sample.

use nvml_wrapper_sys::bindings::nvmlPciInfo_t;

use super::device::Device;
use super::fields::{FieldLanes, nvlinks};
use super::raw::{Plain, function, text_of};
use super::{facts, mig as mig_devices};
use crate::model::{Absent, Architecture, Fact, Gpu, Instances, Layout, MigDevice};
use crate::source::host::PciAddress;

/// Asks the GPU who it is, and notes on the device what its probes have to know.
///
/// `index` is where the GPU stands if the driver does not say.
pub(super) fn identify(device: &mut Device, index: u32) -> Gpu {
    let name = device.get_text(&function!(nvmlDeviceGetName));
    let mig = mig(device);
    device.mig = mig == Ok(true);
    let devices = divisions(device, mig);
    device.integrated = name.as_ref().is_ok_and(|name| is_integrated(name));
    let fans = device.get(&function!(nvmlDeviceGetNumFans));
    device.fans = fans.or_else(|why| device.fans.map_err(|_| why));
    let nvlinks = nvlinks(device).or_else(|why| device.nvlinks.map_err(|_| why));
    if nvlinks != device.nvlinks {
        device.nvlinks = nvlinks;
        device.field_lanes = FieldLanes::default();
    }
    Gpu {
        index: device.get(&function!(nvmlDeviceGetIndex)).unwrap_or(index),
        uuid: device.get_text(&function!(nvmlDeviceGetUUID)),
        pci_bus_id: pci_bus_id(device),
        name,
        architecture: device.get(&function!(nvmlDeviceGetArchitecture)).map(Architecture),
        compute_capability: device.get_pair(&function!(nvmlDeviceGetCudaComputeCapability)),
        vbios_version: device.get_text(&function!(nvmlDeviceGetVbiosVersion)),
        serial: device.get_text(&function!(nvmlDeviceGetSerial)),
        mig,
        facts: facts::read(device),
        mig_devices: devices,
        layout: Layout::new(instances(device)),
    }
}

/// What MIG has divided the GPU into; nothing where it is not in that mode.
pub(super) fn divisions(device: &mut Device, mig: Fact<bool>) -> Fact<Vec<MigDevice>> {
    if mig? {
        return mig_devices::devices(device);
    }
    device.gpu_instances.clear();
    Ok(Vec::new())
}

/// How many parts the GPU has; none of what cannot be counted.
fn instances(device: &Device) -> Instances {
    let count = |count: Fact<u32>| u16::try_from(count.unwrap_or(0)).unwrap_or(u16::MAX);
    let gpu_instances = u16::try_from(device.gpu_instances.len()).unwrap_or(u16::MAX);
    Instances { fans: count(device.fans), nvlinks: device.nvlinks.unwrap_or(0), gpu_instances }
}

/// Whether something about the GPU could not be had that the driver may tell another time.
pub(super) fn is_incomplete(gpu: &Gpu, device: &Device) -> bool {
    let texts = [&gpu.uuid, &gpu.pci_bus_id, &gpu.name, &gpu.vbios_version, &gpu.serial];
    let reasons = texts.into_iter().filter_map(|text| text.as_ref().err().copied());
    let others = [
        gpu.architecture.err(),
        gpu.compute_capability.err(),
        gpu.mig.err(),
        device.fans.err(),
        device.nvlinks.err(),
    ];
    let facts = gpu.facts.iter().filter_map(|(_, known)| known.err());
    let divisions = gpu.mig_devices.as_ref().err().copied();
    let may_change = |why: Absent| {
        !why.lasts() && !matches!(why, Absent::NoPermission | Absent::Unknown | Absent::OutOfRange)
    };
    reasons.chain(others.into_iter().flatten()).chain(facts).chain(divisions).any(may_change)
}

/// The GPU with what was known of it before where the driver does not say it now.
pub(super) fn with_known(now: Gpu, before: &Gpu) -> Gpu {
    fn or_before<T: Clone>(now: Fact<T>, before: &Fact<T>) -> Fact<T> {
        now.or_else(|why| before.clone().map_err(|_| why))
    }
    Gpu {
        index: now.index,
        uuid: or_before(now.uuid, &before.uuid),
        pci_bus_id: or_before(now.pci_bus_id, &before.pci_bus_id),
        name: or_before(now.name, &before.name),
        architecture: or_before(now.architecture, &before.architecture),
        compute_capability: or_before(now.compute_capability, &before.compute_capability),
        vbios_version: or_before(now.vbios_version, &before.vbios_version),
        serial: or_before(now.serial, &before.serial),
        mig: or_before(now.mig, &before.mig),
        facts: now.facts.or(&before.facts),
        mig_devices: or_before(now.mig_devices, &before.mig_devices),
        layout: now.layout,
    }
}

/// Whether the GPU is in MIG mode; one that does not know the question is not.
pub(super) fn mig(device: &mut Device) -> Fact<bool> {
    match device.get_pair::<u32>(&function!(nvmlDeviceGetMigMode)) {
        Ok((current, _pending)) => Ok(current == 1),
        Err(Absent::NotSupported | Absent::MissingSymbol) => Ok(false),
        Err(why) => Err(why),
    }
}

/// The address in the kernel's form; NVML writes the domain with eight digits.
fn pci_bus_id(device: &mut Device) -> Fact<String> {
    let info = device.get_from(&function!(nvmlDeviceGetPciInfo_v3), nvmlPciInfo_t::zeroed());
    address_of(&info?)
}

/// The same of a device at the other end of a link.
pub(super) fn address_of(info: &nvmlPciInfo_t) -> Fact<String> {
    let bytes = info.busId.map(i8::cast_unsigned);
    let address = text_of(&bytes).parse::<PciAddress>();
    address.map(|address| address.to_string()).map_err(|_| Absent::OutOfRange)
}

/// Whether the GPU sits on the processor's chip: NVML has no question for it, so the name has to do.
fn is_integrated(name: &str) -> bool {
    const ON_CHIP: [&str; 3] = ["GB10", "Thor", "Orin"];
    name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| ON_CHIP.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::is_integrated;

    #[test]
    fn chips_are_told_by_whole_words() {
        assert!(is_integrated("NVIDIA GB10"));
        assert!(is_integrated("NVIDIA Jetson Orin (nvgpu)"));
        assert!(!is_integrated("NVIDIA GB100"));
        assert!(!is_integrated("NVIDIA H100 80GB HBM3"));
    }
}
