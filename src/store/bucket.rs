//! What is kept of the readings that fall into one stretch of time.

use std::num::NonZeroU32;

/// Minimum, mean and maximum of at least one reading, in the metric's unit.
///
/// Numbers are kept as `f32`, which is exact to seven digits: 10 KiB in 80 GiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The lowest reading.
    pub min: f32,
    /// The mean over all ticks that had a reading.
    pub mean: f32,
    /// The highest reading.
    pub max: f32,
    /// Never 0, so that an `Option<Bucket>` is no larger than a bucket.
    count: NonZeroU32,
}

impl Bucket {
    /// A bucket of one reading, which must be finite.
    pub(super) fn of(value: f32) -> Self {
        Self { min: value, mean: value, max: value, count: NonZeroU32::MIN }
    }

    /// The readings of both.
    pub(super) fn join(self, other: Self) -> Self {
        let (min, max) = (self.min.min(other.min), self.max.max(other.max));
        let count = self.count.saturating_add(other.count.get());
        let weight = other.count.get() as f32 / count.get() as f32;
        // Rounding may carry a mean of equal readings just past them.
        let mean = (self.mean * (1.0 - weight) + other.mean * weight).clamp(min, max);
        Self { min, mean, max, count }
    }

    /// The readings of `bucket`, if there is one, and of `other`.
    pub(super) fn joined_to(bucket: Option<Self>, other: Self) -> Self {
        bucket.map_or(other, |bucket| bucket.join(other))
    }
}

#[cfg(test)]
mod tests {
    use super::Bucket;
    use proptest::prelude::*;

    #[test]
    fn an_absent_bucket_costs_nothing_more() {
        assert_eq!(size_of::<Option<Bucket>>(), 16);
    }

    #[test]
    fn extremes_do_not_overflow() {
        let both = Bucket::of(f32::MAX).join(Bucket::of(f32::MIN));
        assert_eq!((both.min, both.mean, both.max), (f32::MIN, 0.0, f32::MAX));
    }

    proptest! {
        #[test]
        fn the_mean_lies_between_and_is_the_mean(
            values in proptest::collection::vec(-1e12f32..1e12, 1..300),
            cut in any::<prop::sample::Index>(),
        ) {
            let join = |values: &[f32]| {
                values.iter().fold(None, |all, &value| Some(Bucket::joined_to(all, Bucket::of(value))))
            };
            let (early, late) = values.split_at(cut.index(values.len()));
            let parts = [join(early), join(late)];
            let whole = parts.into_iter().flatten().reduce(Bucket::join).unwrap();
            let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
            prop_assert!(whole.min <= whole.mean && whole.mean <= whole.max);
            prop_assert!((f64::from(whole.mean) - mean).abs() <= 1e12 * 1e-5);
            let extremes = (
                values.iter().copied().reduce(f32::min).unwrap(),
                values.iter().copied().reduce(f32::max).unwrap(),
            );
            prop_assert_eq!((whole.min, whole.max), extremes);
        }
    }
}
