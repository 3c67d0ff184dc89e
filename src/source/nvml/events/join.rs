//! The same error from NVML and from the kernel log is one event.

use std::collections::VecDeque;

use crate::model::{EventKind, EventSource, EventSources, EventType, GpuEvent};

/// What two sources tell of the same error is at most so far apart: NVML is asked once a second.
const APART_US: u64 = 2_000_000;
/// So long an error waits for the other source to tell of it too.
const WAIT_US: u64 = 1_500_000;
/// So many events wait at most; the oldest are given away unjoined.
const MOST_WAITING: usize = 1_000;

/// Holds each error back until both sources have told of it or had the time to.
#[derive(Default)]
pub(super) struct Joiner {
    waiting: VecDeque<GpuEvent>,
    /// Errors that were given away with one source, for an account of the other that comes late.
    alone: VecDeque<GpuEvent>,
}

impl Joiner {
    /// Takes an event in, and joins it with what the other source told of the same.
    pub(super) fn put(&mut self, event: GpuEvent) {
        if let Some(other) = self.waiting.iter_mut().find(|other| is_same(other, &event)) {
            *other = joined(other, &event);
        } else if let Some(known) = self.alone.iter().position(|other| is_same(other, &event)) {
            self.alone.remove(known);
        } else {
            self.waiting.push_back(event);
        }
    }

    /// Gives the events that wait for nothing, oldest first.
    pub(super) fn take(&mut self, now_us: u64, sources: &EventSources) -> Vec<GpuEvent> {
        let surplus = self.waiting.len().saturating_sub(MOST_WAITING);
        let mut ready: Vec<_> = self.waiting.drain(..surplus).collect();
        for event in std::mem::take(&mut self.waiting) {
            let is_young = now_us.saturating_sub(event.unix_us) < WAIT_US;
            if is_young && may_come_twice(&event, sources) {
                self.waiting.push_back(event);
            } else {
                ready.push(event);
            }
        }
        self.alone.retain(|event| now_us.saturating_sub(event.unix_us) <= 2 * APART_US);
        let late = ready.iter().filter(|event| may_come_twice(event, sources)).cloned();
        let is_recent = |event: &GpuEvent| now_us.saturating_sub(event.unix_us) <= 2 * APART_US;
        self.alone.extend(late.filter(is_recent));
        ready.sort_by_key(|event| event.unix_us);
        ready
    }
}

/// Whether the source that has not told of the event may still do so.
fn may_come_twice(event: &GpuEvent, sources: &EventSources) -> bool {
    let is_xid = matches!(event.kind, EventKind::Xid(_));
    let listens = event.gpu.and_then(|gpu| sources.nvml.get(gpu));
    is_xid
        && match event.source {
            EventSource::Both => false,
            EventSource::Nvml => sources.kernel_log.is_ok(),
            EventSource::KernelLog => {
                listens.is_some_and(|types| types.is_ok_and(|types| types & EventType::XID.0 != 0))
            }
        }
}

/// Whether two sources tell of one error.
fn is_same(a: &GpuEvent, b: &GpuEvent) -> bool {
    let sources = (a.source, b.source);
    let differ = matches!(
        sources,
        (EventSource::Nvml, EventSource::KernelLog) | (EventSource::KernelLog, EventSource::Nvml)
    );
    differ
        && matches!(a.kind, EventKind::Xid(_))
        && a.gpu.is_some()
        && (a.kind, a.gpu) == (b.kind, b.gpu)
        && a.unix_us.abs_diff(b.unix_us) <= APART_US
}

/// The event with the kernel's time and words, and with NVML's instances.
fn joined(a: &GpuEvent, b: &GpuEvent) -> GpuEvent {
    let (kernel, nvml) = if a.source == EventSource::KernelLog { (a, b) } else { (b, a) };
    GpuEvent {
        gpu_instance: nvml.gpu_instance,
        compute_instance: nvml.compute_instance,
        data: nvml.data,
        source: EventSource::Both,
        ..kernel.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Joiner, MOST_WAITING};
    use crate::model::{Absent, EventKind, EventSource, EventSources, GpuEvent};

    const SECOND: u64 = 1_000_000;
    /// Long after 1970.
    const START: u64 = 1_000 * SECOND;

    fn both() -> EventSources {
        EventSources { kernel_log: Ok(()), nvml: vec![Ok(0xff8b); 2] }
    }

    fn nvml(at: u64, gpu: usize, code: u32) -> GpuEvent {
        let event = GpuEvent::new(START + at, Some(gpu), EventKind::Xid(code), EventSource::Nvml);
        GpuEvent { gpu_instance: Some(7), ..event }
    }

    fn kernel(at: u64, gpu: usize, code: u32) -> GpuEvent {
        let source = EventSource::KernelLog;
        let event = GpuEvent::new(START + at, Some(gpu), EventKind::Xid(code), source);
        GpuEvent { message: Some("words".into()), pid: Some(42), ..event }
    }

    #[test]
    fn one_error_of_two_sources_is_one_event() {
        for events in
            [[kernel(0, 1, 31), nvml(SECOND, 1, 31)], [nvml(SECOND, 1, 31), kernel(0, 1, 31)]]
        {
            let mut joiner = Joiner::default();
            for event in events {
                joiner.put(event);
            }
            let taken = joiner.take(START + SECOND, &both());
            assert_eq!(taken.len(), 1);
            assert_eq!((taken[0].source, taken[0].unix_us), (EventSource::Both, START));
            assert_eq!((taken[0].pid, taken[0].gpu_instance), (Some(42), Some(7)));
            assert_eq!(taken[0].message.as_deref(), Some("words"));
        }
    }

    #[test]
    fn other_errors_stay_apart() {
        let mut joiner = Joiner::default();
        let events = [
            kernel(0, 1, 31),
            nvml(SECOND, 1, 45),
            nvml(SECOND, 0, 31),
            nvml(2 * SECOND + 1, 1, 31),
            kernel(SECOND, 1, 31),
        ];
        for event in events {
            joiner.put(event);
        }
        let taken = joiner.take(START + 9 * SECOND, &both());
        // The second of the kernel's two errors and the last of NVML's are one.
        assert_eq!(taken.len(), 4);
        assert!(taken.is_sorted_by_key(|event| event.unix_us));
    }

    #[test]
    fn an_error_waits_for_the_other_source_where_there_is_one() {
        let mut joiner = Joiner::default();
        joiner.put(kernel(0, 1, 31));
        assert!(joiner.take(START + SECOND / 10, &both()).is_empty());
        assert_eq!(joiner.take(START + 2 * SECOND, &both()).len(), 1);
        // The late account says nothing new, and only once.
        joiner.put(nvml(SECOND, 1, 31));
        assert!(joiner.take(START + 4 * SECOND, &both()).is_empty());
        let without = EventSources { kernel_log: Ok(()), nvml: vec![Err(Absent::NotSupported); 2] };
        joiner.put(kernel(5 * SECOND, 1, 31));
        assert_eq!(joiner.take(START + 5 * SECOND, &without).len(), 1);
        joiner.put(nvml(9 * SECOND, 1, 31));
        let blind = EventSources { kernel_log: Err(Absent::NoPermission), ..both() };
        assert_eq!(joiner.take(START + 9 * SECOND, &blind).len(), 1);
    }

    #[test]
    fn errors_of_a_time_before_wait_for_nothing() {
        let mut joiner = Joiner::default();
        joiner.put(kernel(0, 0, 31));
        joiner.put(kernel(0, 0, 31));
        assert_eq!(joiner.take(START + 3_600 * SECOND, &both()).len(), 2);
        assert!(joiner.alone.is_empty());
    }

    #[test]
    fn a_flood_does_not_wait() {
        let mut joiner = Joiner::default();
        for _ in 0..MOST_WAITING + 5 {
            joiner.put(kernel(0, 0, 13));
        }
        assert_eq!(joiner.take(START, &both()).len(), 5);
        assert_eq!(joiner.waiting.len(), MOST_WAITING);
    }
}
