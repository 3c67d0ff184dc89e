//! The monitor: the loop that turns events into state and state into frames, and the threads around it.

mod input;
mod log;
mod rhythm;
mod sampler;
mod setup;
mod signals;
mod suspend;

use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::{self, Receiver, Sender};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::terminal::{self, Writer};
use super::{Failure, crash};
use crate::app::{Effect, Event, State, update};
use crate::cli::{Cli, Exit};
use crate::config::{Config, Keymap, Overlay, Paths};
use crate::theme::{Depth, Environment, Glyphs, Theme, Warning};
use crate::ui::{Hits, view};
use log::Log;
use sampler::Sampler;
use setup::SetupThread;

/// What a thread tells the loop.
enum Message {
    /// Something that changes the state.
    Event(Event),
    /// The mouse was used; what it hit depends on the picture.
    Mouse(crossterm::event::MouseEvent),
    /// The program is asked to leave with this code.
    Leave(Exit),
    /// The program is asked to stop until it is continued.
    Stop,
    /// The program was continued; what became of the terminal is not known.
    Continued,
    /// The terminal has another size.
    Resized,
    /// A thread of this name crashed.
    Crashed(String),
}

/// How the monitor ends, where it does.
type Turn = ControlFlow<Result<Exit, Failure>>;

/// The threads that the monitor cannot do without; what the others do is done again or shown as missing.
const VITAL: [&str; 3] = ["writer", "input", "signals"];

/// Runs the monitor until it is left.
pub(super) fn run(cli: Cli) -> Result<Exit, Failure> {
    if !rustix::termios::isatty(rustix::stdio::stdin())
        || !rustix::termios::isatty(rustix::stdio::stdout())
    {
        return Err(Failure::Usage(
            "the monitor needs a terminal; over ssh use ssh -t, or take one sample with --once",
        ));
    }
    let environment = Environment::new(|name| std::env::var(name).ok());
    if let None | Some("dumb") = environment.term.as_deref() {
        return Err(Failure::Value(format!(
            "the monitor needs a terminal that can place the cursor, and TERM is {:?}; set it to what the terminal \
             is, such as xterm-256color, or take one sample with --once",
            environment.term.as_deref().unwrap_or_default()
        )));
    }
    let state = initial_state(&cli, &environment);
    let log = open_log(&state)?;
    let (sender, messages) = mpsc::channel();
    let told = sender.clone();
    // After the end nobody is there to hear of it.
    crash::watch(move |thread| drop(told.send(Message::Crashed(thread))));
    signals::start(sender.clone()).map_err(Failure::Thread)?;
    let guard = terminal::enter().map_err(Failure::Terminal)?;
    let end = Monitor::start(cli, state, log, &sender)
        .map_err(Failure::Thread)
        .and_then(|mut monitor| monitor.run(&messages));
    drop(guard);
    crash::unwatch();
    end
}

/// The settings of the file and the command line, and what follows from them. A file that cannot be used is told of,
/// and counts for nothing.
fn initial_state(cli: &Cli, environment: &Environment) -> State {
    let paths = Paths::of_user();
    let file = paths.as_ref().map_or(Ok(None), |paths| Overlay::read(&paths.settings()));
    let (file, trouble) = match file {
        Ok(file) => (file.unwrap_or_default(), None),
        Err(error) => (Overlay::default(), Some(format!("{error}. Until then the defaults hold."))),
    };
    let config = Config::default().with(file).with(cli.settings.clone());
    let themes = paths.as_ref().map(Paths::themes);
    let (theme, warnings) =
        Theme::load(&config.theme, themes.as_deref(), Depth::detect(environment));
    let size = terminal::size();
    let glyphs = Glyphs::detect(environment);
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    let mut state = State::new(config, Keymap::default(), theme, glyphs, visible, size);
    state.notice = trouble.or_else(|| theme_trouble(&warnings));
    state
}

/// The first of the things that are wrong with the theme, how many more there are, and what holds instead.
fn theme_trouble(warnings: &[Warning]) -> Option<String> {
    let first = warnings.first()?;
    let more = match warnings.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    // One without a place says itself which theme is used instead.
    let rest = if first.place.is_some() { " The rest of the theme is used." } else { "" };
    Some(format!("{first}{more}.{rest}"))
}

/// The log that is asked for. A monitor without the log that it was started for would be found out the next morning.
fn open_log(state: &State) -> Result<Option<Log>, Failure> {
    let Some(path) = state.config.log.path() else { return Ok(None) };
    let log = Log::open(path);
    log.map(Some).map_err(|error| Failure::Log { path: path.to_owned(), error })
}

struct Monitor {
    state: State,
    log: Option<Log>,
    hits: Hits,
    writer: Writer,
    sampler: Sampler,
    setup: SetupThread,
    /// The buffer that the next frame is drawn into.
    spare: Buffer,
    effects: Vec<Effect>,
}

impl Monitor {
    fn start(
        cli: Cli,
        state: State,
        log: Option<Log>,
        sender: &Sender<Message>,
    ) -> io::Result<Self> {
        let writer = Writer::start()?;
        input::start(sender.clone())?;
        let interval = state.config.interval.duration();
        let setup = SetupThread::start(&cli, sender.clone())?;
        let sampler = Sampler::start(cli, interval, sender.clone())?;
        let (hits, spare, effects) = (Hits::default(), Buffer::default(), Vec::new());
        Ok(Self { state, log, hits, writer, sampler, setup, spare, effects })
    }

    fn run(&mut self, messages: &Receiver<Message>) -> Result<Exit, Failure> {
        loop {
            self.draw();
            if let ControlFlow::Break(end) = self.turn(messages) {
                return end;
            }
        }
    }

    fn draw(&mut self) {
        let (width, height) = self.state.size;
        let mut frame = std::mem::take(&mut self.spare);
        frame.resize(Rect::new(0, 0, width, height));
        self.hits = view(&self.state, &mut frame);
        self.spare = self.writer.show(frame);
    }

    /// Waits for a message and works through all that have come.
    fn turn(&mut self, messages: &Receiver<Message>) -> Turn {
        let first = messages.recv().ok();
        // A sender is kept as long as the monitor runs.
        let Some(first) = first else { return Turn::Break(Ok(Exit::Ok)) };
        std::iter::once(first).chain(messages.try_iter()).try_for_each(|message| self.hear(message))
    }

    fn hear(&mut self, message: Message) -> Turn {
        match message {
            Message::Leave(exit) => return Turn::Break(Ok(exit)),
            Message::Stop => self.stop_alone()?,
            Message::Continued => self.take_terminal()?,
            Message::Resized => self.fit(),
            Message::Crashed(thread) => return self.crashed(thread),
            Message::Event(event) => {
                if let Some(log) = &mut self.log {
                    log.hear(&event);
                }
                update(&mut self.state, event, &mut self.effects);
            }
            Message::Mouse(mouse) => {
                if let Some(event) = input::aim(mouse, &self.hits) {
                    update(&mut self.state, event, &mut self.effects);
                }
            }
        }
        let effects = std::mem::take(&mut self.effects);
        effects.into_iter().try_for_each(|effect| self.perform(effect))
    }

    /// Does what the state asked for.
    fn perform(&mut self, effect: Effect) -> Turn {
        match effect {
            Effect::Quit => return Turn::Break(Ok(Exit::Ok)),
            Effect::Suspend => return self.suspend(),
            Effect::Redraw => self.writer.redraw(),
            Effect::SetInterval(interval) => self.sampler.set_interval(interval),
            Effect::SampleNow => self.sampler.sample_now(),
            Effect::Wake => self.sampler.wake(),
            Effect::StartDemo => {
                self.sampler.start_demo();
                self.setup.start_demo();
            }
            Effect::ReadSetup => self.setup.read(self.state.newest.as_deref()),
            Effect::SaveDraft(draft) => self.setup.save(draft),
            Effect::WriteSetup(order) => self.setup.write(order),
        }
        Turn::Continue(())
    }

    fn crashed(&mut self, thread: String) -> Turn {
        if let Some(log) = &self.log {
            log.say(&format!("the thread {thread} crashed"));
        }
        if VITAL.contains(&thread.as_str()) {
            return Turn::Break(Err(Failure::Crash(thread)));
        }
        self.state.notice =
            Some(format!("The thread {thread} crashed; its report comes when you leave."));
        Turn::Continue(())
    }
}
