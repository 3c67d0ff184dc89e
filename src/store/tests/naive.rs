//! The store against one that keeps everything in a list, over ticks that come as they like.

use std::time::Duration;

use proptest::prelude::*;

use super::{DAY, HOUR, SECOND, Store, TEN_MINUTES, means, store};

/// A store that keeps every tick in a list and reads columns as they are defined.
struct Naive {
    ticks: Vec<Tick>,
}

#[derive(Clone, Debug)]
struct Tick {
    at_us: u64,
    follows: bool,
    values: Vec<f64>,
}

impl Naive {
    /// Ticks of the same step as one.
    fn rows(&self, step_us: u64) -> Vec<Tick> {
        let same = |a: &Tick, b: &Tick| a.at_us / step_us == b.at_us / step_us;
        let join = |ticks: &[Tick]| Tick {
            values: ticks.iter().flat_map(|tick| tick.values.clone()).collect(),
            ..ticks[0].clone()
        };
        self.ticks.chunk_by(same).map(join).collect()
    }

    /// Minimum, mean and maximum of each column.
    fn window(&self, row_us: u64, step_us: u64, columns: u64) -> Vec<Option<[f64; 3]>> {
        let rows = self.rows(row_us);
        let newest = self.ticks.last().unwrap().at_us / step_us;
        let column = |age: u64| {
            let number = newest.checked_sub(age)?;
            let of_column = |row: &&Tick| row.at_us / step_us == number;
            if rows.iter().any(|row| of_column(&row)) {
                let rows = rows.iter().filter(of_column);
                return range(&rows.flat_map(|row| row.values.clone()).collect::<Vec<_>>());
            }
            let next = rows.partition_point(|row| row.at_us / step_us < number);
            let holds = rows.get(next).is_none_or(|next| next.follows);
            range(&rows[next.checked_sub(1).filter(|_| holds)?].values)
        };
        (0..columns).rev().map(column).collect()
    }
}

fn range(values: &[f64]) -> Option<[f64; 3]> {
    let min = values.iter().copied().reduce(f64::min)?;
    let max = values.iter().copied().reduce(f64::max)?;
    Some([min, values.iter().sum::<f64>() / values.len() as f64, max])
}

/// Spans in seconds, columns, and the length of the rows from which they should be read, in microseconds.
const WINDOWS: &[(u64, u16, u64)] = &[
    (60, 60, 1),
    (60, 7, 1),
    (60, 600, 1),
    (600, 600, 1),
    (600, 61, 1),
    (600, 60, 10 * SECOND),
    (600, 7, 60 * SECOND),
    (601, 600, 10 * SECOND),
    (7200, 720, 10 * SECOND),
    (7200, 1000, 10 * SECOND),
    (7200, 121, 10 * SECOND),
    (7200, 100, 60 * SECOND),
    (7201, 720, 60 * SECOND),
    (86_400, 1440, 60 * SECOND),
    (86_400, 2000, 60 * SECOND),
    (86_400, 97, 60 * SECOND),
];

prop_compose! {
    /// An interval and ticks that keep it, are missed, or stop for as long as a suspend lasts.
    fn ticks()(
        interval_us in prop::sample::select(vec![250_000, SECOND, 10 * SECOND, 90 * SECOND, HOUR]),
        start_us in 0..HOUR,
        steps in prop::collection::vec(
            (prop_oneof![50 => Just(1u64), 3 => Just(2), 1 => 2..2000u64], 0..20u64, 0..1000u32, 0..10u8),
            1..1500,
        ),
    ) -> (u64, Vec<(u64, f64)>) {
        let mut nominal_us = start_us;
        let ticks = steps.into_iter().map(|(missed, late_percent, value, absent)| {
            nominal_us += missed * interval_us;
            let value = if absent == 0 { f64::NAN } else { f64::from(value) };
            (nominal_us + interval_us * late_percent / 100, value)
        });
        (interval_us, ticks.collect())
    }
}

fn naive(interval_us: u64, ticks: &[(u64, f64)]) -> Naive {
    let mut before_us = None;
    let tick = |&(at_us, value): &(u64, f64)| {
        let follows = before_us.is_some_and(|before| at_us - before <= interval_us * 3 / 2);
        before_us = Some(at_us);
        Tick {
            at_us,
            follows,
            values: Some(value).filter(|value| !value.is_nan()).into_iter().collect(),
        }
    };
    Naive { ticks: ticks.iter().map(tick).collect() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn windows_are_those_of_a_store_that_forgets_nothing((interval_us, ticks) in ticks()) {
        let (store, naive) = (store(interval_us, &ticks), naive(interval_us, &ticks));
        for &(span_s, columns, row_us) in WINDOWS {
            let window = store.window(DAY, Duration::from_secs(span_s), columns);
            let step_us = span_s * SECOND / u64::from(columns);
            let expected = naive.window(row_us, step_us, columns.into());
            prop_assert_eq!(window.len(), expected.len());
            for (age, (column, expected)) in window.iter().zip(&expected).rev().enumerate() {
                let close = match (column, expected) {
                    (Some(bucket), Some([min, mean, max])) => {
                        f64::from(bucket.min) == *min
                            && f64::from(bucket.max) == *max
                            && (f64::from(bucket.mean) - mean).abs() < 0.01
                            && bucket.min <= bucket.mean && bucket.mean <= bucket.max
                    }
                    (column, expected) => column.is_none() && expected.is_none(),
                };
                prop_assert!(close, "{span_s} s, {columns} columns, age {age}: {column:?}, {expected:?}");
            }
        }
    }

    #[test]
    fn a_column_that_is_not_open_stays_as_it_is((interval_us, ticks) in ticks()) {
        let early = &ticks[..ticks.len().saturating_sub(5).max(1)];
        let (before, after) = (store(interval_us, early), store(interval_us, &ticks));
        for &(span_s, columns, row_us) in WINDOWS {
            let window = |store: &Store| store.window(DAY, Duration::from_secs(span_s), columns);
            let (before, after) = (window(&before), window(&after));
            let step_us = span_s * SECOND / u64::from(columns);
            let number = |ticks: &[(u64, f64)]| ticks.last().unwrap().0 / step_us;
            let moved = usize::try_from(number(&ticks) - number(early)).unwrap();
            // A column is still being filled while a row of the ring is that reaches into it.
            let newest_us = early.last().unwrap().0;
            let open = newest_us / step_us - newest_us / row_us * row_us / step_us + 1;
            let closed = before.len().saturating_sub(usize::try_from(open).unwrap());
            for at in moved..closed {
                prop_assert_eq!(before[at], after[at - moved]);
            }
        }
    }

    #[test]
    fn a_shorter_window_is_the_end_of_a_longer_one(
        (interval_us, ticks) in ticks(),
        columns in 1..300u16,
        step_s in prop::sample::select(vec![1, 2, 70]),
    ) {
        let store = store(interval_us, &ticks);
        // From one ring: up to ten minutes, and beyond a step of a minute.
        let longest = if step_s == 70 { 1000 } else { 600 / step_s };
        let columns = columns.min(longest);
        let window = |columns| {
            means(&store, DAY, u64::from(columns) * u64::from(step_s) * SECOND, columns)
        };
        let (short, long) = (window(columns), window(longest));
        prop_assert_eq!(&short[..], &long[usize::from(longest - columns)..]);
    }

    #[test]
    fn a_summary_is_that_of_the_readings((interval_us, ticks) in ticks(), span_s in 1..600u64) {
        let store = store(interval_us, &ticks);
        let newest_us = ticks.last().unwrap().0;
        let in_span = ticks.iter().filter(|(at_us, _)| at_us + span_s * SECOND > newest_us);
        let values: Vec<_> =
            in_span.map(|(_, value)| *value).filter(|value| !value.is_nan()).collect();
        let summary = store.summary(TEN_MINUTES, Duration::from_secs(span_s));
        prop_assert_eq!(summary.is_some(), !values.is_empty());
        if let (Some(summary), Some([min, mean, max])) = (summary, range(&values)) {
            prop_assert_eq!([f64::from(summary.min), f64::from(summary.max)], [min, max]);
            prop_assert!((f64::from(summary.mean) - mean).abs() < 0.01);
        }
    }
}
