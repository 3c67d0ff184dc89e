//! Opening the driver: what may take seconds or hang, done in a thread that nothing waits for.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::device::absent_for;
use super::raw::{Failure, Library};
use super::reader::Address;
use super::watch::Watch;
use super::{NvmlOptions, locate};
use crate::model::{Absent, ConfidentialCompute, Driver, Fact, Sysroot};
use crate::source::host::{PciAddress, kernel_driver};
use crate::source::{Clock, SourceError};

/// The driver, open, and where its GPUs are.
pub(super) struct Opened {
    pub(super) library: Arc<Library>,
    pub(super) driver: Driver,
    /// With where each GPU sits, where some of them are left alone.
    pub(super) gpus: Vec<(Address, Option<PciAddress>)>,
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
    /// Where `addresses` are given, NVML attaches to no GPU by itself, and each is reached by its address once it is to be
    /// read.
    pub(super) fn open(
        options: &NvmlOptions,
        addresses: Option<Vec<PciAddress>>,
        watch: &Watch,
    ) -> Result<Self, SourceError> {
        let clock = &*options.clock;
        let (library, path) = watch.during(clock, "nvmlInitWithFlags", || {
            locate::open(options.library.as_deref(), &options.sysroot, addresses.is_none())
        })?;
        let gpus = if let Some(addresses) = addresses {
            let by_bus_id = |(address, index): (PciAddress, u32)| {
                (Address::BusId { bus_id: address.to_string(), index }, Some(address))
            };
            addresses.into_iter().zip(0..).map(by_bus_id).collect()
        } else {
            let count = watch.during(clock, "nvmlDeviceGetCount_v2", || library.device_count());
            let count = count.map_err(|failure| count_error(absent_for(failure)))?;
            (0..count.min(MOST_GPUS)).map(|index| (Address::Index(index), None)).collect()
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
        confidential_compute: confidential_compute(library, clock, watch),
    }
}

/// Whether the machine computes in confidence; a driver that does not know the question cannot.
fn confidential_compute(
    library: &Library,
    clock: &dyn Clock,
    watch: &Watch,
) -> Fact<ConfidentialCompute> {
    let ask = || library.confidential_compute();
    let state = watch.during(clock, "nvmlSystemGetConfComputeState", ask).map_err(absent_for)?;
    Ok(match state {
        (0, _) => ConfidentialCompute::Off,
        (1, false) => ConfidentialCompute::On,
        (1, true) => ConfidentialCompute::DeveloperTools,
        (other, _) => ConfidentialCompute::Unknown(other),
    })
}

fn count_error(why: Absent) -> SourceError {
    SourceError::Driver(format!(
        "nvmlDeviceGetCount_v2 failed: {}; look at the kernel log (dmesg) for lines with NVRM",
        why.sentence()
    ))
}

/// What `/proc` says of the driver; NVML's own facts are for the caller.
pub(super) fn driver_facts(sysroot: &Sysroot) -> Driver {
    let loaded = kernel_driver(sysroot);
    let module = loaded.as_ref().map(|driver| driver.module).map_err(|why| *why);
    Driver {
        version: loaded.map(|driver| driver.version),
        nvml_version: Err(Absent::NotReadYet),
        cuda_version: Err(Absent::NotReadYet),
        kernel_module: module,
        library: Err(Absent::NotReadYet),
        confidential_compute: Err(Absent::NotReadYet),
    }
}
