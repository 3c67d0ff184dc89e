//! The event sets that a caller has made, and what each has told of.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fault::Happening;
use crate::world::World;

/// The tag of a set's number, which is never followed.
const TAG: usize = 0x4e56_5e00_0000;

/// All sets. A set is known by its number, which no other set ever gets.
#[derive(Default)]
pub(crate) struct EventSets(Mutex<Sets>);

#[derive(Default)]
struct Sets {
    made: usize,
    live: Vec<Set>,
}

struct Set {
    number: usize,
    /// GPU, mask of types, and since when.
    registered: Vec<(u32, u64, u64)>,
    /// What was taken out, for each GPU.
    told: Vec<(u32, Happening)>,
}

impl EventSets {
    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a set and gives its number.
    pub(crate) fn make(&self) -> usize {
        let mut sets = self.lock();
        sets.made += 1;
        let number = TAG + sets.made;
        sets.live.push(Set { number, registered: Vec::new(), told: Vec::new() });
        number
    }

    /// Frees a set; false where there is none of that number.
    pub(crate) fn free(&self, number: usize) -> bool {
        let mut sets = self.lock();
        let before = sets.live.len();
        sets.live.retain(|set| set.number != number);
        sets.live.len() < before
    }

    /// Frees every set, as the last nvmlShutdown does.
    pub(crate) fn clear(&self) {
        self.lock().live.clear();
    }

    pub(crate) fn knows(&self, number: usize) -> bool {
        self.lock().live.iter().any(|set| set.number == number)
    }

    /// Has a set told of these types of events of a GPU from now on.
    pub(crate) fn register(&self, number: usize, gpu: u32, types: u64, now: u64) {
        if let Some(set) = self.lock().live.iter_mut().find(|set| set.number == number) {
            set.registered.push((gpu, types, now));
        }
    }

    /// Whether a GPU of the set is off the bus.
    pub(crate) fn has_lost(&self, number: usize, world: &World, now: u64) -> bool {
        let sets = self.lock();
        let set = sets.live.iter().find(|set| set.number == number);
        set.is_some_and(|set| {
            let mut gpus = set.registered.iter().map(|(gpu, ..)| gpu);
            gpus.any(|of| world.gpus.iter().any(|gpu| gpu.index == *of && gpu.lost_at(now)))
        })
    }

    /// Takes the oldest event out of a set: it happened since the GPU was registered, and until now.
    pub(crate) fn next(&self, number: usize, world: &World, now: u64) -> Option<(u32, Happening)> {
        let mut sets = self.lock();
        let set = sets.live.iter_mut().find(|set| set.number == number)?;
        let happened = world.happenings.iter().filter(|happening| happening.at <= now);
        let of_gpus = happened.flat_map(|happening| {
            let hears = |(gpu, types, since): &&(u32, u64, u64)| {
                happening.gpu.is_none_or(|of| of == *gpu)
                    && happening.types & types != 0
                    && happening.at > *since
            };
            set.registered.iter().filter(hears).map(move |(gpu, ..)| (*gpu, *happening))
        });
        let next = of_gpus.into_iter().find(|event| !set.told.contains(event))?;
        set.told.push(next);
        Some(next)
    }
}
