//! What is asked of the running machine besides its files: the environment, systemd and NVML.

use std::env;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::model::{Absent, Fact, Metric, MetricSet, Sysroot};
use crate::setup::facts::{Nvml, SERVICES, Surroundings, UNIT_PROPERTIES, VARIABLES};
use crate::source::nvml::{NvmlOptions, NvmlSource};
use crate::source::{self, Patience, Source as _, SystemClock};

/// How long systemd, and NVML, are waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is read of systemd's answer, which is a hundredth of it.
const MOST_BYTES: u64 = 1 << 20;
/// The folder that is there while systemd runs.
const SYSTEMD: &str = "/run/systemd/system";
/// What a loaded driver says of itself.
const DRIVER: &str = "/proc/driver/nvidia/version";

/// Asks at most systemd and NVML, side by side. `nvml` is what NVML said already, if it was asked before.
pub(super) fn surroundings(
    sysroot: &Sysroot,
    nvml: Option<Nvml>,
    library: Option<&Path>,
) -> Surroundings {
    let variables = VARIABLES.iter().filter_map(|name| {
        let value = env::var_os(name)?;
        Some(((*name).to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    let ask = || nvml.map_or_else(|| ask_nvml(sysroot, library), Ok);
    let (systemctl, nvml) = thread::scope(|scope| {
        let asking = thread::Builder::new().name("nvml".to_owned()).spawn_scoped(scope, ask);
        let systemctl = ask_systemctl(sysroot);
        let nvml = asking
            .map_or(Err(Absent::Unknown), |asking| asking.join().unwrap_or(Err(Absent::Unknown)));
        (systemctl, nvml)
    });
    Surroundings {
        environment: variables.collect(),
        machine: Ok(rustix::system::uname().machine().to_string_lossy().into_owned()),
        systemctl,
        nvml,
    }
}

/// One quick look, where a driver is loaded. A GPU that sleeps goes on sleeping.
fn ask_nvml(sysroot: &Sysroot, library: Option<&Path>) -> Fact<Nvml> {
    if !sysroot.path(DRIVER).exists() {
        return Err(Absent::NotFound);
    }
    let mut source = NvmlSource::new(NvmlOptions {
        library: library.map(Path::to_owned),
        sysroot: sysroot.clone(),
        clock: Arc::new(SystemClock),
        wake: false,
    });
    let request = source::Request {
        metrics: MetricSet::NONE.with(Metric::PersistenceMode),
        processes: false,
        patience: Patience::Quick { limit: PATIENCE },
    };
    let snapshot = source.sample(&request).map_err(|_| Absent::Unknown)?;
    Nvml::of(&snapshot.inventory, &snapshot.sample)
}

/// What `systemctl show` says of the services around the driver, where systemd runs.
fn ask_systemctl(sysroot: &Sysroot) -> Fact<String> {
    if !sysroot.path(SYSTEMD).is_dir() {
        return Err(Absent::NotFound);
    }
    let program = in_path("systemctl").ok_or(Absent::NotFound)?;
    let mut command = Command::new(program);
    command.args(["show", "--no-pager"]).arg(format!("--property={}", UNIT_PROPERTIES.join(",")));
    command.args(SERVICES).env("LC_ALL", "C").stdin(Stdio::null()).stderr(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|_| Absent::Unknown)?;
    let answer =
        child.stdout.take().ok_or(Absent::Unknown).and_then(|pipe| in_time(pipe, PATIENCE));
    end(child);
    answer
}

/// Whether a command ends well in time; one that does not end is ended.
pub(super) fn succeeds(mut command: Command, limit: Duration) -> bool {
    // What only the child holds closes when the child ends.
    let Ok(mut child) = command.stdout(Stdio::piped()).spawn() else { return false };
    let done = child.stdout.take().is_some_and(|pipe| in_time(pipe, limit).is_ok());
    let code = if done { child.wait().ok() } else { None };
    if !done {
        end(child);
    }
    code.is_some_and(|code| code.success())
}

/// The program of this name that the shell would run.
pub(super) fn in_path(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// What comes out of the pipe until its end, if that comes in time.
fn in_time(pipe: ChildStdout, limit: Duration) -> Fact<String> {
    let (sender, receiver) = mpsc::channel();
    let read = move || {
        let mut bytes = Vec::new();
        let done = pipe.take(MOST_BYTES).read_to_end(&mut bytes);
        // Nobody listens any more where the time was over.
        let _ = sender.send(done.map(|_| bytes));
    };
    let thread = thread::Builder::new().name("answer".to_owned()).spawn(read);
    thread.map_err(|_| Absent::Unknown)?;
    match receiver.recv_timeout(limit) {
        Ok(Ok(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Ok(Err(_)) => Err(Absent::Unknown),
        Err(_) => Err(Absent::Stale),
    }
}

/// Ends the child that was started, and waits for it elsewhere: one inside the kernel may not end at once.
fn end(mut child: Child) {
    // One that has ended cannot be killed, and need not be.
    let _ = child.kill();
    let _ = thread::Builder::new().name("reaper".to_owned()).spawn(move || child.wait());
}
