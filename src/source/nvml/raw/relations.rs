//! What a GPU has to do with others: MIG devices, other GPUs, processors near to it.

use std::ffi::{c_char, c_uint, c_ulong};

use nvml_wrapper_sys::bindings::{NVML_AFFINITY_SCOPE_NODE, nvmlDevice_t, nvmlReturn_t};

use super::{Failure, Function, Handle, Library, checked, function, read_text};

type IndexedDevice = unsafe extern "C" fn(nvmlDevice_t, c_uint, *mut nvmlDevice_t) -> nvmlReturn_t;
type OfTwoDevices = unsafe extern "C" fn(nvmlDevice_t, nvmlDevice_t, *mut c_uint) -> nvmlReturn_t;
type CpuSet = unsafe extern "C" fn(nvmlDevice_t, c_uint, *mut c_ulong) -> nvmlReturn_t;
type NodeSet = unsafe extern "C" fn(nvmlDevice_t, c_uint, *mut c_ulong, c_uint) -> nvmlReturn_t;
type UnboundedText = unsafe extern "C" fn(nvmlDevice_t, *mut c_char) -> nvmlReturn_t;
type Triple =
    unsafe extern "C" fn(nvmlDevice_t, *mut c_uint, *mut c_uint, *mut c_uint) -> nvmlReturn_t;

pub(in crate::source::nvml) const MIG_DEVICE: Function<IndexedDevice> =
    function!(nvmlDeviceGetMigDeviceHandleByIndex);
pub(in crate::source::nvml) const COMMON_ANCESTOR: Function<OfTwoDevices> =
    function!(nvmlDeviceGetTopologyCommonAncestor);
pub(in crate::source::nvml) const CPU_AFFINITY: Function<CpuSet> =
    function!(nvmlDeviceGetCpuAffinity);
pub(in crate::source::nvml) const MEMORY_AFFINITY: Function<NodeSet> =
    function!(nvmlDeviceGetMemoryAffinity);
pub(in crate::source::nvml) const GSP_VERSION: Function<UnboundedText> =
    function!(nvmlDeviceGetGspFirmwareVersion);
pub(in crate::source::nvml) const ENCODER_STATS: Function<Triple> =
    function!(nvmlDeviceGetEncoderStats);

/// Room for the numbers of 8192 processors or nodes.
const SET_WORDS: usize = 8192 / c_ulong::BITS as usize;

impl Handle {
    /// The MIG device at this place of the GPU; there may be none between others.
    pub(in crate::source::nvml) fn mig_device(
        self,
        library: &Library,
        index: u32,
    ) -> Result<Self, Failure> {
        let get = library.find(&MIG_DEVICE)?;
        let mut device = std::ptr::null_mut();
        // SAFETY: the function writes one handle through the pointer.
        checked(unsafe { get(self.0, index, &raw mut device) })?;
        Ok(Self(device))
    }

    /// The lowest thing above both GPUs.
    pub(in crate::source::nvml) fn common_ancestor(
        self,
        library: &Library,
        other: Self,
    ) -> Result<u32, Failure> {
        let get = library.find(&COMMON_ANCESTOR)?;
        let mut level = 0;
        // SAFETY: the function writes one number through the pointer.
        checked(unsafe { get(self.0, other.0, &raw mut level) })?;
        Ok(level)
    }

    /// The numbers of the processors near to the GPU, in order.
    pub(in crate::source::nvml) fn cpu_affinity(
        self,
        library: &Library,
    ) -> Result<Vec<u32>, Failure> {
        let get = library.find(&CPU_AFFINITY)?;
        // SAFETY: the function writes at most as many words as it is told there are.
        read_set(|words, room| unsafe { get(self.0, room, words) })
    }

    /// The numbers of the NUMA nodes near to the GPU, in order.
    pub(in crate::source::nvml) fn memory_affinity(
        self,
        library: &Library,
    ) -> Result<Vec<u32>, Failure> {
        let get = library.find(&MEMORY_AFFINITY)?;
        // SAFETY: the function writes at most as many words as it is told there are.
        read_set(|words, room| unsafe { get(self.0, room, words, NVML_AFFINITY_SCOPE_NODE) })
    }

    /// Version of the firmware; the function is not told how much room there is, and wants 64 bytes.
    pub(in crate::source::nvml) fn gsp_version(self, library: &Library) -> Result<String, Failure> {
        let get = library.find(&GSP_VERSION)?;
        // SAFETY: the buffer is larger than the header asks for.
        read_text(|buffer, _room| unsafe { get(self.0, buffer) })
    }

    /// Streams that are encoded, their mean frames per second, and the mean microseconds of a frame.
    pub(in crate::source::nvml) fn encoder_stats(
        self,
        library: &Library,
    ) -> Result<[u32; 3], Failure> {
        let get = library.find(&ENCODER_STATS)?;
        let [mut sessions, mut rate, mut latency] = [0; 3];
        // SAFETY: the function writes one number through each pointer.
        checked(unsafe { get(self.0, &raw mut sessions, &raw mut rate, &raw mut latency) })?;
        Ok([sessions, rate, latency])
    }
}

/// Reads a set of bits as the numbers of those that are set.
fn read_set(read: impl FnOnce(*mut c_ulong, c_uint) -> nvmlReturn_t) -> Result<Vec<u32>, Failure> {
    let mut words: [c_ulong; SET_WORDS] = [0; SET_WORDS];
    #[expect(clippy::cast_possible_truncation, reason = "SET_WORDS is small")]
    checked(read(words.as_mut_ptr(), SET_WORDS as c_uint))?;
    let is_set = |number: &u32| {
        let word = words[(*number / c_ulong::BITS) as usize];
        word >> (*number % c_ulong::BITS) & 1 == 1
    };
    Ok((0..8192).filter(is_set).collect())
}
