//! Which GPUs there are and what they are.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_char, c_int, c_uint, c_ulong};

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::{Out, Words, chars};
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::world::{Bdf, World};

exports! {
    lookup fn nvmlDeviceGetHandleByIndex(index: c_uint) |world| by_index(world, index)
    lookup fn nvmlDeviceGetHandleByIndex_v2(index: c_uint) |world| by_index(world, index)
    lookup fn nvmlDeviceGetHandleByUUID(uuid: Words) |world| by_uuid(world, uuid.read()?)
    lookup fn nvmlDeviceGetHandleByPciBusId(bus: Words) |world| by_bdf(world, bus.read()?)
    lookup fn nvmlDeviceGetHandleByPciBusId_v2(bus: Words) |world| by_bdf(world, bus.read()?)
    lookup fn nvmlDeviceGetHandleBySerial(serial: Words) |world| by_serial(world, serial.read()?)
    any fn nvmlDeviceGetIndex(index: Out<c_uint>) |call|
        put(index, call.or_fault(call.instance.map_or(call.gpu.index, |mig| mig.slot).into()))
    any fn nvmlDeviceGetName(name: Out<c_char>, length: c_uint) |call| {
        let profile = call.instance.map(|mig| format!(" MIG {}", mig.spec.profile));
        call.text(name, length, &(call.gpu.spec.name.clone() + &profile.unwrap_or_default()))
    }
    any fn nvmlDeviceGetUUID(uuid: Out<c_char>, length: c_uint) |call|
        call.text(uuid, length, call.instance.map_or(&call.gpu.uuid, |mig| &mig.uuid))
    device fn nvmlDeviceGetSerial(serial: Out<c_char>, length: c_uint) |call|
        optional_text(call, serial, length, call.gpu.serial.as_deref())
    device fn nvmlDeviceGetVbiosVersion(version: Out<c_char>, length: c_uint) |call|
        optional_text(call, version, length, call.gpu.spec.vbios.as_deref())
    device fn nvmlDeviceGetBoardPartNumber(part: Out<c_char>, length: c_uint) |call|
        optional_text(call, part, length, call.gpu.spec.board_part.as_deref())
    device fn nvmlDeviceGetMinorNumber(minor: Out<c_uint>) |call|
        put(minor, call.or_fault(call.gpu.spec.minor.unwrap_or(call.gpu.index).into()))
    device fn nvmlDeviceGetModuleId(module: Out<c_uint>) |call|
        put(module, call.fixed(call.gpu.spec.module_id)?)
    device fn nvmlDeviceGetBoardId(board: Out<c_uint>) |call|
        put(board, call.or_fault((call.gpu.bdf.bus << 8).into()))
    device fn nvmlDeviceGetMultiGpuBoard(multiple: Out<c_uint>) |call|
        put(multiple, call.or_fault(0))
    device fn nvmlDeviceGetBrand(brand: Out<c_uint>) |call|
        put(brand, call.or_fault(call.gpu.spec.brand.into()))
    any fn nvmlDeviceGetArchitecture(architecture: Out<c_uint>) |call|
        put(architecture, call.or_fault(call.gpu.spec.architecture.into()))
    any fn nvmlDeviceGetCudaComputeCapability(major: Out<c_int>, minor: Out<c_int>) |call| {
        let [high, low] = call.gpu.spec.compute_capability.ok_or(Code::NOT_SUPPORTED)?;
        put(major, call.or_fault(high.into()))?;
        put(minor, call.or_fault(low.into()))
    }
    device fn nvmlDeviceGetNumGpuCores(cores: Out<c_uint>) |call|
        put(cores, call.fixed(call.gpu.spec.cores)?)
    // Only where the host addresses the GPU's memory as a node of its own.
    device fn nvmlDeviceGetNumaNodeId(node: Out<c_uint>) |call| {
        let is_node = call.gpu.spec.addressing == Some(2);
        put(node, call.fixed(call.gpu.numa_node.filter(|_| is_node))?)
    }
    device fn nvmlDeviceGetCpuAffinity(size: c_uint, set: Out<c_ulong>) |call| {
        let processors = call.gpu.processors.as_ref().ok_or(Code::NOT_SUPPORTED)?;
        put_set(size, set, processors)
    }
    device fn nvmlDeviceGetMemoryAffinity(size: c_uint, set: Out<c_ulong>, _scope: c_uint) |call|
        put_set(size, set, &[call.gpu.numa_node.ok_or(Code::NOT_SUPPORTED)?])
    device fn nvmlDeviceGetPersistenceMode(mode: Out<c_uint>) |call|
        put(mode, call.fixed(call.gpu.spec.persistence)?)
    device fn nvmlDeviceGetComputeMode(mode: Out<c_uint>) |call|
        put(mode, call.fixed(call.gpu.spec.compute_mode)?)
    device fn nvmlDeviceGetDisplayActive(active: Out<c_uint>) |call|
        put(active, call.fixed(call.gpu.spec.display_active)?)
    device fn nvmlDeviceGetDisplayMode(mode: Out<c_uint>) |call|
        put(mode, call.fixed(call.gpu.spec.display_mode)?)
    device fn nvmlDeviceGetGspFirmwareVersion(version: Out<c_char>) |call| {
        // Without a length: the header asks for a buffer of this size.
        let driver = call.gpu.spec.gsp.map(|_| call.world.driver(call.now));
        optional_text(call, version, sys::NVML_GSP_FIRMWARE_VERSION_BUF_SIZE, driver)
    }
    device fn nvmlDeviceGetGspFirmwareMode(enabled: Out<c_uint>, default: Out<c_uint>) |call| {
        put(enabled, call.fixed(call.gpu.spec.gsp)?)?;
        put(default, call.fixed(call.gpu.spec.gsp)?)
    }
    device fn nvmlDeviceGetVirtualizationMode(mode: Out<c_uint>) |call|
        put(mode, call.or_fault(call.gpu.spec.virtualization.into()))
    device fn nvmlDeviceGetPciInfo(pci: Out<sys::nvmlPciInfo_t>) |call| pci.put(pci_info(call))
    device fn nvmlDeviceGetPciInfo_v2(pci: Out<sys::nvmlPciInfo_t>) |call| pci.put(pci_info(call))
    device fn nvmlDeviceGetPciInfo_v3(pci: Out<sys::nvmlPciInfo_t>) |call| pci.put(pci_info(call))
}

/// Writes numbers as a set of bits.
fn put_set(size: c_uint, set: Out<c_ulong>, numbers: &[u32]) -> Answer {
    for word in 0..size {
        let bits = numbers.iter().filter(|number| *number / c_ulong::BITS == word);
        let mask = bits.fold(0, |mask, number| mask | 1 << (number % c_ulong::BITS));
        set.at(usize::try_from(word).unwrap_or(0)).put(mask)?;
    }
    Ok(())
}

fn by_index(world: &World, index: c_uint) -> Answer<(u32, Option<u32>)> {
    let known = world.gpus.iter().any(|gpu| gpu.index == index);
    if known { Ok((index, None)) } else { Err(Code::INVALID_ARGUMENT) }
}

fn by_uuid(world: &World, uuid: &str) -> Answer<(u32, Option<u32>)> {
    for gpu in &world.gpus {
        if gpu.uuid == uuid {
            return Ok((gpu.index, None));
        }
        if let Some(mig) = gpu.instances.iter().find(|mig| mig.uuid == uuid) {
            return Ok((gpu.index, Some(mig.slot)));
        }
    }
    Err(Code::NOT_FOUND)
}

fn by_bdf(world: &World, text: &str) -> Answer<(u32, Option<u32>)> {
    let bdf = Bdf::parse(text).map_err(|_| Code::INVALID_ARGUMENT)?;
    let gpu = world.gpus.iter().find(|gpu| gpu.bdf == bdf).ok_or(Code::NOT_FOUND)?;
    Ok((gpu.index, None))
}

fn by_serial(world: &World, serial: &str) -> Answer<(u32, Option<u32>)> {
    let gpu = world.gpus.iter().find(|gpu| gpu.serial.as_deref() == Some(serial));
    Ok((gpu.ok_or(Code::NOT_FOUND)?.index, None))
}

fn optional_text(
    call: &GpuCall<'_>,
    out: Out<c_char>,
    length: c_uint,
    text: Option<&str>,
) -> Answer {
    call.text(out, length, text.ok_or(Code::NOT_SUPPORTED)?)
}

fn pci_info(call: &GpuCall<'_>) -> sys::nvmlPciInfo_t {
    let Bdf { domain, bus, device } = call.gpu.bdf;
    sys::nvmlPciInfo_t {
        busIdLegacy: chars(&format!("{domain:04X}:{bus:02X}:{device:02X}.0")),
        domain,
        bus,
        device,
        pciDeviceId: call.gpu.spec.pci_device_id,
        pciSubSystemId: call.gpu.spec.pci_subsystem_id,
        busId: chars(&format!("{domain:08X}:{bus:02X}:{device:02X}.0")),
    }
}
