//! MIG devices: what they are, what each uses, and what happens when a GPU is divided anew.

use std::time::Duration;

use crate::common::{Machine, told};
use nvsdk_top::model::{Absent, Metric, MigDevice};

const SECOND: Duration = Duration::from_secs(1);
const MIB: f64 = 1_048_576.0;

fn devices(machine: &mut Machine) -> Vec<MigDevice> {
    machine.whole().unwrap().inventory.gpus[0].mig_devices.clone().unwrap()
}

fn instances(machine: &mut Machine, metric: Metric) -> Vec<Result<f64, Absent>> {
    let sample = machine.sampled();
    sample.gpus[0].values.instances(metric).iter().map(|reading| reading.value).collect()
}

#[test]
fn every_device_is_listed_with_its_size_across_a_hole() {
    let mut machine = Machine::preset("h100-mig");
    let devices = devices(&mut machine);
    let sizes: Vec<_> = devices.iter().map(|it| it.profile.clone().unwrap()).collect();
    assert_eq!(sizes, ["3g.40gb", "2g.20gb", "1g.10gb", "1g.10gb"]);
    let numbers: Vec<_> = devices.iter().map(|it| it.gpu_instance.unwrap()).collect();
    assert_eq!(numbers, [2, 5, 9, 10]);
    assert_eq!(devices[0].memory_total_bytes, Ok(40_448 << 20));
    assert!(devices[3].uuid.as_deref().unwrap().starts_with("MIG-e8027d63"));
}

#[test]
fn each_gpu_instance_has_its_memory_and_its_means() {
    let mut machine = Machine::preset("h100-mig");
    let used = instances(&mut machine, Metric::InstanceMemoryUsed);
    assert_eq!(used[0], Ok(31_940.0 * MIB));
    assert_eq!(used[3], Ok(15.0 * MIB));
    machine.advance(SECOND);
    let busy = instances(&mut machine, Metric::InstanceSmActive);
    assert_eq!(busy.len(), 4);
    assert!((busy[0].unwrap() - 0.88 * 90.0).abs() < 0.01);
    assert_eq!(busy[3], Ok(0.0));
    machine.advance(SECOND);
    let sample = machine.sampled();
    assert_eq!(told(&sample.gpus[0], Metric::SmActive), Err("mig".to_owned()));
    assert_eq!(machine.fake.violations(), Vec::<String>::new());
}

#[test]
fn a_gpu_that_is_not_divided_says_so() {
    let mut machine = Machine::preset("h100");
    assert_eq!(devices(&mut machine), []);
    for metric in [Metric::InstanceSmActive, Metric::InstanceMemoryUsed] {
        assert_eq!(instances(&mut machine, metric), [Err(Absent::NotMig)]);
    }
    assert_eq!(machine.calls(Some("nvmlDeviceGetMaxMigDeviceCount"), None), 0);
}

#[test]
fn an_instance_that_took_the_place_of_another_begins_anew() {
    let preset = fake_nvml::preset_toml("h100-mig").unwrap();
    let mut machine = Machine::scenario(preset);
    machine.sampled();
    machine.advance(SECOND);
    assert!(instances(&mut machine, Metric::InstanceSmActive)[2].is_ok());
    let other = preset.replace("MIG-c41f5b77-a8e3-5d1b-b9a6-4e8d03f7c912", "MIG-11111111-0000");
    machine.fake.update(&other).unwrap();
    for _ in 0..8 {
        machine.advance(SECOND);
        machine.sampled();
    }
    machine.advance(SECOND);
    let after = instances(&mut machine, Metric::InstanceSmActive);
    assert_eq!(after[2], Err(Absent::NeedsTwoReadings));
    assert_eq!(devices(&mut machine)[2].uuid.as_deref(), Ok("MIG-11111111-0000"));
    machine.advance(SECOND);
    assert!(instances(&mut machine, Metric::InstanceSmActive)[2].is_ok());
}

#[test]
fn a_gpu_that_is_divided_otherwise_has_other_instances() {
    let preset = fake_nvml::preset_toml("h100-mig").unwrap();
    let mut machine = Machine::scenario(preset);
    let before = machine.whole().unwrap().inventory.generation;
    let (fewer, _) = preset.rsplit_once("[[gpu.mig.instance]]").unwrap();
    machine.fake.update(fewer).unwrap();
    machine.advance(Duration::from_secs(11));
    let after = machine.whole().unwrap();
    assert!(after.inventory.generation > before);
    assert_eq!(after.inventory.gpus[0].gpu_instances(), [2, 5, 9]);
    assert_eq!(after.sample.gpus[0].values.instances(Metric::InstanceMemoryUsed).len(), 3);
}

#[test]
fn a_driver_that_does_not_name_a_size_tells_its_slices() {
    let unnamed = "[[fault]]\nfn = \"nvmlDeviceGetName\"\ntext_literal = \"NVIDIA H100\"\n";
    let preset = fake_nvml::preset_toml("h100-mig").unwrap();
    let mut machine = Machine::scenario(&format!("{preset}\n{unnamed}"));
    let sizes: Vec<_> = devices(&mut machine).into_iter().map(|it| it.profile.unwrap()).collect();
    assert_eq!(sizes, ["3g.40gb", "2g.20gb", "1g.10gb", "1g.10gb"]);
}
