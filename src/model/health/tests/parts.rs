//! Limits, links and errors at, below and above their thresholds.

use super::{Case, holds};
use crate::model::{Absent, Instances, Layout, Metric, Values};

#[test]
fn the_power_limit_is_told_from_a_tenth_of_the_minute_on() {
    let case = |share| Case::of(1).minute(Metric::LimitedBySwPowerCap, share);
    assert_eq!(holds("at_power_limit", [9.9, 10.0, 100.0], case), [false, true, true]);
    let says = |case: Case| case.says("at_power_limit").unwrap();
    assert_eq!(says(case(83.4)), "at power limit 83 % of the last minute");
    let short = Case::of(1).seconds(0, Metric::LimitedBySwPowerCap, 83.4, 20.0);
    assert_eq!(says(short), "at power limit 83 % of the last 20 s");
}

#[test]
fn without_a_minute_the_last_reading_tells_and_without_a_counter_the_bit() {
    let bit = Case::with(&[(Metric::ClockEventReasons, f64::from(0x4))]);
    assert_eq!(bit.says("at_power_limit").unwrap(), "at power limit now");
    let share = |share| bit.clone().now(Metric::LimitedBySwPowerCap, share);
    assert_eq!(share(40.0).says("at_power_limit").unwrap(), "at power limit 40 % of the time");
    assert_eq!(holds("at_power_limit", [9.9, 10.0], share), [false, true]);
    // Nine seconds are no minute.
    let young = share(3.0).seconds(0, Metric::LimitedBySwPowerCap, 90.0, 9.0);
    assert_eq!(young.says("at_power_limit"), None);
}

#[test]
fn a_lowered_power_limit_is_a_warning() {
    let case = |limit| {
        let limits = [(Metric::PowerEnforcedLimit, limit), (Metric::PowerDefaultLimit, 450.0)];
        Case::with(&limits).minute(Metric::LimitedBySwPowerCap, 60.0)
    };
    assert_eq!(case(441.0).ids(), ["at_power_limit"]);
    assert_eq!(case(440.0).ids(), ["at_lowered_power_limit"]);
    assert_eq!(
        case(200.0).says("at_lowered_power_limit").unwrap(),
        "at power limit 60 % of the last minute, set to 200 of 450 W"
    );
}

#[test]
fn what_halves_the_clocks_is_told_from_the_first_percent_on() {
    for (id, counted, bit) in [
        ("overheating", Metric::LimitedByHwThermal, 0x40),
        ("power_brake", Metric::LimitedByPowerBrake, 0x80),
    ] {
        let case = |share| Case::of(1).minute(counted, share);
        assert_eq!(holds(id, [0.9, 1.0, 50.0], case), [false, true, true]);
        let bit = Case::with(&[(Metric::ClockEventReasons, f64::from(bit | 0x8))]);
        assert_eq!(bit.ids(), [id], "the general bit says no more");
    }
    let general = Case::with(&[(Metric::ClockEventReasons, f64::from(0x8))]);
    assert_eq!(general.ids(), ["slowed_down"]);
}

#[test]
fn warmth_is_told_from_a_twentieth_on_unless_it_overheats() {
    let case = |share| Case::of(1).minute(Metric::LimitedBySwThermal, share);
    assert_eq!(holds("too_warm", [4.9, 5.0, 50.0], case), [false, true, true]);
    assert_eq!(case(50.0).minute(Metric::LimitedByHwThermal, 2.0).ids(), ["overheating"]);
}

#[test]
fn a_small_margin_is_told_unless_heat_slows_the_gpu_already() {
    let case = |margin| Case::with(&[(Metric::SlowdownMargin, margin)]);
    assert_eq!(holds("near_slowdown", [3.1, 3.0, -1.0], case), [false, true, true]);
    assert_eq!(
        case(2.0).says("near_slowdown").unwrap(),
        "2 °C below the temperature that slows it down"
    );
    assert_eq!(case(0.0).minute(Metric::LimitedBySwThermal, 9.0).ids(), ["too_warm"]);
}

#[test]
fn a_narrow_link_is_told_and_a_slow_one_only_under_load() {
    let width =
        |width| Case::with(&[(Metric::PcieLinkWidth, width), (Metric::PcieLinkWidthMaximum, 16.0)]);
    assert_eq!(holds("pcie_width", [8.0, 16.0, 17.0], width), [true, false, false]);
    assert_eq!(width(8.0).says("pcie_width").unwrap(), "PCIe x8 of x16");
    let generation = |busy| {
        let link = [(Metric::PcieLinkGeneration, 1.0), (Metric::PcieLinkGenerationMaximum, 4.0)];
        Case::with(&link).now(Metric::Busy, busy)
    };
    assert_eq!(holds("pcie_generation", [0.0, 49.0, 50.0], generation), [false, false, true]);
    let full = generation(90.0).now(Metric::PcieLinkGeneration, 4.0);
    assert_eq!(full.says("pcie_generation"), None);
    assert_eq!(
        generation(90.0).says("pcie_generation").unwrap(),
        "PCIe generation 1 of 4 while 90 % busy"
    );
}

#[test]
fn links_that_repeat_themselves_are_told() {
    let grown = |metric| move |now| Case::with(&[(metric, now)]).before(metric, 60, 100.0);
    let replays = grown(Metric::PcieReplays);
    assert_eq!(holds("pcie_replays", [107.0, 108.0, 500.0], replays), [false, true, true]);
    assert_eq!(holds("pcie_replays", [0.0, 99.0], replays), [false, false], "began anew");
    for metric in [Metric::NvLinkRecoveries, Metric::NvLinkDataErrors] {
        assert_eq!(holds("nvlink_errors", [100.0, 101.0], grown(metric)), [false, true]);
    }
    for metric in [Metric::NvLinkReplays, Metric::NvLinkFlitErrors] {
        assert_eq!(
            holds("nvlink_errors", [199.0, 200.0, 900.0], grown(metric)),
            [false, true, true]
        );
    }
    assert_eq!(
        grown(Metric::NvLinkFlitErrors)(900.0).says("nvlink_errors").unwrap(),
        "NVLink errors: 800 broken flits in the last minute"
    );
}

#[test]
fn what_the_gpu_asks_for_is_told() {
    for (id, metric) in [
        ("recovery_needed", Metric::RecoveryAction),
        ("remap_failure", Metric::RemapFailure),
        ("remap_pending", Metric::RemapPending),
        ("retirement_pending", Metric::RetiredPagesPending),
        ("ecc_uncorrected", Metric::EccUncorrectedVolatile),
    ] {
        assert_eq!(holds(id, [0.0, 1.0], |value| Case::with(&[(metric, value)])), [false, true]);
    }
    let says = |metric, value, id| Case::with(&[(metric, value)]).says(id).unwrap();
    let action = |number| says(Metric::RecoveryAction, number, "recovery_needed");
    assert_eq!(action(1.0), "recovery needed: reset the GPU");
    assert_eq!(action(77.0), "recovery needed: unknown 77");
    let errors = |count| says(Metric::EccUncorrectedVolatile, count, "ecc_uncorrected");
    assert_eq!(errors(1.0), "1 memory error that ECC could not correct");
    assert_eq!(errors(3.0), "3 memory errors that ECC could not correct");
}

#[test]
fn errors_that_ecc_corrects_are_told_when_they_grow() {
    let metric = Metric::EccCorrectedVolatile;
    let case = |now| Case::with(&[(metric, now)]).before(metric, 60, 5000.0);
    assert_eq!(holds("ecc_corrected", [5000.0, 5009.0, 5010.0], case), [false, false, true]);
    assert_eq!(Case::with(&[(metric, 5000.0)]).ids(), [""; 0], "an old total is none of today's");
}

/// GPUs with four links each, of which so many are up.
fn linked(up: &[usize]) -> Case {
    let mut case = Case::of(up.len());
    let layout = Layout::new(Instances { nvlinks: 4, ..Instances::default() });
    for (gpu, up) in case.sample.gpus.iter_mut().zip(up) {
        gpu.values = Values::absent(layout, Absent::NotSupported, 0);
        for (number, link) in gpu.values.instances_mut(Metric::NvLinkUp).iter_mut().enumerate() {
            link.value = Ok(if number < *up { 1.0 } else { 0.0 });
        }
    }
    case
}

#[test]
fn a_link_that_others_have_is_missed() {
    let says = |up: &[usize]| linked(up).says("nvlink_down");
    assert_eq!(says(&[3, 4]).unwrap(), "NVLink: 3 of 4 links up, another GPU has 4");
    assert_eq!(says(&[4, 3]), None);
    assert_eq!([says(&[0, 0]), says(&[2]), says(&[4, 4])], [None, None, None], "no bridge");
    let mut unknown = linked(&[3, 4]);
    unknown.sample.gpus[0].values.instances_mut(Metric::NvLinkUp)[3].value = Err(Absent::Stale);
    assert_eq!(unknown.says("nvlink_down"), None);
}
