//! The thread that takes a sample at every interval.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::Message;
use super::rhythm::Rhythm;
use crate::app::{Event, Outage};
use crate::cli::Cli;
use crate::model::{Absent, GpuState, MetricSet, Sysroot};
use crate::run::open_source;
use crate::source::demo::PRESETS;
use crate::source::host::findings;
use crate::source::{Feed, Patience, Request, Snapshot, SourceError};

/// What the loop asks of the thread.
#[derive(Clone, Copy)]
enum Order {
    SetInterval(Duration),
    SampleNow,
    Wake,
    StartDemo,
}

/// The thread, as the loop sees it.
pub(super) struct Sampler(Sender<Order>);

impl Sampler {
    pub(super) fn start(cli: Cli, interval: Duration, sender: Sender<Message>) -> io::Result<Self> {
        let (orders, receiver) = mpsc::channel();
        let work = move || {
            let (feed, sysroot) = (Feed::new(open_source(&cli)), Sysroot::new(&cli.root));
            Sampling { cli, feed, sysroot, interval, sender }.run(&receiver);
        };
        std::thread::Builder::new().name("sampler".to_owned()).spawn(work)?;
        Ok(Self(orders))
    }

    pub(super) fn set_interval(&self, interval: Duration) {
        self.tell(Order::SetInterval(interval));
    }

    pub(super) fn sample_now(&self) {
        self.tell(Order::SampleNow);
    }

    pub(super) fn wake(&self) {
        self.tell(Order::Wake);
    }

    pub(super) fn start_demo(&self) {
        self.tell(Order::StartDemo);
    }

    /// A thread that has ended takes no orders, and its last message says why.
    fn tell(&self, order: Order) {
        let _ = self.0.send(order);
    }
}

struct Sampling {
    cli: Cli,
    feed: Feed,
    sysroot: Sysroot,
    interval: Duration,
    sender: Sender<Message>,
}

impl Sampling {
    /// Samples for as long as somebody listens.
    fn run(mut self, orders: &Receiver<Order>) {
        let mut rhythm = Rhythm::new(self.interval, Instant::now());
        loop {
            match orders.recv_timeout(rhythm.left(Instant::now())) {
                Ok(order) => self.obey(order, &mut rhythm),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    let event = self.sample();
                    rhythm.sampled(is_whole(&event), Instant::now());
                    if self.sender.send(Message::Event(event)).is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn obey(&mut self, order: Order, rhythm: &mut Rhythm) {
        match order {
            Order::SetInterval(interval) => {
                self.interval = interval;
                rhythm.set_interval(interval, Instant::now());
            }
            Order::SampleNow => rhythm.hurry(Instant::now()),
            Order::Wake => self.feed.wake(),
            Order::StartDemo => {
                self.cli.demo = Some(&PRESETS[0]);
                self.feed = Feed::new(open_source(&self.cli));
                *rhythm = Rhythm::new(self.interval, Instant::now());
            }
        }
    }

    fn sample(&mut self) -> Event {
        let taking = std::panic::AssertUnwindSafe(|| self.take());
        std::panic::catch_unwind(taking).unwrap_or_else(|_| {
            // What a crash left half done is not gone on with.
            self.feed = Feed::new(open_source(&self.cli));
            let message = "taking a sample crashed the program's reader of the driver; it starts anew, and the report comes when you leave";
            Event::Outage(self.outage(message.to_owned(), &[]))
        })
    }

    fn take(&mut self) -> Event {
        let patience = Patience::Tick { interval: self.interval };
        let request = Request { metrics: MetricSet::all(), processes: true, patience };
        match self.feed.next(&request) {
            Ok(snapshot) => Event::Sampled(snapshot),
            Err(SourceError::Opening(sentence)) => Event::Opening(sentence),
            Err(SourceError::NothingFound { tried }) => {
                Event::Outage(self.outage(SourceError::NOTHING_FOUND.to_owned(), &tried))
            }
            Err(error) => Event::Outage(self.outage(error.to_string(), &[])),
        }
    }

    /// The outage with this message, what there is of a driver now, and where a library was looked for.
    fn outage(&self, message: String, tried: &[String]) -> Arc<Outage> {
        let searched = (!tried.is_empty()).then(|| format!("NVML: not in {}", tried.join(", ")));
        Arc::new(Outage {
            message,
            findings: findings(&self.sysroot).into_iter().chain(searched).collect(),
        })
    }
}

/// Whether nothing is to be expected before the interval is over.
fn is_whole(event: &Event) -> bool {
    match event {
        Event::Sampled(snapshot) => !is_awaited(snapshot),
        _ => false,
    }
}

/// Whether a GPU has not said yet who it is, and may still do so soon.
fn is_awaited(snapshot: &Snapshot) -> bool {
    let mut gpus = snapshot.inventory.gpus.iter().zip(&snapshot.sample.gpus);
    gpus.any(|(gpu, now)| {
        gpu.name == Err(Absent::NotReadYet) && !matches!(now.state, GpuState::Stuck { .. })
    })
}
