//! What each call to the driver costs on this machine, measured call by call.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::device::absent_for;
use super::fields::DriverVersion;
use super::opening::{Opened, driver_facts};
use super::reader::{Address, Reader, Start};
use super::seat::absence;
use super::sleep::{Dormitory, unread_gpu};
use super::topology::Peers;
use super::watch::{Spent, Watch};
use super::{LONGEST_OPENING, NvmlOptions};
use crate::model::{Absent, Driver, Fact, Gpu};
use crate::source::SourceError;
use crate::source::host::PciAddress;

/// What the calls cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Bench {
    /// The driver.
    pub driver: Driver,
    /// The calls that are made once for all GPUs; `nvmlInitWithFlags` is among them.
    pub opening: Vec<CallTimes>,
    /// Each GPU.
    pub gpus: Vec<GpuBench>,
}

/// What the calls for one GPU cost.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuBench {
    /// The GPU.
    pub gpu: Gpu,
    /// Each function in the order in which they are called, or why it was not asked.
    pub calls: Fact<Vec<CallTimes>>,
}

/// What one function took.
#[derive(Clone, Debug, PartialEq)]
pub struct CallTimes {
    /// The function.
    pub function: &'static str,
    /// How often it was called.
    pub calls: usize,
    /// Half of the calls took no longer, in microseconds.
    pub median_us: f64,
    /// 99 % of the calls took no longer, in microseconds.
    pub p99_us: f64,
    /// The longest call, in microseconds.
    pub worst_us: f64,
    /// Why the last call gave no value, where it gave none.
    pub absent: Option<Absent>,
}

/// What is measured of one kind takes no longer than this, however slow its calls are.
const LONGEST_US: u64 = 1_000_000;

/// Makes each call so many times, unless that takes too long.
///
/// A GPU that sleeps is left alone unless `options` say otherwise.
///
/// # Errors
/// When there is no driver to ask, or a call does not come back.
pub fn bench(options: &NvmlOptions, calls: usize) -> Result<Bench, SourceError> {
    let (sender, result) = mpsc::channel();
    let watch = Arc::new(Watch::keeping_each());
    let (own, shown) = (options.clone(), watch.clone());
    let work = move || drop(sender.send(measure(&own, calls, &shown)));
    // Where no thread is to be had, the end of the channel tells it.
    drop(std::thread::Builder::new().name("bench".to_owned()).spawn(work));
    loop {
        match result.recv_timeout(Duration::from_millis(500)) {
            Ok(bench) => return bench,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(SourceError::Driver(
                    "the thread that measures crashed or was not to be had; raise the limit of tasks (ulimit -u)"
                        .to_owned(),
                ));
            }
            Err(RecvTimeoutError::Timeout) => {
                let call = watch.in_call();
                let age = call
                    .map_or(0, |call| options.clock.monotonic_us().saturating_sub(call.since_us));
                if let Some(call) = call.filter(|_| u128::from(age) > LONGEST_OPENING.as_micros()) {
                    return Err(SourceError::Driver(format!(
                        "{} has not come back for {} s; look at the kernel log (dmesg) for lines with NVRM",
                        call.function,
                        age / 1_000_000
                    )));
                }
            }
        }
    }
}

fn measure(options: &NvmlOptions, calls: usize, watch: &Arc<Watch>) -> Result<Bench, SourceError> {
    let now_us = options.clock.monotonic_us();
    let mut dormitory = Dormitory::new(options.sysroot.clone(), options.wake);
    dormitory.look(now_us, false);
    let rest_of = |address: &PciAddress| absence(&dormitory.rest_of(*address, now_us)?);
    if let Some(resting) = dormitory.all_rest(now_us) {
        let unread = |((address, state), index): ((PciAddress, _), u32)| GpuBench {
            gpu: unread_gpu(&options.sysroot, address, index),
            calls: Err(absence(&state).unwrap_or(Absent::Asleep)),
        };
        return Ok(Bench {
            driver: driver_facts(&options.sysroot),
            opening: Vec::new(),
            gpus: resting.into_iter().zip(0..).map(unread).collect(),
        });
    }
    let opened = Opened::open(options, dormitory.addresses(), watch)?;
    let opening = times(watch);
    let peers = Arc::new(Peers::new(opened.gpus.len()));
    let version = opened.driver.version.as_deref().ok().and_then(DriverVersion::parse);
    let one = |(position, (address, pci)): (usize, (Address, Option<PciAddress>))| {
        let unread = |why| {
            let gpu = match pci {
                Some(pci) => unread_gpu(&options.sysroot, pci, address.index()),
                None => Gpu::unknown(address.index(), why),
            };
            GpuBench { gpu, calls: Err(why) }
        };
        if let Some(why) = pci.as_ref().and_then(rest_of) {
            return unread(why);
        }
        let start = Start {
            address: address.clone(),
            phase: 0.0,
            library: opened.library.clone(),
            driver: version,
            clock: options.clock.clone(),
            watch: watch.clone(),
            position,
            peers: peers.clone(),
            listener: Arc::default(),
        };
        match Reader::find(&start) {
            Ok(mut reader) => {
                reader.measure(calls, LONGEST_US);
                GpuBench { gpu: reader.gpu.clone(), calls: Ok(times(watch)) }
            }
            Err(failure) => unread(absent_for(failure)),
        }
    };
    let gpus = opened.gpus.into_iter().enumerate().map(one).collect();
    Ok(Bench { driver: opened.driver, opening, gpus })
}

/// What was measured since this was last asked.
fn times(watch: &Watch) -> Vec<CallTimes> {
    watch.spent().into_iter().map(CallTimes::of).collect()
}

impl CallTimes {
    fn of(mut spent: Spent) -> Self {
        spent.each_ns.sort_unstable();
        let times = &spent.each_ns;
        let at_percent = |percent: usize| {
            let place = times.len().saturating_sub(1) * percent / 100;
            times.get(place).map_or(0.0, |ns| *ns as f64 / 1e3)
        };
        Self {
            function: spent.function,
            calls: times.len(),
            median_us: at_percent(50),
            p99_us: at_percent(99),
            worst_us: at_percent(100),
            absent: spent.failure,
        }
    }
}
