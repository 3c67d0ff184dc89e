//! Coming and going: of the library, of single GPUs, of the driver.

use std::time::Duration;

use fake_nvml::Fake;
use nvml_wrapper_sys::bindings as sys;

use crate::support::{Nvml, count_of};

#[test]
fn two_copies_are_apart() {
    let (a, b) = (Fake::preset("h100").unwrap(), Fake::preset("rtx4090").unwrap());
    let (first, second) = (Nvml::initialised(&a), Nvml::initialised(&b));
    a.advance(Duration::from_secs(3));
    assert_eq!((a.now_us(), b.now_us()), (3_000_000, 0));
    assert!(first.name(first.device(7)).starts_with("NVIDIA H100"));
    assert!(second.name(second.device(0)).starts_with("NVIDIA GeForce"));
    assert_eq!(count_of(&b, "nvmlDeviceGetHandleByIndex_v2", Some(7)), 0);
    assert_eq!(count_of(&a, "nvmlDeviceGetHandleByIndex_v2", Some(7)), 1);
}

#[test]
fn without_a_scenario_there_is_no_driver() {
    // SAFETY: the fake library's initialisers are Rust's own.
    let library = unsafe { sys::NvmlLib::new(fake_nvml::library_path().unwrap()) }.unwrap();
    // SAFETY: takes nothing.
    assert_eq!(unsafe { library.nvmlInit_v2() }, sys::nvmlReturn_enum_NVML_ERROR_DRIVER_NOT_LOADED);
}

#[test]
fn initialising_is_counted() {
    let fake = Fake::preset("t4").unwrap();
    let nvml = Nvml::load(&fake);
    assert_eq!(nvml.count(), Err(1));
    assert_eq!((nvml.init(), nvml.init()), (0, 0));
    assert_eq!(nvml.shutdown(), 0);
    assert_eq!(nvml.count(), Ok(1));
    assert_eq!(nvml.shutdown(), 0);
    assert_eq!(nvml.count(), Err(1));
    assert_eq!(nvml.shutdown(), 1);
    assert_eq!(fake.violations().len(), 3, "{:?}", fake.violations());
}

#[test]
fn a_lost_gpu_comes_back_under_another_handle() {
    let fake = Fake::scenario(
        "preset = \"h100\"\n[[fault]]\ngpu = 3\ndo = \"lost\"\nat = \"10s\"\nuntil = \"40s\"",
    )
    .unwrap();
    let nvml = Nvml::initialised(&fake);
    let (third, other) = (nvml.device(3), nvml.device(4));
    assert!(nvml.power(third).is_ok());
    fake.advance(Duration::from_secs(10));
    let lost = Err(sys::nvmlReturn_enum_NVML_ERROR_GPU_IS_LOST);
    assert_eq!((nvml.power(third), nvml.handle(3).map(|_| 0)), (lost, lost));
    assert!(nvml.power(other).is_ok());
    assert_eq!(fake.violations(), Vec::<String>::new());
    fake.advance(Duration::from_secs(30));
    assert_eq!(nvml.power(third), Err(sys::nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT));
    assert!(fake.violations()[0].contains("stale"), "{:?}", fake.violations());
    assert!(nvml.power(nvml.device(3)).is_ok());
}

#[test]
fn a_driver_that_is_reloaded_wants_a_new_start() {
    let fake = Fake::scenario(
        "preset = \"h100\"\n[[fault]]\ndo = \"driver-reload\"\nat = \"30s\"\ndown = \"5s\"\n\
         new_driver = \"590.48\"",
    )
    .unwrap();
    let nvml = Nvml::initialised(&fake);
    let old = nvml.device(0);
    fake.advance(Duration::from_secs(29));
    let before = nvml.energy(old).unwrap();
    fake.advance(Duration::from_secs(2));
    assert_eq!((nvml.count(), nvml.init()), (Err(9), 9));
    fake.advance(Duration::from_secs(5));
    assert_eq!(nvml.count(), Err(sys::nvmlReturn_enum_NVML_ERROR_LIB_RM_VERSION_MISMATCH));
    assert_eq!((nvml.shutdown(), nvml.init()), (0, 0));
    assert_eq!(nvml.energy(old), Err(2));
    let after = nvml.energy(nvml.device(0)).unwrap();
    assert!(after < before, "{after} {before}");
}

#[test]
fn a_handle_that_never_was_is_no_crash() {
    let fake = Fake::preset("rtx4090").unwrap();
    let nvml = Nvml::initialised(&fake);
    for bits in [0, 1, 0x4e56_0000, 0x4e56_0105, 0x4d49_0100, usize::MAX] {
        assert_eq!(nvml.power(std::ptr::without_provenance_mut(bits)), Err(2), "{bits:#x}");
    }
    assert_eq!(fake.violations().len(), 6);
    let device = nvml.device(0);
    // SAFETY: a null pointer is what is tested.
    assert_eq!(unsafe { nvml.nvmlDeviceGetPowerUsage(device, std::ptr::null_mut()) }, 2);
}

#[test]
fn setters_are_refused_and_remembered() {
    let fake = Fake::preset("rtx4090").unwrap();
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    // SAFETY: takes plain numbers.
    assert_eq!(unsafe { nvml.nvmlDeviceSetPowerManagementLimit(device, 1) }, 4);
    assert_eq!(fake.violations(), ["nvmlDeviceSetPowerManagementLimit: changes a GPU"]);
}

#[test]
fn the_log_tells_time_thread_and_answer() {
    let fake = Fake::preset("laptop").unwrap();
    let nvml = Nvml::initialised(&fake);
    fake.clear_log();
    fake.advance(Duration::from_millis(5));
    let named = std::thread::Builder::new().name("poller".into());
    std::thread::scope(|scope| {
        let nvml = &nvml;
        named.spawn_scoped(scope, move || nvml.power(nvml.device(0))).unwrap();
    });
    let log = fake.call_log();
    let told: Vec<_> = log.iter().map(|c| (c.at_us, c.function.as_str(), c.gpu, c.code)).collect();
    assert_eq!(
        told,
        [
            (5_000, "nvmlDeviceGetHandleByIndex_v2", Some(0), 0),
            (5_000, "nvmlDeviceGetPowerUsage", Some(0), 0),
        ]
    );
    assert!(log.iter().all(|call| call.thread_name == "poller" && call.thread == log[0].thread));
}
