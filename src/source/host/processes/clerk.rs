//! Who processes are, asked in threads of their own: the command line of a process that is stuck in the kernel may not
//! come back.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::param::clock_ticks_per_second;

use super::users::Users;
use super::{COMMAND_BYTES, Place, command_line};
use crate::model::{Absent, ProcessIdentity};

/// What is not answered by then joins a later tick.
const LONGEST_WAIT: Duration = Duration::from_millis(250);
/// More threads than this are not given up to processes that do not answer.
const MOST_THREADS: usize = 4;

/// A process, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) pid: u32,
    /// When it started, which tells it from another one with its id.
    pub(super) start_ticks: u64,
    pub(super) name: Vec<u8>,
}

/// Who a process is.
pub(super) struct Answer {
    pub(super) question: Question,
    pub(super) identity: Result<Arc<ProcessIdentity>, Absent>,
}

/// Asks who processes are.
pub(super) struct Clerk {
    place: Arc<Place>,
    questions: Sender<Question>,
    /// Where the threads take them.
    queue: Arc<Mutex<Receiver<Question>>>,
    answers: Receiver<Answer>,
    answered: Sender<Answer>,
    /// Those without an answer, and whether it is waited for.
    open: Vec<(Question, bool)>,
    threads: usize,
}

impl Clerk {
    pub(super) fn new(place: Arc<Place>) -> Self {
        let ((questions, queue), (answered, answers)) = (mpsc::channel(), mpsc::channel());
        let queue = Arc::new(Mutex::new(queue));
        Self { place, questions, queue, answers, answered, open: Vec::new(), threads: 0 }
    }

    /// Asks, unless that is being asked already.
    pub(super) fn ask(&mut self, question: Question) {
        if self.open.iter().any(|(open, _)| *open == question) {
            return;
        }
        if self.threads == 0 {
            self.start_thread();
        }
        if self.threads > 0 && self.questions.send(question.clone()).is_ok() {
            self.open.push((question, true));
        }
    }

    /// The answers to what was asked since the last time, and those that came late.
    pub(super) fn answers(&mut self) -> Vec<Answer> {
        let deadline = Instant::now() + LONGEST_WAIT;
        let mut answers = Vec::new();
        loop {
            let is_awaited = self.open.iter().any(|(_, is_awaited)| *is_awaited);
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = if is_awaited { left } else { Duration::ZERO };
            match self.answers.recv_timeout(wait) {
                Ok(answer) => {
                    self.open.retain(|(question, _)| *question != answer.question);
                    answers.push(answer);
                }
                Err(RecvTimeoutError::Timeout) if is_awaited => {
                    // Others need not wait behind the one that does not answer.
                    self.open.iter_mut().for_each(|(_, is_awaited)| *is_awaited = false);
                    self.start_thread();
                }
                Err(_) => return answers,
            }
        }
    }

    fn start_thread(&mut self) {
        if self.threads >= MOST_THREADS {
            return;
        }
        let (place, queue, answered) =
            (self.place.clone(), self.queue.clone(), self.answered.clone());
        let work = move || {
            let mut users = Users::new(&place.sysroot);
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            while let Ok(question) = next() {
                let identity = identify(&place, &mut users, &question);
                if answered.send(Answer { question, identity }).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("identities".to_owned()).spawn(work);
        self.threads += usize::from(thread.is_ok());
    }
}

fn identify(
    place: &Place,
    users: &mut Users,
    question: &Question,
) -> Result<Arc<ProcessIdentity>, Absent> {
    let start_s = question.start_ticks / clock_ticks_per_second();
    let start_unix_s = place.boot_unix_s?.saturating_add(start_s);
    let folder = place.sysroot.path(format!("/proc/{}", question.pid));
    let absence = |error: io::Error| place.absence(question.pid, true, &error);
    // The folder belongs to the user whose rights the process has, even where its files belong to root.
    let user_id = fs::metadata(&folder).map_err(absence)?.uid();
    let mut arguments = Vec::new();
    File::open(folder.join("cmdline"))
        .and_then(|file| file.take(COMMAND_BYTES).read_to_end(&mut arguments))
        .map_err(absence)?;
    let name = String::from_utf8_lossy(&question.name);
    let command = command_line(&arguments).unwrap_or_else(|| format!("[{name}]"));
    Ok(Arc::new(ProcessIdentity {
        start_unix_s,
        user_id,
        user: users.name(user_id),
        name: name.into(),
        command: command.into(),
    }))
}
