//! What happens on a simulated machine, and when.

use std::sync::Arc;

use super::preset::{EventRow, Preset};
use crate::model::{EventKind, EventSource, EventSources, EventType, Events, GpuEvent};

/// The simulated sources of events.
pub(super) struct EventScript {
    preset: &'static Preset,
    start_unix_us: u64,
    /// How many of the preset's events have been told.
    told: usize,
    sources: Arc<EventSources>,
}

impl EventScript {
    pub(super) fn new(preset: &'static Preset, start_unix_us: u64) -> Self {
        let nvml = vec![Ok(EventType::wanted()); preset.gpus.len()];
        let sources = Arc::new(EventSources { kernel_log: Ok(()), nvml });
        Self { preset, start_unix_us, told: 0, sources }
    }

    /// What happened until `t` seconds after the start and was not told yet.
    pub(super) fn take(&mut self, t: f64) -> Events {
        let due = self.preset.events[self.told..].iter().take_while(|row| row.at_s <= t);
        let new: Vec<_> = due.map(|row| self.event(row)).collect();
        self.told += new.len();
        Events { new, sources: Arc::clone(&self.sources) }
    }

    fn event(&self, row: &EventRow) -> GpuEvent {
        let source = match row.kind {
            EventKind::Xid(_) if row.at_s >= 0.0 => EventSource::Both,
            EventKind::Xid(_) | EventKind::SwitchXid(_) => EventSource::KernelLog,
            EventKind::Type(_) => EventSource::Nvml,
        };
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        let unix_us = self.start_unix_us.saturating_add_signed((row.at_s * 1e6) as i64);
        let (pid, process) = row.process.unzip();
        GpuEvent {
            pci: self.preset.gpus[row.gpu].pci_bus_id.parse().ok(),
            pid,
            process: process.map(Arc::from),
            message: Some(row.message).filter(|words| !words.is_empty()).map(Arc::from),
            gpu_instance: row.instance.map(|(gpu_instance, _)| gpu_instance),
            compute_instance: row.instance.map(|(_, compute_instance)| compute_instance),
            ..GpuEvent::new(unix_us, Some(row.gpu), row.kind, source)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EventScript;
    use crate::source::demo::PRESETS;

    #[test]
    fn each_event_is_told_once_and_at_its_time() {
        for preset in PRESETS {
            assert!(preset.events.is_sorted_by(|a, b| a.at_s <= b.at_s), "{}", preset.name);
            assert!(preset.events.iter().all(|row| row.gpu < preset.gpus.len()));
            let mut script = EventScript::new(preset, 1_000_000_000_000);
            let mut told = Vec::new();
            for t in 0..100u32 {
                let new = script.take(f64::from(t)).new;
                let now_us = 1_000_000_000_000 + u64::from(t) * 1_000_000;
                assert!(new.iter().all(|event| event.unix_us <= now_us));
                told.extend(new);
            }
            assert_eq!(told.len(), preset.events.len());
            assert!(told.is_sorted_by_key(|event| event.unix_us));
        }
    }
}
