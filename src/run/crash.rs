//! What a crash of the program itself shows, and when: never over the picture of a monitor that goes on.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;

use color_eyre::config::{HookBuilder, Theme};

use super::terminal;

/// Reports that are kept until the terminal is given back; a thread that crashes again and again says nothing new.
const MOST_REPORTS: usize = 4;

/// While the monitor runs: its thread, whom to tell of the crash of another, and what those had to say.
static WATCH: Mutex<Option<Watch>> = Mutex::new(None);

struct Watch {
    monitor: ThreadId,
    tell: Box<dyn Fn(String) + Send>,
    reports: Vec<String>,
}

/// Has crashes reported in one form from now on.
pub(super) fn install() {
    // Colours would end up in files.
    let builder = HookBuilder::default().display_env_section(false).theme(Theme::new());
    let (hook, _) = builder.into_hooks();
    std::panic::set_hook(Box::new(move |panic| crashed(&hook.panic_report(panic).to_string())));
}

fn crashed(report: &str) {
    let thread = std::thread::current();
    {
        let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watch.as_mut().filter(|watch| watch.monitor != thread.id()) {
            if watch.reports.len() < MOST_REPORTS {
                watch.reports.push(report.to_owned());
            }
            (watch.tell)(thread.name().unwrap_or("a thread").to_owned());
            return;
        }
    }
    terminal::leave();
    print(report);
}

/// Keeps the reports of other threads than this one until [`unwatch`], and tells of each crash by the thread's name.
pub(super) fn watch(tell: impl Fn(String) + Send + 'static) {
    let monitor = std::thread::current().id();
    let watch = Watch { monitor, tell: Box::new(tell), reports: Vec::new() };
    *WATCH.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
}

/// Prints the reports that were kept. The terminal has to be given back before.
pub(super) fn unwatch() {
    let watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner).take();
    for report in watch.into_iter().flat_map(|watch| watch.reports) {
        print(&report);
    }
}

fn print(report: &str) {
    // There is nobody left to tell when standard error is closed too.
    let _ = writeln!(
        io::stderr(),
        "nvsdk-top crashed; please report this with what you did before:\n{report}"
    );
}
