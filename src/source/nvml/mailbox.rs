//! How the collector and its workers hand things to each other with as few wake-ups as can be.

use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A box that several threads put things into and one takes them out of, when there are as many as it waits for.
///
/// A channel wakes its reader for each thing, and the two then meet at its lock; with a worker for each GPU that is
/// most of what a tick costs.
pub(super) struct Mailbox<T> {
    heap: Mutex<Heap<T>>,
    enough: Condvar,
}

struct Heap<T> {
    things: Vec<T>,
    /// How many the reader waits for.
    wanted: usize,
    is_open: bool,
}

impl<T> Heap<T> {
    fn is_enough(&self) -> bool {
        !self.is_open || self.things.len() >= self.wanted
    }
}

impl<T> Mailbox<T> {
    /// Puts one thing in, and says whether somebody may still take it out.
    pub(super) fn put(&self, thing: T) -> bool {
        let mut heap = self.heap();
        if !heap.is_open {
            return false;
        }
        heap.things.push(thing);
        let is_enough = heap.is_enough();
        // The reader would only wait for the lock.
        drop(heap);
        if is_enough {
            self.enough.notify_one();
        }
        true
    }

    /// Takes everything out as soon as there are `wanted` things, or at the deadline what there is.
    pub(super) fn take(&self, wanted: usize, deadline: Instant) -> Vec<T> {
        let mut heap = self.heap();
        heap.wanted = wanted;
        let left = deadline.saturating_duration_since(Instant::now());
        let woken = self.enough.wait_timeout_while(heap, left, |heap| !heap.is_enough());
        let (mut heap, _) = woken.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut heap.things)
    }

    /// Waits for one thing and takes it out; `None` once the box is closed.
    pub(super) fn next(&self) -> Option<T> {
        let mut heap = self.heap();
        heap.wanted = 1;
        let woken = self.enough.wait_while(heap, |heap| !heap.is_enough());
        let mut heap = woken.unwrap_or_else(PoisonError::into_inner);
        let is_there = heap.is_open && !heap.things.is_empty();
        is_there.then(|| heap.things.remove(0))
    }

    fn close(&self) {
        self.heap().is_open = false;
        self.enough.notify_one();
    }

    /// What a thread that crashed left is whole: nothing that can fail is done under the lock.
    fn heap(&self) -> MutexGuard<'_, Heap<T>> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A share in a mailbox without which it is of no use: when it is dropped, the box is closed.
pub(super) struct Share<T>(Arc<Mailbox<T>>);

impl<T> Share<T> {
    /// A share in a new mailbox.
    pub(super) fn new() -> Self {
        let heap = Heap { things: Vec::new(), wanted: 0, is_open: true };
        Self(Arc::new(Mailbox { heap: Mutex::new(heap), enough: Condvar::new() }))
    }

    /// A second share, for the other side.
    pub(super) fn other(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// The mailbox itself, for those who may come and go.
    pub(super) fn mailbox(&self) -> Arc<Mailbox<T>> {
        Arc::clone(&self.0)
    }
}

impl<T> Deref for Share<T> {
    type Target = Mailbox<T>;

    fn deref(&self) -> &Mailbox<T> {
        &self.0
    }
}

impl<T> Drop for Share<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::Share;
    use std::time::{Duration, Instant};

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn everything_is_taken_when_there_is_enough() {
        let inbox = Share::new();
        std::thread::scope(|scope| {
            for thing in 0..3 {
                let mailbox = inbox.mailbox();
                scope.spawn(move || assert!(mailbox.put(thing)));
            }
            let mut things = inbox.take(3, soon());
            things.sort_unstable();
            assert_eq!(things, [0, 1, 2]);
        });
        assert!(inbox.take(0, soon()).is_empty(), "nothing is waited for");
    }

    #[test]
    fn at_the_deadline_what_there_is_is_taken() {
        let inbox = Share::new();
        inbox.put(1);
        assert_eq!(inbox.take(2, Instant::now()), [1]);
    }

    #[test]
    fn things_come_out_in_order_until_one_side_ends() {
        let ours = Share::new();
        let theirs = ours.other();
        ours.put(1);
        ours.put(2);
        assert_eq!((theirs.next(), theirs.next()), (Some(1), Some(2)));
        let reader = std::thread::spawn(move || theirs.next());
        drop(ours);
        assert_eq!(reader.join().unwrap(), None);

        let ours = Share::<u8>::new();
        drop(ours.other());
        assert!(!ours.put(3), "nobody is there to take it");
    }
}
