//! The store as a whole: its rules one by one.

#![expect(clippy::float_cmp, reason = "a store gives back what was put in")]

mod naive;
mod past;

use std::time::Duration;

use super::{Series, Store};
use crate::model::{
    Absent, Driver, Events, Gpu, GpuSample, GpuState, Host, HostMetric, Instances, Inventory,
    Layout, Metric, Origin, Sample, Values,
};

const SECOND: u64 = 1_000_000;
const HOUR: u64 = 3600 * SECOND;
/// A series of each length of history.
const DAY: Series = Series::gpu(0, Metric::Busy);
const TEN_MINUTES: Series = Series::gpu(0, Metric::ClockGraphics);

fn inventory(generation: u64, uuids: &[&str]) -> Inventory {
    let gpu = |uuid: &&str| Gpu {
        uuid: Ok((*uuid).to_owned()),
        layout: Layout::new(Instances { fans: 1, ..Instances::default() }),
        ..Gpu::unknown(0, Absent::NotReadYet)
    };
    Inventory {
        generation,
        origin: Origin::Nvml,
        host: Host { name: String::new(), kernel: Err(Absent::Unknown) },
        driver: Driver {
            version: Err(Absent::Unknown),
            nvml_version: Err(Absent::Unknown),
            cuda_version: Err(Absent::Unknown),
            kernel_module: Err(Absent::Unknown),
            library: Err(Absent::Unknown),
            confidential_compute: Err(Absent::Unknown),
        },
        gpus: uuids.iter().map(gpu).collect(),
        topology: Vec::new(),
    }
}

/// A sample in which every slot of a GPU has the same value.
fn sample(generation: u64, at_us: u64, values: &[f64]) -> Sample {
    let gpu = |&value: &f64| {
        let mut values = Values::absent(
            Layout::new(Instances { fans: 1, ..Instances::default() }),
            Absent::Stale,
            at_us,
        );
        for reading in values.iter_mut().filter(|_| !value.is_nan()) {
            reading.value = Ok(value);
        }
        GpuSample { state: GpuState::Live, values }
    };
    Sample {
        generation,
        unix_us: 0,
        monotonic_us: at_us,
        gpus: values.iter().map(gpu).collect(),
        processes: Vec::new(),
        host: [values.first().copied().ok_or(Absent::NotFound); HostMetric::COUNT],
        errors: Vec::new(),
        events: Events::default(),
    }
}

/// A store of one GPU with these values, NaN for none.
fn store(interval_us: u64, ticks: &[(u64, f64)]) -> Store {
    let inventory = inventory(1, &["a"]);
    let mut store = Store::new(Duration::from_micros(interval_us));
    for &(at_us, value) in ticks {
        store.push(&sample(1, at_us, &[value]), &inventory);
    }
    store
}

fn means(store: &Store, series: Series, span_us: u64, columns: u16) -> Vec<Option<f32>> {
    let window = store.window(series, Duration::from_micros(span_us), columns);
    window.iter().map(|column| column.map(|bucket| bucket.mean)).collect()
}

fn seconds(ticks: &[(u64, f64)]) -> Vec<(u64, f64)> {
    ticks.iter().map(|&(second, value)| (second * SECOND, value)).collect()
}

#[test]
fn before_the_first_sample_there_is_nothing() {
    let store = Store::new(Duration::from_secs(1));
    assert_eq!(means(&store, DAY, 60 * SECOND, 3), [None; 3]);
    assert_eq!(means(&store, Series::Host(HostMetric::Cpu), 60 * SECOND, 3), [None; 3]);
    assert_eq!(store.summary(Series::Host(HostMetric::Cpu), Duration::from_secs(60)), None);
    assert_eq!(store.bytes(), 0);
}

#[test]
fn the_first_sample_fills_the_last_column() {
    let store = store(SECOND, &[(0, 5.0)]);
    assert_eq!(means(&store, DAY, 3 * SECOND, 3), [None, None, Some(5.0)]);
    assert_eq!(means(&store, DAY, 24 * HOUR, 3), [None, None, Some(5.0)]);
    assert_eq!(means(&store, TEN_MINUTES, 24 * HOUR, 3), [None, None, Some(5.0)]);
    assert_eq!(means(&store, DAY, 0, 2), [None, Some(5.0)]);
    assert_eq!(means(&store, DAY, HOUR, 0), []);
    assert_eq!(means(&store, Series::gpu(0, Metric::Energy), HOUR, 2), [None; 2], "not kept");
}

#[test]
fn a_missing_value_and_one_that_is_no_number_are_gaps() {
    let ticks = [(0, 1.0), (1, f64::NAN), (2, f64::INFINITY), (3, 1e300), (4, 4.0), (5, f64::NAN)];
    let store = store(SECOND, &seconds(&ticks));
    let expected = [Some(1.0), None, None, None, Some(4.0), None];
    assert_eq!(means(&store, DAY, 6 * SECOND, 6), expected);
    assert_eq!(means(&store, TEN_MINUTES, 6 * SECOND, 6), expected);
    let summary = store.summary(DAY, Duration::from_secs(60)).unwrap();
    assert_eq!((summary.min, summary.mean, summary.max), (1.0, 2.5, 4.0));
}

#[test]
fn a_missed_tick_and_a_suspend_leave_gaps() {
    let store = store(SECOND, &seconds(&[(0, 1.0), (1, 1.0), (3, 3.0), (4, 4.0), (8000, 5.0)]));
    assert_eq!(means(&store, DAY, 3 * SECOND, 3), [None, None, Some(5.0)]);
    let of_seconds = means(&store, TEN_MINUTES, 8001 * SECOND, 8001);
    assert_eq!(of_seconds[7999..], [None, Some(5.0)], "what is older is kept for ten minutes");
    let of_minutes = means(&store, DAY, 134 * 60 * SECOND, 134);
    assert_eq!(of_minutes[0], Some(2.25));
    assert_eq!(of_minutes.iter().flatten().count(), 2);
}

#[test]
fn a_tick_that_is_a_little_early_or_late_leaves_no_gap() {
    let store = store(SECOND, &[(999_000, 1.0), (2_001_000, 2.0), (2_999_000, 3.0)]);
    assert_eq!(means(&store, DAY, 3 * SECOND, 3), [Some(1.0), Some(1.0), Some(2.5)]);
}

#[test]
fn at_four_ticks_a_second_each_is_kept() {
    let ticks: Vec<_> = (0..3000).map(|tick| (tick * 250_000, tick as f64)).collect();
    let store = store(250_000, &ticks);
    let expected: Vec<_> = (600u16..3000).map(|tick| Some(f32::from(tick))).collect();
    assert_eq!(means(&store, TEN_MINUTES, 600 * SECOND, 2400), expected);
    assert_eq!(means(&store, DAY, 2 * SECOND, 2), [Some(2993.5), Some(2997.5)]);
    let summary = store.summary(DAY, Duration::from_secs(600)).unwrap();
    assert_eq!((summary.min, summary.max), (600.0, 2999.0), "of 2400 readings");
}

#[test]
fn what_is_kept_for_ten_minutes_has_no_older_columns() {
    let store = store(SECOND, &(0..1000).map(|tick| (tick * SECOND, 1.0)).collect::<Vec<_>>());
    let columns = means(&store, TEN_MINUTES, 1000 * SECOND, 10);
    assert_eq!(columns, [vec![None; 4], vec![Some(1.0); 6]].concat());
}

#[test]
fn at_one_tick_an_hour_each_holds_for_an_hour() {
    let store =
        store(HOUR, &(0..30).map(|tick| (tick * HOUR + 7, tick as f64)).collect::<Vec<_>>());
    let expected: Vec<_> = (6..29u8).flat_map(|hour| [Some(f32::from(hour)); 4]).collect();
    let columns = means(&store, DAY, 24 * HOUR, 96);
    assert_eq!(columns[3..95], expected);
    assert_eq!(columns[95], Some(29.0));
    assert_eq!(means(&store, TEN_MINUTES, 600 * SECOND, 3), [Some(28.0), Some(28.0), Some(29.0)]);
}

#[test]
fn a_sample_again_or_of_another_generation_changes_nothing() {
    let mut store = store(SECOND, &seconds(&[(0, 1.0), (1, 3.0)]));
    let before = means(&store, DAY, 60 * SECOND, 6);
    store.push(&sample(1, SECOND, &[9.0]), &inventory(1, &["a"]));
    store.push(&sample(2, 2 * SECOND, &[9.0]), &inventory(1, &["a"]));
    assert_eq!(means(&store, DAY, 60 * SECOND, 6), before);
}

#[test]
fn an_older_sample_begins_a_new_history() {
    let mut store = store(SECOND, &seconds(&[(100, 1.0), (101, 1.0)]));
    store.push(&sample(1, SECOND, &[2.0]), &inventory(1, &["a"]));
    assert_eq!(means(&store, DAY, 200 * SECOND, 2), [None, Some(2.0)]);
    store.push(&sample(1, u64::MAX, &[3.0]), &inventory(1, &["a"]));
    assert_eq!(means(&store, DAY, u64::MAX, 2), [None, Some(3.0)]);
    assert_eq!(means(&store, DAY, 2, 2), [None, Some(3.0)]);
}

#[test]
fn history_follows_a_gpu_to_its_new_place() {
    let mut store = Store::new(Duration::from_secs(1));
    store.push(&sample(1, SECOND, &[1.0, 2.0]), &inventory(1, &["a", "b"]));
    store.push(&sample(2, 2 * SECOND, &[20.0, 30.0, 10.0]), &inventory(2, &["b", "c", "a"]));
    let series = |gpu, metric| means(&store, Series::gpu(gpu, metric), 2 * SECOND, 2);
    for metric in [Metric::Busy, Metric::Fan] {
        assert_eq!(series(0, metric), [Some(2.0), Some(20.0)]);
        assert_eq!(series(1, metric), [None, Some(30.0)]);
        assert_eq!(series(2, metric), [Some(1.0), Some(10.0)]);
    }
    let of_day = store.window(Series::gpu(2, Metric::Busy), Duration::from_secs(86_400), 1);
    assert_eq!(of_day[0].map(|bucket| (bucket.min, bucket.max)), Some((1.0, 10.0)));
    store.push(&sample(3, 3 * SECOND, &[40.0]), &inventory(3, &["c"]));
    assert_eq!(means(&store, DAY, 2 * SECOND, 2), [Some(30.0), Some(40.0)]);
}

#[test]
fn another_interval_keeps_what_is_there() {
    let mut store = store(10 * SECOND, &seconds(&[(0, 1.0), (10, 2.0)]));
    store.set_interval(Duration::from_millis(500));
    store.push(&sample(1, 10_500_000, &[3.0]), &inventory(1, &["a"]));
    let expected = [Some(1.0), Some(1.0), Some(2.5)];
    assert_eq!(means(&store, TEN_MINUTES, 15 * SECOND, 3), expected);
    store.push(&sample(1, 11_500_000, &[4.0]), &inventory(1, &["a"]));
    let expected = [Some(2.0), Some(3.0), None, Some(4.0)];
    assert_eq!(means(&store, TEN_MINUTES, 2 * SECOND, 4), expected, "a tick was missed");
}

#[test]
fn a_day_of_eight_gpus_stays_small() {
    let uuids = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let inventory = inventory(1, &uuids);
    let mut store = Store::new(Duration::from_secs(1));
    let mut sample = sample(1, 0, &[1.0; 8]);
    let mut after_a_minute = 0;
    for second in 0..86_400u64 {
        sample.monotonic_us = second * SECOND;
        for gpu in &mut sample.gpus {
            gpu.values.instances_mut(Metric::Busy)[0].value = Ok((second % 60) as f64);
        }
        store.push(&sample, &inventory);
        if second == 59 {
            after_a_minute = store.bytes();
        }
    }
    println!("{after_a_minute} B after a minute, {} B after a day", store.bytes());
    assert!(after_a_minute < 256 << 10);
    assert!(store.bytes() < 8 << 20);
    assert_eq!(means(&store, Series::gpu(7, Metric::Busy), 24 * HOUR, 1440), [Some(29.5); 1440]);
    for (span_s, columns) in [(600, 997), (7200, 997), (86_400, 1999)] {
        let window = means(&store, DAY, span_s * SECOND, columns);
        assert!(window.iter().all(Option::is_some), "{span_s} s are there to their beginning");
    }
    let summary = store.summary(DAY, Duration::from_secs(86_400)).unwrap();
    assert_eq!((summary.min, summary.max), (0.0, 59.0));
}

#[test]
fn a_slower_interval_throws_nothing_away() {
    let ticks: Vec<_> = (0..2400).map(|tick| (tick * 250_000, tick as f64)).collect();
    let mut store = store(250_000, &ticks);
    let before = means(&store, TEN_MINUTES, 600 * SECOND, 600);
    assert!(before.iter().all(Option::is_some));
    store.set_interval(Duration::from_secs(3600));
    assert_eq!(means(&store, TEN_MINUTES, 600 * SECOND, 600), before);
    store.set_interval(Duration::from_millis(100));
    assert_eq!(means(&store, TEN_MINUTES, 600 * SECOND, 600), before);
}

#[test]
fn a_clone_stays_as_it_was() {
    let ticks: Vec<_> = (1u32..100).map(|n| (u64::from(n) * SECOND, f64::from(n % 7))).collect();
    let mut store = store(SECOND, &ticks[..40]);
    let held = store.clone();
    let before = means(&store, DAY, 60 * SECOND, 30);
    for (at_us, value) in &ticks[40..] {
        store.push(&sample(1, *at_us, &[*value]), &inventory(1, &["a"]));
    }
    assert_ne!(means(&store, DAY, 60 * SECOND, 30), before);
    assert_eq!(means(&held, DAY, 60 * SECOND, 30), before);
}
