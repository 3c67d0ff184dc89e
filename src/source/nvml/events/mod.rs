//! What happens to the GPUs, from NVML's event sets and from the kernel log.

mod join;
mod listener;

use std::sync::Arc;

use join::Joiner;
pub(super) use listener::{Listener, NvmlEvent};

use crate::model::{EventSource, EventSources, Events, Fact, Gpu, GpuEvent, PciAddress, Sysroot};
use crate::source::Clock;
use crate::source::host::{Device, KernelError, KernelLog};

/// Where the events of all sources come together.
pub(super) struct EventDesk {
    log: KernelLog,
    joiner: Joiner,
    sources: Arc<EventSources>,
}

impl EventDesk {
    /// Opens the kernel log.
    pub(super) fn new(sysroot: &Sysroot) -> Self {
        let (log, joiner) = (KernelLog::open(sysroot), Joiner::default());
        Self { log, joiner, sources: Arc::default() }
    }

    /// What became known since the last time: `told` by NVML, each with its GPU's position, and in the kernel log.
    /// `listening` says of each of `gpus` which types NVML tells of.
    pub(super) fn take(
        &mut self,
        clock: &dyn Clock,
        gpus: &[Gpu],
        told: Vec<(usize, NvmlEvent)>,
        listening: Vec<Fact<u64>>,
    ) -> Events {
        let now_us = clock.unix_us();
        // The kernel writes its line before NVML tells of it, so whatever NVML told is in the log by now.
        for error in self.log.read() {
            let age_us = clock.uptime_us().saturating_sub(error.uptime_us);
            self.joiner.put(of_kernel(error, now_us.saturating_sub(age_us), gpus));
        }
        for (position, event) in told {
            self.joiner.put(event.of_gpu(position, gpus.get(position)));
        }
        let sources = EventSources { kernel_log: self.log.is_readable(), nvml: listening };
        if *self.sources != sources {
            self.sources = Arc::new(sources);
        }
        let new = self.joiner.take(now_us, &self.sources);
        Events { new, sources: Arc::clone(&self.sources) }
    }
}

/// The event that the kernel logged.
fn of_kernel(error: KernelError, unix_us: u64, gpus: &[Gpu]) -> GpuEvent {
    let has_address = |gpu: &Gpu, address| address_of(gpu) == Some(address);
    let (gpu, pci) = match &error.device {
        Device::Pci(address) => {
            (gpus.iter().position(|gpu| has_address(gpu, *address)), Some(*address))
        }
        Device::Uuid(uuid) => {
            let gpu = gpus.iter().position(|gpu| gpu.uuid.as_ref() == Ok(uuid));
            (gpu, gpu.and_then(|position| address_of(&gpus[position])))
        }
    };
    let message = Some(error.message).filter(|message| !message.is_empty());
    GpuEvent {
        pci,
        pid: error.pid,
        process: error.process.map(Arc::from),
        message: message.map(Arc::from),
        ..GpuEvent::new(unix_us, gpu, error.kind, EventSource::KernelLog)
    }
}

fn address_of(gpu: &Gpu) -> Option<PciAddress> {
    gpu.pci_bus_id.as_deref().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Device, KernelError, of_kernel};
    use crate::model::{Absent, EventKind, Gpu};

    #[test]
    fn an_error_finds_its_gpu_by_address_or_uuid() {
        let gpu = |index: u32| Gpu {
            pci_bus_id: Ok(format!("0000:{index}1:00.0")),
            uuid: Ok(format!("GPU-{index}")),
            ..Gpu::unknown(index, Absent::NotReadYet)
        };
        let gpus = [gpu(0), gpu(1), gpu(2)];
        let found = |device: Device| {
            let error = KernelError {
                uptime_us: 0,
                device,
                kind: EventKind::Xid(79),
                pid: None,
                process: None,
                message: String::new(),
            };
            let event = of_kernel(error, 0, &gpus);
            assert_eq!(event.message, None);
            (event.gpu, event.pci.map(|address| address.to_string()))
        };
        let pci = |address: &str| Device::Pci(address.parse().unwrap());
        assert_eq!(found(pci("0000:11:00.0")), (Some(1), Some("0000:11:00.0".to_owned())));
        assert_eq!(found(pci("0000:c1:00.0")), (None, Some("0000:c1:00.0".to_owned())));
        let by_uuid = found(Device::Uuid("GPU-2".to_owned()));
        assert_eq!(by_uuid, (Some(2), Some("0000:21:00.0".to_owned())));
        assert_eq!(found(Device::Uuid("GPU-7".to_owned())), (None, None));
    }
}
