//! Which processes use a GPU, in every form that the record ever had.
#![expect(unsafe_code, reason = "the exports of a C library under their own names")]

use std::ffi::{c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings as sys;

use super::exports;
use crate::abi::Out;
use crate::cast::{self, FromAnswer as _};
use crate::code::{Answer, Code};
use crate::entry::GpuCall;
use crate::scenario::{PidView, ProcessAbi, ProcessKind};
use crate::world::Process;

type V1 = sys::nvmlProcessInfo_v1_t;
type V2 = sys::nvmlProcessInfo_v2_t;
/// The record of drivers 535.43 to 535.86 is laid out like the one of the detail list.
type V2Cc = sys::nvmlProcessDetail_v1_t;

/// "No such instance", and with all bits set in 64 "not known".
const NONE: c_uint = c_uint::MAX;
/// Entries that a growing list grows by have pids from here on.
const FIRST_GROWN_PID: u32 = 900_000;

exports! {
    any fn nvmlDeviceGetComputeRunningProcesses(count: Out<c_uint>, infos: Out<V1>) |call|
        list(call, Kind::Compute, count, infos, v1)
    any fn nvmlDeviceGetComputeRunningProcesses_v2(count: Out<c_uint>, infos: Out<V2>) |call|
        list(call, Kind::Compute, count, infos, v2)
    any fn nvmlDeviceGetComputeRunningProcesses_v3(count: Out<c_uint>, infos: Out<V2>) |call|
        newest_list(call, Kind::Compute, count, infos)
    any fn nvmlDeviceGetGraphicsRunningProcesses(count: Out<c_uint>, infos: Out<V1>) |call|
        list(call, Kind::Graphics, count, infos, v1)
    any fn nvmlDeviceGetGraphicsRunningProcesses_v2(count: Out<c_uint>, infos: Out<V2>) |call|
        list(call, Kind::Graphics, count, infos, v2)
    any fn nvmlDeviceGetGraphicsRunningProcesses_v3(count: Out<c_uint>, infos: Out<V2>) |call|
        newest_list(call, Kind::Graphics, count, infos)
    any fn nvmlDeviceGetMPSComputeRunningProcesses(count: Out<c_uint>, infos: Out<V1>) |call|
        list(call, Kind::Mps, count, infos, v1)
    any fn nvmlDeviceGetMPSComputeRunningProcesses_v2(count: Out<c_uint>, infos: Out<V2>) |call|
        list(call, Kind::Mps, count, infos, v2)
    any fn nvmlDeviceGetMPSComputeRunningProcesses_v3(count: Out<c_uint>, infos: Out<V2>) |call|
        newest_list(call, Kind::Mps, count, infos)
    any fn nvmlDeviceGetRunningProcessDetailList(list: Out<sys::nvmlProcessDetailList_t>) |call|
        detail_list(call, list)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Compute,
    Graphics,
    Mps,
}

/// One entry, before it takes a form.
#[derive(Debug, Clone, Copy)]
struct Entry {
    pid: c_uint,
    memory: c_ulonglong,
    gi: c_uint,
    ci: c_uint,
}

fn v1(entry: &Entry) -> V1 {
    V1 { pid: entry.pid, usedGpuMemory: entry.memory }
}

fn v2(entry: &Entry) -> V2 {
    V2 {
        pid: entry.pid,
        usedGpuMemory: entry.memory,
        gpuInstanceId: entry.gi,
        computeInstanceId: entry.ci,
    }
}

fn v2_cc(entry: &Entry) -> V2Cc {
    V2Cc {
        pid: entry.pid,
        usedGpuMemory: entry.memory,
        gpuInstanceId: entry.gi,
        computeInstanceId: entry.ci,
        usedGpuCcProtectedMemory: 0,
    }
}

/// The list behind the `_v3` symbols, whose record depends on the driver.
fn newest_list(call: &GpuCall<'_>, kind: Kind, count: Out<c_uint>, infos: Out<V2>) -> Answer {
    match call.world.lib.process_abi {
        ProcessAbi::V1 => list(call, kind, count, infos.cast(), v1),
        ProcessAbi::V2 => list(call, kind, count, infos, v2),
        ProcessAbi::V2Cc => list(call, kind, count, infos.cast(), v2_cc),
    }
}

fn list<T: Copy>(
    call: &GpuCall<'_>,
    kind: Kind,
    count: Out<c_uint>,
    infos: Out<T>,
    form: fn(&Entry) -> T,
) -> Answer {
    let room = if infos.is_null() { 0 } else { count.get()? };
    let entries = entries(call, kind, room);
    fill(&entries, room, |number| count.put(number), infos, form)
}

fn detail_list(call: &GpuCall<'_>, out: Out<sys::nvmlProcessDetailList_t>) -> Answer {
    let mut answer = out.versioned(1)?;
    let kind = match answer.mode {
        0 => Kind::Compute,
        1 => Kind::Graphics,
        2 => Kind::Mps,
        _ => return Err(Code::INVALID_ARGUMENT),
    };
    let infos = Out::inner(answer.procArray);
    let room = if infos.is_null() { 0 } else { answer.numProcArrayEntries };
    let entries = entries(call, kind, room);
    let tell = |number| {
        answer.numProcArrayEntries = number;
        out.put(answer)
    };
    fill(&entries, room, tell, infos, v2_cc)
}

/// The protocol of every list: the number that there are, and the entries if all of them fit.
fn fill<E, T: Copy>(
    entries: &[E],
    room: c_uint,
    mut tell: impl FnMut(c_uint) -> Answer,
    infos: Out<T>,
    form: fn(&E) -> T,
) -> Answer {
    let number = cast::count(entries.len());
    tell(number)?;
    if number > room {
        return Err(Code::INSUFFICIENT_SIZE);
    }
    entries.iter().enumerate().try_for_each(|(i, entry)| infos.at(i).put(form(entry)))
}

fn entries(call: &GpuCall<'_>, kind: Kind, room: c_uint) -> Vec<Entry> {
    let mut entries: Vec<Entry> = call
        .gpu
        .processes
        .iter()
        .filter(|process| {
            process.alive(call.now) && belongs(process, kind) && within(call, process)
        })
        .filter_map(|process| entry(call, process))
        .collect();
    if room > 0 {
        let more = (0..call.effects.grow).map(|i| Entry {
            pid: FIRST_GROWN_PID + i,
            memory: 1 << 20,
            gi: NONE,
            ci: NONE,
        });
        entries.extend(more);
    }
    entries
}

fn belongs(process: &Process, kind: Kind) -> bool {
    match kind {
        Kind::Compute => process.computes(),
        Kind::Graphics => process.draws(),
        Kind::Mps => process.spec.kind == ProcessKind::Mps,
    }
}

/// A MIG device shows its own processes only.
fn within(call: &GpuCall<'_>, process: &Process) -> bool {
    let spec = &process.spec;
    call.instance.is_none_or(|mig| {
        spec.gi == Some(mig.spec.gi) && spec.ci.is_none_or(|ci| ci == mig.spec.ci)
    })
}

/// The pid as the caller gets to see it, if at all.
pub(super) fn visible_pid(call: &GpuCall<'_>, process: &Process) -> Option<u32> {
    match call.world.lib.pid_view {
        PidView::Host => Some(process.pid),
        PidView::Container => process.spec.container_pid,
        PidView::Empty => None,
    }
}

fn entry(call: &GpuCall<'_>, process: &Process) -> Option<Entry> {
    let known = |wave| u64::from_answer(call.wave(wave, process.pid.into(), call.now).max(0));
    let memory = process.mem.as_ref().map_or(c_ulonglong::MAX, known);
    Some(Entry {
        pid: visible_pid(call, process)?,
        memory: call.effects.value.map_or(memory, u64::from_answer),
        gi: process.spec.gi.unwrap_or(NONE),
        ci: process.spec.ci.or(process.spec.gi.map(|_| 0)).unwrap_or(NONE),
    })
}
