//! What the health rules read: the last minute, and what was known so long before.

use std::time::Duration;

use super::{HOUR, SECOND, sample, store};
use crate::model::{HostMetric, Metric, Past, Recent};

/// One tick a second from 0 on, whose value is its second.
fn seconds(count: u64) -> super::Store {
    store(SECOND, &(0..count).map(|second| (second * SECOND, second as f64)).collect::<Vec<_>>())
}

/// Holds a mean against what it should be; numbers are kept to seven digits.
fn assert_mean(recent: Option<Recent>, mean: f64, seconds: f64) {
    let recent = recent.unwrap();
    assert!((recent.mean - mean).abs() < 0.01 && recent.seconds == seconds, "{recent:?}");
}

#[test]
fn nothing_is_known_of_an_empty_store() {
    let store = store(SECOND, &[]);
    assert_eq!(store.recent(0, Metric::Busy), None);
    assert_eq!(store.recent_of_host(HostMetric::Cpu), None);
    assert_eq!(store.before(0, Metric::Busy, Duration::ZERO), None);
}

#[test]
fn a_minute_is_what_there_is_of_it() {
    let young = seconds(5);
    // The first is kept for a day, the second for ten minutes.
    for recent in [Metric::Busy, Metric::ClockGraphics].map(|metric| young.recent(0, metric)) {
        assert_mean(recent, 2.0, 5.0);
    }
    assert_mean(young.recent_of_host(HostMetric::Cpu), 2.0, 5.0);
    assert_eq!(young.recent(1, Metric::Busy), None, "no such GPU");
    assert_eq!(young.recent(0, Metric::Energy), None, "not kept");
    let old = seconds(300);
    for recent in [Metric::Busy, Metric::ClockGraphics].map(|metric| old.recent(0, metric)) {
        assert_mean(recent, 269.5, 60.0);
    }
}

#[test]
fn steps_never_reach_further_back_than_a_minute() {
    for count in 200..225 {
        let store = seconds(count);
        let fine = store.recent(0, Metric::ClockGraphics).unwrap();
        let steps = store.recent(0, Metric::Busy).unwrap();
        assert!(
            (51.0..=60.0).contains(&steps.seconds) && fine.seconds == 60.0,
            "{count}: {steps:?}"
        );
        assert!((-0.01..5.0).contains(&(steps.mean - fine.mean)), "{count}: {steps:?}");
    }
}

#[test]
fn a_reading_stands_for_the_interval_before_it() {
    let store = store(HOUR, &[(HOUR, 1.0), (2 * HOUR, 5.0)]);
    assert_mean(store.recent(0, Metric::Busy), 5.0, 3600.0);
}

#[test]
fn only_time_with_readings_counts() {
    let mut ticks: Vec<_> = (0..50).map(|second| (second * SECOND, f64::NAN)).collect();
    ticks.extend((50..60).map(|second| (second * SECOND, 7.0)));
    assert_mean(store(SECOND, &ticks).recent(0, Metric::Busy), 7.0, 10.0);
}

#[test]
fn what_was_known_before_is_the_newest_reading_of_then() {
    let store = seconds(100);
    let before = |us| store.before(0, Metric::ClockGraphics, Duration::from_micros(us));
    assert_eq!(before(0), Some(99.0));
    assert_eq!(before(60 * SECOND), Some(39.0));
    assert_eq!(before(60 * SECOND + 1), Some(38.0));
    assert_eq!(before(99 * SECOND), Some(0.0));
    assert_eq!(before(100 * SECOND), None);
    assert_eq!(store.before(0, Metric::Energy, Duration::ZERO), None, "not kept");
}

#[test]
fn what_was_known_does_not_last_over_a_gap() {
    let mut store = store(SECOND, &[(0, 1.0), (SECOND, 2.0)]);
    let inventory = super::inventory(1, &["a"]);
    store.push(&sample(1, 10 * SECOND, &[3.0]), &inventory);
    let before = |seconds| store.before(0, Metric::Busy, Duration::from_secs(seconds));
    assert_eq!(
        [before(0), before(5), before(9), before(10)],
        [Some(3.0), None, Some(2.0), Some(1.0)]
    );
}
