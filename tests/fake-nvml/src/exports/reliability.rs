//! Error correction, worn-out memory and accounting.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::code::{Answer, Code};
use crate::entry::{GpuCall, put};
use crate::metric::Metric;

exports! {
    any fn nvmlDeviceGetEccMode(current: Out<c_uint>, pending: Out<c_uint>) |call| {
        put(current, call.fixed(call.gpu.spec.ecc)?)?;
        put(pending, call.fixed(call.gpu.spec.ecc)?)
    }
    device fn nvmlDeviceGetDefaultEccMode(mode: Out<c_uint>) |call|
        put(mode, call.fixed(call.gpu.spec.ecc)?)
    any fn nvmlDeviceGetTotalEccErrors(
        kind: c_uint,
        _counter: c_uint,
        errors: Out<c_ulonglong>,
    ) |call| put(errors, ecc_errors(call, kind)?)
    any fn nvmlDeviceGetMemoryErrorCounter(
        kind: c_uint,
        _counter: c_uint,
        location: c_uint,
        errors: Out<c_ulonglong>,
    ) |call| match location {
        sys::nvmlMemoryLocation_enum_NVML_MEMORY_LOCATION_DRAM => put(errors, ecc_errors(call, kind)?),
        0..sys::nvmlMemoryLocation_enum_NVML_MEMORY_LOCATION_COUNT => {
            ecc_errors(call, kind)?;
            put(errors, call.or_fault(0))
        }
        _ => Err(Code::INVALID_ARGUMENT),
    }
    device fn nvmlDeviceGetRemappedRows(
        corrected: Out<c_uint>,
        uncorrected: Out<c_uint>,
        pending: Out<c_uint>,
        failed: Out<c_uint>,
    ) |call| {
        put(corrected, call.number(Metric::RemappedCorrected)?)?;
        put(uncorrected, call.number(Metric::RemappedUncorrected)?)?;
        put(pending, call.number(Metric::RemapPending)?)?;
        put(failed, call.number(Metric::RemapFailed)?)
    }
    device fn nvmlDeviceGetRowRemapperHistogram(
        histogram: Out<sys::nvmlRowRemapperHistogramValues_t>,
    ) |call| {
        call.number(Metric::RemappedCorrected)?;
        histogram.put(sys::nvmlRowRemapperHistogramValues_t {
            max: 640,
            high: 0,
            partial: 0,
            low: 0,
            none: 0,
        })
    }
    device fn nvmlDeviceGetRetiredPagesPendingStatus(pending: Out<c_uint>) |call| {
        call.number(Metric::RetiredPages)?;
        put(pending, call.or_fault(0))
    }
    device fn nvmlDeviceGetAccountingMode(mode: Out<c_uint>) |call|
        put(mode, call.fixed(call.gpu.spec.accounting)?)
    device fn nvmlDeviceGetAccountingStats(
        _pid: c_uint,
        _stats: Out<sys::nvmlAccountingStats_t>,
    ) |call| match call.gpu.spec.accounting {
        None => Err(Code::NOT_SUPPORTED),
        Some(_) => Err(Code::NOT_FOUND),
    }
}

fn ecc_errors(call: &GpuCall<'_>, kind: c_uint) -> Answer<i64> {
    if call.gpu.spec.ecc != Some(true) {
        return Err(Code::NOT_SUPPORTED);
    }
    match kind {
        sys::nvmlMemoryErrorType_enum_NVML_MEMORY_ERROR_TYPE_CORRECTED => {
            call.number(Metric::EccCorrected)
        }
        sys::nvmlMemoryErrorType_enum_NVML_MEMORY_ERROR_TYPE_UNCORRECTED => {
            call.number(Metric::EccUncorrected)
        }
        _ => Err(Code::INVALID_ARGUMENT),
    }
}
