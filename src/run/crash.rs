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
    let reports = reports(report);
    if reports.is_empty() {
        return;
    }
    terminal::leave();
    for report in reports {
        print(&report);
    }
}

/// What is to be printed now that this thread crashed: nothing while the monitor goes on, which is told instead.
fn reports(report: &str) -> Vec<String> {
    let thread = std::thread::current();
    let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watch) = watch.as_mut().filter(|watch| watch.monitor != thread.id()) {
        if watch.reports.len() < MOST_REPORTS {
            watch.reports.push(report.to_owned());
        }
        (watch.tell)(thread.name().unwrap_or("a thread").to_owned());
        return Vec::new();
    }
    // With the monitor everything ends, so what was kept is due.
    let kept = watch.take().map_or(Vec::new(), |watch| watch.reports);
    std::iter::once(report.to_owned()).chain(kept).collect()
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

#[cfg(test)]
mod tests {
    use super::{MOST_REPORTS, WATCH, reports, watch};
    use std::sync::mpsc;

    /// What a thread of this name has to print when it crashes.
    fn crash(name: &str, report: &'static str) -> Vec<String> {
        let thread = std::thread::Builder::new().name(name.to_owned());
        thread.spawn(move || reports(report)).unwrap().join().unwrap()
    }

    #[test]
    fn a_crash_beside_the_monitor_is_told_at_once_and_printed_with_its_end() {
        let (sender, told) = mpsc::channel();
        watch(move |thread| sender.send(thread).unwrap());
        assert_eq!(crash("sampler", "a"), [""; 0]);
        for _ in 0..9 {
            assert_eq!(crash("writer", "b"), [""; 0]);
        }
        assert_eq!(told.try_iter().filter(|thread| thread == "writer").count(), 9);
        let all = reports("the monitor's own");
        assert_eq!(all.len(), 1 + MOST_REPORTS);
        assert_eq!(all[..3], ["the monitor's own", "a", "b"]);
        assert!(WATCH.lock().unwrap().is_none(), "they are printed once");
        assert_eq!(crash("later", "c"), ["c"]);
    }
}
