//! The thread that reads and writes for the tab Setup, since both may wait for a disk.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};

use super::Message;
use crate::app::Event;
use crate::app::setup::{SetupNotWritten, SetupOrder, SetupOutcome, SetupReading, SetupWritten};
use crate::cli::Cli;
use crate::config::Paths;
use crate::model::Sysroot;
use crate::run::setup::{
    ApplyError, Destination, DraftFile, Gathered, Request, WriteError, apply, gather,
};
use crate::setup::facts::Nvml;
use crate::setup::next::Step;
use crate::setup::{Draft, demo};
use crate::source::Snapshot;

/// What the loop asks of the thread.
enum Order {
    Read(Option<Nvml>),
    Save(Draft),
    Write(Box<SetupOrder>),
    StartDemo,
}

/// The thread, as the loop sees it.
pub(super) struct SetupThread(Sender<Order>);

impl SetupThread {
    pub(super) fn start(cli: &Cli, sender: Sender<Message>) -> io::Result<Self> {
        let (orders, receiver) = mpsc::channel();
        let work = Work {
            is_demo: cli.demo.is_some(),
            library: cli.nvml_library().map(ToOwned::to_owned),
            sysroot: Sysroot::new(&cli.root),
            state: Paths::of_user().map(|paths| paths.state().to_owned()),
        };
        let work = move || work.run(&receiver, &sender);
        std::thread::Builder::new().name("setup".to_owned()).spawn(work)?;
        Ok(Self(orders))
    }

    /// Reads everything; what NVML said in the newest sample is not asked again.
    pub(super) fn read(&self, newest: Option<&Snapshot>) {
        let nvml = newest.and_then(|newest| Nvml::of(&newest.inventory, &newest.sample).ok());
        self.tell(Order::Read(nvml));
    }

    pub(super) fn save(&self, draft: Draft) {
        self.tell(Order::Save(draft));
    }

    pub(super) fn write(&self, order: Box<SetupOrder>) {
        self.tell(Order::Write(order));
    }

    pub(super) fn start_demo(&self) {
        self.tell(Order::StartDemo);
    }

    /// A thread that has ended takes no orders, and its last message says why.
    fn tell(&self, order: Order) {
        drop(self.0.send(order));
    }
}

struct Work {
    is_demo: bool,
    library: Option<PathBuf>,
    sysroot: Sysroot,
    /// The program's own folder.
    state: Option<PathBuf>,
}

impl Work {
    /// Works through the orders in their order, so that what is read comes after what was kept.
    fn run(mut self, orders: &Receiver<Order>, sender: &Sender<Message>) {
        for order in orders {
            let event = match order {
                Order::StartDemo => {
                    self.is_demo = true;
                    continue;
                }
                Order::Read(nvml) => Event::SetupRead(Box::new(self.read(nvml))),
                Order::Write(order) => Event::SetupWritten(self.write(&order)),
                Order::Save(draft) => match self.save(&draft) {
                    Ok(()) => continue,
                    Err(why) => Event::DraftNotKept(why),
                },
            };
            if sender.send(Message::Event(event)).is_err() {
                return;
            }
        }
    }

    fn read(&self, nvml: Option<Nvml>) -> Result<SetupReading, String> {
        if self.is_demo {
            let setup = demo::setup().map_err(|error| error.to_string())?;
            return Ok(SetupReading {
                setup,
                complaints: Vec::new(),
                draft: Draft::default(),
                is_demo: true,
            });
        }
        let Gathered { setup, name, mut draft, warnings, .. } = gather(&Request {
            nvml,
            library: self.library.clone(),
            sysroot: self.sysroot.clone(),
            state: self.state.clone(),
            ..Request::default()
        });
        // What is chosen now is for what was read now.
        draft.entry = draft.entry.or(name);
        Ok(SetupReading { setup, complaints: warnings, draft, is_demo: false })
    }

    /// For a user without a home nothing is kept.
    fn save(&self, draft: &Draft) -> Result<(), String> {
        let Some(state) = &self.state else { return Ok(()) };
        let saved = DraftFile::new(state).save(draft);
        saved.map(drop).map_err(|error| error.to_string())
    }

    fn write(&self, order: &SetupOrder) -> SetupOutcome {
        let Some(state) = &self.state else {
            let why = "there is no home to keep a backup in, so nothing was written; set HOME";
            return Err(SetupNotWritten { why: why.to_owned(), command: None, steps: Vec::new() });
        };
        let applied = apply(&order.setup, &order.plan, &Destination::Planned, state);
        let applied = applied.map_err(not_written)?;
        DraftFile::new(state).forget_written(&order.plan);
        let unsynced = applied
            .written
            .unsynced
            .map(|error| format!("it may not outlast a power cut in the next seconds: {error}"));
        let warnings = applied.warnings.iter().map(ToString::to_string);
        Ok(SetupWritten {
            path: applied.written.path,
            backup: applied.written.backup,
            warnings: warnings.chain(unsynced).collect(),
            steps: lines(&applied.steps),
        })
    }
}

fn lines(steps: &[Step]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

fn not_written(error: ApplyError) -> SetupNotWritten {
    match error {
        ApplyError::Write {
            error: WriteError::NoPermission { path, source, saved, command },
            steps,
        } => SetupNotWritten {
            why: format!(
                "{} may not be written by you ({source}); the new text is in {}.",
                path.display(),
                saved.display()
            ),
            command: Some(command),
            steps: lines(&steps),
        },
        error => SetupNotWritten { why: error.to_string(), command: None, steps: Vec::new() },
    }
}
