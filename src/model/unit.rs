//! Units: the ending of a JSON key, and how a person reads the number.

use std::fmt;

use super::clock_event::{clock_event_mask, clock_event_names};
use super::word::{
    FABRIC_HEALTHS, FABRIC_STATES, NVLINK_VERSIONS, RECOVERY_ACTION_WORDS, Word, word,
};

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
    /// Microseconds.
    Microseconds,
    /// Frames in a second.
    FramesPerSecond,
    /// Turns in a minute.
    Rpm,
    /// A plain number.
    Number,
    /// How often something has happened.
    Count,
    /// How often something happens in a second.
    PerSecond,
    /// A performance state: 0 is the fastest, 15 the slowest.
    PerformanceState,
    /// A mask of [`super::CLOCK_EVENTS`].
    ClockEventReasons,
    /// 0 or 1.
    Flag,
    /// One of [`super::RECOVERY_ACTION_WORDS`].
    RecoveryAction,
    /// One of [`super::NVLINK_VERSIONS`].
    NvLinkVersion,
    /// One of [`super::FABRIC_STATES`].
    FabricState,
    /// One of [`super::FABRIC_HEALTHS`].
    FabricHealth,
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
            Self::Microseconds => "_microseconds",
            Self::FramesPerSecond => "_fps",
            Self::Rpm => "_rpm",
            Self::PerformanceState => "performance_state",
            Self::ClockEventReasons => "clock_event_reasons",
            Self::PerSecond => "_per_second",
            Self::RecoveryAction => "recovery_action",
            Self::NvLinkVersion => "_version",
            Self::FabricState => "_state",
            Self::FabricHealth => "_health",
            Self::Number | Self::Count | Self::Flag => "",
        }
    }

    /// The words that its numbers stand for, where they are no amounts.
    #[must_use]
    pub const fn words(self) -> Option<&'static [Word]> {
        match self {
            Self::RecoveryAction => Some(RECOVERY_ACTION_WORDS),
            Self::NvLinkVersion => Some(NVLINK_VERSIONS),
            Self::FabricState => Some(FABRIC_STATES),
            Self::FabricHealth => Some(FABRIC_HEALTHS),
            _ => None,
        }
    }

    /// Whether a mean of its numbers means nothing.
    #[must_use]
    pub const fn has_no_mean(self) -> bool {
        matches!(self, Self::ClockEventReasons | Self::Flag) || self.words().is_some()
    }

    /// The number with its unit as a person reads it: `41.2 GiB`, `629 W`, `P2`.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Percent => format!("{} %", fixed(value, 0)),
            Self::Bytes => binary(value, "B"),
            Self::BytesPerSecond => binary(value, "B/s"),
            Self::Megahertz => format!("{} MHz", fixed(value, 0)),
            Self::Celsius => format!("{} °C", fixed(value, 0)),
            Self::Watts if value < 100.0 => format!("{} W", fixed(value, 1)),
            Self::Watts => format!("{} W", fixed(value, 0)),
            Self::Joules => energy(value),
            Self::Seconds => duration(value),
            Self::Microseconds => format!("{} µs", fixed(value, 0)),
            Self::FramesPerSecond => format!("{} fps", fixed(value, 0)),
            Self::Rpm => format!("{} rpm", fixed(value, 0)),
            Self::Number | Self::Count => plain(value),
            Self::PerSecond => format!("{} /s", plain(value)),
            Self::PerformanceState => format!("P{}", fixed(value, 0)),
            Self::ClockEventReasons => reasons(value),
            Self::Flag => if value == 0.0 { "off" } else { "on" }.to_owned(),
            Self::RecoveryAction => worded(RECOVERY_ACTION_WORDS, value),
            Self::NvLinkVersion => worded(NVLINK_VERSIONS, value),
            Self::FabricState => worded(FABRIC_STATES, value),
            Self::FabricHealth => worded(FABRIC_HEALTHS, value),
        }
    }
}

/// A number with so many digits behind the point. What [`std`] does for this works the number out to its last digit,
/// which is the dearest part of drawing one.
#[must_use]
pub fn fixed(value: f64, digits: u32) -> impl fmt::Display {
    Fixed { value, digits }
}

struct Fixed {
    value: f64,
    digits: u32,
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scale, digits) = (10_u64.pow(self.digits), self.digits as usize);
        let scaled = (self.value * scale as f64).round_ties_even();
        if scaled.abs() > 1e15 || !scaled.is_finite() {
            return write!(f, "{:.digits$}", self.value);
        }
        #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
        let scaled = scaled as i64;
        let (whole, rest) = (scaled.unsigned_abs() / scale, scaled.unsigned_abs() % scale);
        f.write_str(if scaled < 0 { "-" } else { "" })?;
        match digits {
            0 => write!(f, "{whole}"),
            _ => write!(f, "{whole}.{rest:0digits$}"),
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
    format!("{} {}{unit}", fixed(scaled, u32::from(prefix > 0)), PREFIXES[prefix])
}

/// Joules, or the watt-hours that bills are written in.
fn energy(joules: f64) -> String {
    match joules / 3600.0 {
        hours if hours < 1.0 => format!("{} J", fixed(joules, 0)),
        hours if hours < 1000.0 => format!("{} Wh", fixed(hours, 1)),
        hours => format!("{} kWh", fixed(hours / 1000.0, 1)),
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

/// The word for a number; a newer driver may have one that is not known here.
fn worded(words: &'static [Word], value: f64) -> String {
    match word(words, value) {
        Some(word) => word.text.to_owned(),
        None => format!("unknown {}", plain(value)),
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
    use super::{Unit, fixed};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_fixed_number_is_what_std_writes_up_to_its_last_digit(value in -1e6..1e6_f64, digits in 0u32..3) {
            let (ours, theirs) = (fixed(value, digits).to_string(), format!("{value:.*}", digits as usize));
            let read = |text: &str| text.parse::<f64>().unwrap();
            prop_assert!((read(&ours) - read(&theirs)).abs() <= 1.01 * 0.1_f64.powf(f64::from(digits)));
            prop_assert!((read(&ours) - value).abs() <= 0.501 * 0.1_f64.powf(f64::from(digits)));
            prop_assert_eq!(ours.trim_start_matches('-').len(), theirs.trim_start_matches('-').len());
        }
    }

    #[test]
    fn fixed_numbers_have_all_their_digits() {
        assert_eq!(
            [0.0, -0.04, 9.96, -1.05, 1e18].map(|v| fixed(v, 1).to_string()),
            ["0.0", "0.0", "10.0", "-1.0", "1000000000000000000.0"]
        );
        assert_eq!([f64::NAN, f64::INFINITY].map(|v| fixed(v, 0).to_string()), ["NaN", "inf"]);
        assert_eq!(fixed(7.006, 2).to_string(), "7.01");
    }

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
        assert_eq!(shown(Unit::PerSecond, 0.1), "0.1 /s");
        assert_eq!(shown(Unit::RecoveryAction, 1.0), "reset the GPU");
        assert_eq!(shown(Unit::RecoveryAction, 9.0), "unknown 9");
        assert_eq!(shown(Unit::ClockEventReasons, 0.0), "none");
        assert_eq!(shown(Unit::ClockEventReasons, 5.0), "gpu_idle, sw_power_cap");
    }
}
