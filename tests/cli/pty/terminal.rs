//! The program in a terminal of its own, and what that terminal shows.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, Termios, tcgetattr};

use crate::common::LIMIT;

/// A program whose terminal is a `vt100` screen.
pub(crate) struct Terminal {
    shown: Arc<Shown>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// The terminal's settings before the program came.
    before: Termios,
}

/// What the program has written.
pub(crate) struct Shown {
    parser: Mutex<vt100::Parser>,
    block: Mutex<()>,
}

impl Shown {
    /// Takes no output from the program until what this gives is dropped.
    pub(crate) fn block(&self) -> MutexGuard<'_, ()> {
        self.block.lock().unwrap()
    }
}

impl Terminal {
    /// Starts a command, with its environment, in a terminal of so many columns and rows.
    pub(crate) fn start(command: &Command, (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        builder.env_clear();
        builder.env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            builder.env(name, value.unwrap_or_default());
        }
        builder.cwd(command.get_current_dir().unwrap_or(Path::new("/")));
        let before = settings(&*pair.master);
        let child = pair.slave.spawn_command(builder).unwrap();
        let parser = Mutex::new(vt100::Parser::new(
            rows.try_into().unwrap(),
            columns.try_into().unwrap(),
            0,
        ));
        let shown = Arc::new(Shown { parser, block: Mutex::default() });
        let (reader, screen) = (pair.master.try_clone_reader().unwrap(), shown.clone());
        std::thread::spawn(move || show(reader, &screen));
        let keys = pair.master.take_writer().unwrap();
        Self { shown, master: pair.master, keys, child, before }
    }

    pub(crate) fn send(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.process_id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Gives the terminal another size, as a window manager does.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let mut parser = self.shown.parser.lock().unwrap();
        parser.screen_mut().set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// What takes the program's output; holding its `block` stops that.
    pub(crate) fn shown(&self) -> Arc<Shown> {
        self.shown.clone()
    }

    /// Writes over the whole screen.
    pub(crate) fn erase(&self) {
        self.shown.parser.lock().unwrap().process(b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[2J");
    }

    pub(crate) fn text(&self) -> String {
        self.shown.parser.lock().unwrap().screen().contents()
    }

    /// Waits until the screen is as the test wants it, and gives its text.
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) -> String {
        let start = Instant::now();
        loop {
            let parser = self.shown.parser.lock().unwrap();
            if is_so(parser.screen()) {
                return parser.screen().contents();
            }
            let text = parser.screen().contents();
            drop(parser);
            assert!(start.elapsed() < LIMIT, "no {what} on the screen:\n{text}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the screen has this text.
    pub(crate) fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contents().contains(text))
    }

    /// Waits for the program's end and gives its exit code.
    pub(crate) fn wait(&mut self) -> u32 {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(start.elapsed() < LIMIT, "the program does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn is_raw(&self) -> bool {
        !settings(&*self.master).local_modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// The terminal is as the program found it.
    pub(crate) fn assert_restored(&self) {
        self.wait_for("screen of before", |screen| !is_taken(screen));
        let after = settings(&*self.master);
        let modes = |termios: &Termios| {
            (termios.local_modes, termios.input_modes, termios.output_modes, termios.control_modes)
        };
        assert_eq!(modes(&after), modes(&self.before));
        assert!(after.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether anything of what the program switches on is on.
pub(crate) fn is_taken(screen: &vt100::Screen) -> bool {
    screen.alternate_screen()
        || screen.hide_cursor()
        || screen.bracketed_paste()
        || screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None
        || screen.mouse_protocol_encoding() != vt100::MouseProtocolEncoding::Default
}

/// Whether all of it is on.
pub(crate) fn is_whole(screen: &vt100::Screen) -> bool {
    screen.alternate_screen()
        && screen.hide_cursor()
        && screen.bracketed_paste()
        && screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None
        && screen.mouse_protocol_encoding() == vt100::MouseProtocolEncoding::Sgr
}

fn show(mut reader: Box<dyn Read + Send>, shown: &Shown) {
    let mut bytes = [0; 4096];
    let mut waiting = Vec::new();
    // A terminal whose last user has gone gives an error instead of an end.
    while let Some(read) = reader.read(&mut bytes).ok().filter(|read| *read > 0) {
        waiting.extend_from_slice(&bytes[..read]);
        let whole = whole_frames(&waiting);
        shown.parser.lock().unwrap().process(&waiting[..whole]);
        waiting.drain(..whole);
        drop(shown.block.lock().unwrap());
    }
    shown.parser.lock().unwrap().process(&waiting);
}

/// How much can be shown: like a terminal that knows synchronised updates, nothing of a frame before its end.
fn whole_frames(bytes: &[u8]) -> usize {
    let last = |mark: &[u8]| bytes.windows(mark.len()).rposition(|window| window == mark);
    let (begin, end) = (last(b"\x1b[?2026h"), last(b"\x1b[?2026l"));
    begin.filter(|begin| end.is_none_or(|end| end < *begin)).unwrap_or(bytes.len())
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, ..PtySize::default() }
}

/// The settings of the terminal behind a master.
fn settings(master: &dyn MasterPty) -> Termios {
    /// Not to become the test's own terminal by being opened (`O_NOCTTY`).
    const NOT_OURS: i32 = 0o400;
    let path = master.tty_name().unwrap();
    let terminal = OpenOptions::new().read(true).write(true).custom_flags(NOT_OURS).open(path);
    tcgetattr(terminal.unwrap()).unwrap()
}
