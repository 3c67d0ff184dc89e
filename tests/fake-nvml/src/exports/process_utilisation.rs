//! How busy single processes keep a GPU: samples from a ring that the driver fills.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use super::process::visible_pid;
use super::utilisation::SAMPLE_PERIOD_US;
use crate::abi::Out;
use crate::cast::{self, FromAnswer as _};
use crate::code::{Answer, Code};
use crate::entry::GpuCall;
use crate::waveform::Wave;
use crate::world::Process;

/// The driver's ring has room for so many samples of all processes together.
const RING: usize = 100;
/// How far back the ring of a quiet GPU is searched, in sample periods.
const LONGEST_LOOK_BACK: u64 = 1_000;

exports! {
    device fn nvmlDeviceGetProcessUtilization(
        samples: Out<sys::nvmlProcessUtilizationSample_t>,
        count: Out<c_uint>,
        last_seen: c_ulonglong,
    ) |call| {
        let found = newer_than(call, last_seen)?;
        let room = if samples.is_null() { 0 } else { count.get()? };
        fits(&found, room, |number| count.put(number))?;
        found.iter().enumerate().try_for_each(|(i, sample)| samples.at(i).put(sample.short()))
    }
    device fn nvmlDeviceGetProcessesUtilizationInfo(
        info: Out<sys::nvmlProcessesUtilizationInfo_t>,
    ) |call| {
        let mut answer = info.versioned(1)?;
        let found = newer_than(call, answer.lastSeenTimeStamp)?;
        let array = Out::inner(answer.procUtilArray);
        let room = if array.is_null() { 0 } else { answer.processSamplesCount };
        fits(&found, room, |number| {
            answer.processSamplesCount = number;
            info.put(answer)
        })?;
        found.iter().enumerate().try_for_each(|(i, sample)| array.at(i).put(sample.long()))
    }
}

/// One process over one sample period.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: u64,
    pid: u32,
    sm: u32,
    memory: u32,
    encoder: u32,
    decoder: u32,
}

impl Sample {
    fn short(&self) -> sys::nvmlProcessUtilizationSample_t {
        sys::nvmlProcessUtilizationSample_t {
            pid: self.pid,
            timeStamp: self.at,
            smUtil: self.sm,
            memUtil: self.memory,
            encUtil: self.encoder,
            decUtil: self.decoder,
        }
    }

    fn long(&self) -> sys::nvmlProcessUtilizationInfo_v1_t {
        sys::nvmlProcessUtilizationInfo_v1_t {
            timeStamp: self.at,
            pid: self.pid,
            smUtil: self.sm,
            memUtil: self.memory,
            encUtil: self.encoder,
            decUtil: self.decoder,
            jpgUtil: 0,
            ofaUtil: 0,
        }
    }
}

fn fits(found: &[Sample], room: c_uint, mut tell: impl FnMut(c_uint) -> Answer) -> Answer {
    let number = cast::count(found.len());
    tell(number)?;
    if number > room { Err(Code::INSUFFICIENT_SIZE) } else { Ok(()) }
}

/// The samples that came after `last_seen`, oldest first; none at all is an error of its own.
fn newer_than(call: &GpuCall<'_>, last_seen: u64) -> Answer<Vec<Sample>> {
    if call.gpu.mig_enabled() {
        return Err(Code::NOT_SUPPORTED);
    }
    let stamp = |tick: u64| call.library.timestamp(call.world, tick * SAMPLE_PERIOD_US);
    let mut found = Vec::new();
    let mut tick = call.now / SAMPLE_PERIOD_US;
    while found.len() < RING && stamp(tick) > last_seen {
        let busy = call.gpu.processes.iter().filter_map(|process| sample(call, process, tick));
        found.extend(busy);
        // Nothing ran before the clock's zero; a quiet GPU's ring is not searched for ever.
        if tick == 0 || call.now / SAMPLE_PERIOD_US - tick > LONGEST_LOOK_BACK {
            break;
        }
        tick -= 1;
    }
    found.truncate(RING);
    found.reverse();
    if found.is_empty() { Err(Code::NOT_FOUND) } else { Ok(found) }
}

/// A process's sample, if it did anything in that period.
fn sample(call: &GpuCall<'_>, process: &Process, tick: u64) -> Option<Sample> {
    let at = tick * SAMPLE_PERIOD_US;
    if !process.alive(at) {
        return None;
    }
    let percent = |wave: Option<&Wave>, salt: u64| {
        let percent = wave.map(|wave| call.wave(wave, u64::from(process.pid) + salt, at).max(0));
        percent.map_or(0, |percent| u32::from_answer(call.or_fault(percent)))
    };
    let sample = Sample {
        at: call.library.timestamp(call.world, at),
        pid: visible_pid(call, process)?,
        sm: percent(process.sm.as_ref(), 1 << 32),
        memory: percent(process.mem_util.as_ref(), 2 << 32),
        encoder: percent(process.enc.as_ref(), 3 << 32),
        decoder: percent(process.dec.as_ref(), 4 << 32),
    };
    let busy = sample.sm > 0 || sample.memory > 0 || sample.encoder > 0 || sample.decoder > 0;
    busy.then_some(sample)
}
