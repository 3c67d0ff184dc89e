//! The threads that read the GPUs: as many as there are calls that block at the same time.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Threads that share jobs, each of which may hang. What a job leaves over is done when no new job waits.
///
/// A thread is woken or started for a whole heap of jobs; only where they do not get done soon does the owner call
/// another. Nothing waits for the threads. When the crew is dropped, they end with what they are doing.
pub(super) struct Crew<J> {
    board: Arc<Board<J>>,
    work: Arc<Work<J>>,
}

/// Does a job and gives what is left of it. It must not panic.
type Work<J> = dyn Fn(J) -> Option<J> + Send + Sync;

/// Where the jobs hang that nobody has taken.
struct Board<J> {
    jobs: Mutex<Jobs<J>>,
    called: Condvar,
}

struct Jobs<J> {
    new: VecDeque<J>,
    left: VecDeque<J>,
    /// Threads that wait to be called.
    idle: usize,
    is_open: bool,
}

impl<J: Send + 'static> Crew<J> {
    /// A crew without threads.
    pub(super) fn new(work: impl Fn(J) -> Option<J> + Send + Sync + 'static) -> Self {
        let jobs = Jobs { new: VecDeque::new(), left: VecDeque::new(), idle: 0, is_open: true };
        let board = Board { jobs: Mutex::new(jobs), called: Condvar::new() };
        Self { board: Arc::new(board), work: Arc::new(work) }
    }

    /// Puts up jobs, which are taken in this order once a thread is called.
    pub(super) fn put(&self, jobs: impl IntoIterator<Item = J>) {
        self.board.jobs().new.extend(jobs);
    }

    /// Takes down what nobody has taken.
    pub(super) fn recall(&self) -> Vec<J> {
        self.board.jobs().take_all()
    }

    /// Whether jobs wait to be taken.
    pub(super) fn is_behind(&self) -> bool {
        !self.board.jobs().is_empty()
    }

    /// Gets one more thread going if jobs wait: one that is idle, or else a new one.
    ///
    /// Where no thread is to be had, the jobs wait for those that there are, or for the next call.
    pub(super) fn call(&self) {
        let jobs = self.board.jobs();
        let (is_behind, is_idle) = (!jobs.is_empty(), jobs.idle > 0);
        drop(jobs);
        if is_behind && is_idle {
            self.board.called.notify_one();
        } else if is_behind {
            let (board, work) = (self.board.clone(), self.work.clone());
            let thread = std::thread::Builder::new().name("gpu-reader".to_owned());
            drop(thread.spawn(move || board.serve(&*work)));
        }
    }
}

impl<J> Drop for Crew<J> {
    fn drop(&mut self) {
        let mut jobs = self.board.jobs();
        jobs.is_open = false;
        let untaken = jobs.take_all();
        drop(jobs);
        self.board.called.notify_all();
        // Whatever letting go of a job does is not done under the lock.
        drop(untaken);
    }
}

impl<J> Board<J> {
    /// What a thread of the crew does.
    fn serve(&self, work: &Work<J>) {
        let mut left = None;
        while let Some(job) = self.next(left) {
            left = work(job);
        }
    }

    /// Puts back what is left of a job and waits for one; `None` at the end of the crew.
    fn next(&self, left: Option<J>) -> Option<J> {
        let mut jobs = self.jobs();
        if !jobs.is_open {
            return None;
        }
        jobs.left.extend(left);
        jobs.idle += 1;
        let called = self.called.wait_while(jobs, |jobs| jobs.is_open && jobs.is_empty());
        let mut jobs = called.unwrap_or_else(PoisonError::into_inner);
        jobs.idle -= 1;
        if !jobs.is_open {
            return None;
        }
        jobs.new.pop_front().or_else(|| jobs.left.pop_front())
    }

    /// What a thread that crashed left is whole: nothing that can fail is done under the lock.
    fn jobs(&self) -> MutexGuard<'_, Jobs<J>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> Jobs<J> {
    fn is_empty(&self) -> bool {
        self.new.is_empty() && self.left.is_empty()
    }

    fn take_all(&mut self) -> Vec<J> {
        self.new.drain(..).chain(self.left.drain(..)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Crew;
    use std::collections::BTreeSet;
    use std::sync::mpsc::{self, Receiver};
    use std::sync::{Arc, Mutex};
    use std::thread::ThreadId;
    use std::time::Duration;

    /// A job, what it leaves over, and whether it hangs until the test lets go of the other end.
    struct Job(u8, Option<Box<Job>>, Option<Receiver<()>>);

    fn quick(name: u8) -> Job {
        Job(name, None, None)
    }

    /// A crew, and which job was done in which thread.
    fn crew() -> (Crew<Job>, Receiver<(u8, ThreadId)>) {
        let (done, log) = mpsc::channel();
        let done = Mutex::new(done);
        let work = move |Job(name, left, hang): Job| {
            if let Some(hang) = hang {
                let _ = hang.recv();
            }
            done.lock().unwrap().send((name, std::thread::current().id())).unwrap();
            left.map(|left| *left)
        };
        (Crew::new(work), log)
    }

    fn take(log: &Receiver<(u8, ThreadId)>, count: usize) -> (Vec<u8>, usize) {
        let next = || log.recv_timeout(Duration::from_secs(20)).unwrap();
        let (names, threads): (Vec<_>, Vec<_>) = (0..count).map(|_| next()).unzip();
        let threads: BTreeSet<_> =
            threads.into_iter().map(|thread| format!("{thread:?}")).collect();
        (names, threads.len())
    }

    #[test]
    fn one_call_has_all_jobs_done_by_one_thread_and_what_they_leave_last() {
        let (crew, log) = crew();
        let slow = Job(1, Some(Box::new(quick(9))), None);
        crew.put([slow, quick(2), quick(3)]);
        assert!(crew.is_behind());
        crew.call();
        assert_eq!(take(&log, 4), (vec![1, 2, 3, 9], 1));
        assert!(!crew.is_behind());
    }

    #[test]
    fn a_job_that_hangs_keeps_one_thread_and_the_next_call_brings_another() {
        let (crew, log) = crew();
        let (release, hang) = mpsc::channel();
        crew.put([Job(1, None, Some(hang)), quick(2), quick(3)]);
        crew.call();
        crew.call();
        assert_eq!(take(&log, 2), (vec![2, 3], 1));
        drop(release);
        assert_eq!(take(&log, 1).0, [1]);
    }

    #[test]
    fn what_nobody_has_taken_is_taken_back() {
        let (crew, log) = crew();
        crew.put([quick(1), quick(2)]);
        let names: Vec<_> = crew.recall().into_iter().map(|job| job.0).collect();
        assert_eq!(names, [1, 2]);
        crew.call();
        crew.put([quick(3)]);
        crew.call();
        assert_eq!(take(&log, 1).0, [3]);
    }

    #[test]
    fn a_crew_that_is_dropped_lets_go_of_its_jobs_and_ends_after_what_it_does() {
        let held = Arc::new(());
        let (release, hang) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let (begun, hang) = (Mutex::new(begun), Mutex::new(hang));
        let crew = Crew::new(move |job: Arc<()>| {
            begun.lock().unwrap().send(()).unwrap();
            let _ = hang.lock().unwrap().recv();
            Some(job)
        });
        crew.put([Arc::clone(&held), Arc::clone(&held)]);
        crew.call();
        has_begun.recv().unwrap();
        drop(crew);
        assert_eq!(Arc::strong_count(&held), 2, "the job that nobody took is gone");
        drop(release);
        assert!(has_begun.recv().is_err(), "the thread ends, and the work with it");
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
