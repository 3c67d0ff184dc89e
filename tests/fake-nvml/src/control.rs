//! The functions by which a test steers a loaded copy, beside those of NVML.
#![expect(unsafe_code, reason = "exports of a C library")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::abi::{Out, Words};
use crate::state::{Library, library};

/// Replaces the scenario. Returns 0, or the length of the error text written to `error`.
#[unsafe(no_mangle)]
unsafe extern "C" fn fakenvml_load_toml(toml: Words, error: Out<u8>, room: usize) -> usize {
    change(&toml, error, room, Library::load)
}

/// Lays a scenario over the present one; otherwise as `fakenvml_load_toml`.
#[unsafe(no_mangle)]
unsafe extern "C" fn fakenvml_update_toml(toml: Words, error: Out<u8>, room: usize) -> usize {
    change(&toml, error, room, Library::update)
}

#[unsafe(no_mangle)]
extern "C" fn fakenvml_advance_us(us: u64) {
    library().clock.advance(us);
}

#[unsafe(no_mangle)]
extern "C" fn fakenvml_now_us() -> u64 {
    library().clock.now()
}

/// Lets all calls go that hang now.
#[unsafe(no_mangle)]
extern "C" fn fakenvml_release() {
    library().gate.release();
}

#[unsafe(no_mangle)]
extern "C" fn fakenvml_clear_log() {
    library().log.clear();
}

/// Writes JSON where it fits, and returns its length either way. So do the two after it.
#[unsafe(no_mangle)]
unsafe extern "C" fn fakenvml_call_log_json(out: Out<u8>, room: usize) -> usize {
    write(&json(|library| serde_json::to_string(&library.log.calls())), out, room)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fakenvml_counts_json(out: Out<u8>, room: usize) -> usize {
    write(&json(|library| serde_json::to_string(&library.log.counts())), out, room)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fakenvml_violations_json(out: Out<u8>, room: usize) -> usize {
    write(&json(|library| serde_json::to_string(&library.log.violations())), out, room)
}

fn change(
    toml: &Words,
    error: Out<u8>,
    room: usize,
    how: fn(&Library, &str) -> Result<(), String>,
) -> usize {
    let changed = catch_unwind(AssertUnwindSafe(|| match toml.read() {
        Ok(toml) => how(library(), toml),
        Err(_) => Err("the scenario is not UTF-8".to_owned()),
    }));
    match changed {
        Ok(Ok(())) => 0,
        Ok(Err(text)) => write(&text, error, room),
        Err(_) => write("the fake library itself panicked", error, room),
    }
}

fn json(read: impl FnOnce(&Library) -> serde_json::Result<String>) -> String {
    let text = catch_unwind(AssertUnwindSafe(|| read(library())));
    text.ok().and_then(Result::ok).unwrap_or_else(|| "null".to_owned())
}

fn write(text: &str, out: Out<u8>, room: usize) -> usize {
    if text.len() <= room {
        for (i, byte) in text.bytes().enumerate() {
            // A null pointer takes nothing; the length still says how much there would be.
            let _ = out.at(i).put(byte);
        }
    }
    text.len()
}
