//! The table of what NVML's event sets tell: one row for each bit.

use std::borrow::Cow;

use super::xid::Culprit;
use crate::model::Severity;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The driver's error with this number.
    Xid(u32),
    /// An `NVSwitch`'s error with this number.
    SwitchXid(u32),
    /// Another of NVML's types.
    Type(EventType),
}

impl EventKind {
    /// The kind as JSON spells it; of a type that the table lacks, its bit.
    #[must_use]
    pub fn id(self) -> Cow<'static, str> {
        match self {
            Self::Xid(_) => "xid".into(),
            Self::SwitchXid(_) => "switch_xid".into(),
            Self::Type(bit) => match bit.row() {
                Some(row) => row.id.into(),
                None => format!("unknown_0x{:x}", bit.0).into(),
            },
        }
    }

    /// The number of an error.
    #[must_use]
    pub fn code(self) -> Option<u32> {
        match self {
            Self::Xid(code) | Self::SwitchXid(code) => Some(code),
            Self::Type(_) => None,
        }
    }
}

/// One bit of NVML's event types; it may be one that the table lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType(pub u64);

impl EventType {
    /// The driver's errors, whose number is the event's data.
    pub const XID: Self = Self(0x8);
    /// What the GPU needs to be well again, which is the event's data.
    pub const RECOVERY_ACTION: Self = Self(0x8000);

    /// The types that are listened to.
    #[must_use]
    pub fn wanted() -> u64 {
        EVENT_TYPES.iter().filter(|row| row.is_wanted).fold(0, |mask, row| mask | row.bit.0)
    }

    /// The type's row of the table.
    #[must_use]
    pub fn row(self) -> Option<&'static TypeRow> {
        EVENT_TYPES.iter().find(|row| row.bit == self)
    }

    /// What happened, in a few words.
    #[must_use]
    pub fn title(self) -> String {
        self.row().map_or_else(|| format!("unknown event 0x{:x}", self.0), |row| row.title.into())
    }
}

/// One row of the table of event types.
#[derive(Clone, Copy, Debug)]
pub struct TypeRow {
    /// The bit.
    pub bit: EventType,
    /// Whether it is listened to; what comes many times a second is not.
    pub is_wanted: bool,
    /// The type as JSON spells it.
    pub id: &'static str,
    /// How much it should worry.
    pub severity: Severity,
    /// Who is likely to have caused it.
    pub culprits: &'static [Culprit],
    /// What happened, in a few words.
    pub title: &'static str,
    /// What happened, in a sentence.
    pub meaning: &'static str,
    /// What to do, in a sentence.
    pub advice: &'static str,
}

const HARDWARE: &[Culprit] = &[Culprit::Hardware];

/// Declares [`EVENT_TYPES`] from one row per type: bit, whether it is wanted, id, severity, culprits, title, meaning,
/// advice.
macro_rules! types {
    ($( $bit:literal, $wanted:literal, $id:literal, $severity:ident, $culprits:expr, $title:literal, $meaning:literal, $advice:literal; )+) => {
        /// Every bit that a driver is known to set, lowest first.
        pub const EVENT_TYPES: &[TypeRow] = &[$( TypeRow {
            bit: EventType($bit),
            is_wanted: $wanted,
            id: $id,
            severity: Severity::$severity,
            culprits: $culprits,
            title: $title,
            meaning: $meaning,
            advice: $advice,
        } ),+];
    };
}

types! {
    0x1, true, "single_bit_ecc_error", Info, HARDWARE, "single-bit ECC error",
        "ECC corrected an error of one bit.", "Watch whether they grow more.";
    0x2, true, "double_bit_ecc_error", Critical, HARDWARE, "double-bit ECC error",
        "ECC found an error of two bits that it cannot correct.", "Drain the GPU, reset it, and check whether rows wait to be remapped.";
    0x4, false, "performance_state", None, &[], "performance state changed",
        "The GPU went to another performance state.", "Nothing is to be done.";
    0x8, true, "xid", Warning, &[], "Xid",
        "The driver reported an error.", "Look for lines with NVRM in the kernel log.";
    0x10, false, "clock", None, &[], "clock changed",
        "A clock of the GPU was changed.", "Nothing is to be done.";
    0x80, true, "power_source_change", Info, &[], "power source changed",
        "The machine changed between mains and battery.", "Nothing is to be done.";
    0x100, true, "mig_configuration_change", Info, &[], "MIG configuration changed",
        "The GPU was divided into other instances.", "Nothing is to be done.";
    0x200, true, "single_bit_ecc_storm", Warning, HARDWARE, "single-bit ECC error storm",
        "ECC corrects errors at a high rate.", "Keep running, and plan a check of the board.";
    0x400, true, "dram_retirement", Warning, HARDWARE, "GPU memory retired",
        "A failing part of the GPU memory is to be taken out of use.", "Reset the GPU when convenient, so that it takes effect.";
    0x800, true, "dram_retirement_failure", Critical, HARDWARE, "memory retirement failed",
        "A failing part of the GPU memory could not be taken out of use.", "Reset the GPU. If it comes again, have the board replaced.";
    0x1000, true, "non_fatal_poison", Warning, HARDWARE, "poisoned data, contained",
        "A program met data that memory had marked as damaged, and no other is affected.", "Restart the application that was hit.";
    0x2000, true, "fatal_poison", Critical, HARDWARE, "poisoned data, not contained",
        "Data that memory had marked as damaged may have reached every program on the GPU.", "Stop everything on the GPU and reset it.";
    0x4000, true, "gpu_unavailable", Critical, HARDWARE, "GPU unavailable",
        "The GPU can no longer be used.", "Look for lines with NVRM in the kernel log, and reset the GPU or reboot the machine.";
    0x8000, true, "recovery_action", Info, &[], "recovery action changed",
        "The driver says anew what the GPU needs to be well again.", "Do what it names.";
}

#[cfg(test)]
mod tests {
    use super::{EVENT_TYPES, EventType};

    #[test]
    fn each_row_is_one_bit_of_its_own_in_order() {
        assert!(EVENT_TYPES.iter().all(|row| row.bit.0.is_power_of_two()));
        assert!(EVENT_TYPES.is_sorted_by(|a, b| a.bit.0 < b.bit.0));
        let ids: std::collections::BTreeSet<_> = EVENT_TYPES.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), EVENT_TYPES.len());
        assert_eq!(EventType::XID.row().unwrap().id, "xid");
        assert_eq!(EventType::RECOVERY_ACTION.row().unwrap().id, "recovery_action");
    }

    #[test]
    fn every_text_is_a_sentence() {
        for row in EVENT_TYPES {
            assert!(row.meaning.ends_with('.') && row.advice.ends_with('.'), "{}", row.id);
        }
    }

    #[test]
    fn what_comes_all_the_time_is_not_listened_to() {
        assert_eq!(EventType::wanted(), 0xff8b);
    }
}
