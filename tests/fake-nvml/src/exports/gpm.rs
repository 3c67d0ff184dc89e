//! GPU performance monitoring: averages between two samples that the caller takes.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{CStr, c_uint};
use std::mem::offset_of;
use std::sync::Mutex;

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::code::{Answer, Code, SUCCESS};
use crate::entry::{Call, put};
use crate::log::lock;
use crate::metric::Metric;

/// Samples are numbers that are never followed: this, and a place in the list.
const TAG: usize = 0x4e56_9000_0000;

/// The samples that were allocated; each holds the GPU and the time once it was taken.
static SAMPLES: Mutex<Vec<Slot>> = Mutex::new(Vec::new());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Free,
    Empty,
    Taken { gpu: u32, instance: Option<u32>, at: u64 },
}

exports! {
    device fn nvmlGpmQueryDeviceSupport(support: Out<sys::nvmlGpmSupport_t>) |call| {
        let version = support.cast::<c_uint>().get()?;
        if version != sys::NVML_GPM_SUPPORT_VERSION {
            return Err(Code::VERSION_MISMATCH);
        }
        let supported = u32::from(call.gpu.spec.gpm);
        support.put(sys::nvmlGpmSupport_t { version, isSupportedDevice: supported })
    }
    device fn nvmlGpmQueryIfStreamingEnabled(state: Out<c_uint>) |call| put(state, call.or_fault(0))
    system fn nvmlGpmSampleAlloc(sample: Out<sys::nvmlGpmSample_t>) |_call| {
        let mut slots = lock(&SAMPLES);
        let free = slots.iter().position(|slot| *slot == Slot::Free);
        let place = free.unwrap_or(slots.len());
        if place == slots.len() {
            slots.push(Slot::Free);
        }
        slots[place] = Slot::Empty;
        sample.put(std::ptr::without_provenance_mut(TAG | place))
    }
    system fn nvmlGpmSampleFree(sample: sys::nvmlGpmSample_t) |call|
        change(call, sample, Slot::Free)
    device fn nvmlGpmSampleGet(sample: sys::nvmlGpmSample_t) |call| {
        if !call.gpu.spec.gpm {
            return Err(Code::NOT_SUPPORTED);
        }
        change(call, sample, Slot::Taken { gpu: call.gpu.index, instance: None, at: call.now })
    }
    device fn nvmlGpmMigSampleGet(gpu_instance: c_uint, sample: sys::nvmlGpmSample_t) |call| {
        if !call.gpu.spec.gpm || !call.gpu.mig_enabled() {
            return Err(Code::NOT_SUPPORTED);
        }
        if !call.gpu.instances.iter().any(|mig| mig.spec.gi == gpu_instance) {
            return Err(Code::INVALID_ARGUMENT);
        }
        let instance = Some(gpu_instance);
        change(call, sample, Slot::Taken { gpu: call.gpu.index, instance, at: call.now })
    }
    system fn nvmlGpmMetricsGet(request: Out<sys::nvmlGpmMetricsGet_t>) |call|
        metrics(call, request)
}

/// The slot of a sample that is allocated; any other breaks the rules.
fn place(call: &Call<'_>, sample: sys::nvmlGpmSample_t, slots: &[Slot]) -> Answer<usize> {
    let place = sample.addr().wrapping_sub(TAG);
    if slots.get(place).is_some_and(|slot| *slot != Slot::Free) {
        return Ok(place);
    }
    call.break_rule("a sample that is not allocated");
    Err(Code::INVALID_ARGUMENT)
}

fn change(call: &Call<'_>, sample: sys::nvmlGpmSample_t, to: Slot) -> Answer {
    let mut slots = lock(&SAMPLES);
    let place = place(call, sample, &slots)?;
    slots[place] = to;
    Ok(())
}

/// The caller's struct may end earlier than the bindings' does, so it is read field by field.
fn metrics(call: &Call<'_>, request: Out<sys::nvmlGpmMetricsGet_t>) -> Answer {
    type Request = sys::nvmlGpmMetricsGet_t;
    if request.cast::<c_uint>().get()? != sys::NVML_GPM_METRICS_GET_VERSION {
        return Err(Code::VERSION_MISMATCH);
    }
    let count: c_uint = request.field(offset_of!(Request, numMetrics)).get()?;
    if count > sys::nvmlGpmMetricId_t_NVML_GPM_METRIC_MAX {
        return Err(Code::INVALID_ARGUMENT);
    }
    let taken = |offset| {
        let sample: sys::nvmlGpmSample_t = request.field(offset).get()?;
        let slots = lock(&SAMPLES);
        match slots[place(call, sample, &slots)?] {
            Slot::Taken { gpu, instance, at } => Ok(((gpu, instance), at)),
            _ => Err(Code::INVALID_ARGUMENT),
        }
    };
    let (gpu, from) = taken(offset_of!(Request, sample1))?;
    let (other, to) = taken(offset_of!(Request, sample2))?;
    if gpu != other || to < from {
        return Err(Code::INVALID_ARGUMENT);
    }
    let list: Out<sys::nvmlGpmMetric_t> = request.field(offset_of!(Request, metrics));
    for i in 0..usize::try_from(count).unwrap_or(0) {
        let mut metric = list.at(i).get()?;
        // A virtual clock may stand still between two samples; real time never does.
        let to = to.max(from + STILL_US);
        let span = (from as f64 / 1e6, to as f64 / 1e6);
        let average = match call.effects.value {
            Some(NAN) => Ok((f64::NAN, c"")),
            Some(value) => Ok((value as f64, c"")),
            None => average(call, gpu, metric.metricId, span),
        };
        metric.nvmlReturn = average.as_ref().map_or_else(|Code(code)| *code, |_| SUCCESS);
        if let Ok((value, name)) = average {
            metric.value = value;
            metric.metricInfo = sys::nvmlGpmMetric_t__bindgen_ty_1 {
                shortName: name.as_ptr().cast_mut(),
                longName: name.as_ptr().cast_mut(),
                unit: c"".as_ptr().cast_mut(),
            };
        }
        list.at(i).put(metric)?;
    }
    Ok(())
}

/// The time that a mean is over where the clock stood still.
const STILL_US: u64 = 1;
/// A fault's value that stands for "not a number", as drivers answer where there is nothing to divide by.
const NAN: i64 = i64::MIN;
const MIB: f64 = 1.0 / 1_048_576.0;

/// What the metrics are made from: id, source, factor, name.
const SOURCES: &[(c_uint, Metric, f64, &CStr)] = &[
    (1, Metric::Util, 1.0, c"Graphics Util"),
    (2, Metric::Util, 0.88, c"SM Util"),
    (3, Metric::Util, 0.41, c"SM Occupancy"),
    (4, Metric::Util, 0.08, c"Integer Util"),
    (5, Metric::Util, 0.62, c"Any Tensor Util"),
    (6, Metric::Util, 0.0, c"DFMA Tensor Util"),
    (7, Metric::Util, 0.62, c"HMMA Tensor Util"),
    (8, Metric::Util, 0.0, c"DMMA Tensor Util"),
    (9, Metric::Util, 0.0, c"IMMA Tensor Util"),
    (10, Metric::MemUtil, 1.0, c"DRAM Bandwidth Util"),
    (11, Metric::Util, 0.0, c"FP64 Util"),
    (12, Metric::Util, 0.11, c"FP32 Util"),
    (13, Metric::Util, 0.02, c"FP16 Util"),
    (20, Metric::PcieTx, MIB, c"PCIe TX"),
    (21, Metric::PcieRx, MIB, c"PCIe RX"),
    (60, Metric::NvlinkRx, MIB, c"NVLink RX"),
    (61, Metric::NvlinkTx, MIB, c"NVLink TX"),
    (100, Metric::C2cTx, MIB, c"C2C TX"),
    (101, Metric::C2cRx, MIB, c"C2C RX"),
    (102, Metric::C2cTx, 0.9 * MIB, c"C2C DATA TX"),
    (103, Metric::C2cRx, 0.9 * MIB, c"C2C DATA RX"),
];

fn average(
    call: &Call<'_>,
    (gpu, instance): (u32, Option<u32>),
    id: c_uint,
    (from, to): (f64, f64),
) -> Answer<(f64, &'static CStr)> {
    let gpu = call.world.gpus.iter().find(|other| other.index == gpu);
    let gpu = gpu.ok_or(Code::INVALID_ARGUMENT)?;
    let source = SOURCES.iter().find(|(known, ..)| *known == id).ok_or(Code::NOT_SUPPORTED)?;
    let (_, metric, scale, name) = *source;
    if let Some(instance) = instance {
        let mut instances = gpu.instances.iter();
        let instance = instances.find(|mig| mig.spec.gi == instance).ok_or(Code::NOT_FOUND)?;
        // Links are the whole GPU's.
        let util = instance.util.as_ref().filter(|_| id < 20).ok_or(Code::NOT_SUPPORTED)?;
        let middle = f64::midpoint(from, to);
        return Ok((gpu.metrics.free(util, instance.slot.into(), middle) * scale, name));
    }
    let links = gpu.spec.nvlink.map_or(0, |links| links.active.unwrap_or(links.links));
    let scale = if matches!(id, 60 | 61) { scale * f64::from(links) } else { scale };
    let area = gpu.metrics.integral(metric, from, to).ok_or(Code::NOT_SUPPORTED)?;
    Ok((area * scale / (to - from), name))
}
