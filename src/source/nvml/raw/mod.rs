//! The unsafe layer: NVML's functions as they are, each answer a value or NVML's own number.
//!
//! The safe getters of nvml-wrapper fold the newer return codes and every enum value that they do not know into
//! one error, and some read past what the driver wrote; monitoring needs the numbers. So the wrapper loads,
//! initialises and shuts down, and every getter goes through here.
#![expect(unsafe_code, reason = "NVML is a C library")]

mod event_set;
mod fields;
mod gpm;
mod handle;
mod library;
mod relations;

use std::ffi::{c_char, c_int, c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings::{NvmlLib, nvmlDevice_t, nvmlReturn_t};

pub(super) use event_set::{EventSet, WAIT};
pub(super) use fields::{FIELD_VALUES, FieldAnswer, FieldBatch};
pub(super) use gpm::GpmSample;
pub(super) use handle::{
    Handle, PROCESS_DETAIL_LIST, PROCESS_UTILIZATION, PROCESSES_UTILIZATION, ProcessRecords,
    RECORD_ROOM, UNWRITTEN,
};
pub(super) use library::{Library, OpenError, version_of_library};
pub(super) use relations::{
    COMMON_ANCESTOR, CPU_AFFINITY, ENCODER_STATS, GSP_VERSION, MEMORY_AFFINITY, MIG_DEVICE,
};

/// `nvmlReturn_t` values that this program acts on.
pub(super) mod code {
    pub(in crate::source::nvml) const UNINITIALIZED: u32 = 1;
    pub(in crate::source::nvml) const INVALID_ARGUMENT: u32 = 2;
    pub(in crate::source::nvml) const NOT_SUPPORTED: u32 = 3;
    pub(in crate::source::nvml) const NO_PERMISSION: u32 = 4;
    pub(in crate::source::nvml) const NOT_FOUND: u32 = 6;
    pub(in crate::source::nvml) const INSUFFICIENT_SIZE: u32 = 7;
    pub(in crate::source::nvml) const DRIVER_NOT_LOADED: u32 = 9;
    /// What waiting for an event answers when there is none.
    pub(in crate::source::nvml) const TIMEOUT: u32 = 10;
    pub(in crate::source::nvml) const LIBRARY_NOT_FOUND: u32 = 12;
    pub(in crate::source::nvml) const FUNCTION_NOT_FOUND: u32 = 13;
    pub(in crate::source::nvml) const GPU_IS_LOST: u32 = 15;
    pub(in crate::source::nvml) const LIB_RM_VERSION_MISMATCH: u32 = 18;
    pub(in crate::source::nvml) const ARGUMENT_VERSION_MISMATCH: u32 = 25;
    pub(in crate::source::nvml) const DEPRECATED: u32 = 26;
    pub(in crate::source::nvml) const UNKNOWN: u32 = 999;
}

/// Why a call gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The library has no such function.
    MissingSymbol,
    /// The function answered with this `nvmlReturn_t`.
    Code(u32),
}

/// A function of NVML: its name, and where the loaded library has it.
pub(super) struct Function<F> {
    pub(super) name: &'static str,
    symbol: fn(&NvmlLib) -> Option<F>,
}

/// Names a function of NVML by the field that [`NvmlLib`] holds it in.
macro_rules! function {
    ($name:ident) => {
        $crate::source::nvml::raw::Function::new(stringify!($name), |library| {
            library.$name.as_ref().ok().copied()
        })
    };
}
pub(super) use function;

impl<F> Function<F> {
    pub(super) const fn new(name: &'static str, symbol: fn(&NvmlLib) -> Option<F>) -> Self {
        Self { name, symbol }
    }
}

/// `nvmlReturn_t f(device, T *value)`.
pub(super) type Getter<T> = unsafe extern "C" fn(nvmlDevice_t, *mut T) -> nvmlReturn_t;
/// `nvmlReturn_t f(device, unsigned which, T *value)`.
pub(super) type IndexedGetter<T> =
    unsafe extern "C" fn(nvmlDevice_t, c_uint, *mut T) -> nvmlReturn_t;
/// `nvmlReturn_t f(device, T *first, T *second)`.
pub(super) type PairGetter<T> = unsafe extern "C" fn(nvmlDevice_t, *mut T, *mut T) -> nvmlReturn_t;
/// `nvmlReturn_t f(device, char *text, unsigned length)`.
pub(super) type TextGetter =
    unsafe extern "C" fn(nvmlDevice_t, *mut c_char, c_uint) -> nvmlReturn_t;
/// `nvmlReturn_t f(device, unsigned *count, T *records)`.
pub(super) type ListGetter<T> =
    unsafe extern "C" fn(nvmlDevice_t, *mut c_uint, *mut T) -> nvmlReturn_t;

/// A number, or a C structure of numbers: any bits are a value of it.
///
/// # Safety
/// Only for types without references, `bool`, enums or padding-sensitive invariants.
pub(super) unsafe trait Plain: Copy {
    /// The value whose bytes are all zero.
    fn zeroed() -> Self {
        // SAFETY: the trait promises that any bits are a value.
        unsafe { std::mem::zeroed() }
    }
}

macro_rules! plain {
    ($( $structure:ident ),+) => {
        // SAFETY: numbers, and structures that bindgen made of numbers, arrays of integers and raw pointers.
        $( unsafe impl Plain for nvml_wrapper_sys::bindings::$structure {} )+
    };
}

// SAFETY: integers.
unsafe impl Plain for c_uint {}
// SAFETY: integers.
unsafe impl Plain for c_int {}
// SAFETY: integers.
unsafe impl Plain for c_ulonglong {}

plain!(
    nvmlUtilization_t,
    nvmlFieldValue_t,
    nvmlGpuFabricInfo_v3_t,
    nvmlGpuThermalSettings_t,
    nvmlMemory_t,
    nvmlMemory_v2_t,
    nvmlTemperature_t,
    nvmlMarginTemperature_t,
    nvmlPciInfo_t,
    nvmlBAR1Memory_t,
    nvmlFanSpeedInfo_t,
    nvmlGpuDynamicPstatesInfo_t,
    nvmlDeviceAddressingMode_t,
    nvmlDeviceAttributes_t,
    nvmlConfComputeSystemState_t,
    nvmlGpmSupport_t,
    nvmlGpmMetricsGet_t,
    nvmlEventData_t,
    nvmlProcessUtilizationSample_t,
    nvmlProcessUtilizationInfo_v1_t,
    nvmlProcessDetail_v1_t
);

/// NVML's `NVML_STRUCT_VERSION`: the size of the structure, and its version in the highest byte.
pub(super) const fn struct_version<T>(version: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "NVML's structures are small")]
    let size = size_of::<T>() as u32;
    size | version << 24
}

/// The longest text that NVML writes has 96 bytes.
const TEXT_ROOM: usize = 256;

/// Reads a text into a buffer, up to its NUL or, where the driver wrote none, up to the buffer's end.
fn read_text(read: impl FnOnce(*mut c_char, c_uint) -> nvmlReturn_t) -> Result<String, Failure> {
    let mut buffer = [0u8; TEXT_ROOM];
    #[expect(clippy::cast_possible_truncation, reason = "TEXT_ROOM is small")]
    checked(read(buffer.as_mut_ptr().cast(), TEXT_ROOM as c_uint))?;
    Ok(text_of(&buffer))
}

/// The text before the first NUL, with what is not UTF-8 replaced.
pub(super) fn text_of(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn checked(code: nvmlReturn_t) -> Result<(), Failure> {
    if code == 0 { Ok(()) } else { Err(Failure::Code(code)) }
}
