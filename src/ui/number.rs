//! Numbers as the screen shows them.

use crate::config::TemperatureUnit;
use crate::model::{Metric, Per, Slot, Unit, clock_event_mask, clock_events, fixed};

/// A value of a metric with its unit, in the user's unit of temperature.
pub(super) fn show(metric: Metric, value: f64, temperature: TemperatureUnit) -> String {
    match metric.spec().unit {
        Unit::Celsius => degrees(metric, value, temperature),
        Unit::ClockEventReasons => reasons(clock_event_mask(value)),
        unit => unit.show(value),
    }
}

fn degrees(metric: Metric, value: f64, temperature: TemperatureUnit) -> String {
    let degrees = if is_difference(metric) {
        temperature.difference(value)
    } else {
        temperature.level(value)
    };
    format!("{} °{}", fixed(degrees, 0), temperature.letter())
}

/// Whether a number of degrees tells how far something is from a limit.
const fn is_difference(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::SlowdownMargin
            | Metric::ShutdownTLimit
            | Metric::SlowdownTLimit
            | Metric::MemoryMaximumTLimit
            | Metric::GpuMaximumTLimit
    )
}

/// The bits of a mask in words.
fn reasons(mask: u64) -> String {
    let words: Vec<_> = clock_events(mask)
        .map(|(bit, event)| match event {
            Some(event) => event.text.to_owned(),
            None => format!("unknown 0x{bit:x}"),
        })
        .collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// Bytes in GiB with one digit: for columns in which all values share the unit.
pub(super) fn gibibytes(bytes: f64) -> String {
    let value = bytes / f64::from(1 << 30);
    fixed(value, u32::from(value < 99.95)).to_string()
}

/// What a slot is called; instances of one metric are told apart by their numbers.
pub(super) fn slot_label(slot: Slot) -> String {
    let spec = slot.metric.spec();
    match spec.per {
        Per::One => spec.label.to_owned(),
        _ => format!("{} {}", spec.label, slot.instance),
    }
}

/// Which of the `rows` of a list are shown from `top` on, where there is room for only so many of them.
pub(super) fn shown_part(top: usize, room: usize, rows: usize) -> Option<String> {
    let last = (top + room).min(rows);
    (room < rows && top < last).then(|| format!("{} to {last} of {rows}", top + 1))
}

#[cfg(test)]
mod tests {
    use super::{gibibytes, show, shown_part};
    use crate::config::TemperatureUnit::{Celsius, Fahrenheit};
    use crate::model::Metric;

    #[test]
    fn a_difference_of_degrees_has_no_offset() {
        assert_eq!(show(Metric::Temperature, 100.0, Celsius), "100 °C");
        assert_eq!(show(Metric::Temperature, 100.0, Fahrenheit), "212 °F");
        assert_eq!(show(Metric::SlowdownMargin, 10.0, Fahrenheit), "18 °F");
    }

    #[test]
    fn masks_are_told_in_words() {
        let show = |mask| show(Metric::ClockEventReasons, mask, Celsius);
        assert_eq!([0.0, 4.0].map(show), ["nothing", "at power limit"]);
        assert_eq!(show(36_864.0 + 1.0), "idle, unknown 0x1000, unknown 0x8000");
    }

    #[test]
    fn a_list_that_goes_on_says_which_part_is_shown() {
        assert_eq!(shown_part(0, 3, 16).unwrap(), "1 to 3 of 16");
        assert_eq!(shown_part(14, 3, 16).unwrap(), "15 to 16 of 16");
        assert_eq!([shown_part(0, 16, 16), shown_part(0, 0, 16)], [None, None]);
    }

    #[test]
    fn large_memories_lose_the_digit() {
        assert_eq!(gibibytes(44_238_000_000.0), "41.2");
        assert_eq!(gibibytes(200_000_000_000.0), "186");
    }
}
