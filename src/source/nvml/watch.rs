//! Which function of the driver a thread is in, and what its calls have taken.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{Absent, Lane};
use crate::source::Clock;

/// A call to the driver that has not come back yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InCall {
    /// The NVML function.
    pub(super) function: &'static str,
    /// When it was entered, on the source's monotonic clock.
    pub(super) since_us: u64,
}

/// What the calls of one function have taken since that was last asked.
#[derive(Debug)]
pub(super) struct Spent {
    pub(super) function: &'static str,
    pub(super) lane: Lane,
    pub(super) calls: u32,
    pub(super) total_ns: u64,
    pub(super) worst_ns: u64,
    /// Each call by itself, where they are kept.
    pub(super) each_ns: Vec<u64>,
    /// What the last call said instead of a value.
    pub(super) failure: Option<Absent>,
}

/// Where a thread tells which function of the driver it is in.
#[derive(Debug, Default)]
pub(super) struct Watch {
    state: Mutex<Watched>,
    lane: AtomicU8,
}

#[derive(Debug, Default)]
struct Watched {
    in_call: Option<InCall>,
    spent: Vec<Spent>,
    /// The row of the last call: calls come in the same order at every tick, so the next row is the next call's.
    last: usize,
    keeps_each: bool,
}

impl Watch {
    /// A watch that keeps the time of each call.
    pub(super) fn keeping_each() -> Self {
        let watch = Self::default();
        watch.state().keeps_each = true;
        watch
    }

    /// The call that the thread is in.
    pub(super) fn in_call(&self) -> Option<InCall> {
        self.state().in_call
    }

    /// The calls from now on are made in this lane.
    pub(super) fn enter(&self, lane: Lane) {
        self.lane.store(lane as u8, Ordering::Relaxed);
    }

    fn lane(&self) -> Lane {
        let lane = usize::from(self.lane.load(Ordering::Relaxed));
        Lane::ALL.get(lane).copied().unwrap_or_default()
    }

    /// Runs `call` while this watch shows it, and notes what it took.
    pub(super) fn during<T>(
        &self,
        clock: &dyn Clock,
        function: &'static str,
        call: impl FnOnce() -> T,
    ) -> T {
        let before_ns = clock.monotonic_ns();
        self.state().in_call = Some(InCall { function, since_us: before_ns / 1000 });
        let value = call();
        let took_ns = clock.monotonic_ns().saturating_sub(before_ns);
        let lane = self.lane();
        let mut state = self.state();
        state.in_call = None;
        state.note(function, lane, took_ns);
        value
    }

    /// The last call of this function gave no value.
    pub(super) fn failed(&self, function: &'static str, why: Absent) {
        let mut state = self.state();
        let row = state.row(function);
        state.spent[row].failure = Some(why);
    }

    /// Hands over what was spent since this was last called.
    pub(super) fn settle(&self, mut take: impl FnMut(&Spent)) {
        for spent in &mut self.state().spent {
            if spent.calls > 0 {
                take(spent);
                (spent.calls, spent.total_ns, spent.worst_ns) = (0, 0, 0);
            }
        }
    }

    /// What was spent since the start, with each call where they are kept.
    pub(super) fn spent(&self) -> Vec<Spent> {
        std::mem::take(&mut self.state().spent)
    }

    /// What a thread that crashed left is whole: nothing that can fail is done under the lock.
    fn state(&self) -> MutexGuard<'_, Watched> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    fn row(&mut self, function: &'static str) -> usize {
        let count = self.spent.len();
        let rows = (1..=count).map(|step| (self.last + step) % count);
        let known = rows.into_iter().find(|&row| self.spent[row].function == function);
        self.last = known.unwrap_or_else(|| {
            self.spent.push(Spent::new(function));
            count
        });
        self.last
    }

    fn note(&mut self, function: &'static str, lane: Lane, took_ns: u64) {
        let row = self.row(function);
        let keeps_each = self.keeps_each;
        let spent = &mut self.spent[row];
        spent.lane = lane;
        spent.calls += 1;
        spent.total_ns += took_ns;
        spent.worst_ns = spent.worst_ns.max(took_ns);
        spent.failure = None;
        if keeps_each {
            spent.each_ns.push(took_ns);
        }
    }
}

impl Spent {
    fn new(function: &'static str) -> Self {
        Self {
            function,
            lane: Lane::default(),
            calls: 0,
            total_ns: 0,
            worst_ns: 0,
            each_ns: Vec::new(),
            failure: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Watch;
    use crate::model::Lane;
    use crate::source::{Clock, ManualClock};
    use std::time::Duration;

    #[test]
    fn each_function_has_its_calls_their_time_and_the_longest_and_is_asked_once() {
        let (watch, clock) = (Watch::default(), ManualClock::at(0));
        watch.enter(Lane::Tick);
        for (function, took_us) in [("a", 10), ("b", 1), ("a", 30), ("b", 1), ("b", 4)] {
            watch.during(&clock, function, || {
                assert_eq!(watch.in_call().unwrap().function, function);
                assert_eq!(watch.in_call().unwrap().since_us, clock.monotonic_us());
                clock.advance(Duration::from_micros(took_us));
            });
        }
        assert_eq!(watch.in_call(), None);
        let mut rows = Vec::new();
        watch.settle(|spent| {
            rows.push((spent.function, spent.calls, spent.total_ns, spent.worst_ns, spent.lane));
        });
        let expected = [("a", 2, 40_000, 30_000, Lane::Tick), ("b", 3, 6_000, 4_000, Lane::Tick)];
        assert_eq!(rows, expected);
        watch.settle(|spent| panic!("{spent:?} was settled twice"));
    }
}
