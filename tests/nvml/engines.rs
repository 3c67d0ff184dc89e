//! The engines beside the shaders, the fans' speeds and the window into the memory.

use crate::common::{Machine, told};
use nvsdk_top::model::{Absent, ConfidentialCompute, Metric};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

#[test]
fn only_parts_that_the_driver_has_are_busy() {
    let sample = Machine::preset("h100").sampled();
    let gpu = &sample.gpus[0];
    assert_eq!(told(gpu, Metric::DomainGpu), told(gpu, Metric::Busy));
    assert!(told(gpu, Metric::DomainVideo).is_ok());
    assert_eq!(told(gpu, Metric::DomainBus), Err("not_supported".to_owned()));
    let bus = "[each.metrics]\nbus = 23\n";
    let mut machine = Machine::scenario(&format!("preset = \"h100\"\n{bus}"));
    assert_eq!(told(&machine.sampled().gpus[0], Metric::DomainBus), Ok(23.0));
}

#[test]
fn encoding_has_a_rate_only_while_something_is_encoded() {
    let mut machine = Machine::preset("rtx4090");
    let gpu = machine.sampled().gpus[0].clone();
    assert_eq!(told(&gpu, Metric::EncoderSessions), Ok(0.0));
    assert_eq!(told(&gpu, Metric::EncoderFrameRate), Err("no_session".to_owned()));
    let busy = "[each.metrics]\nencoder_sessions = 2\nencoder_fps = 60\nencoder_latency = 8300\n";
    let mut machine = Machine::scenario(&format!("preset = \"rtx4090\"\n{busy}"));
    let gpu = machine.sampled().gpus[0].clone();
    assert_eq!(told(&gpu, Metric::EncoderSessions), Ok(2.0));
    assert_eq!(told(&gpu, Metric::EncoderFrameRate), Ok(60.0));
    assert_eq!(told(&gpu, Metric::EncoderLatency), Ok(8300.0));
}

#[test]
fn jpeg_and_optical_flow_are_engines_of_their_own() {
    let numbers = "[each.metrics]\njpeg = 12\nofa = 7\n";
    let mut machine = Machine::scenario(&format!("preset = \"h100\"\n{numbers}"));
    let gpu = machine.sampled().gpus[0].clone();
    assert_eq!(told(&gpu, Metric::JpegUtilization), Ok(12.0));
    assert_eq!(told(&gpu, Metric::OpticalFlowUtilization), Ok(7.0));
    let mig = Machine::preset("h100-mig").sampled();
    assert_eq!(told(&mig.gpus[0], Metric::JpegUtilization), Err("mig".to_owned()));
}

#[test]
fn each_fan_has_its_turns_and_an_older_driver_says_why_not() {
    let sample = Machine::preset("rtx4090").sampled();
    let speeds = sample.gpus[0].values.instances(Metric::FanSpeed);
    assert!(speeds.len() >= 2 && speeds.iter().all(|fan| fan.value.is_ok()));
    let preset = fake_nvml::preset_toml("rtx4090").unwrap();
    let missing = "[lib]\nmissing = [\"nvmlDeviceGetFanSpeedRPM\"]";
    let sample = Machine::scenario(&preset.replacen("[lib]", missing, 1)).sampled();
    let speeds = sample.gpus[0].values.instances(Metric::FanSpeed);
    assert!(speeds.iter().all(|fan| fan.value == Err(Absent::MissingSymbol)));
}

#[test]
fn the_window_is_told_where_there_is_one() {
    let sample = Machine::preset("h100").sampled();
    assert_eq!(told(&sample.gpus[0], Metric::Bar1Total), Ok(128.0 * GIB));
    assert_eq!(told(&sample.gpus[0], Metric::Bar1Used), Ok(7.0 * 1_048_576.0));
    let chip = Machine::preset("gb10").sampled();
    assert_eq!(told(&chip.gpus[0], Metric::Bar1Total), Err("unified_memory".to_owned()));
}

#[test]
fn the_driver_tells_whether_it_computes_in_confidence() {
    let snapshot = Machine::preset("h100").whole().unwrap();
    assert_eq!(snapshot.inventory.driver.confidential_compute, Ok(ConfidentialCompute::Off));
}
