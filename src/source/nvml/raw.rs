//! The unsafe layer: NVML's functions as they are, each answer a value or NVML's own number.
//!
//! The safe getters of nvml-wrapper fold the newer return codes and every enum value that they do not know into
//! one error, and some read past what the driver wrote; monitoring needs the numbers. So the wrapper loads,
//! initialises and shuts down, and every getter goes through here.
#![expect(unsafe_code, reason = "NVML is a C library")]

use std::ffi::{CString, OsStr, c_char, c_int, c_uint, c_ulonglong};

use nvml_wrapper::Nvml;
use nvml_wrapper::bitmasks::InitFlags;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper_sys::bindings::{
    NvmlLib, nvmlDevice_t, nvmlProcessDetail_v1_t, nvmlProcessDetailList_t,
    nvmlProcessUtilizationInfo_v1_t, nvmlProcessUtilizationSample_t,
    nvmlProcessesUtilizationInfo_t, nvmlReturn_t,
};

/// `nvmlReturn_t` values that this program acts on.
pub(super) mod code {
    pub(in super::super) const UNINITIALIZED: u32 = 1;
    pub(in super::super) const NOT_SUPPORTED: u32 = 3;
    pub(in super::super) const NO_PERMISSION: u32 = 4;
    pub(in super::super) const NOT_FOUND: u32 = 6;
    pub(in super::super) const INSUFFICIENT_SIZE: u32 = 7;
    pub(in super::super) const DRIVER_NOT_LOADED: u32 = 9;
    pub(in super::super) const LIBRARY_NOT_FOUND: u32 = 12;
    pub(in super::super) const FUNCTION_NOT_FOUND: u32 = 13;
    pub(in super::super) const GPU_IS_LOST: u32 = 15;
    pub(in super::super) const LIB_RM_VERSION_MISMATCH: u32 = 18;
    pub(in super::super) const ARGUMENT_VERSION_MISMATCH: u32 = 25;
    pub(in super::super) const DEPRECATED: u32 = 26;
    pub(in super::super) const UNKNOWN: u32 = 999;
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
        // SAFETY: integers, and structures that bindgen made of integers, arrays of integers and raw pointers.
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
    nvmlMemory_t,
    nvmlMemory_v2_t,
    nvmlTemperature_t,
    nvmlMarginTemperature_t,
    nvmlPciInfo_t,
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

/// A loaded and initialised NVML. Dropping it shuts NVML down and unloads the library.
pub(super) struct Library {
    /// Only `None` while it is being dropped.
    nvml: Option<Nvml>,
}

/// Why a library cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OpenError {
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
    pub(super) fn open(path: &OsStr, attach: bool) -> Result<Self, OpenError> {
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
        nvml.map(|nvml| Self { nvml: Some(nvml) }).map_err(open_error)
    }

    fn symbols(&self) -> Option<&NvmlLib> {
        self.nvml.as_ref().map(Nvml::lib)
    }

    fn find<F>(&self, function: &Function<F>) -> Result<F, Failure> {
        self.symbols().and_then(function.symbol).ok_or(Failure::MissingSymbol)
    }

    /// How many GPUs the driver has.
    pub(super) fn device_count(&self) -> Result<u32, Failure> {
        let count = self.find(&function!(nvmlDeviceGetCount_v2))?;
        let mut value = 0;
        // SAFETY: the function writes one unsigned through the pointer.
        checked(unsafe { count(&raw mut value) })?;
        Ok(value)
    }

    /// Version of the kernel driver.
    pub(super) fn driver_version(&self) -> Result<String, Failure> {
        let version = self.find(&function!(nvmlSystemGetDriverVersion))?;
        // SAFETY: the function writes at most as many bytes as it is told there are.
        read_text(|buffer, length| unsafe { version(buffer, length) })
    }

    /// Version of this library.
    pub(super) fn nvml_version(&self) -> Result<String, Failure> {
        nvml_version(self.find(&function!(nvmlSystemGetNVMLVersion))?)
    }

    /// Newest CUDA that the driver supports, as 1000 × major + 10 × minor.
    pub(super) fn cuda_version(&self) -> Result<i32, Failure> {
        let version = self.find(&function!(nvmlSystemGetCudaDriverVersion_v2))?;
        let mut value = 0;
        // SAFETY: the function writes one int through the pointer.
        checked(unsafe { version(&raw mut value) })?;
        Ok(value)
    }

    /// The GPU with this index.
    pub(super) fn device_by_index(&self, index: u32) -> Result<Handle, Failure> {
        let by_index = self.find(&function!(nvmlDeviceGetHandleByIndex_v2))?;
        let mut device = std::ptr::null_mut();
        // SAFETY: the function writes one handle through the pointer.
        checked(unsafe { by_index(index, &raw mut device) })?;
        Ok(Handle(device))
    }

    /// The GPU with this PCI address.
    pub(super) fn device_by_pci_bus_id(&self, bus_id: &str) -> Result<Handle, Failure> {
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
        // The wrapper panics on dropping a library without nvmlShutdown; such a library stays loaded.
        if self.find(&function!(nvmlShutdown)).is_err() {
            std::mem::forget(self.nvml.take());
        }
    }
}

/// Version of a library that cannot be initialised: NVML answers this before `nvmlInit`.
pub(super) fn version_of_library(path: &OsStr) -> Option<String> {
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

/// A GPU, as the library that gave it knows it.
#[derive(Clone, Copy)]
pub(super) struct Handle(nvmlDevice_t);

// SAFETY: NVML's handles are opaque numbers, and NVML may be called from any thread.
unsafe impl Send for Handle {}

impl Handle {
    /// One value; `initial` carries what the function wants to find there, such as a structure's version.
    pub(super) fn get<T: Plain>(
        self,
        library: &Library,
        function: &Function<Getter<T>>,
        initial: T,
    ) -> Result<T, Failure> {
        let getter = library.find(function)?;
        let mut value = initial;
        // SAFETY: the getter's own type says that it writes one T.
        checked(unsafe { getter(self.0, &raw mut value) })?;
        Ok(value)
    }

    /// One value of several of a kind.
    pub(super) fn get_indexed<T: Plain>(
        self,
        library: &Library,
        function: &Function<IndexedGetter<T>>,
        index: u32,
    ) -> Result<T, Failure> {
        let getter = library.find(function)?;
        let mut value = T::zeroed();
        // SAFETY: the getter's own type says that it writes one T.
        checked(unsafe { getter(self.0, index, &raw mut value) })?;
        Ok(value)
    }

    /// Two values.
    pub(super) fn get_pair<T: Plain>(
        self,
        library: &Library,
        function: &Function<PairGetter<T>>,
    ) -> Result<(T, T), Failure> {
        let getter = library.find(function)?;
        let (mut first, mut second) = (T::zeroed(), T::zeroed());
        // SAFETY: the getter's own type says that it writes one T through each pointer.
        checked(unsafe { getter(self.0, &raw mut first, &raw mut second) })?;
        Ok((first, second))
    }

    /// A text.
    pub(super) fn get_text(
        self,
        library: &Library,
        function: &Function<TextGetter>,
    ) -> Result<String, Failure> {
        let getter = library.find(function)?;
        // SAFETY: the getter writes at most as many bytes as it is told there are.
        read_text(|buffer, length| unsafe { getter(self.0, buffer, length) })
    }

    /// One of the older process lists, as the bytes that the driver wrote.
    ///
    /// The size of a record is not told by the function's name: some drivers write larger records behind the same
    /// symbol. So each record gets [`RECORD_ROOM`] bytes, what was not written stays [`UNWRITTEN`], and the caller
    /// finds the size from where the writing ends.
    pub(super) fn get_process_records<T>(
        self,
        library: &Library,
        function: &Function<ListGetter<T>>,
    ) -> Result<ProcessRecords, Failure> {
        let getter = library.find(function)?;
        let mut bytes = Vec::new();
        let count = with_room(|room| {
            bytes.clear();
            bytes.resize((room as usize + SPARE_RECORDS) * RECORD_ROOM, UNWRITTEN);
            let mut count = room;
            // SAFETY: the driver writes at most `count` records, none of which is larger than RECORD_ROOM.
            let answer = unsafe { getter(self.0, &raw mut count, bytes.as_mut_ptr().cast()) };
            (answer, count)
        })?;
        Ok(ProcessRecords { bytes, count })
    }

    /// The process list with a version, for one of its modes: 0 compute, 1 graphics, 2 MPS.
    pub(super) fn get_process_details(
        self,
        library: &Library,
        mode: u32,
    ) -> Result<Vec<nvmlProcessDetail_v1_t>, Failure> {
        let getter = library.find(&PROCESS_DETAIL_LIST)?;
        self.read_list(|device, records, room| {
            let mut list = nvmlProcessDetailList_t {
                version: struct_version::<nvmlProcessDetailList_t>(1),
                mode,
                numProcArrayEntries: *room,
                procArray: records,
            };
            // SAFETY: `records` has room for as many records as the structure says.
            let answer = unsafe { getter(device, &raw mut list) };
            *room = list.numProcArrayEntries;
            answer
        })
    }

    /// What each process used since `last_seen`, a time of the driver's own clock in microseconds.
    pub(super) fn get_process_utilization(
        self,
        library: &Library,
        last_seen: u64,
    ) -> Result<Vec<nvmlProcessUtilizationSample_t>, Failure> {
        let getter = library.find(&PROCESS_UTILIZATION)?;
        self.read_list(|device, samples, room| {
            // SAFETY: `samples` has room for `room` samples.
            unsafe { getter(device, samples, std::ptr::from_mut(room), last_seen) }
        })
    }

    /// The same as a structure with a version, from R550 on.
    pub(super) fn get_processes_utilization(
        self,
        library: &Library,
        last_seen: u64,
    ) -> Result<Vec<nvmlProcessUtilizationInfo_v1_t>, Failure> {
        let getter = library.find(&PROCESSES_UTILIZATION)?;
        self.read_list(|device, samples, room| {
            let mut list = nvmlProcessesUtilizationInfo_t {
                version: struct_version::<nvmlProcessesUtilizationInfo_t>(1),
                processSamplesCount: *room,
                lastSeenTimeStamp: last_seen,
                procUtilArray: samples,
            };
            // SAFETY: `samples` has room for as many samples as the structure says.
            let answer = unsafe { getter(device, &raw mut list) };
            *room = list.processSamplesCount;
            answer
        })
    }

    /// Calls `fill` with a buffer and its room, which it replaces by the count, until the buffer is large enough.
    fn read_list<T: Plain>(
        self,
        mut fill: impl FnMut(nvmlDevice_t, *mut T, &mut u32) -> nvmlReturn_t,
    ) -> Result<Vec<T>, Failure> {
        let mut records = Vec::new();
        let count = with_room(|room| {
            records.clear();
            records.resize(room as usize + SPARE_RECORDS, T::zeroed());
            let mut count = room;
            let answer = fill(self.0, records.as_mut_ptr(), &mut count);
            (answer, count)
        })?;
        records.truncate(count as usize);
        Ok(records)
    }
}

pub(super) const PROCESS_DETAIL_LIST: Function<Getter<nvmlProcessDetailList_t>> =
    function!(nvmlDeviceGetRunningProcessDetailList);
pub(super) const PROCESSES_UTILIZATION: Function<Getter<nvmlProcessesUtilizationInfo_t>> =
    function!(nvmlDeviceGetProcessesUtilizationInfo);
type ProcessUtilization = unsafe extern "C" fn(
    nvmlDevice_t,
    *mut nvmlProcessUtilizationSample_t,
    *mut c_uint,
    c_ulonglong,
) -> nvmlReturn_t;
pub(super) const PROCESS_UTILIZATION: Function<ProcessUtilization> =
    function!(nvmlDeviceGetProcessUtilization);

/// What a process list wrote: `count` records of a size that the bytes tell.
pub(super) struct ProcessRecords {
    pub(super) bytes: Vec<u8>,
    pub(super) count: u32,
}

/// Room for one record of a process list; the largest known has 40 bytes.
pub(super) const RECORD_ROOM: usize = 48;
/// The byte that stands where a driver has not written.
pub(super) const UNWRITTEN: u8 = 0xA5;
/// Records that the driver is not told of, for one that writes more than it was asked for.
const SPARE_RECORDS: usize = 16;
/// Records to make room for at first.
const FIRST_ROOM: u32 = 32;
/// More records than any driver keeps; a larger count is not believed.
const MOST_RECORDS: u32 = 65_536;

/// Calls `read` with ever more room until the list fits, and returns how many records there are.
///
/// Between the answer "too small" and the next call the list may grow, so the room grows faster than asked.
fn with_room(mut read: impl FnMut(u32) -> (nvmlReturn_t, u32)) -> Result<u32, Failure> {
    let mut room = FIRST_ROOM;
    loop {
        let (answer, count) = read(room);
        match answer {
            0 => return Ok(count.min(room)),
            code::INSUFFICIENT_SIZE if room < MOST_RECORDS => {
                room = count.max(room).saturating_mul(2).saturating_add(5).min(MOST_RECORDS);
            }
            answer => return Err(Failure::Code(answer)),
        }
    }
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
