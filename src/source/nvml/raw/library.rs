//! The library as a whole: loading, starting and ending NVML, and what it says of the driver.

use std::ffi::{CString, OsStr, c_char, c_uint};

use nvml_wrapper::Nvml;
use nvml_wrapper::bitmasks::InitFlags;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper_sys::bindings::{NvmlLib, nvmlConfComputeSystemState_t, nvmlReturn_t};

use super::gpm::Buffers;
use super::{Failure, Function, Handle, Plain, checked, code, function, read_text};

/// A loaded and initialised NVML. Dropping it shuts NVML down and unloads the library.
pub(in crate::source::nvml) struct Library {
    /// Only `None` while it is being dropped.
    nvml: Option<Nvml>,
    pub(super) gpm_buffers: Buffers,
}

/// Why a library cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source::nvml) enum OpenError {
    /// The dynamic linker refused it; its words.
    Load(String),
    /// It loads, and has no `nvmlInit`.
    NotNvml,
    /// `nvmlInit` answered with this `nvmlReturn_t`.
    Init(u32),
}

impl Library {
    /// Loads the library and initialises NVML.
    ///
    /// `attach` says whether NVML may attach (and so wake) every GPU at once.
    pub(in crate::source::nvml) fn open(path: &OsStr, attach: bool) -> Result<Self, OpenError> {
        let mut flags = InitFlags::NO_GPUS;
        if !attach {
            flags |= InitFlags::NO_ATTACH;
        }
        let open = |flags| Nvml::builder().lib_path(path).flags(flags).init();
        let nvml = match open(flags) {
            // nvmlInitWithFlags is younger than nvmlInit_v2, which attaches everything.
            Err(NvmlError::FailedToLoadSymbol(_)) if attach => open(InitFlags::empty()),
            result => result,
        };
        nvml.map(|nvml| Self { nvml: Some(nvml), gpm_buffers: Buffers::default() })
            .map_err(open_error)
    }

    fn symbols(&self) -> Option<&NvmlLib> {
        self.nvml.as_ref().map(Nvml::lib)
    }

    pub(super) fn find<F>(&self, function: &Function<F>) -> Result<F, Failure> {
        self.symbols().and_then(function.symbol).ok_or(Failure::MissingSymbol)
    }

    /// How many GPUs the driver has.
    pub(in crate::source::nvml) fn device_count(&self) -> Result<u32, Failure> {
        let count = self.find(&function!(nvmlDeviceGetCount_v2))?;
        let mut value = 0;
        // SAFETY: the function writes one unsigned through the pointer.
        checked(unsafe { count(&raw mut value) })?;
        Ok(value)
    }

    /// Version of the kernel driver.
    pub(in crate::source::nvml) fn driver_version(&self) -> Result<String, Failure> {
        let version = self.find(&function!(nvmlSystemGetDriverVersion))?;
        // SAFETY: the function writes at most as many bytes as it is told there are.
        read_text(|buffer, length| unsafe { version(buffer, length) })
    }

    /// Version of this library.
    pub(in crate::source::nvml) fn nvml_version(&self) -> Result<String, Failure> {
        nvml_version(self.find(&function!(nvmlSystemGetNVMLVersion))?)
    }

    /// Newest CUDA that the driver supports, as 1000 × major + 10 × minor.
    pub(in crate::source::nvml) fn cuda_version(&self) -> Result<i32, Failure> {
        let version = self.find(&function!(nvmlSystemGetCudaDriverVersion_v2))?;
        let mut value = 0;
        // SAFETY: the function writes one int through the pointer.
        checked(unsafe { version(&raw mut value) })?;
        Ok(value)
    }

    /// Whether the machine computes in confidence, and whether developers' tools may look on.
    pub(in crate::source::nvml) fn confidential_compute(&self) -> Result<(u32, bool), Failure> {
        let state = self.find(&function!(nvmlSystemGetConfComputeState))?;
        let mut value = nvmlConfComputeSystemState_t::zeroed();
        // SAFETY: the function writes one structure through the pointer.
        checked(unsafe { state(&raw mut value) })?;
        Ok((value.ccFeature, value.devToolsMode != 0))
    }

    /// The GPU with this index.
    pub(in crate::source::nvml) fn device_by_index(&self, index: u32) -> Result<Handle, Failure> {
        let by_index = self.find(&function!(nvmlDeviceGetHandleByIndex_v2))?;
        let mut device = std::ptr::null_mut();
        // SAFETY: the function writes one handle through the pointer.
        checked(unsafe { by_index(index, &raw mut device) })?;
        Ok(Handle(device))
    }

    /// The GPU with this PCI address.
    pub(in crate::source::nvml) fn device_by_pci_bus_id(
        &self,
        bus_id: &str,
    ) -> Result<Handle, Failure> {
        let by_bus_id = self.find(&function!(nvmlDeviceGetHandleByPciBusId_v2))?;
        let bus_id = CString::new(bus_id).map_err(|_| Failure::Code(code::NOT_FOUND))?;
        let mut device = std::ptr::null_mut();
        // SAFETY: the text ends in NUL, and the function writes one handle through the pointer.
        checked(unsafe { by_bus_id(bus_id.as_ptr(), &raw mut device) })?;
        Ok(Handle(device))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.gpm_buffers.free(self);
        // The wrapper panics on dropping a library without nvmlShutdown; such a library stays loaded.
        if self.find(&function!(nvmlShutdown)).is_err() {
            std::mem::forget(self.nvml.take());
        }
    }
}

/// Version of a library that cannot be initialised: NVML answers this before `nvmlInit`.
pub(in crate::source::nvml) fn version_of_library(path: &OsStr) -> Option<String> {
    // SAFETY: loading a library runs its constructors; this one was loaded a moment ago.
    let library = unsafe { NvmlLib::new(path) }.ok()?;
    nvml_version(library.nvmlSystemGetNVMLVersion.as_ref().ok().copied()?).ok()
}

fn nvml_version(
    version: unsafe extern "C" fn(*mut c_char, c_uint) -> nvmlReturn_t,
) -> Result<String, Failure> {
    // SAFETY: the function writes at most as many bytes as it is told there are.
    read_text(|buffer, length| unsafe { version(buffer, length) })
}

fn open_error(error: NvmlError) -> OpenError {
    match error {
        NvmlError::LibloadingError(error) => OpenError::Load(error.to_string()),
        NvmlError::FailedToLoadSymbol(_) => OpenError::NotNvml,
        NvmlError::DriverNotLoaded => OpenError::Init(code::DRIVER_NOT_LOADED),
        NvmlError::LibRmVersionMismatch => OpenError::Init(code::LIB_RM_VERSION_MISMATCH),
        NvmlError::NoPermission => OpenError::Init(code::NO_PERMISSION),
        NvmlError::LibraryNotFound => OpenError::Init(code::LIBRARY_NOT_FOUND),
        NvmlError::FunctionNotFound => OpenError::Init(code::FUNCTION_NOT_FOUND),
        NvmlError::GpuLost => OpenError::Init(code::GPU_IS_LOST),
        NvmlError::UnexpectedVariant(code) => OpenError::Init(code),
        _ => OpenError::Init(code::UNKNOWN),
    }
}
