//! What joins the GPUs of a machine.

use std::time::Duration;

use crate::common::Machine;
use nvsdk_top::model::{Absent, CommonAncestor, FactValue, GpuFact, LinksBetween};

fn fact(machine: &mut Machine, gpu: usize, fact: GpuFact) -> Result<String, Absent> {
    let inventory = machine.whole().unwrap().inventory;
    inventory.gpus[gpu].facts.get(fact).map(|value| fact.show(value))
}

#[test]
fn eight_gpus_are_joined_by_switches_and_lie_on_two_nodes() {
    let mut machine = Machine::preset("h100");
    let topology = machine.whole().unwrap().inventory.topology.clone();
    assert_eq!(topology.len(), 28);
    for pair in &topology {
        let same_node = pair.gpus.map(|gpu| gpu / 4).windows(2).all(|pair| pair[0] == pair[1]);
        let level = if same_node { 40 } else { 50 };
        assert_eq!(pair.common_ancestor, Ok(CommonAncestor(level)), "{:?}", pair.gpus);
        assert_eq!(pair.nvlinks, Ok(LinksBetween { count: 18, through_switch: true }));
    }
    assert_eq!(machine.calls(Some("nvmlDeviceGetTopologyCommonAncestor"), None), 28);
}

#[test]
fn it_is_asked_for_once_and_changes_no_generation() {
    let mut machine = Machine::preset("h100");
    let first = machine.whole().unwrap();
    machine.fake.clear_log();
    machine.advance(Duration::from_secs(1));
    let second = machine.whole().unwrap();
    assert_eq!(machine.calls(Some("nvmlDeviceGetNvLinkState"), None), 0);
    assert_eq!(machine.calls(Some("nvmlDeviceGetTopologyCommonAncestor"), None), 0);
    assert_eq!(first.inventory.generation, second.inventory.generation);
    assert_eq!(first.inventory.topology, second.inventory.topology);
}

#[test]
fn direct_links_are_counted_for_each_pair() {
    let preset = fake_nvml::preset_toml("h100").unwrap();
    let direct =
        preset.replace("switch = true", "switch = false").replace("links = 18", "links = 14");
    let topology = Machine::scenario(&direct).whole().unwrap().inventory.topology.clone();
    for pair in topology {
        assert_eq!(pair.nvlinks, Ok(LinksBetween { count: 2, through_switch: false }));
    }
}

#[test]
fn a_gpu_that_hangs_leaves_the_others_joined() {
    let preset = fake_nvml::preset_toml("h100").unwrap();
    let hang = "[[fault]]\nfn = \"nvmlDeviceGetNvLinkState\"\ngpu = 2\nhang = \"until-released\"\n";
    let mut machine = Machine::scenario(&format!("{preset}\n{hang}"));
    let with_others = |snapshot: &nvsdk_top::source::Snapshot| {
        let mut pairs = snapshot.inventory.topology.iter();
        pairs.len() == 28 && pairs.all(|pair| pair.gpus.contains(&2) || pair.nvlinks.is_ok())
    };
    let snapshot = machine.tick_until(with_others);
    let pair = snapshot.inventory.topology.iter().find(|pair| pair.gpus == [0, 2]).unwrap();
    assert_eq!(pair.nvlinks, Err(Absent::NotReadYet));
    machine.fake.release();
}

#[test]
fn a_level_that_nobody_knows_keeps_its_number() {
    let mut machine = Machine::preset("h100");
    let odd = "[[fault]]\nfn = \"nvmlDeviceGetTopologyCommonAncestor\"\nvalue = 77\n";
    machine.fake.update(odd).unwrap();
    let topology = machine.whole().unwrap().inventory.topology.clone();
    assert!(topology.iter().all(|pair| pair.common_ancestor == Ok(CommonAncestor(77))));
}

#[test]
fn one_gpu_has_no_pairs() {
    let snapshot = Machine::preset("rtx4090").whole().unwrap();
    assert_eq!(snapshot.inventory.topology, []);
}

#[test]
fn facts_are_told_with_their_words() {
    let mut machine = Machine::preset("h100");
    let mut told = |gpu, of| fact(&mut machine, gpu, of);
    assert_eq!(told(0, GpuFact::MemoryBandwidthPeak).as_deref(), Ok("≈ 3.0 TiB/s"));
    assert_eq!(told(0, GpuFact::ComputeMode).as_deref(), Ok("default"));
    assert_eq!(told(0, GpuFact::GspFirmwareVersion).as_deref(), Ok("580.95.05"));
    assert_eq!(told(0, GpuFact::CpuAffinity).as_deref(), Ok("0-55,112-167"));
    assert_eq!(told(5, GpuFact::NumaAffinity).as_deref(), Ok("1"));
    assert_eq!(told(0, GpuFact::AddressingMode).as_deref(), Ok("hmm"));
    assert_eq!(told(0, GpuFact::MemoryNumaNode), Err(Absent::NotSupported));
}

#[test]
fn a_mode_that_is_changed_is_told_within_a_minute() {
    let mut machine = Machine::preset("h100");
    machine.sampled();
    machine.fake.update("[[fault]]\nfn = \"nvmlDeviceGetComputeMode\"\nvalue = 9\n").unwrap();
    machine.advance(Duration::from_secs(60));
    let inventory = machine.whole().unwrap().inventory;
    let mode = inventory.gpus[0].facts.get(GpuFact::ComputeMode);
    assert_eq!(mode, Ok(&FactValue::Word(9)));
    assert_eq!(GpuFact::ComputeMode.word(mode.unwrap()).as_deref(), Some("unknown_9"));
}
