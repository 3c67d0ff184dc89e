//! What lasts about a GPU beyond its identity: which call answers each fact.

use nvml_wrapper_sys::bindings::{
    nvmlClockType_enum_NVML_CLOCK_MEM as CLOCK_MEMORY, nvmlDeviceAddressingMode_t,
};

use super::device::Device;
use super::raw::{
    CPU_AFFINITY, Function, GSP_VERSION, Getter, Handle, MEMORY_AFFINITY, Plain, function,
    struct_version,
};
use crate::model::{Absent, Fact, FactValue, GpuFact, GpuFacts, peak_memory_bandwidth};

/// NVML's number for a machine that has a part of a GPU.
const VIRTUAL_GPU: u32 = 2;

/// Asks for every fact, and notes on the device what its probes have to know.
pub(super) fn read(device: &mut Device) -> GpuFacts {
    let mut facts = GpuFacts::absent(Absent::NotReadYet);
    for &fact in GpuFact::ALL {
        facts.set(fact, answer(device, fact));
    }
    let virtualization = facts.get(GpuFact::VirtualizationMode);
    device.is_virtual = virtualization == Ok(&FactValue::Word(VIRTUAL_GPU));
    facts
}

fn answer(device: &mut Device, fact: GpuFact) -> Fact<FactValue> {
    match fact {
        GpuFact::MemoryBusWidth => bus_width(device).map(FactValue::Number),
        GpuFact::MemoryBandwidthPeak => {
            let width = bus_width(device)?;
            let clock = device.get_indexed(&function!(nvmlDeviceGetMaxClockInfo), CLOCK_MEMORY)?;
            Ok(FactValue::Number(peak_memory_bandwidth(clock.into(), width)))
        }
        GpuFact::ComputeMode => word(device, &function!(nvmlDeviceGetComputeMode)),
        GpuFact::AccountingMode => flag(device, &function!(nvmlDeviceGetAccountingMode)),
        GpuFact::DisplayAttached => flag(device, &function!(nvmlDeviceGetDisplayMode)),
        GpuFact::DisplayActive => flag(device, &function!(nvmlDeviceGetDisplayActive)),
        GpuFact::GspFirmware => {
            let modes = device.get_pair::<u32>(&function!(nvmlDeviceGetGspFirmwareMode))?;
            Ok(FactValue::Flag(modes.0 != 0))
        }
        GpuFact::GspFirmwareVersion => {
            let version = device.call(GSP_VERSION.name, 0, Handle::gsp_version)?;
            if version.is_empty() {
                Err(Absent::Unknown)
            } else {
                Ok(FactValue::Text(version.into()))
            }
        }
        GpuFact::VirtualizationMode => word(device, &function!(nvmlDeviceGetVirtualizationMode)),
        GpuFact::AddressingMode => {
            let mut initial = nvmlDeviceAddressingMode_t::zeroed();
            initial.version = struct_version::<nvmlDeviceAddressingMode_t>(1);
            let mode = device.get_from(&function!(nvmlDeviceGetAddressingMode), initial)?;
            Ok(FactValue::Word(mode.value))
        }
        GpuFact::MemoryNumaNode => {
            let node = device.get::<u32>(&function!(nvmlDeviceGetNumaNodeId))?;
            if node == u32::MAX { Err(Absent::Unknown) } else { Ok(FactValue::Number(node.into())) }
        }
        GpuFact::NumaAffinity => {
            list(device.call(MEMORY_AFFINITY.name, 0, Handle::memory_affinity))
        }
        GpuFact::CpuAffinity => list(device.call(CPU_AFFINITY.name, 0, Handle::cpu_affinity)),
    }
}

/// More bits than any memory's bus has; some driver's answer for a GPU without memory is larger.
const WIDEST_BUS: u32 = 65_536;

fn bus_width(device: &mut Device) -> Fact<f64> {
    match device.get::<u32>(&function!(nvmlDeviceGetMemoryBusWidth)) {
        Err(Absent::NotSupported) | Ok(0) if device.integrated => Err(Absent::UnifiedMemory),
        Ok(0) => Err(Absent::Unknown),
        Ok(bits) if bits > WIDEST_BUS => Err(Absent::OutOfRange),
        answer => answer.map(f64::from),
    }
}

fn word(device: &mut Device, function: &Function<Getter<u32>>) -> Fact<FactValue> {
    device.get(function).map(FactValue::Word)
}

fn flag(device: &mut Device, function: &Function<Getter<u32>>) -> Fact<FactValue> {
    match device.get(function)? {
        0 => Ok(FactValue::Flag(false)),
        1 => Ok(FactValue::Flag(true)),
        _ => Err(Absent::OutOfRange),
    }
}

fn list(numbers: Fact<Vec<u32>>) -> Fact<FactValue> {
    match ranges(&numbers?) {
        text if text.is_empty() => Err(Absent::Unknown),
        text => Ok(FactValue::Text(text.into())),
    }
}

/// Numbers in order as Linux writes such lists: `0-55,112-167`.
fn ranges(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|before, next| next - before == 1);
    let texts = runs.map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        single => single.iter().map(u32::to_string).collect(),
    });
    texts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn lists_of_processors_are_short() {
        let numbers: Vec<_> = (0..56).chain(112..168).chain([200]).collect();
        assert_eq!(ranges(&numbers), "0-55,112-167,200");
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[3, 4]), "3-4");
    }
}
