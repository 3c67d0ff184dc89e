//! What sampling costs, against the fake library: 8 GPUs, 16 real processes. Prints a table for BENCHMARKS.md.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "the table is the purpose")]

mod machine;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_nvml::Fake;
use machine::{Processes, median, milliseconds, row, scenario};
use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvsdk_top::model::{GpuState, MetricSet, Sysroot};
use nvsdk_top::source::nvml::{NvmlOptions, NvmlSource};
use nvsdk_top::source::{Feed, Patience, Request, Snapshot, SystemClock};
use rustix::time::{ClockId, clock_gettime};

const GPUS: u32 = 8;
const TICKS: u32 = 400;
const RUNS: usize = 7;
const TICK: Patience = Patience::Tick { interval: Duration::from_secs(1) };
const QUICK: Patience = Patience::Quick { limit: Duration::from_secs(5) };

fn feed(fake: &Fake) -> Feed {
    let options = NvmlOptions {
        library: Some(fake.path().to_owned()),
        sysroot: Sysroot::default(),
        clock: Arc::new(SystemClock),
        wake: false,
    };
    Feed::new(Box::new(NvmlSource::new(options)))
}

fn take(feed: &mut Feed, patience: Patience) -> Arc<Snapshot> {
    feed.next(&Request { metrics: MetricSet::all(), processes: true, patience }).unwrap()
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// CPU time of a tick, and how many calls it makes of a GPU.
fn tick_cost(fake: &Fake) -> (f64, f64) {
    let mut feed = feed(fake);
    take(&mut feed, QUICK);
    let calls_before: u64 = fake.calls().iter().map(|call| call.count).sum();
    let mut costs = Vec::new();
    for _ in 0..RUNS {
        let before = cpu();
        for _ in 0..TICKS {
            take(&mut feed, QUICK);
        }
        costs.push(milliseconds(cpu().saturating_sub(before)) / f64::from(TICKS));
    }
    let calls: u64 = fake.calls().iter().map(|call| call.count).sum();
    let ticks = u64::try_from(RUNS).unwrap() * u64::from(TICKS);
    (median(costs), (calls - calls_before) as f64 / ticks as f64 / f64::from(GPUS))
}

/// CPU time of the same calls as a tick makes, in a loop and with nothing around them.
fn empty_loop(fake: &Fake) -> f64 {
    let nvml = Nvml::builder().lib_path(fake.path().as_os_str()).init().unwrap();
    let devices: Vec<_> = (0..GPUS).map(|index| nvml.device_by_index(index).unwrap()).collect();
    let mut costs = Vec::new();
    for _ in 0..RUNS {
        let before = cpu();
        for _ in 0..TICKS {
            for device in &devices {
                let _ = device.utilization_rates();
                let _ = device.memory_info();
                let _ = device.power_usage();
                let _ = device.total_energy_consumption();
                let _ = device.temperature(TemperatureSensor::Gpu);
                let _ = device.power_management_limit();
                for clock in [Clock::Graphics, Clock::SM, Clock::Memory, Clock::Video] {
                    let _ = device.clock_info(clock);
                }
                let _ = device.performance_state();
                let _ = device.current_throttle_reasons();
                let _ = device.encoder_utilization();
                let _ = device.decoder_utilization();
                let _ = device.running_compute_processes();
                let _ = device.running_graphics_processes();
                let _ = device.process_utilization_stats(None);
            }
        }
        costs.push(milliseconds(cpu().saturating_sub(before)) / f64::from(TICKS));
    }
    median(costs)
}

/// Wall time of opening the driver and taking a quick sample, and of opening alone.
fn once(fake: &Fake) -> (f64, f64) {
    let (mut whole, mut opening) = (Vec::new(), Vec::new());
    for _ in 0..31 {
        let start = Instant::now();
        let mut feed = feed(fake);
        take(&mut feed, QUICK);
        whole.push(milliseconds(start.elapsed()));
        let start = Instant::now();
        drop(Nvml::builder().lib_path(fake.path().as_os_str()).init().unwrap());
        opening.push(milliseconds(start.elapsed()));
    }
    (median(whole), median(opening))
}

/// Wall time from the start of a tick to its sample, a quarter of a second apart, and the worst.
fn publishing(feed: &mut Feed, ticks: u32) -> (f64, f64) {
    let patience = Patience::Tick { interval: Duration::from_millis(400) };
    let mut times = Vec::new();
    for _ in 0..ticks {
        let start = Instant::now();
        take(feed, patience);
        times.push(milliseconds(start.elapsed()));
        std::thread::sleep(Duration::from_millis(250));
    }
    let worst = times.iter().copied().fold(0.0, f64::max);
    (median(times), worst)
}

fn main() {
    let processes = Processes::start(GPUS * 2);
    let fake = Fake::scenario(&scenario(&processes, "")).unwrap();
    println!("| what | budget | measured |\n|---|---|---|");

    let (whole, opening) = once(&fake);
    row(
        "`--once --fast` over load and init, wall",
        "15 ms",
        &format!("{:.1} ms ({whole:.1} ms in all, {opening:.1} ms load and init)", whole - opening),
    );
    let (cost, calls) = tick_cost(&fake);
    let own = empty_loop(&fake);
    row("NVML calls a GPU a tick", "25", &format!("{calls:.1}"));
    row(
        "CPU a tick outside NVML, all threads",
        "0.4 ms",
        &format!(
            "{:.2} ms ({cost:.2} ms in all, {own:.2} ms the fake's in an empty loop)",
            cost - own
        ),
    );

    let slow = "[[fault]]\nfn = \"nvmlDeviceGetPcieThroughput\"\nlatency = \"20ms\"\n";
    let fake = Fake::scenario(&scenario(&processes, slow)).unwrap();
    let mut slow = feed(&fake);
    publishing(&mut slow, 4);
    let (typical, worst) = publishing(&mut slow, 20);
    row(
        "fast values published after the tick, PCIe throughput taking 20 ms on every GPU",
        "5 ms",
        &format!("{typical:.1} ms (worst of 20: {worst:.1} ms)"),
    );

    fake.update(
        "[[fault]]\nfn = \"nvmlDeviceGetTemperatureV\"\ngpu = 3\nhang = \"until-released\"\n",
    )
    .unwrap();
    publishing(&mut slow, 22);
    let (typical, worst) = publishing(&mut slow, 20);
    let snapshot = take(&mut slow, TICK);
    let live = snapshot.sample.gpus.iter().filter(|gpu| gpu.state == GpuState::Live).count();
    row(
        "the same while one GPU's temperature call hangs",
        "5 ms",
        &format!(
            "{typical:.1} ms (worst of 20: {worst:.1} ms); {live} GPUs live, GPU 3 {}",
            snapshot.sample.gpus[3].state
        ),
    );
    fake.release();
}
