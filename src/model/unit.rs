//! Units: the ending of a JSON key, and how a person reads the number.

use super::clock_event::{clock_event_mask, clock_event_names};

/// What a metric's number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Hundredths of a whole.
    Percent,
    /// Bytes.
    Bytes,
    /// Bytes in a second.
    BytesPerSecond,
    /// Millions of cycles in a second.
    Megahertz,
    /// Degrees, or a difference of degrees.
    Celsius,
    /// Watts.
    Watts,
    /// Joules.
    Joules,
    /// Seconds.
    Seconds,
    /// A plain number.
    Number,
    /// A performance state: 0 is the fastest, 15 the slowest.
    PerformanceState,
    /// A mask of [`super::CLOCK_EVENTS`].
    ClockEventReasons,
    /// 0 or 1.
    Flag,
}

impl Unit {
    /// How a metric's id must end, so that the unit stands in the key.
    #[must_use]
    pub fn key_ending(self) -> &'static str {
        match self {
            Self::Percent => "_percent",
            Self::Bytes => "_bytes",
            Self::BytesPerSecond => "_bytes_per_second",
            Self::Megahertz => "_mhz",
            Self::Celsius => "_celsius",
            Self::Watts => "_watts",
            Self::Joules => "_joules",
            Self::Seconds => "_seconds",
            Self::PerformanceState => "performance_state",
            Self::ClockEventReasons => "clock_event_reasons",
            Self::Number | Self::Flag => "",
        }
    }

    /// The number with its unit as a person reads it: `41.2 GiB`, `629 W`, `P2`.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{value:.0} %"),
            Self::Bytes => binary(value, "B"),
            Self::BytesPerSecond => binary(value, "B/s"),
            Self::Megahertz => format!("{value:.0} MHz"),
            Self::Celsius => format!("{value:.0} °C"),
            Self::Watts if value < 100.0 => format!("{value:.1} W"),
            Self::Watts => format!("{value:.0} W"),
            Self::Joules => energy(value),
            Self::Seconds => duration(value),
            Self::Number => plain(value),
            Self::PerformanceState => format!("P{value:.0}"),
            Self::ClockEventReasons => reasons(value),
            Self::Flag => if value == 0.0 { "off" } else { "on" }.to_owned(),
        }
    }
}

/// A count of bytes in the largest binary unit that leaves at least 1 before the point.
fn binary(value: f64, unit: &str) -> String {
    const PREFIXES: [&str; 6] = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
    let mut scaled = value;
    let mut prefix = 0;
    // 1023.95 would be rounded up to the four digits of 1024.0.
    while scaled.abs() >= 1023.95 && prefix + 1 < PREFIXES.len() {
        scaled /= 1024.0;
        prefix += 1;
    }
    let digits = usize::from(prefix > 0);
    format!("{scaled:.digits$} {}{unit}", PREFIXES[prefix])
}

/// Joules, or the watt-hours that bills are written in.
fn energy(joules: f64) -> String {
    match joules / 3600.0 {
        hours if hours < 1.0 => format!("{joules:.0} J"),
        hours if hours < 1000.0 => format!("{hours:.1} Wh"),
        hours => format!("{:.1} kWh", hours / 1000.0),
    }
}

/// A length of time in its two largest units.
fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let whole = seconds as u64;
    match (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m}:{s:02}"),
        (0, h, m, s) => format!("{h}:{m:02}:{s:02}"),
        (d, h, _, _) => format!("{d}d {h:02}h"),
    }
}

fn reasons(value: f64) -> String {
    let names: Vec<_> = clock_event_names(clock_event_mask(value)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A plain number with what of two digits it has; what a mean leaves behind them is noise.
fn plain(value: f64) -> String {
    format!("{}", (value * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn numbers_read_as_people_write_them() {
        let shown = |unit: Unit, value| unit.show(value);
        assert_eq!(shown(Unit::Bytes, 0.0), "0 B");
        assert_eq!(shown(Unit::Bytes, 1023.0), "1023 B");
        assert_eq!(shown(Unit::Bytes, 1024.0), "1.0 KiB");
        assert_eq!(shown(Unit::Bytes, 1024.0 * 1024.0 - 1.0), "1.0 MiB");
        assert_eq!(shown(Unit::Bytes, 85_899_345_920.0), "80.0 GiB");
        assert_eq!(shown(Unit::Bytes, f64::MAX).split(' ').nth(1), Some("PiB"));
        assert_eq!(shown(Unit::Watts, 7.25), "7.2 W");
        assert_eq!(shown(Unit::Watts, 629.4), "629 W");
        assert_eq!(shown(Unit::Joules, 3599.0), "3599 J");
        assert_eq!(shown(Unit::Joules, 94_077_138.0), "26.1 kWh");
        assert_eq!(shown(Unit::Seconds, 59.0), "59 s");
        assert_eq!(shown(Unit::Seconds, 3599.0), "59:59");
        assert_eq!(shown(Unit::Seconds, 90_000.0), "1d 01h");
        assert_eq!(shown(Unit::Number, f64::from(0.53_f32)), "0.53");
        assert_eq!(shown(Unit::Number, 16.0), "16");
        assert_eq!(shown(Unit::ClockEventReasons, 0.0), "none");
        assert_eq!(shown(Unit::ClockEventReasons, 5.0), "gpu_idle, sw_power_cap");
    }
}
