//! The lossy conversions, each in one place and each on purpose.

/// Makes a number of the ABI out of an answer; an answer that does not fit keeps its low bits, so
/// that a scenario's -1 becomes the "not available" pattern of any width.
pub(crate) trait FromAnswer {
    fn from_answer(answer: i64) -> Self;
}

macro_rules! from_answer {
    ($($type:ty),*) => {$(
        impl FromAnswer for $type {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::unnecessary_cast,
                reason = "the low bits are what the trait promises; not every type loses any"
            )]
            fn from_answer(answer: i64) -> Self {
                answer as Self
            }
        }
    )*};
}

from_answer!(u32, i32, u64, i64);

/// The nearest whole number; out of range and NaN saturate as `as` does.
#[expect(clippy::cast_possible_truncation, reason = "saturating is what is wanted")]
pub(crate) fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// Seconds as whole microseconds, not below zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "negative times saturate to zero"
)]
pub(crate) fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}

/// A count of things in memory as the ABI's count.
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// An unsigned 64-bit quantity as an answer; beyond `i64::MAX` it saturates.
pub(crate) fn answer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
