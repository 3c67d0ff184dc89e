//! NVML's event sets: queues that the driver puts events into until they are taken out.

use nvml_wrapper_sys::bindings::{nvmlEventData_t, nvmlEventSet_t};

use super::{Failure, Handle, Library, Plain, checked, code, function};

/// An event set. It lasts until it is freed or NVML is shut down.
pub(in crate::source::nvml) struct EventSet(nvmlEventSet_t);

// SAFETY: a set is an opaque number, and NVML may be called from any thread.
unsafe impl Send for EventSet {}

/// The function that takes an event out of a set.
pub(in crate::source::nvml) const WAIT: &str = "nvmlEventSetWait_v2";
/// How long it waits: not at all.
const NO_TIME_MS: u32 = 0;

impl Library {
    /// Makes an empty set.
    pub(in crate::source::nvml) fn create_event_set(&self) -> Result<EventSet, Failure> {
        let create = self.find(&function!(nvmlEventSetCreate))?;
        let mut set = std::ptr::null_mut();
        // SAFETY: the function writes one set through the pointer.
        checked(unsafe { create(&raw mut set) })?;
        Ok(EventSet(set))
    }

    /// Lets go of a set and of what is in it.
    #[expect(clippy::needless_pass_by_value, reason = "nobody may have a set that is freed")]
    pub(in crate::source::nvml) fn free_event_set(&self, set: EventSet) -> Result<(), Failure> {
        let free = self.find(&function!(nvmlEventSetFree))?;
        // SAFETY: the set is one of this library's, and nobody has it any more.
        checked(unsafe { free(set.0) })
    }

    /// Takes the oldest event out of a set, without waiting for one.
    pub(in crate::source::nvml) fn next_event(
        &self,
        set: &EventSet,
    ) -> Result<Option<nvmlEventData_t>, Failure> {
        let wait = self.find(&function!(nvmlEventSetWait_v2))?;
        let mut event = nvmlEventData_t::zeroed();
        // SAFETY: the set is one of this library's, and the function writes one event through the pointer.
        match checked(unsafe { wait(set.0, &raw mut event, NO_TIME_MS) }) {
            Ok(()) => Ok(Some(event)),
            Err(Failure::Code(code::TIMEOUT)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Handle {
    /// Has events of these types put into a set.
    pub(in crate::source::nvml) fn register_events(
        self,
        library: &Library,
        types: u64,
        set: &EventSet,
    ) -> Result<(), Failure> {
        let register = library.find(&function!(nvmlDeviceRegisterEvents))?;
        // SAFETY: GPU and set are this library's.
        checked(unsafe { register(self.0, types, set.0) })
    }
}
