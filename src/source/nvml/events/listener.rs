//! One GPU's event set: made while the GPU is read, and emptied now and then without waiting.

use crate::model::{Absent, EventKind, EventSource, EventType, Fact, Gpu, GpuEvent};
use crate::source::nvml::device::{Device, absent_for};
use crate::source::nvml::raw::{EventSet, Failure, WAIT, function};

/// The set is emptied this often at most; at an interval of a second, at each tick.
const EVERY_US: u64 = 900_000;
/// A set that could not be made or was lost is made anew after this time.
const AGAIN_US: u64 = 10_000_000;
/// So many events are taken at once at most; the rest waits in the set.
const MOST_AT_ONCE: usize = 32;
/// An emptying that takes long is not begun again before this many times as long.
const REST: u64 = 100;
/// NVML's number for "in no MIG instance".
const NO_INSTANCE: u32 = u32::MAX;

/// An event as NVML told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::nvml) struct NvmlEvent {
    /// When it was taken out of the set, in microseconds since 1970.
    unix_us: u64,
    types: u64,
    data: u64,
    gpu_instance: u32,
    compute_instance: u32,
}

/// One GPU's event set. It stays on the GPU's seat, so that a reader that is made anew finds the set of the one before.
pub(in crate::source::nvml) struct Listener {
    set: Option<EventSet>,
    /// The types that NVML tells of.
    types: Fact<u64>,
    due_us: u64,
}

impl Default for Listener {
    fn default() -> Self {
        Self { set: None, types: Err(Absent::NotReadYet), due_us: 0 }
    }
}

impl Listener {
    /// The mask of the types that NVML tells of.
    pub(in crate::source::nvml) fn types(&self) -> Fact<u64> {
        self.types
    }

    /// Begins anew with a GPU whose handle is new.
    pub(in crate::source::nvml) fn begin(&mut self, device: &Device) {
        self.free(device);
        *self = Self::default();
    }

    /// Takes out what is in the set, making it first where there is none.
    pub(in crate::source::nvml) fn take(&mut self, device: &Device) -> Vec<NvmlEvent> {
        let begun_us = device.now_us();
        if begun_us < self.due_us {
            return Vec::new();
        }
        if self.set.is_none() {
            self.types = self.make(device);
        }
        let events = self.empty(device);
        let took_us = device.now_us().saturating_sub(begun_us);
        let rest_us = match self.types {
            Ok(_) => EVERY_US.max(took_us.saturating_mul(REST)),
            Err(why) if why.lasts() || why == Absent::NoPermission => u64::MAX,
            Err(_) => AGAIN_US,
        };
        self.due_us = begun_us.saturating_add(rest_us);
        events
    }

    /// Makes the set and registers what is wanted of what the GPU supports.
    fn make(&mut self, device: &Device) -> Fact<u64> {
        let supported = function!(nvmlDeviceGetSupportedEventTypes);
        let types = device.aside(supported.name, |handle, library| {
            handle.get::<std::ffi::c_ulonglong>(library, &supported, 0)
        });
        let types = types.map_err(absent_for)? & EventType::wanted();
        if types == 0 {
            return Err(Absent::NotSupported);
        }
        let set = device.aside("nvmlEventSetCreate", |_, library| library.create_event_set());
        let set = set.map_err(absent_for)?;
        let registered = device.aside("nvmlDeviceRegisterEvents", |handle, library| {
            handle.register_events(library, types, &set)
        });
        self.set = Some(set);
        if let Err(failure) = registered {
            self.free(device);
            return Err(absent_for(failure));
        }
        Ok(types)
    }

    /// Takes the events out. A set that answers with an error is let go of.
    fn empty(&mut self, device: &Device) -> Vec<NvmlEvent> {
        let mut events = Vec::new();
        let Some(set) = &self.set else { return events };
        let failure: Failure = loop {
            match device.aside(WAIT, |_, library| library.next_event(set)) {
                Ok(Some(event)) => events.push(NvmlEvent {
                    unix_us: device.unix_us(),
                    types: event.eventType,
                    data: event.eventData,
                    gpu_instance: event.gpuInstanceId,
                    compute_instance: event.computeInstanceId,
                }),
                Ok(None) => return events,
                Err(failure) => break failure,
            }
            if events.len() == MOST_AT_ONCE {
                return events;
            }
        };
        self.types = Err(absent_for(failure));
        self.free(device);
        events
    }

    fn free(&mut self, device: &Device) {
        if let Some(set) = self.set.take() {
            // One that cannot be freed goes with the library.
            let _ = device.aside("nvmlEventSetFree", |_, library| library.free_event_set(set));
        }
    }
}

impl NvmlEvent {
    /// The event as everybody reads it.
    pub(super) fn of_gpu(self, position: usize, gpu: Option<&Gpu>) -> GpuEvent {
        let instance = |number: u32| (number != NO_INSTANCE).then_some(number);
        let in_mig = gpu.is_some_and(|gpu| gpu.mig == Ok(true));
        let kind = match (EventType(self.types), u32::try_from(self.data)) {
            (EventType::XID, Ok(code)) => EventKind::Xid(code),
            (types, _) => EventKind::Type(types),
        };
        let is_action = kind == EventKind::Type(EventType::RECOVERY_ACTION);
        // What the number of the other types means is not documented, and zero is what they have where it means nothing.
        let data = (is_action || (kind.code().is_none() && self.data != 0)).then_some(self.data);
        GpuEvent {
            pci: gpu.and_then(super::address_of),
            data,
            gpu_instance: instance(self.gpu_instance).filter(|_| in_mig),
            compute_instance: instance(self.compute_instance).filter(|_| in_mig),
            ..GpuEvent::new(self.unix_us, Some(position), kind, EventSource::Nvml)
        }
    }
}
