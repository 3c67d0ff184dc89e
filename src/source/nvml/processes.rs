//! The processes on one GPU: NVML's lists joined by pid, and what each process used since the last look.

use std::collections::BTreeMap;

use super::device::{Device, or_older};
use super::probes::hidden_by_mig;
use super::raw::{
    PROCESS_DETAIL_LIST, PROCESS_UTILIZATION, PROCESSES_UTILIZATION, ProcessRecords, RECORD_ROOM,
    UNWRITTEN, code, function,
};
use crate::model::{Absent, ProcessKinds, ProcessMetric};

/// A process as its GPU's driver knows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GpuProcess {
    pub(super) pid: u32,
    pub(super) kinds: ProcessKinds,
    pub(super) gpu_instance: Option<u32>,
    pub(super) compute_instance: Option<u32>,
    pub(super) memory_bytes: Result<f64, Absent>,
    /// SM, memory controller, encoder and decoder, in the order of [`UTILIZATION`].
    pub(super) utilization: [Result<f64, Absent>; 4],
}

/// Which metrics [`GpuProcess::utilization`] holds.
pub(super) const UTILIZATION: [ProcessMetric; 4] = [
    ProcessMetric::Sm,
    ProcessMetric::MemoryController,
    ProcessMetric::Encoder,
    ProcessMetric::Decoder,
];

/// One record of one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    pid: u32,
    memory: u64,
    gpu_instance: u32,
    compute_instance: u32,
}

/// `NVML_VALUE_NOT_AVAILABLE`.
const NOT_AVAILABLE: u64 = u64::MAX;
/// The id of no MIG instance.
const NO_INSTANCE: u32 = u32::MAX;

/// The processes on one GPU, by pid and instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GpuProcesses {
    pub(super) list: Vec<GpuProcess>,
    /// Why processes may be missing from the list.
    pub(super) incomplete: Option<Absent>,
}

/// Reads the processes on a GPU.
pub(super) fn read(device: &mut Device, history: &mut UtilizationHistory) -> GpuProcesses {
    let mut found: BTreeMap<(u32, u32, u32), GpuProcess> = BTreeMap::new();
    let mut failures = Vec::new();
    for list in &LISTS {
        match read_list(device, list) {
            Ok(records) => {
                for record in records {
                    let key = (record.pid, record.gpu_instance, record.compute_instance);
                    let process = found.entry(key).or_insert_with(|| GpuProcess::from(record));
                    (list.mark)(&mut process.kinds);
                    process.memory_bytes = larger(process.memory_bytes, memory_of(record));
                }
            }
            Err(why) => failures.push(why),
        }
    }
    let mut list: Vec<_> = found.into_values().collect();
    // NVML has nothing to say about the use of a GPU without processes, and it is a call saved on every idle GPU.
    if !list.is_empty() {
        history.read(device, &mut list);
    }
    GpuProcesses { list, incomplete: incomplete(&failures) }
}

/// A GPU that lacks one kind of list is common and has no process of that kind; one that lacks all has a reason.
fn incomplete(failures: &[Absent]) -> Option<Absent> {
    let lasting = |why: &&Absent| matches!(why, Absent::NotSupported | Absent::MissingSymbol);
    let passing = failures.iter().find(|why| !lasting(why));
    passing.or(failures.first().filter(|_| failures.len() == LISTS.len())).copied()
}

impl From<Record> for GpuProcess {
    fn from(record: Record) -> Self {
        let instance = |id| (id != NO_INSTANCE).then_some(id);
        Self {
            pid: record.pid,
            kinds: ProcessKinds::default(),
            gpu_instance: instance(record.gpu_instance),
            compute_instance: instance(record.compute_instance),
            memory_bytes: memory_of(record),
            utilization: [Err(Absent::NotReadYet); 4],
        }
    }
}

fn memory_of(record: Record) -> Result<f64, Absent> {
    if record.memory == NOT_AVAILABLE { Err(Absent::Unknown) } else { Ok(record.memory as f64) }
}

/// A process in two lists holds its memory once.
fn larger(a: Result<f64, Absent>, b: Result<f64, Absent>) -> Result<f64, Absent> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok(a.max(b)),
        (Ok(known), Err(_)) | (Err(_), Ok(known)) => Ok(known),
        (Err(why), Err(_)) => Err(why),
    }
}

type OlderList = fn(&mut Device) -> Result<ProcessRecords, Absent>;

/// One of the three lists.
struct List {
    /// Its mode in the list with a version.
    mode: u32,
    /// The older functions, newest first.
    older: [OlderList; 3],
    /// What being in the list says of a process.
    mark: fn(&mut ProcessKinds),
}

macro_rules! older {
    ($( $function:ident ),+) => {
        [$( |device| {
            let function = function!($function);
            device.call(function.name, 0, |handle, library| handle.get_process_records(library, &function))
        } ),+]
    };
}

const LISTS: [List; 3] = [
    List {
        mode: 0,
        older: older!(
            nvmlDeviceGetComputeRunningProcesses_v3,
            nvmlDeviceGetComputeRunningProcesses_v2,
            nvmlDeviceGetComputeRunningProcesses
        ),
        mark: |kinds| kinds.compute = true,
    },
    List {
        mode: 1,
        older: older!(
            nvmlDeviceGetGraphicsRunningProcesses_v3,
            nvmlDeviceGetGraphicsRunningProcesses_v2,
            nvmlDeviceGetGraphicsRunningProcesses
        ),
        mark: |kinds| kinds.graphics = true,
    },
    List {
        mode: 2,
        older: older!(
            nvmlDeviceGetMPSComputeRunningProcesses_v3,
            nvmlDeviceGetMPSComputeRunningProcesses_v2,
            nvmlDeviceGetMPSComputeRunningProcesses
        ),
        mark: |kinds| kinds.mps = true,
    },
];

fn read_list(device: &mut Device, list: &List) -> Result<Vec<Record>, Absent> {
    let detailed = device.call(PROCESS_DETAIL_LIST.name, list.mode, |handle, library| {
        handle.get_process_details(library, list.mode)
    });
    let detailed = detailed.map(|records| {
        let record = |detail: nvml_wrapper_sys::bindings::nvmlProcessDetail_v1_t| Record {
            pid: detail.pid,
            memory: detail.usedGpuMemory,
            gpu_instance: detail.gpuInstanceId,
            compute_instance: detail.computeInstanceId,
        };
        records.into_iter().map(record).collect()
    });
    let [v3, v2, v1] = list.older;
    let answer = or_older(detailed, || {
        let written = or_older(v3(device), || or_older(v2(device), || v1(device)))?;
        parse(&written)
    });
    match answer {
        Err(Absent::NvmlError(code::NOT_FOUND)) => Ok(Vec::new()),
        answer => answer,
    }
}

/// The records in what an older list wrote.
fn parse(written: &ProcessRecords) -> Result<Vec<Record>, Absent> {
    if written.count == 0 {
        return Ok(Vec::new());
    }
    let size = record_size(written).ok_or(Absent::OutOfRange)?;
    let records = written.bytes.chunks_exact(size).take(written.count as usize);
    Ok(records.map(record_of).collect())
}

/// The size of a record: a driver that wrote `count` of them stopped at `count` times the size.
///
/// 16 bytes are `nvmlProcessInfo_v1_t`; 24 v2; 32 and 40 v2 with protected memory, behind the same symbol.
fn record_size(written: &ProcessRecords) -> Option<usize> {
    let count = usize::try_from(written.count).ok().filter(|count| *count > 0)?;
    // The last bytes of a record are an id or a padding, which may look unwritten, so round up to whole words.
    let end = written.bytes.iter().rposition(|byte| *byte != UNWRITTEN)? + 1;
    let least = end.div_ceil(count).next_multiple_of(8);
    (16..=RECORD_ROOM).contains(&least).then_some(least)
}

fn record_of(bytes: &[u8]) -> Record {
    let word = |at: usize| {
        bytes
            .get(at..at + 4)
            .and_then(|b| b.try_into().ok())
            .map_or(NO_INSTANCE, u32::from_ne_bytes)
    };
    let memory =
        bytes.get(8..16).and_then(|b| b.try_into().ok()).map_or(NOT_AVAILABLE, u64::from_ne_bytes);
    Record { pid: word(0), memory, gpu_instance: word(16), compute_instance: word(20) }
}

/// One sample of what a process used, of either function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Used {
    pid: u32,
    time_us: u64,
    percents: [u32; 4],
}

/// What a GPU's processes used, by pid, from the samples that the driver keeps.
///
/// Times are of the driver's own clock, which may count from 1970 or from boot; they are only compared with each other.
#[derive(Debug, Default)]
pub(super) struct UtilizationHistory {
    /// The newest sample's time: what the driver is asked to go on from.
    cursor_us: u64,
    /// By pid: its means, and when its newest sample was seen, on the source's own clock.
    known: BTreeMap<u32, ([f64; 4], u64)>,
}

/// Samples of the first look further behind the newest than this are of the past.
const FIRST_WINDOW_US: u64 = 1_000_000;
/// After so long without a new sample a process is idle: two periods of the slowest driver.
const IDLE_AFTER_US: u64 = 2_000_000;

impl UtilizationHistory {
    fn read(&mut self, device: &mut Device, processes: &mut [GpuProcess]) {
        let samples = read_samples(device, self.cursor_us);
        match hidden_by_mig(device, samples) {
            Ok(samples) => {
                self.absorb(samples, device.now_us());
                self.known.retain(|pid, _| processes.iter().any(|process| process.pid == *pid));
                for process in processes {
                    process.utilization = self.of(process.pid).map(Ok);
                }
            }
            Err(why) => {
                for process in processes {
                    process.utilization = [Err(why); 4];
                }
            }
        }
    }

    /// A process without samples has not used the GPU.
    fn of(&self, pid: u32) -> [f64; 4] {
        self.known.get(&pid).map_or([0.0; 4], |(means, _)| *means)
    }

    /// Takes in what the driver gave at `now_us` of the source's clock.
    fn absorb(&mut self, mut samples: Vec<Used>, now_us: u64) {
        samples.retain(|sample| sample.percents.iter().all(|p| *p <= 100));
        let newest = samples.iter().map(|sample| sample.time_us).max().unwrap_or(0);
        let from = match self.cursor_us {
            0 => newest.saturating_sub(FIRST_WINDOW_US),
            cursor => cursor,
        };
        samples.retain(|sample| sample.time_us > from);
        samples.sort_unstable_by_key(|sample| (sample.pid, sample.time_us));
        self.known.retain(|_, (_, seen_us)| now_us.saturating_sub(*seen_us) < IDLE_AFTER_US);
        for of_one in samples.chunk_by(|a, b| a.pid == b.pid) {
            self.known.insert(of_one[0].pid, (means(from, of_one), now_us));
        }
        self.cursor_us = self.cursor_us.max(newest);
    }
}

/// The mean of one process's samples, each weighted by the time since the sample before it.
///
/// Before the first one the process may have been idle for long, so it weighs no more than the second.
fn means(from_us: u64, samples: &[Used]) -> [f64; 4] {
    let (Some(first), second) = (samples.first(), samples.get(1)) else { return [0.0; 4] };
    let spacing = second.map_or(FIRST_WINDOW_US, |second| second.time_us - first.time_us);
    let from_us = from_us.max(first.time_us.saturating_sub(spacing));
    let mut sums = [0.0; 4];
    let mut before = from_us;
    for sample in samples {
        let weight = sample.time_us.saturating_sub(before) as f64;
        for (sum, percent) in sums.iter_mut().zip(sample.percents) {
            *sum += f64::from(percent) * weight;
        }
        before = sample.time_us;
    }
    let whole = before.saturating_sub(from_us).max(1) as f64;
    sums.map(|sum| sum / whole)
}

fn read_samples(device: &mut Device, last_seen: u64) -> Result<Vec<Used>, Absent> {
    let answer = device
        .call(PROCESSES_UTILIZATION.name, 0, |handle, library| {
            handle.get_processes_utilization(library, last_seen)
        })
        .map(|samples| {
            let used = |s: nvml_wrapper_sys::bindings::nvmlProcessUtilizationInfo_v1_t| Used {
                pid: s.pid,
                time_us: s.timeStamp,
                percents: [s.smUtil, s.memUtil, s.encUtil, s.decUtil],
            };
            samples.into_iter().map(used).collect()
        });
    let answer = or_older(answer, || {
        let samples = device.call(PROCESS_UTILIZATION.name, 0, |handle, library| {
            handle.get_process_utilization(library, last_seen)
        })?;
        let used = |s: nvml_wrapper_sys::bindings::nvmlProcessUtilizationSample_t| Used {
            pid: s.pid,
            time_us: s.timeStamp,
            percents: [s.smUtil, s.memUtil, s.encUtil, s.decUtil],
        };
        Ok(samples.into_iter().map(used).collect())
    });
    match answer {
        Err(Absent::NvmlError(code::NOT_FOUND)) => Ok(Vec::new()),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Absent, GpuProcess, ProcessRecords, RECORD_ROOM, Record, UNWRITTEN, Used,
        UtilizationHistory, incomplete, parse,
    };
    use proptest::prelude::*;

    fn written(records: &[(u32, u64)], size: usize) -> ProcessRecords {
        let mut bytes = vec![UNWRITTEN; (records.len() + 16) * RECORD_ROOM];
        for (bytes, (pid, memory)) in bytes.chunks_exact_mut(size).zip(records) {
            bytes.fill(0);
            bytes[..4].copy_from_slice(&pid.to_ne_bytes());
            bytes[8..16].copy_from_slice(&memory.to_ne_bytes());
            if size >= 24 {
                bytes[16..24].fill(0xff);
            }
        }
        ProcessRecords { bytes, count: u32::try_from(records.len()).unwrap() }
    }

    proptest! {
        #[test]
        fn records_are_found_whatever_their_size(
            records in proptest::collection::vec((1u32.., 0u64..1 << 50), 0..40),
            size in prop::sample::select(vec![16usize, 24, 32, 40]),
        ) {
            let found = parse(&written(&records, size)).unwrap();
            let found: Vec<_> = found.iter().map(|record| (record.pid, record.memory)).collect();
            prop_assert_eq!(found, records);
        }

        #[test]
        fn any_bytes_and_count_are_read_without_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..2000), count in any::<u32>(),
        ) {
            let _ = parse(&ProcessRecords { bytes, count });
        }

        #[test]
        fn means_stay_between_0_and_100(
            samples in proptest::collection::vec((1u32..4, 0u64..5_000_000, any::<u32>()), 0..50),
        ) {
            let mut history = UtilizationHistory::default();
            let used = |(pid, time_us, percent): (u32, u64, u32)| Used { pid, time_us, percents: [percent % 130; 4] };
            history.absorb(samples.into_iter().map(used).collect(), 0);
            for pid in 1..4 {
                for percent in history.of(pid) {
                    prop_assert!((0.0..=100.0).contains(&percent));
                }
            }
        }
    }

    #[test]
    fn no_instance_and_no_memory_are_told_apart_from_zero() {
        let record =
            Record { pid: 1, memory: u64::MAX, gpu_instance: u32::MAX, compute_instance: 0 };
        let process = GpuProcess::from(record);
        assert_eq!(process.memory_bytes, Err(Absent::Unknown));
        assert_eq!((process.gpu_instance, process.compute_instance), (None, Some(0)));
    }

    fn used(pid: u32, time_us: u64, percent: u32) -> Used {
        Used { pid, time_us, percents: [percent, 0, 0, 0] }
    }

    /// What a process used, in percent of the streaming multiprocessors.
    fn sm(history: &UtilizationHistory, pid: u32) -> u64 {
        let percent = history.of(pid)[0];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a percentage")]
        let whole = percent.round() as u64;
        whole
    }

    #[test]
    fn several_samples_are_weighted_by_the_time_they_cover() {
        let mut history = UtilizationHistory { cursor_us: 1_000_000, ..Default::default() };
        let samples = vec![used(7, 1_500_000, 80), used(7, 1_250_000, 20), used(7, 900_000, 100)];
        history.absorb(samples, 0);
        assert_eq!(sm(&history, 7), 50);
        assert_eq!(history.cursor_us, 1_500_000);
    }

    #[test]
    fn the_first_look_takes_only_what_is_recent() {
        let mut history = UtilizationHistory::default();
        history.absorb(vec![used(1, 5_000_000, 40), used(2, 3_000_000, 90)], 0);
        assert_eq!((sm(&history, 1), sm(&history, 2)), (40, 0));
    }

    #[test]
    fn the_first_sample_after_a_pause_weighs_no_more_than_the_others() {
        let mut history = UtilizationHistory::default();
        history.absorb(vec![used(1, 5_000_000, 40)], 0);
        let busy = |n: u64| used(1, 605_000_000 + n * 166_000, if n == 0 { 0 } else { 90 });
        history.absorb((0..6).map(busy).collect(), 600_000_000);
        assert_eq!(sm(&history, 1), 75);
    }

    #[test]
    fn a_silent_process_is_idle_after_two_seconds_however_often_it_is_looked_at() {
        let mut history = UtilizationHistory::default();
        history.absorb(vec![used(1, 5_000_000, 40)], 0);
        for now_us in [50_000, 100_000, 1_999_999] {
            history.absorb(Vec::new(), now_us);
            assert_eq!(sm(&history, 1), 40);
        }
        history.absorb(Vec::new(), 2_000_000);
        assert_eq!(sm(&history, 1), 0);
    }

    #[test]
    fn impossible_samples_are_dropped_and_do_not_move_the_cursor() {
        let mut history = UtilizationHistory::default();
        history.absorb(vec![used(1, u64::MAX - 5, 4_000_000), used(1, 5_000_000, 40)], 0);
        assert_eq!((sm(&history, 1), history.cursor_us), (40, 5_000_000));
    }

    #[test]
    fn a_count_without_records_is_no_empty_list() {
        let nothing = ProcessRecords { bytes: vec![UNWRITTEN; 4000], count: 3 };
        assert_eq!(parse(&nothing), Err(Absent::OutOfRange));
    }

    #[test]
    fn only_a_gpu_without_any_list_misses_processes() {
        assert_eq!(incomplete(&[]), None);
        assert_eq!(incomplete(&[Absent::NotSupported]), None);
        assert_eq!(incomplete(&[Absent::NotSupported; 3]), Some(Absent::NotSupported));
        assert_eq!(
            incomplete(&[Absent::NotSupported, Absent::NoPermission]),
            Some(Absent::NoPermission)
        );
    }
}
