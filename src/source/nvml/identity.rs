//! What one GPU is: the facts that are asked for before its first sample.

use nvml_wrapper_sys::bindings::nvmlPciInfo_t;

use super::device::Device;
use super::raw::{Plain, function, text_of};
use crate::model::{Absent, Architecture, Fact, Gpu, Instances, Layout};
use crate::source::host::PciAddress;

/// Asks the GPU who it is, and notes on the device what its probes have to know.
///
/// `index` is where the GPU stands if the driver does not say.
pub(super) fn identify(device: &mut Device, index: u32) -> Gpu {
    let name = device.get_text(&function!(nvmlDeviceGetName));
    let mig = mig(device);
    device.mig = mig == Ok(true);
    device.integrated = name.as_ref().is_ok_and(|name| is_integrated(name));
    let fans = device.get(&function!(nvmlDeviceGetNumFans));
    device.fans = fans.or_else(|why| device.fans.map_err(|_| why));
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
        layout: Layout::new(instances(device)),
    }
}

/// How many parts the GPU has; none of what cannot be counted.
fn instances(device: &Device) -> Instances {
    let count = |count: Fact<u32>| u16::try_from(count.unwrap_or(0)).unwrap_or(u16::MAX);
    Instances { fans: count(device.fans), ..Instances::default() }
}

/// Whether something about the GPU could not be had that the driver may tell another time.
pub(super) fn is_incomplete(gpu: &Gpu, device: &Device) -> bool {
    let texts = [&gpu.uuid, &gpu.pci_bus_id, &gpu.name, &gpu.vbios_version, &gpu.serial];
    let reasons = texts.into_iter().filter_map(|text| text.as_ref().err().copied());
    let others =
        [gpu.architecture.err(), gpu.compute_capability.err(), gpu.mig.err(), device.fans.err()];
    let may_change = |why: Absent| !why.lasts() && why != Absent::NoPermission;
    reasons.chain(others.into_iter().flatten()).any(may_change)
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
    let bytes = info?.busId.map(i8::cast_unsigned);
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
