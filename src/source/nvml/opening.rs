//! Opening the driver: what may take seconds or hang, done in a thread that nothing waits for.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::device::{Watch, absent_for};
use super::raw::{Failure, Library};
use super::reader::Address;
use super::{NvmlOptions, driver_facts, locate};
use crate::model::{Absent, Driver};
use crate::source::SourceError;
use crate::source::host::PciGpu;

/// The driver, open, and where its GPUs are.
pub(super) struct Opened {
    pub(super) library: Arc<Library>,
    pub(super) driver: Driver,
    /// With the kernel's view of each GPU where some of them sleep.
    pub(super) gpus: Vec<(Address, Option<PciGpu>)>,
}

/// Waits, within bounds, until the threads of the session before have let go of the library.
///
/// Only a library that was shut down and unloaded forgets a lost GPU and a replaced driver. One that is stuck in a call
/// never lets go.
pub(super) fn wait_for_unload(library: &Weak<Library>) {
    const STEP: Duration = Duration::from_millis(5);
    for _ in 0..200 {
        if library.strong_count() == 0 {
            return;
        }
        std::thread::sleep(STEP);
    }
}

/// More GPUs than any machine has; a larger count is not believed.
const MOST_GPUS: u32 = 256;

impl Opened {
    /// Loads the library, initialises it, and counts the GPUs.
    ///
    /// Where one of `gpus` sleeps, NVML attaches to none by itself, and each is reached by its address once it is awake.
    pub(super) fn open(
        options: &NvmlOptions,
        gpus: Vec<PciGpu>,
        watch: &Watch,
    ) -> Result<Self, SourceError> {
        let attach = !gpus.iter().any(|gpu| gpu.runtime_status.is_asleep());
        let clock = &*options.clock;
        let (library, path) = watch.during(clock, "nvmlInitWithFlags", || {
            locate::open(options.library.as_deref(), &options.sysroot, attach)
        })?;
        let gpus = if attach {
            let count = watch.during(clock, "nvmlDeviceGetCount_v2", || library.device_count());
            let count = count.map_err(|failure| count_error(absent_for(failure)))?;
            (0..count.min(MOST_GPUS)).map(|index| (Address::Index(index), None)).collect()
        } else {
            let by_bus_id = |(gpu, index): (PciGpu, u32)| {
                (Address::BusId { bus_id: gpu.address.to_string(), index }, Some(gpu))
            };
            gpus.into_iter().zip(0..).map(by_bus_id).collect()
        };
        let driver = describe(&library, path, options, watch);
        Ok(Self { library: Arc::new(library), driver, gpus })
    }
}

fn describe(library: &Library, path: String, options: &NvmlOptions, watch: &Watch) -> Driver {
    let clock = &*options.clock;
    let ask = |function, call: &dyn Fn() -> Result<String, Failure>| {
        watch.during(clock, function, call).map_err(absent_for)
    };
    let loaded = driver_facts(&options.sysroot);
    Driver {
        version: ask("nvmlSystemGetDriverVersion", &|| library.driver_version()).or(loaded.version),
        nvml_version: ask("nvmlSystemGetNVMLVersion", &|| library.nvml_version()),
        cuda_version: ask("nvmlSystemGetCudaDriverVersion_v2", &|| {
            library.cuda_version().map(|number| format!("{}.{}", number / 1000, number % 1000 / 10))
        }),
        kernel_module: loaded.kernel_module,
        library: Ok(path),
    }
}

fn count_error(why: Absent) -> SourceError {
    SourceError::Driver(format!(
        "nvmlDeviceGetCount_v2 failed: {}; look at the kernel log (dmesg) for lines with NVRM",
        why.sentence()
    ))
}
