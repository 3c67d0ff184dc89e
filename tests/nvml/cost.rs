//! What the source says of its own cost.

use std::time::{Duration, Instant};

use crate::common::{LIMIT, Machine};
use nvsdk_top::model::{CallCost, Cost, Lane};
use nvsdk_top::source::Patience;

fn cost(machine: &mut Machine) -> Cost {
    machine.whole().unwrap().cost.unwrap()
}

fn of<'a>(cost: &'a Cost, function: &str) -> &'a CallCost {
    cost.functions.iter().find(|row| row.function == function).unwrap()
}

#[test]
fn every_call_is_counted_once() {
    let mut machine = Machine::preset("h100");
    for _ in 0..5 {
        machine.whole().unwrap();
        machine.advance(Duration::from_secs(1));
    }
    let cost = cost(&mut machine);
    assert_eq!((cost.ticks, cost.ticks_late), (6, 0));
    let of_gpus = cost.functions.iter().filter(|row| row.function.starts_with("nvmlDevice"));
    for row in of_gpus {
        // The library may lack it.
        let made = machine.calls(Some(&row.function), None);
        assert!(made == row.calls || made == 0, "{row:?}, and {made} were made");
    }
    assert_eq!(of(&cost, "nvmlDeviceGetPerformanceState").calls, 6 * 8);
    assert_eq!(of(&cost, "nvmlDeviceGetPerformanceState").lane, Lane::Tick);
    assert_eq!(of(&cost, "nvmlDeviceGetPersistenceMode").lane, Lane::Slow);
    assert_eq!(of(&cost, "nvmlDeviceGetUUID").lane, Lane::Once);
    assert!(cost.calls_per_second.unwrap() > 0.0);
}

#[test]
fn a_call_that_proves_slow_moves_to_the_slow_lane_and_ticks_wait_for_it_no_longer() {
    let preset = fake_nvml::preset_toml("h100").unwrap();
    let slow = "[[fault]]\nfn = \"nvmlDeviceGetPerformanceState\"\nlatency = \"30ms\"\nlatency_real = true\n";
    let mut machine = Machine::scenario(&format!("{preset}\n{slow}")).in_real_time();
    let power = |cost: &Cost| of(cost, "nvmlDeviceGetPerformanceState").clone();
    let first = power(&cost(&mut machine));
    assert!(first.mean_us >= 30_000.0 && first.worst_us >= first.mean_us, "{first:?}");
    let start = Instant::now();
    let mut samples = 1;
    let last = loop {
        let last = power(&cost(&mut machine));
        samples += 1;
        if last.lane == Lane::TooSlow {
            break last;
        }
        assert!(start.elapsed() < LIMIT, "{last:?}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(last.calls < 8 * samples / 2, "{last:?} in {samples} samples");
}

#[test]
fn a_sample_that_is_closed_without_an_answer_is_late() {
    let mut machine = Machine::preset("rtx4090");
    assert_eq!(cost(&mut machine).ticks_late, 0);
    let hang = "[[fault]]\nfn = \"nvmlDeviceGetPerformanceState\"\nhang = \"until-released\"\n";
    machine.fake.update(hang).unwrap();
    machine.advance(Duration::from_secs(1));
    let late = machine.sample(Patience::Whole { limit: Duration::from_millis(50) }).unwrap();
    assert_eq!(late.cost.unwrap().ticks_late, 1);
    machine.fake.update("fault = []\n").unwrap();
    machine.fake.release();
}

#[test]
fn samples_that_were_never_begun_are_dropped() {
    let mut machine = Machine::preset("rtx4090");
    let mut dropped = 0;
    for gap_ms in [1000, 1000, 1000, 3000] {
        dropped = machine.tick().map_or(dropped, |snapshot| snapshot.cost.unwrap().ticks_dropped);
        machine.advance(Duration::from_millis(gap_ms));
    }
    let last = machine.tick().unwrap().cost.unwrap();
    assert_eq!((dropped, last.ticks_dropped), (0, 2));
}
