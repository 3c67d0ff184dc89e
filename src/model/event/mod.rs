//! Something that happened to a GPU, as NVML or the kernel log told it.

mod kind;
mod xid;

use std::sync::Arc;

pub use kind::{EVENT_TYPES, EventKind, EventType};
pub use xid::{
    Culprit, RECOVERY_ACTIONS, RecoveryAction, ShownXid, XIDS, Xid, recovery_action, xid,
};

use super::absent::Absent;
use super::clock_event::Severity;
use super::inventory::Fact;
use super::pci_address::PciAddress;

/// Something that happened to a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuEvent {
    /// When, in microseconds since 1970: the kernel log's time, else when NVML was asked.
    pub unix_us: u64,
    /// Which of the inventory's GPUs, by position; `None` for a switch, or a GPU that the inventory lacks.
    pub gpu: Option<usize>,
    /// The device's address, where it was told.
    pub pci: Option<PciAddress>,
    /// What happened.
    pub kind: EventKind,
    /// NVML's number that goes with it, where it means something.
    pub data: Option<u64>,
    /// The MIG GPU instance that it happened to.
    pub gpu_instance: Option<u32>,
    /// The MIG compute instance that it happened to.
    pub compute_instance: Option<u32>,
    /// The process that the kernel log blames.
    pub pid: Option<u32>,
    /// That process's name.
    pub process: Option<Arc<str>>,
    /// The kernel's own words after the number.
    pub message: Option<Arc<str>>,
    /// Who told of it.
    pub source: EventSource,
}

/// Who told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventSource {
    /// NVML's event set.
    Nvml,
    /// The kernel log.
    KernelLog,
    /// Both told of the same.
    Both,
}

impl EventSource {
    /// The source in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Nvml => "NVML",
            Self::KernelLog => "kernel log",
            Self::Both => "NVML and kernel log",
        }
    }
}

/// What a sample has to say of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Those that became known since the sample before, the oldest first.
    pub new: Vec<GpuEvent>,
    /// Which sources are listened to.
    pub sources: Arc<EventSources>,
}

/// Which sources of events are listened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSources {
    /// Whether the kernel log can be read.
    pub kernel_log: Fact<()>,
    /// Of each GPU of the inventory, the mask of the [`EVENT_TYPES`] that NVML tells of.
    pub nvml: Vec<Fact<u64>>,
}

impl Default for EventSources {
    fn default() -> Self {
        Self { kernel_log: Err(Absent::NotReadYet), nvml: Vec::new() }
    }
}

impl GpuEvent {
    /// An event of which only the essence is known.
    #[must_use]
    pub fn new(unix_us: u64, gpu: Option<usize>, kind: EventKind, source: EventSource) -> Self {
        Self {
            unix_us,
            gpu,
            pci: None,
            kind,
            data: None,
            gpu_instance: None,
            compute_instance: None,
            pid: None,
            process: None,
            message: None,
            source,
        }
    }

    /// How much it should worry.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.kind {
            _ if self.recovery().is_some() => {
                self.recovery().map_or(Severity::Info, |action| action.severity)
            }
            EventKind::Xid(code) => xid(code).severity,
            EventKind::SwitchXid(_) if self.is_fatal() => Severity::Critical,
            EventKind::SwitchXid(_) => Severity::Warning,
            EventKind::Type(bit) => bit.row().map_or(Severity::Info, |row| row.severity),
        }
    }

    /// What happened, in a line: `Xid 31: memory page fault`.
    #[must_use]
    pub fn title(&self) -> String {
        let title = match self.kind {
            EventKind::Xid(code) => ShownXid(code).to_string(),
            EventKind::SwitchXid(code) => format!("SXid {code}: NVSwitch error"),
            EventKind::Type(bit) => bit.title(),
        };
        match self.recovery() {
            Some(action) => format!("{title} to {}", action.text),
            None => title,
        }
    }

    /// What happened, in sentences.
    #[must_use]
    pub fn meaning(&self) -> &'static str {
        match self.kind {
            EventKind::Xid(code) => xid(code).meaning,
            EventKind::SwitchXid(_) => {
                "A switch between the GPUs reported an error, and the kernel's message says which."
            }
            EventKind::Type(bit) => bit
                .row()
                .map_or("The driver reported something that this program does not know.", |row| {
                    row.meaning
                }),
        }
    }

    /// Who is likely to have caused it, the likeliest first.
    #[must_use]
    pub fn culprits(&self) -> &'static [Culprit] {
        match self.kind {
            EventKind::Xid(code) => xid(code).culprits,
            EventKind::SwitchXid(_) => &[Culprit::Link],
            EventKind::Type(bit) => bit.row().map_or(&[], |row| row.culprits),
        }
    }

    /// What to do, in sentences.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self.kind {
            _ if self.recovery().is_some() => self.recovery().map_or("", |action| action.advice),
            EventKind::Xid(code) => xid(code).advice,
            EventKind::SwitchXid(_) => {
                "Check the NVLink state of the GPUs and the log of the fabric manager."
            }
            EventKind::Type(bit) => {
                bit.row().map_or("Update this program, or ignore it.", |row| row.advice)
            }
        }
    }

    /// What the GPU is said to need, where the event says that.
    #[must_use]
    pub fn recovery(&self) -> Option<&'static RecoveryAction> {
        match self.kind {
            EventKind::Xid(154) => recovery_in(self.message.as_deref()?),
            EventKind::Type(EventType::RECOVERY_ACTION) => recovery_action(self.data?),
            _ => None,
        }
    }

    /// Whether the kernel's words for an error of a switch call it fatal.
    fn is_fatal(&self) -> bool {
        let first = self.message.as_deref().and_then(|message| message.split(',').next());
        first.is_some_and(|word| word.trim().eq_ignore_ascii_case("fatal"))
    }
}

/// The action in `GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)`.
fn recovery_in(message: &str) -> Option<&'static RecoveryAction> {
    let (_, number) = message.rsplit_once(" to 0x")?;
    let digits = number.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    recovery_action(u64::from_str_radix(digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::{EventKind, EventSource, EventType, GpuEvent};
    use crate::model::Severity;
    use proptest::prelude::*;

    fn event(kind: EventKind, message: &str) -> GpuEvent {
        let message = Some(message.into());
        GpuEvent { message, ..GpuEvent::new(0, Some(0), kind, EventSource::KernelLog) }
    }

    #[test]
    fn a_recovery_action_is_told_by_what_the_gpu_needs() {
        let words = "GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)";
        let reset = event(EventKind::Xid(154), words);
        assert_eq!(reset.title(), "Xid 154: recovery action changed to GPU reset");
        assert_eq!(reset.severity(), Severity::Critical);
        assert_eq!(reset.advice(), "Stop what uses the GPU and reset it.");
        assert_eq!(event(EventKind::Xid(154), "words").severity(), Severity::Info);
        let kind = EventKind::Type(EventType::RECOVERY_ACTION);
        let mut of_nvml = event(kind, "");
        of_nvml.data = Some(0);
        assert_eq!(of_nvml.title(), "recovery action changed to none");
        of_nvml.data = Some(77);
        assert_eq!(of_nvml.title(), "recovery action changed");
    }

    #[test]
    fn a_fatal_error_of_a_switch_is_critical() {
        let severity = |words| event(EventKind::SwitchXid(20034), words).severity();
        assert_eq!(severity("Fatal, Link 30 LTSSM Fault Up"), Severity::Critical);
        assert_eq!(severity("Non-fatal, Link 30 LTSSM Fault Up"), Severity::Warning);
    }

    #[test]
    fn what_is_not_known_is_told_by_its_number() {
        let unknown = event(EventKind::Type(EventType(0x40_0000)), "");
        assert_eq!(unknown.title(), "unknown event 0x400000");
        assert_eq!(unknown.kind.id(), "unknown_0x400000");
        assert!(unknown.meaning().ends_with('.') && unknown.advice().ends_with('.'));
    }

    proptest! {
        #[test]
        fn any_event_has_words(code in any::<u32>(), bit in 0u32..64, words in any::<String>()) {
            let type_of_bit = EventKind::Type(EventType(1 << bit));
            for kind in [EventKind::Xid(code), EventKind::SwitchXid(code), type_of_bit] {
                let event = event(kind, &words);
                prop_assert!(event.meaning().ends_with('.') && event.advice().ends_with('.'));
                prop_assert!(!event.title().is_empty());
            }
        }

        #[test]
        fn any_words_of_a_recovery_are_survived(words in any::<String>()) {
            let event = event(EventKind::Xid(154), &format!("from 0x0 to 0x{words}"));
            prop_assert!(event.severity() > Severity::None);
        }
    }
}
