//! The fake driver as a test holds it: a loaded copy of the library, and its controls.
#![expect(unsafe_code, reason = "loads a shared library and calls the controls it exports")]

use std::ffi::{CString, c_char};
use std::fmt;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libloading::Library;
use serde::de::DeserializeOwned;

use crate::exports;
use crate::location::library_path;
use crate::log::{CallCount, LoggedCall};
use crate::patch::strip_symbols;
use crate::presets::preset_toml;
use crate::source::Source;
use crate::world::World;

/// The name that programs look for.
const SONAME: &str = "libnvidia-ml.so.1";
const LONGEST_ERROR: usize = 4096;

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A loaded copy of the fake library, apart from every other copy.
pub struct Fake {
    /// Never unloaded: a call that hangs may still be inside.
    library: ManuallyDrop<Library>,
    path: PathBuf,
    folder: PathBuf,
}

/// A copy of the library for another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The library, under the name that programs look for.
    pub library: PathBuf,
    /// The scenario, for `FAKE_NVML_SCENARIO`.
    pub scenario: PathBuf,
}

/// Why there is no fake driver.
#[derive(Debug)]
pub enum FakeError {
    /// The running program could not tell where it lies.
    NoProgram(std::io::Error),
    /// The shared library does not lie beside the running program.
    NotBuilt {
        /// The running program.
        program: PathBuf,
    },
    /// There is no preset of that name.
    NoPreset(String),
    /// The scenario is wrong.
    Scenario(String),
    /// A file could not be written or read.
    File(PathBuf, std::io::Error),
    /// The copy could not be loaded.
    Load(libloading::Error),
}

impl fmt::Display for FakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProgram(error) => write!(f, "cannot tell where this program lies: {error}"),
            Self::NotBuilt { program } => write!(
                f,
                "libfake_nvml.so does not lie beside {}: it is built with the tests of a package \
                 that depends on fake-nvml",
                program.display()
            ),
            Self::NoPreset(name) => write!(f, "`{name}` is not a preset"),
            Self::Scenario(error) => write!(f, "bad scenario: {error}"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Load(error) => write!(f, "cannot load the fake library: {error}"),
        }
    }
}

impl std::error::Error for FakeError {}

impl Fake {
    /// A fake driver from one of the presets.
    pub fn preset(name: &str) -> Result<Self, FakeError> {
        let toml = preset_toml(name).ok_or_else(|| FakeError::NoPreset(name.to_owned()))?;
        Self::scenario(toml)
    }

    /// A fake driver from a scenario.
    pub fn scenario(toml: &str) -> Result<Self, FakeError> {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("fake-nvml-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let loaded = Self::load(&folder, toml);
        if loaded.is_err() {
            // The error at hand says more than one about the folder could.
            let _ = std::fs::remove_dir_all(&folder);
        }
        loaded
    }

    fn load(folder: &Path, toml: &str) -> Result<Self, FakeError> {
        let path = Self::write_variant(folder, toml)?.library;
        // SAFETY: the file is a copy of this crate's own library, whose initialisers are Rust's.
        let library = unsafe { Library::new(&path) }.map_err(FakeError::Load)?;
        let library = ManuallyDrop::new(library);
        let fake = Self { library, path, folder: folder.to_owned() };
        fake.change(b"fakenvml_load_toml\0", toml)?;
        Ok(fake)
    }

    /// Writes the library, without the symbols that the scenario says are missing, and the
    /// scenario into a folder, for a child process.
    pub fn write_variant(folder: &Path, toml: &str) -> Result<Variant, FakeError> {
        let source = Source::read(toml).map_err(FakeError::Scenario)?;
        let world = source.resolve().and_then(|scenario| World::build(scenario, 0));
        let missing = world.map_err(FakeError::Scenario)?.lib.missing;
        let original = library_path()?;
        let mut bytes = read(&original)?;
        strip_symbols(&mut bytes, &missing).map_err(FakeError::Scenario)?;
        let at = |error| FakeError::File(folder.to_owned(), error);
        std::fs::create_dir_all(folder).map_err(at)?;
        let variant =
            Variant { library: folder.join(SONAME), scenario: folder.join("scenario.toml") };
        write(&variant.library, &bytes)?;
        write(&variant.scenario, toml.as_bytes())?;
        Ok(variant)
    }

    /// The library file to load instead of NVIDIA's.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let us = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        // SAFETY: the control of that name takes one 64-bit number and returns nothing.
        if let Ok(advance) =
            unsafe { self.library.get::<unsafe extern "C" fn(u64)>(b"fakenvml_advance_us\0") }
        {
            // SAFETY: any number will do.
            unsafe { advance(us) };
        }
    }

    /// The time of the clock.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        // SAFETY: the control of that name takes nothing and returns one 64-bit number.
        let now =
            unsafe { self.library.get::<unsafe extern "C" fn() -> u64>(b"fakenvml_now_us\0") };
        // SAFETY: it may be called at any time.
        now.map_or(0, |now| unsafe { now() })
    }

    /// Lays a scenario over the present one: tables win key by key, lists (`[[fault]]`, `[[gpu]]`)
    /// win whole. Clock and handles go on.
    pub fn update(&self, toml: &str) -> Result<(), FakeError> {
        self.change(b"fakenvml_update_toml\0", toml)
    }

    /// Lets all calls go that hang now.
    pub fn release(&self) {
        self.command(b"fakenvml_release\0");
    }

    /// How often each function was called, in all and for each GPU.
    #[must_use]
    pub fn calls(&self) -> Vec<CallCount> {
        self.json(b"fakenvml_counts_json\0")
    }

    /// The last calls, oldest first.
    #[must_use]
    pub fn call_log(&self) -> Vec<LoggedCall> {
        self.json(b"fakenvml_call_log_json\0")
    }

    /// Forgets counts, calls and violations.
    pub fn clear_log(&self) {
        self.command(b"fakenvml_clear_log\0");
    }

    /// What the caller did that it must not: stale handles, setters, calls after the shutdown.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.json(b"fakenvml_violations_json\0")
    }

    /// The functions of NVML that the library exports where none is missing.
    #[must_use]
    pub fn functions_exported() -> &'static [&'static str] {
        &exports::NAMES
    }

    fn command(&self, name: &[u8]) {
        // SAFETY: every control called this way takes and returns nothing.
        if let Ok(command) = unsafe { self.library.get::<unsafe extern "C" fn()>(name) } {
            // SAFETY: it may be called at any time.
            unsafe { command() };
        }
    }

    fn change(&self, name: &[u8], toml: &str) -> Result<(), FakeError> {
        type Change = unsafe extern "C" fn(*const c_char, *mut u8, usize) -> usize;
        let toml = CString::new(toml).map_err(|error| FakeError::Scenario(error.to_string()))?;
        // SAFETY: both controls that change the scenario have this type.
        let change = unsafe { self.library.get::<Change>(name) }.map_err(FakeError::Load)?;
        let mut error = vec![0; LONGEST_ERROR];
        // SAFETY: the text ends in a NUL, and the buffer is as long as it is said to be.
        let length = unsafe { change(toml.as_ptr(), error.as_mut_ptr(), error.len()) };
        if length == 0 {
            return Ok(());
        }
        let text = error.get(..length).unwrap_or(b"the error does not fit");
        Err(FakeError::Scenario(String::from_utf8_lossy(text).into_owned()))
    }

    /// Reads what a control writes; the log may grow between asking for its size and reading it.
    fn json<T: DeserializeOwned + Default>(&self, name: &[u8]) -> T {
        type Json = unsafe extern "C" fn(*mut u8, usize) -> usize;
        // SAFETY: all controls that write JSON have this type.
        let Ok(read) = (unsafe { self.library.get::<Json>(name) }) else { return T::default() };
        let mut buffer = vec![0; 1 << 16];
        loop {
            // SAFETY: the buffer is as long as it is said to be.
            let length = unsafe { read(buffer.as_mut_ptr(), buffer.len()) };
            match buffer.get(..length) {
                Some(text) => return serde_json::from_slice(text).unwrap_or_default(),
                None => buffer.resize(length * 2, 0),
            }
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        // What stays behind in the folder for temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").field("path", &self.path).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FakeError> {
    std::fs::read(path).map_err(|error| FakeError::File(path.to_owned(), error))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FakeError> {
    std::fs::write(path, bytes).map_err(|error| FakeError::File(path.to_owned(), error))
}
