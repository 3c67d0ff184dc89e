//! A thin hand-hold on the raw bindings: one method per call that the tests make.

use std::ffi::{CStr, c_char};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;

use fake_nvml::Fake;
use nvml_wrapper_sys::bindings as sys;

pub(crate) type Device = sys::nvmlDevice_t;
pub(crate) type Answer<T> = Result<T, u32>;

/// The library as its bindings see it; never unloaded, since calls may hang in it.
pub(crate) struct Nvml(ManuallyDrop<sys::NvmlLib>);

impl Deref for Nvml {
    type Target = sys::NvmlLib;

    fn deref(&self) -> &sys::NvmlLib {
        &self.0
    }
}

pub(crate) fn answer<T>(code: u32, value: T) -> Answer<T> {
    if code == 0 { Ok(value) } else { Err(code) }
}

/// Calls with a place for one answer.
pub(crate) fn read<T>(call: impl FnOnce(*mut T) -> u32) -> Answer<T> {
    let mut place = MaybeUninit::<T>::zeroed();
    let code = call(place.as_mut_ptr());
    // SAFETY: all answers read this way are plain numbers and pointers, for which zero will do.
    answer(code, unsafe { place.assume_init() })
}

impl Nvml {
    pub(crate) fn load(fake: &Fake) -> Self {
        // SAFETY: the fake library's initialisers are Rust's own.
        let library = unsafe { sys::NvmlLib::new(fake.path()) };
        Self(ManuallyDrop::new(library.unwrap()))
    }

    pub(crate) fn initialised(fake: &Fake) -> Self {
        let nvml = Self::load(fake);
        assert_eq!(nvml.init(), 0);
        nvml
    }

    pub(crate) fn init(&self) -> u32 {
        // SAFETY: takes nothing.
        unsafe { self.nvmlInit_v2() }
    }

    pub(crate) fn shutdown(&self) -> u32 {
        // SAFETY: takes nothing.
        unsafe { self.nvmlShutdown() }
    }

    pub(crate) fn count(&self) -> Answer<u32> {
        // SAFETY: `out` is a place for one answer.
        read(|out| unsafe { self.nvmlDeviceGetCount_v2(out) })
    }

    pub(crate) fn handle(&self, index: u32) -> Answer<Device> {
        // SAFETY: `out` is a place for one answer.
        read(|out| unsafe { self.nvmlDeviceGetHandleByIndex_v2(index, out) })
    }

    pub(crate) fn device(&self, index: u32) -> Device {
        self.handle(index).unwrap()
    }

    pub(crate) fn power(&self, device: Device) -> Answer<u32> {
        // SAFETY: `out` is a place for one answer.
        read(|out| unsafe { self.nvmlDeviceGetPowerUsage(device, out) })
    }

    pub(crate) fn energy(&self, device: Device) -> Answer<u64> {
        // SAFETY: `out` is a place for one answer.
        read(|out| unsafe { self.nvmlDeviceGetTotalEnergyConsumption(device, out) })
    }

    pub(crate) fn name_bytes(&self, device: Device) -> [u8; 96] {
        let mut name = [0x55 as c_char; 96];
        // SAFETY: `name` is as long as it is said to be.
        assert_eq!(unsafe { self.nvmlDeviceGetName(device, name.as_mut_ptr(), 96) }, 0);
        name.map(|c| c.to_ne_bytes()[0])
    }

    pub(crate) fn name(&self, device: Device) -> String {
        let bytes = self.name_bytes(device);
        CStr::from_bytes_until_nul(&bytes).unwrap().to_str().unwrap().to_owned()
    }
}

pub(crate) fn count_of(fake: &Fake, function: &str, gpu: Option<u32>) -> u64 {
    let calls = fake.calls();
    let call = calls.iter().find(|call| call.function == function && call.gpu == gpu);
    call.map_or(0, |call| call.count)
}

/// The symbols that a file exports, as `nm -D` would tell them: by looking each one up.
pub(crate) fn has_symbol(fake: &Fake, symbol: &str) -> bool {
    // SAFETY: the fake library's initialisers are Rust's own.
    let library = ManuallyDrop::new(unsafe { libloading::Library::new(fake.path()) }.unwrap());
    // SAFETY: the symbol is not called.
    unsafe { library.get::<unsafe extern "C" fn()>(symbol.as_bytes()) }.is_ok()
}
