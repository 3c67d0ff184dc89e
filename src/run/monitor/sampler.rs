//! The thread that takes a sample at every interval.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::Message;
use super::findings::findings;
use crate::app::{Event, Outage};
use crate::cli::Cli;
use crate::model::{MetricSet, Sysroot};
use crate::run::open_source;
use crate::source::demo::PRESETS;
use crate::source::{Feed, Patience, Request};

/// What the loop asks of the thread.
enum Order {
    SetInterval(Duration),
    SampleNow,
    StartDemo,
}

/// The thread, as the loop sees it.
pub(super) struct Sampler(Sender<Order>);

impl Sampler {
    pub(super) fn start(cli: Cli, interval: Duration, sender: Sender<Message>) -> io::Result<Self> {
        let (orders, receiver) = mpsc::channel();
        let work = move || {
            let (feed, sysroot) = (Feed::new(open_source(&cli)), Sysroot::new(&cli.root));
            Sampling { cli, feed, sysroot, interval, sender, outage: None }.run(&receiver);
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

    pub(super) fn start_demo(&self) {
        self.tell(Order::StartDemo);
    }

    /// A thread that has ended takes no orders, and its last message says why.
    fn tell(&self, order: Order) {
        drop(self.0.send(order));
    }
}

struct Sampling {
    cli: Cli,
    feed: Feed,
    sysroot: Sysroot,
    interval: Duration,
    sender: Sender<Message>,
    /// What was last said of why there is no sample.
    outage: Option<Arc<Outage>>,
}

impl Sampling {
    /// Samples at the start and then at multiples of the interval; a sample that comes late is not made up for.
    fn run(mut self, orders: &Receiver<Order>) {
        let mut due = Instant::now();
        loop {
            let left = due.saturating_duration_since(Instant::now());
            match orders.recv_timeout(left) {
                Ok(Order::SetInterval(interval)) => {
                    self.interval = interval;
                    due = due.min(Instant::now() + interval);
                    continue;
                }
                Ok(Order::SampleNow) => due = Instant::now(),
                Ok(Order::StartDemo) => {
                    self.cli.demo = Some(&PRESETS[0]);
                    self.feed = Feed::new(open_source(&self.cli));
                    due = Instant::now();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if !self.sample() {
                return;
            }
            while due <= Instant::now() {
                due += self.interval;
            }
        }
    }

    /// Takes a sample and says whether somebody listens.
    fn sample(&mut self) -> bool {
        let taking = std::panic::AssertUnwindSafe(|| self.take());
        let event = std::panic::catch_unwind(taking).unwrap_or_else(|_| {
            // What a crash left half done is not gone on with.
            self.feed = Feed::new(open_source(&self.cli));
            let message = "taking a sample crashed the program's reader of the driver; it starts anew, and the report comes when you leave";
            Event::Outage(self.outage(message.to_owned()))
        });
        self.sender.send(Message::Event(event)).is_ok()
    }

    fn take(&mut self) -> Event {
        let patience = Patience::Tick { interval: self.interval };
        let request = Request { metrics: MetricSet::all(), processes: true, patience };
        match self.feed.next(&request) {
            Ok(snapshot) => {
                self.outage = None;
                Event::Sampled(snapshot)
            }
            Err(error) => Event::Outage(self.outage(error.to_string())),
        }
    }

    /// The outage with this message; what there is of a driver is looked for when the message is new.
    fn outage(&mut self, message: String) -> Arc<Outage> {
        let known = self.outage.take().filter(|outage| outage.message == message);
        let outage = known
            .unwrap_or_else(|| Arc::new(Outage { message, findings: findings(&self.sysroot) }));
        self.outage = Some(outage.clone());
        outage
    }
}
