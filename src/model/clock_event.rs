//! The reasons why clocks are below their maximum: NVML's clock-event bits.

/// How much something should worry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong.
    None,
    /// Somebody's setting.
    Info,
    /// The GPU is held back.
    Warning,
    /// The GPU is held back hard, by heat or by its power supply.
    Critical,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 4] = [Self::None, Self::Info, Self::Warning, Self::Critical];

    /// The severity as JSON spells it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// One bit of `nvmlDeviceGetCurrentClocksEventReasons`.
#[derive(Clone, Copy, Debug)]
pub struct ClockEvent {
    /// The bit in the mask.
    pub bit: u64,
    /// The reason as JSON spells it; nvidia-smi's name where it has one.
    pub id: &'static str,
    /// The reason in words.
    pub text: &'static str,
    /// How much it should worry.
    pub severity: Severity,
}

const fn row(bit: u64, id: &'static str, text: &'static str, severity: Severity) -> ClockEvent {
    ClockEvent { bit, id, text, severity }
}

/// Every bit that a driver is known to set, lowest first.
pub const CLOCK_EVENTS: &[ClockEvent] = &[
    row(0x001, "gpu_idle", "idle", Severity::None),
    row(0x002, "applications_clocks_setting", "clocks fixed by a setting", Severity::Info),
    row(0x004, "sw_power_cap", "at power limit", Severity::Warning),
    row(0x008, "hw_slowdown", "hardware slowdown: heat or power", Severity::Critical),
    row(0x010, "sync_boost", "held back by the slowest GPU of its sync group", Severity::Info),
    row(0x020, "sw_thermal_slowdown", "too warm", Severity::Warning),
    row(0x040, "hw_thermal_slowdown", "overheating", Severity::Critical),
    row(0x080, "hw_power_brake_slowdown", "external power brake", Severity::Critical),
    row(0x100, "display_clock_setting", "limited by the display clock", Severity::Info),
    row(0x200, "board_limit", "limited by the board", Severity::Warning),
    row(0x400, "reliability", "limited by voltage reliability", Severity::Info),
];

/// The mask that a number of [`super::Unit::ClockEventReasons`] is.
#[must_use]
pub fn clock_event_mask(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let mask = value as u64;
    mask
}

/// The bits set in `mask`, lowest first, each alone and with its row of the table, where it has one.
pub fn clock_events(mask: u64) -> impl Iterator<Item = (u64, Option<&'static ClockEvent>)> {
    let bits = (0..u64::BITS).map(|bit| 1 << bit).filter(move |bit| mask & bit != 0);
    bits.map(|bit| (bit, CLOCK_EVENTS.iter().find(|event| event.bit == bit)))
}

/// The ids of the bits set in `mask`, lowest first; one that the table lacks is named by its value.
pub fn clock_event_names(mask: u64) -> impl Iterator<Item = std::borrow::Cow<'static, str>> {
    clock_events(mask).map(|(bit, event)| match event {
        Some(event) => event.id.into(),
        None => format!("unknown_0x{bit:x}").into(),
    })
}

#[cfg(test)]
mod tests {
    use super::{CLOCK_EVENTS, clock_event_names};

    #[test]
    fn each_row_is_one_bit_of_its_own_in_order() {
        assert!(CLOCK_EVENTS.iter().all(|event| event.bit.is_power_of_two()));
        assert!(CLOCK_EVENTS.is_sorted_by(|a, b| a.bit < b.bit));
    }

    #[test]
    fn unknown_bits_are_kept() {
        assert_eq!(clock_event_names(0).count(), 0);
        let names: Vec<_> = clock_event_names(0x4 | 0x8000).collect();
        assert_eq!(names, ["sw_power_cap", "unknown_0x8000"]);
    }
}
