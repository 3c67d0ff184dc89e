//! The thread that waits for signals.

use std::io;
use std::sync::mpsc::Sender;
use std::task::{Context, Poll};

use rustix::process::Signal as Number;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Message;
use crate::cli::Exit;

/// What a signal tells the loop.
type Meaning = fn() -> Message;

/// Each signal that means something, and what.
const MEANINGS: [(Number, Meaning); 7] = [
    (Number::TERM, || Message::Leave(Exit::Terminated)),
    (Number::HUP, || Message::Leave(Exit::HungUp)),
    (Number::INT, || Message::Leave(Exit::Interrupted)),
    (Number::QUIT, || Message::Leave(Exit::QuitBySignal)),
    (Number::TSTP, || Message::Stop),
    (Number::CONT, || Message::Continued),
    (Number::WINCH, || Message::Resized),
];

/// Starts the thread, which ends with the program. Once this returns, no signal ends the program by itself.
pub(super) fn start(sender: Sender<Message>) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let mut streams = {
        let _inside = runtime.enter();
        let stream = |(number, meaning): (Number, Meaning)| {
            Ok((signal(SignalKind::from_raw(number.as_raw()))?, meaning))
        };
        MEANINGS.into_iter().map(stream).collect::<io::Result<Vec<_>>>()?
    };
    let wait = move || {
        while sender.send(runtime.block_on(next(&mut streams))).is_ok() {}
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
}

async fn next(streams: &mut [(Signal, Meaning)]) -> Message {
    std::future::poll_fn(|context: &mut Context<'_>| {
        let came = streams
            .iter_mut()
            .find_map(|(signal, meaning)| signal.poll_recv(context).is_ready().then_some(*meaning));
        came.map_or(Poll::Pending, |meaning| Poll::Ready(meaning()))
    })
    .await
}
