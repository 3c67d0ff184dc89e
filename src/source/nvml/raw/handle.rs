//! One GPU of the library: the shapes that its getters have.

use std::ffi::{c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlProcessDetail_v1_t, nvmlProcessDetailList_t, nvmlProcessUtilizationInfo_v1_t,
    nvmlProcessUtilizationSample_t, nvmlProcessesUtilizationInfo_t, nvmlReturn_t,
};

use super::{
    Failure, Function, Getter, IndexedGetter, Library, ListGetter, PairGetter, Plain, TextGetter,
    checked, code, function, read_text, struct_version,
};

/// A GPU, as the library that gave it knows it.
#[derive(Clone, Copy)]
pub(in crate::source::nvml) struct Handle(pub(super) nvmlDevice_t);

// SAFETY: NVML's handles are opaque numbers, and NVML may be called from any thread.
unsafe impl Send for Handle {}

impl Handle {
    /// One value; `initial` carries what the function wants to find there, such as a structure's version.
    pub(in crate::source::nvml) fn get<T: Plain>(
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
    pub(in crate::source::nvml) fn get_indexed<T: Plain>(
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
    pub(in crate::source::nvml) fn get_pair<T: Plain>(
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
    pub(in crate::source::nvml) fn get_text(
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
    pub(in crate::source::nvml) fn get_process_records<T>(
        self,
        library: &Library,
        function: &Function<ListGetter<T>>,
    ) -> Result<ProcessRecords, Failure> {
        let getter = library.find(function)?;
        // In words, since the records hold numbers of eight bytes.
        let mut words = Vec::new();
        let count = with_room(|room| {
            words.clear();
            let bytes = (room as usize + SPARE_RECORDS) * RECORD_ROOM;
            words.resize(bytes / size_of::<u64>(), u64::from_ne_bytes([UNWRITTEN; 8]));
            let mut count = room;
            // SAFETY: the driver writes at most `count` records, none of which is larger than RECORD_ROOM, and no
            // record asks for a stricter alignment than a word's.
            let answer = unsafe { getter(self.0, &raw mut count, words.as_mut_ptr().cast()) };
            (answer, count)
        })?;
        Ok(ProcessRecords { bytes: words.into_iter().flat_map(u64::to_ne_bytes).collect(), count })
    }

    /// The process list with a version, for one of its modes: 0 compute, 1 graphics, 2 MPS.
    pub(in crate::source::nvml) fn get_process_details(
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
    pub(in crate::source::nvml) fn get_process_utilization(
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
    pub(in crate::source::nvml) fn get_processes_utilization(
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

pub(in crate::source::nvml) const PROCESS_DETAIL_LIST: Function<Getter<nvmlProcessDetailList_t>> =
    function!(nvmlDeviceGetRunningProcessDetailList);
pub(in crate::source::nvml) const PROCESSES_UTILIZATION: Function<
    Getter<nvmlProcessesUtilizationInfo_t>,
> = function!(nvmlDeviceGetProcessesUtilizationInfo);
type ProcessUtilization = unsafe extern "C" fn(
    nvmlDevice_t,
    *mut nvmlProcessUtilizationSample_t,
    *mut c_uint,
    c_ulonglong,
) -> nvmlReturn_t;
pub(in crate::source::nvml) const PROCESS_UTILIZATION: Function<ProcessUtilization> =
    function!(nvmlDeviceGetProcessUtilization);

/// What a process list wrote: `count` records of a size that the bytes tell.
pub(in crate::source::nvml) struct ProcessRecords {
    pub(in crate::source::nvml) bytes: Vec<u8>,
    pub(in crate::source::nvml) count: u32,
}

/// Room for one record of a process list; the largest known has 40 bytes.
pub(in crate::source::nvml) const RECORD_ROOM: usize = 48;
/// The byte that stands where a driver has not written.
pub(in crate::source::nvml) const UNWRITTEN: u8 = 0xA5;
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
