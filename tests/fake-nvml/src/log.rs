//! What was called: exact counts, a bounded list of single calls, and broken rules.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::world::MOST_GPUS;

const MOST_ENTRIES: usize = 65_536;
const MOST_VIOLATIONS: usize = 1_000;

/// How often one function was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCount {
    /// The function's name.
    pub function: String,
    /// The GPU it was about, where it was about one.
    pub gpu: Option<u32>,
    /// How often.
    pub count: u64,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedCall {
    /// The library's time when the call came in.
    pub at_us: u64,
    /// The kernel's id of the calling thread.
    pub thread: u32,
    /// What the thread was called when it first called in.
    pub thread_name: String,
    /// The function's name.
    pub function: String,
    /// The GPU it was about, where it was about one.
    pub gpu: Option<u32>,
    /// The answer.
    pub code: u32,
}

/// An exported function, with its counts: one for calls about no GPU, one for each GPU.
pub(crate) struct Site {
    pub(crate) name: &'static str,
    counts: [AtomicU64; MOST_GPUS + 1],
    known: AtomicBool,
}

impl Site {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            counts: [const { AtomicU64::new(0) }; MOST_GPUS + 1],
            known: AtomicBool::new(false),
        }
    }

    /// Counts a call and tells how many came before it.
    pub(crate) fn count(&'static self, log: &Log, gpu: Option<u32>) -> u64 {
        if !self.known.swap(true, Ordering::Relaxed) {
            lock(&log.sites).push(self);
        }
        let slot = gpu.and_then(|gpu| usize::try_from(gpu).ok()).map_or(0, |gpu| gpu + 1);
        self.counts.get(slot).map_or(0, |count| count.fetch_add(1, Ordering::Relaxed))
    }
}

#[derive(Clone, Copy)]
struct Entry {
    at_us: u64,
    thread: u32,
    function: &'static str,
    gpu: Option<u32>,
    code: u32,
}

/// The record of one loaded copy.
#[derive(Default)]
pub(crate) struct Log {
    sites: Mutex<Vec<&'static Site>>,
    entries: Mutex<VecDeque<Entry>>,
    threads: Mutex<Vec<(u32, String)>>,
    violations: Mutex<Vec<String>>,
}

thread_local! {
    static THREAD: Cell<u32> = const { Cell::new(0) };
}

impl Log {
    pub(crate) fn new() -> Self {
        let entries = Mutex::new(VecDeque::with_capacity(MOST_ENTRIES));
        Self { entries, ..Self::default() }
    }

    pub(crate) fn call(&self, at_us: u64, function: &'static str, gpu: Option<u32>, code: u32) {
        let entry = Entry { at_us, thread: self.thread(), function, gpu, code };
        let mut entries = lock(&self.entries);
        if entries.len() == MOST_ENTRIES {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn violation(&self, text: String) {
        let mut violations = lock(&self.violations);
        if violations.len() < MOST_VIOLATIONS {
            violations.push(text);
        }
    }

    /// The id of the calling thread, looked up once per thread.
    fn thread(&self) -> u32 {
        let known = THREAD.get();
        if known != 0 {
            return known;
        }
        let link = std::fs::read_link("/proc/thread-self").unwrap_or_default();
        let id = link.file_name().and_then(|id| id.to_str()?.parse().ok()).unwrap_or(u32::MAX);
        let name = std::fs::read_to_string("/proc/thread-self/comm").unwrap_or_default();
        lock(&self.threads).push((id, name.trim_end().to_owned()));
        THREAD.set(id);
        id
    }

    pub(crate) fn counts(&self) -> Vec<CallCount> {
        let mut counts = Vec::new();
        for site in lock(&self.sites).iter() {
            for (slot, count) in (0_u32..).zip(&site.counts) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let function = site.name.to_owned();
                    counts.push(CallCount { function, gpu: slot.checked_sub(1), count });
                }
            }
        }
        counts.sort_by(|a, b| (&a.function, a.gpu).cmp(&(&b.function, b.gpu)));
        counts
    }

    pub(crate) fn calls(&self) -> Vec<LoggedCall> {
        let threads = lock(&self.threads).clone();
        let name = |id: u32| {
            let thread = threads.iter().rev().find(|(thread, _)| *thread == id);
            thread.map(|(_, name)| name.clone()).unwrap_or_default()
        };
        let entries: Vec<Entry> = lock(&self.entries).iter().copied().collect();
        let call = |entry: Entry| LoggedCall {
            at_us: entry.at_us,
            thread: entry.thread,
            thread_name: name(entry.thread),
            function: entry.function.to_owned(),
            gpu: entry.gpu,
            code: entry.code,
        };
        entries.into_iter().map(call).collect()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        lock(&self.violations).clone()
    }

    pub(crate) fn clear(&self) {
        for site in lock(&self.sites).iter() {
            site.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
        }
        lock(&self.entries).clear();
        lock(&self.violations).clear();
    }
}

/// Locks; what a panicking holder left behind is still good enough to read.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
