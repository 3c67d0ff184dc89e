//! The links between GPUs.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};

use super::exports;
use crate::abi::{Handle, Out, Target};
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::metric::Metric;
use crate::scenario::NvlinkSpec;

/// NVML's levels of how far two GPUs are apart.
const SAME_SYSTEM: i64 = 50;

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
        put(level, call.or_fault(if other.gpu == call.gpu.index { 0 } else { SAME_SYSTEM }))
    }
    device fn nvmlDeviceGetP2PStatus(_other: Handle, _kind: c_uint, status: Out<c_uint>) |call|
        // 0 is good, 5 "not supported".
        put(status, call.or_fault(if call.gpu.spec.nvlink.is_some() { 0 } else { 5 }))
}

/// The links of a GPU, of which this must be one.
pub(super) fn links(call: &GpuCall<'_>, link: c_uint) -> Answer<NvlinkSpec> {
    let links = call.gpu.spec.nvlink.ok_or(Code::NOT_SUPPORTED)?;
    if link < links.links { Ok(links) } else { Err(Code::INVALID_ARGUMENT) }
}

pub(super) fn is_up(links: NvlinkSpec, link: c_uint) -> bool {
    link < links.active.unwrap_or(links.links)
}
