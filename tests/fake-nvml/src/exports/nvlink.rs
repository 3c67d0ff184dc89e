//! The links between GPUs.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::{Handle, Out, Target, chars};
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::metric::Metric;
use crate::scenario::NvlinkSpec;
use crate::world::Bdf;

/// NVML's levels of how far two GPUs are apart.
const SAME_SYSTEM: i64 = 50;
const SAME_NODE: i64 = 40;

exports! {
    device fn nvmlDeviceGetNvLinkState(link: c_uint, active: Out<c_uint>) |call|
        put(active, call.or_fault(is_up(links(call, link)?, link).into()))
    device fn nvmlDeviceGetNvLinkVersion(link: c_uint, version: Out<c_uint>) |call|
        put(version, call.or_fault(links(call, link)?.version.into()))
    device fn nvmlDeviceGetNvLinkCapability(
        link: c_uint,
        _capability: c_uint,
        result: Out<c_uint>,
    ) |call| {
        links(call, link)?;
        put(result, call.or_fault(1))
    }
    device fn nvmlDeviceGetNvLinkRemoteDeviceType(link: c_uint, kind: Out<c_uint>) |call| {
        let links = links(call, link)?;
        if !is_up(links, link) {
            return Err(Code::INVALID_ARGUMENT);
        }
        // 0 is a GPU and 2 a switch.
        put(kind, call.or_fault(if links.switch { 2 } else { 0 }))
    }
    device fn nvmlDeviceGetNvLinkErrorCounter(
        link: c_uint,
        _counter: c_uint,
        errors: Out<c_ulonglong>,
    ) |call| {
        links(call, link)?;
        put(errors, call.number(Metric::NvlinkErrors)?)
    }
    device fn nvmlDeviceGetTopologyCommonAncestor(other: Handle, level: Out<c_uint>) |call| {
        let other = Target::of(other).ok_or(Code::INVALID_ARGUMENT)?;
        let find = |index| call.world.gpus.iter().find(|gpu| gpu.index == index);
        let other = find(other.gpu).ok_or(Code::INVALID_ARGUMENT)?;
        let is_near = other.numa_node.is_some() && other.numa_node == call.gpu.numa_node;
        let far = if is_near { SAME_NODE } else { SAME_SYSTEM };
        put(level, call.or_fault(if other.index == call.gpu.index { 0 } else { far }))
    }
    device fn nvmlDeviceGetNvLinkRemotePciInfo_v2(
        link: c_uint,
        info: Out<sys::nvmlPciInfo_t>,
    ) |call| {
        let links = links(call, link)?;
        if !is_up(links, link) {
            return Err(Code::INVALID_ARGUMENT);
        }
        info.put(if links.switch { switch_info(link) } else { peer_info(call, link)? })
    }
    device fn nvmlDeviceGetP2PStatus(_other: Handle, _kind: c_uint, status: Out<c_uint>) |call|
        // 0 is good, 5 "not supported".
        put(status, call.or_fault(if call.gpu.spec.nvlink.is_some() { 0 } else { 5 }))
    device fn nvmlDeviceGetGpuFabricInfoV(info: Out<sys::nvmlGpuFabricInfoV_t>) |call|
        fabric(call, info)
}

/// The first architecture that joins a fabric: Hopper.
const FIRST_IN_FABRIC: u32 = 9;

/// Joined where there are switches. The structure of version 3 is younger than that of version 2.
fn fabric(call: &GpuCall<'_>, info: Out<sys::nvmlGpuFabricInfoV_t>) -> Answer {
    let links = links(call, 0)?;
    if !links.switch || call.gpu.spec.architecture < FIRST_IN_FABRIC {
        return Err(Code::NOT_SUPPORTED);
    }
    let state = call.or_fault(sys::NVML_GPU_FABRIC_STATE_COMPLETED.into());
    let state = sys::nvmlGpuFabricState_t::try_from(state).unwrap_or(u8::MAX);
    if call.world.driver(call.now) >= "575"
        && let Ok(mut newest) = info.versioned(3)
    {
        newest.state = state;
        newest.healthSummary = HEALTHY;
        return info.put(newest);
    }
    let info = info.cast::<sys::nvmlGpuFabricInfo_v2_t>();
    let mut older = info.versioned(2)?;
    older.state = state;
    info.put(older)
}

/// `NVML_GPU_FABRIC_HEALTH_SUMMARY_HEALTHY`.
const HEALTHY: u8 = 1;
/// The other end of a link to a switch.
fn switch_info(link: c_uint) -> sys::nvmlPciInfo_t {
    pci_info_of(Bdf { domain: 0, bus: 0xc0 + link % 4, device: 0 })
}

/// The other end of a direct link: the other GPUs have it in turns.
fn peer_info(call: &GpuCall<'_>, link: c_uint) -> Answer<sys::nvmlPciInfo_t> {
    let others: Vec<_> = call.world.gpus.iter().filter(|gpu| gpu.index != call.gpu.index).collect();
    let turn = usize::try_from(link).ok().and_then(|link| link.checked_rem(others.len()));
    let other = turn.and_then(|turn| others.get(turn)).ok_or(Code::NOT_SUPPORTED)?;
    Ok(pci_info_of(other.bdf))
}

fn pci_info_of(bdf: Bdf) -> sys::nvmlPciInfo_t {
    let Bdf { domain, bus, device } = bdf;
    sys::nvmlPciInfo_t {
        busIdLegacy: chars(&format!("{domain:04X}:{bus:02X}:{device:02X}.0")),
        domain,
        bus,
        device,
        pciDeviceId: 0,
        pciSubSystemId: 0,
        busId: chars(&format!("{domain:08X}:{bus:02X}:{device:02X}.0")),
    }
}

/// The links of a GPU, of which this must be one.
pub(super) fn links(call: &GpuCall<'_>, link: c_uint) -> Answer<NvlinkSpec> {
    let links = call.gpu.spec.nvlink.ok_or(Code::NOT_SUPPORTED)?;
    if link < links.links { Ok(links) } else { Err(Code::INVALID_ARGUMENT) }
}

pub(super) fn is_up(links: NvlinkSpec, link: c_uint) -> bool {
    link < links.active.unwrap_or(links.links)
}
