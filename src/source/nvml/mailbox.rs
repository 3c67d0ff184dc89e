//! How the threads hand what they read to the collector with as few wake-ups as can be.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A box that several threads put things into, and one takes them out of when there are as many as it waits for.
///
/// A channel wakes its reader for each thing, and the two then meet at its lock.
pub(super) struct Mailbox<T> {
    heap: Mutex<Heap<T>>,
    enough: Condvar,
}

struct Heap<T> {
    things: Vec<T>,
    /// How many the reader waits for; [`NOT_WAITING`] while it does something else and need not be woken.
    wanted: usize,
    is_open: bool,
}

/// More than there can be.
const NOT_WAITING: usize = usize::MAX;

impl<T> Mailbox<T> {
    /// Puts one thing in; it is dropped if nobody is there to take it out.
    pub(super) fn put(&self, thing: T) {
        let mut heap = self.heap();
        if !heap.is_open {
            return;
        }
        heap.things.push(thing);
        let is_enough = heap.things.len() >= heap.wanted;
        // The reader would only wait for the lock.
        drop(heap);
        if is_enough {
            self.enough.notify_one();
        }
    }

    /// What a thread that crashed left is whole: nothing that can fail is done under the lock.
    fn heap(&self) -> MutexGuard<'_, Heap<T>> {
        self.heap.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reader's side of a mailbox; when it is dropped, the box is closed.
pub(super) struct Inbox<T>(Arc<Mailbox<T>>);

impl<T> Inbox<T> {
    /// The reader's side of a new mailbox.
    pub(super) fn new() -> Self {
        let heap = Heap { things: Vec::new(), wanted: NOT_WAITING, is_open: true };
        Self(Arc::new(Mailbox { heap: Mutex::new(heap), enough: Condvar::new() }))
    }

    /// The mailbox, for those who put things in.
    pub(super) fn mailbox(&self) -> Arc<Mailbox<T>> {
        Arc::clone(&self.0)
    }

    /// Takes everything out as soon as there are `wanted` things, or at the deadline what there is.
    pub(super) fn take(&self, wanted: usize, deadline: Instant) -> Vec<T> {
        let mut heap = self.0.heap();
        heap.wanted = wanted;
        let left = deadline.saturating_duration_since(Instant::now());
        let is_short = |heap: &mut Heap<T>| heap.things.len() < heap.wanted;
        let woken = self.0.enough.wait_timeout_while(heap, left, is_short);
        let (mut heap, _) = woken.unwrap_or_else(PoisonError::into_inner);
        heap.wanted = NOT_WAITING;
        std::mem::take(&mut heap.things)
    }
}

impl<T> Drop for Inbox<T> {
    fn drop(&mut self) {
        self.0.heap().is_open = false;
        // What was not taken out may take long to let go of: not under the lock.
        drop(self.take(0, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::Inbox;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn everything_is_taken_when_there_is_enough() {
        let inbox = Inbox::new();
        std::thread::scope(|scope| {
            for thing in 0..3 {
                let mailbox = inbox.mailbox();
                scope.spawn(move || mailbox.put(thing));
            }
            let mut things = inbox.take(3, soon());
            things.sort_unstable();
            assert_eq!(things, [0, 1, 2]);
        });
        assert!(inbox.take(0, soon()).is_empty(), "nothing is waited for");
    }

    #[test]
    fn at_the_deadline_what_there_is_is_taken() {
        let inbox = Inbox::new();
        inbox.mailbox().put(1);
        assert_eq!(inbox.take(2, Instant::now()), [1]);
    }

    #[test]
    fn what_nobody_takes_is_let_go_of() {
        let (inbox, thing) = (Inbox::new(), Arc::new(()));
        let mailbox = inbox.mailbox();
        mailbox.put(Arc::clone(&thing));
        assert_eq!(Arc::strong_count(&thing), 2);
        drop(inbox);
        mailbox.put(Arc::clone(&thing));
        assert_eq!(Arc::strong_count(&thing), 1);
    }
}
