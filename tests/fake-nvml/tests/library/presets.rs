//! Every preset loads, and is what its name says.

use fake_nvml::Fake;
use nvml_wrapper_sys::bindings as sys;

use crate::support::{Nvml, has_symbol, read};

#[test]
fn every_preset_answers_the_core_list() {
    for preset in fake_nvml::presets() {
        let fake = Fake::preset(preset).unwrap_or_else(|error| panic!("{preset}: {error}"));
        let nvml = Nvml::initialised(&fake);
        let count = nvml.count().unwrap();
        assert!(count > 0, "{preset}");
        for index in 0..count {
            let device = nvml.device(index);
            let name = nvml.name(device);
            assert!(name.starts_with("NVIDIA ") || name.starts_with("Tesla "), "{preset}: {name}");
            // SAFETY: the closure's pointer is a place for one answer of the right type.
            unsafe {
                assert!(read(|out| nvml.nvmlDeviceGetPciInfo_v3(device, out)).is_ok());
                assert_eq!(read(|out| nvml.nvmlDeviceGetIndex(device, out)), Ok(index));
                assert!(read(|out| nvml.nvmlDeviceGetTemperature(device, 0, out)).is_ok());
                assert!(read(|out| nvml.nvmlDeviceGetClockInfo(device, 0, out)).is_ok());
            }
        }
        assert_eq!(fake.violations(), Vec::<String>::new(), "{preset}");
    }
}

#[test]
fn an_old_driver_lacks_what_came_later() {
    let fake = Fake::preset("old-driver").unwrap();
    assert!(!has_symbol(&fake, "nvmlDeviceGetMemoryInfo_v2"));
    assert!(has_symbol(&fake, "nvmlDeviceGetMemoryInfo"));
    assert!(!has_symbol(&fake, "nvmlDeviceGetComputeRunningProcesses_v3"));
    assert!(has_symbol(&fake, "nvmlDeviceGetComputeRunningProcesses_v2"));
    assert_eq!(Nvml::initialised(&fake).count(), Ok(1));
}

#[test]
fn all_that_is_told_to_be_exported_is() {
    let fake = Fake::preset("h100").unwrap();
    assert!(Fake::functions_exported().len() > 150);
    for function in Fake::functions_exported() {
        assert!(has_symbol(&fake, function), "{function}");
    }
}

#[test]
fn a_gpu_in_mig_mode_has_devices_with_a_hole_between() {
    let fake = Fake::preset("h100-mig").unwrap();
    let nvml = Nvml::initialised(&fake);
    let parent = nvml.device(0);
    // SAFETY: the closure's pointer is a place for one answer of the right type.
    let mig =
        |slot| unsafe { read(|out| nvml.nvmlDeviceGetMigDeviceHandleByIndex(parent, slot, out)) };
    let found: Vec<bool> = (0..7).map(|slot| mig(slot).is_ok()).collect();
    assert_eq!(found, [true, true, false, true, true, false, false]);
    assert_eq!(mig(2), Err(sys::nvmlReturn_enum_NVML_ERROR_NOT_FOUND));
    let device = mig(1).unwrap();
    assert!(nvml.name(device).ends_with("MIG 2g.20gb"));
    // SAFETY: as above.
    unsafe {
        let back = read(|out| nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(device, out));
        assert_eq!(back, Ok(parent));
        assert_eq!(read(|out| nvml.nvmlDeviceGetGpuInstanceId(device, out)), Ok(5));
        for handle in [parent, device] {
            let rates = read(|out| nvml.nvmlDeviceGetUtilizationRates(handle, out));
            assert_eq!(rates.err(), Some(sys::nvmlReturn_enum_NVML_ERROR_NOT_SUPPORTED));
        }
    }
}

#[test]
fn a_gb10_tells_no_memory() {
    let fake = Fake::preset("gb10").unwrap();
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    // SAFETY: the closure's pointer is a place for one answer of the right type.
    unsafe {
        let memory = read(|out| nvml.nvmlDeviceGetMemoryInfo(device, out));
        assert_eq!(memory.err(), Some(3));
        assert_eq!(read(|out| nvml.nvmlDeviceGetCurrPcieLinkWidth(device, out)), Ok(1));
        let limit = read(|out| nvml.nvmlDeviceGetEnforcedPowerLimit(device, out));
        assert_eq!(limit, Err(3));
    }
}

#[test]
fn performance_monitoring_averages_between_two_samples() {
    let fake = Fake::scenario(
        "[[gpu]]\ngpm = true\n[gpu.metrics]\nutil = \"steps(0s:0, 1s:80)\"\npcie_tx = \"3MiB/s\"",
    )
    .unwrap();
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    // SAFETY: the request is zeroed plain data, its samples are allocated by the library itself.
    unsafe {
        let sample = |after| {
            fake.advance(std::time::Duration::from_secs(after));
            let sample = read(|out| nvml.nvmlGpmSampleAlloc(out)).unwrap();
            assert_eq!(nvml.nvmlGpmSampleGet(device, sample), 0);
            sample
        };
        let mut request: sys::nvmlGpmMetricsGet_t = std::mem::zeroed();
        (request.version, request.numMetrics) = (1, 3);
        (request.sample1, request.sample2) = (sample(0), sample(2));
        for (metric, id) in request.metrics.iter_mut().zip([1, 20, 100]) {
            metric.metricId = id;
        }
        assert_eq!(nvml.nvmlGpmMetricsGet(&raw mut request), 0);
        let told = request.metrics[..3].iter().map(|metric| (metric.nvmlReturn, metric.value));
        assert_eq!(told.collect::<Vec<_>>(), [(0, 40.0), (0, 3.0), (3, 0.0)]);
        assert_eq!(nvml.nvmlGpmSampleFree(request.sample1), 0);
        assert_eq!(nvml.nvmlGpmSampleFree(request.sample1), 2);
    }
    assert_eq!(fake.violations().len(), 1);
}
