//! GPU performance monitoring: samples that the driver fills, and means between two of them.

use std::sync::{Arc, Mutex, PoisonError};

use nvml_wrapper_sys::bindings::{
    NVML_GPM_METRICS_GET_VERSION, NVML_GPM_SUPPORT_VERSION, nvmlDevice_t, nvmlGpmMetricsGet_t,
    nvmlGpmSample_t, nvmlGpmSupport_t, nvmlReturn_t,
};

use super::{Failure, Function, Getter, Handle, Library, Plain, checked, function};

type SampleFunction = unsafe extern "C" fn(nvmlGpmSample_t) -> nvmlReturn_t;

const QUERY_SUPPORT: Function<Getter<nvmlGpmSupport_t>> = function!(nvmlGpmQueryDeviceSupport);
const SAMPLE_ALLOC: Function<unsafe extern "C" fn(*mut nvmlGpmSample_t) -> nvmlReturn_t> =
    function!(nvmlGpmSampleAlloc);
const SAMPLE_FREE: Function<SampleFunction> = function!(nvmlGpmSampleFree);
const SAMPLE_GET: Function<unsafe extern "C" fn(nvmlDevice_t, nvmlGpmSample_t) -> nvmlReturn_t> =
    function!(nvmlGpmSampleGet);
const MIG_SAMPLE_GET: Function<
    unsafe extern "C" fn(nvmlDevice_t, u32, nvmlGpmSample_t) -> nvmlReturn_t,
> = function!(nvmlGpmMigSampleGet);
const METRICS_GET: Function<unsafe extern "C" fn(*mut nvmlGpmMetricsGet_t) -> nvmlReturn_t> =
    function!(nvmlGpmMetricsGet);

/// A buffer of the library's own that nobody uses.
struct Buffer(nvmlGpmSample_t);

// SAFETY: the buffer belongs to whoever holds the value, and NVML may be called from any thread.
unsafe impl Send for Buffer {}

/// The buffers that were allocated and are not in use. They are freed with the library, which outlives every call: so
/// none is freed after NVML was shut down, or below a call that hangs.
#[derive(Default)]
pub(super) struct Buffers(Mutex<Vec<Buffer>>);

impl Buffers {
    fn put(&self, buffer: nvmlGpmSample_t) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Buffer(buffer));
    }

    fn take(&self) -> Option<nvmlGpmSample_t> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().map(|buffer| buffer.0)
    }

    /// Frees all of them; what cannot be freed is left to the end of the process.
    pub(super) fn free(&self, library: &Library) {
        let Ok(free) = library.find(&SAMPLE_FREE) else { return };
        while let Some(buffer) = self.take() {
            // SAFETY: the library allocated the buffer, and nobody else has it.
            let _ = unsafe { free(buffer) };
        }
    }
}

fn allocated(library: &Library) -> Result<nvmlGpmSample_t, Failure> {
    let allocate = library.find(&SAMPLE_ALLOC)?;
    let mut buffer = std::ptr::null_mut();
    // SAFETY: the function writes one pointer.
    checked(unsafe { allocate(&raw mut buffer) })?;
    Ok(buffer)
}

/// A sample of a GPU's or a GPU instance's counters.
pub(in crate::source::nvml) struct GpmSample {
    buffer: Buffer,
    library: Arc<Library>,
}

impl GpmSample {
    /// An empty sample.
    pub(in crate::source::nvml) fn new(library: &Arc<Library>) -> Result<Self, Failure> {
        let buffer = match library.gpm_buffers.take() {
            Some(buffer) => Ok(buffer),
            None => allocated(library),
        }?;
        Ok(Self { buffer: Buffer(buffer), library: library.clone() })
    }

    /// Fills it with the counters of a GPU, or of one of its GPU instances.
    pub(in crate::source::nvml) fn fill(
        &mut self,
        gpu: Handle,
        instance: Option<u32>,
    ) -> Result<(), Failure> {
        let buffer = self.buffer.0;
        match instance {
            None => {
                let get = self.library.find(&SAMPLE_GET)?;
                // SAFETY: the buffer was allocated for this, and belongs to the sample.
                checked(unsafe { get(gpu.0, buffer) })
            }
            Some(instance) => {
                let get = self.library.find(&MIG_SAMPLE_GET)?;
                // SAFETY: as above.
                checked(unsafe { get(gpu.0, instance, buffer) })
            }
        }
    }

    /// The means from an earlier sample to this one, one for each of `ids`, as the driver gives them: NaN too.
    pub(in crate::source::nvml) fn means_since<const N: usize>(
        &self,
        earlier: &Self,
        ids: [u32; N],
    ) -> Result<[Result<f64, Failure>; N], Failure> {
        let means = self.library.find(&METRICS_GET)?;
        let mut request = nvmlGpmMetricsGet_t::zeroed();
        request.version = NVML_GPM_METRICS_GET_VERSION;
        request.numMetrics = u32::try_from(N).unwrap_or(0);
        request.sample1 = earlier.buffer.0;
        request.sample2 = self.buffer.0;
        for (metric, id) in request.metrics.iter_mut().zip(ids) {
            metric.metricId = id;
        }
        // SAFETY: the structure is the header's own, and both samples are filled and alive.
        checked(unsafe { means(&raw mut request) })?;
        Ok(std::array::from_fn(|place| {
            let metric = request.metrics.get(place).ok_or(Failure::MissingSymbol)?;
            checked(metric.nvmlReturn).map(|()| metric.value)
        }))
    }
}

impl Drop for GpmSample {
    fn drop(&mut self) {
        self.library.gpm_buffers.put(self.buffer.0);
    }
}

impl Handle {
    /// Whether the GPU's counters can be sampled.
    pub(in crate::source::nvml) fn has_gpm(self, library: &Library) -> Result<bool, Failure> {
        let mut initial = nvmlGpmSupport_t::zeroed();
        initial.version = NVML_GPM_SUPPORT_VERSION;
        self.get(library, &QUERY_SUPPORT, initial).map(|support| support.isSupportedDevice != 0)
    }
}
