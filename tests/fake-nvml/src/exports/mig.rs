//! MIG mode and MIG devices.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::c_uint;

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::{Handle, Out};
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};

exports! {
    device fn nvmlDeviceGetMigMode(current: Out<c_uint>, pending: Out<c_uint>) |call| {
        let mig = call.gpu.spec.mig.as_ref().ok_or(Code::NOT_SUPPORTED)?;
        put(current, call.or_fault(mig.enabled.into()))?;
        put(pending, call.or_fault(mig.pending.unwrap_or(mig.enabled).into()))
    }
    device fn nvmlDeviceGetMaxMigDeviceCount(count: Out<c_uint>) |call|
        put(count, call.or_fault(call.gpu.spec.mig.as_ref().map_or(0, |mig| mig.max).into()))
    device fn nvmlDeviceGetMigDeviceHandleByIndex(index: c_uint, device: Out<Handle>) |call| {
        let mig = call.gpu.spec.mig.as_ref().ok_or(Code::NOT_SUPPORTED)?;
        if index >= mig.max {
            return Err(Code::INVALID_ARGUMENT);
        }
        if !mig.enabled {
            return Err(Code::NOT_FOUND);
        }
        let instance = call.gpu.instance(index).ok_or(Code::NOT_FOUND)?;
        device.put(call.handle(call.gpu, Some(instance.slot)))
    }
    mig fn nvmlDeviceGetDeviceHandleFromMigDeviceHandle(device: Out<Handle>) |call|
        device.put(call.handle(call.gpu, None))
    any fn nvmlDeviceIsMigDeviceHandle(answer: Out<c_uint>) |call|
        put(answer, call.instance.is_some().into())
    mig fn nvmlDeviceGetGpuInstanceId(id: Out<c_uint>) |call|
        put(id, call.fixed(call.instance.map(|mig| mig.spec.gi))?)
    mig fn nvmlDeviceGetComputeInstanceId(id: Out<c_uint>) |call|
        put(id, call.fixed(call.instance.map(|mig| mig.spec.ci))?)
    mig fn nvmlDeviceGetAttributes(attributes: Out<sys::nvmlDeviceAttributes_t>) |call|
        attributes.put(attributes_of(call)?)
    mig fn nvmlDeviceGetAttributes_v2(attributes: Out<sys::nvmlDeviceAttributes_t>) |call|
        attributes.put(attributes_of(call)?)
}

fn attributes_of(call: &GpuCall<'_>) -> Answer<sys::nvmlDeviceAttributes_t> {
    let spec = &call.instance.ok_or(Code::NOT_SUPPORTED)?.spec;
    Ok(sys::nvmlDeviceAttributes_t {
        multiprocessorCount: spec.multiprocessors,
        sharedCopyEngineCount: spec.slices,
        sharedDecoderCount: spec.slices,
        sharedEncoderCount: 0,
        sharedJpegCount: spec.slices,
        sharedOfaCount: 0,
        gpuInstanceSliceCount: spec.slices,
        computeInstanceSliceCount: spec.slices,
        memorySizeMB: spec.memory.0 >> 20,
    })
}
