//! Pointers as a C caller passes them, and the writing through them.
//!
//! An [`Out`] or a [`Words`] comes into being in one way only: as a parameter of an exported
//! `unsafe extern "C"` function, whose caller vouches for what NVML's header asks of the argument.
//! That is what the `unsafe` blocks here rest on, and why no export needs one of its own.
#![expect(unsafe_code, reason = "writing through the caller's pointers is what a C library does")]

use std::ffi::{CStr, c_char};

use nvml_wrapper_sys::bindings as sys;

use crate::cast;
use crate::code::{Answer, Code};
use crate::world::MOST_GPUS;

/// A device handle as C sees it; it is never followed.
pub(crate) type Handle = sys::nvmlDevice_t;

const GPU_TAG: usize = 0x4e56;
const MIG_TAG: usize = 0x4d49;

/// What a handle stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) generation: u32,
    pub(crate) gpu: u32,
    /// The slot of a MIG device.
    pub(crate) slot: Option<u32>,
}

impl Target {
    pub(crate) fn to_handle(self) -> Handle {
        let (tag, low) = match self.slot {
            None => (GPU_TAG, self.gpu),
            Some(slot) => (MIG_TAG, (self.gpu & 0xf) << 4 | (slot & 0xf)),
        };
        let low = (self.generation & 0xff) << 8 | (low & 0xff);
        std::ptr::without_provenance_mut(tag << 16 | usize::try_from(low).unwrap_or(0))
    }

    pub(crate) fn of(handle: Handle) -> Option<Self> {
        let bits = handle.addr();
        let byte = |shift: u32| u32::try_from(bits >> shift & 0xff).unwrap_or(0);
        let (generation, low) = (byte(8), byte(0));
        match bits >> 16 {
            GPU_TAG if usize::try_from(low).is_ok_and(|gpu| gpu < MOST_GPUS) => {
                Some(Self { generation, gpu: low, slot: None })
            }
            MIG_TAG => Some(Self { generation, gpu: low >> 4, slot: Some(low & 0xf) }),
            _ => None,
        }
    }
}

/// A pointer that the library is to write to; it may be null.
#[repr(transparent)]
pub(crate) struct Out<T>(*mut T);

impl<T> Clone for Out<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Out<T> {}

impl<T: Copy> Out<T> {
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    pub(crate) fn put(self, value: T) -> Answer {
        if self.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        // SAFETY: not null, and the C caller vouches that a `T` fits behind the pointer.
        unsafe { self.0.write_unaligned(value) };
        Ok(())
    }

    /// Reads what the caller put there: for arguments that go both ways.
    pub(crate) fn get(self) -> Answer<T> {
        if self.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        // SAFETY: not null, and the C caller vouches that it filled in a `T`.
        Ok(unsafe { self.0.read_unaligned() })
    }

    /// The place `index` entries on in the caller's array.
    pub(crate) fn at(self, index: usize) -> Self {
        Self(self.0.wrapping_add(index))
    }

    /// The same place, holding another type.
    pub(crate) fn cast<U>(self) -> Out<U> {
        Out(self.0.cast())
    }

    /// A field of the caller's struct, for structs of which only a part may be there.
    pub(crate) fn field<U>(self, offset: usize) -> Out<U> {
        Out(self.0.wrapping_byte_add(offset).cast())
    }

    /// Reads a struct that begins with its version, once the version is the one expected.
    pub(crate) fn versioned(self, version: u32) -> Answer<T> {
        if self.cast::<u32>().get()? == struct_version::<T>(version) {
            self.get()
        } else {
            Err(Code::VERSION_MISMATCH)
        }
    }
}

impl<T> Out<T> {
    /// A pointer inside a struct that the caller passed.
    pub(crate) fn inner(pointer: *mut T) -> Self {
        Self(pointer)
    }
}

/// What a caller must write into the first field of a versioned struct.
pub(crate) fn struct_version<T>(version: u32) -> u32 {
    cast::count(size_of::<T>()) | version << 24
}

/// A text that the caller passed; it may be null.
#[repr(transparent)]
pub(crate) struct Words(*const c_char);

impl Words {
    pub(crate) fn read(&self) -> Answer<&str> {
        if self.0.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        // SAFETY: not null, and the C caller vouches that the text ends in a NUL.
        let text = unsafe { CStr::from_ptr(self.0) };
        text.to_str().map_err(|_| Code::INVALID_ARGUMENT)
    }
}

/// Fills a C array with a text, cut where it does not fit, and a NUL.
pub(crate) fn chars<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    let fitting = array.iter_mut().take(N.saturating_sub(1));
    for (to, from) in fitting.zip(text.bytes()) {
        *to = c_char::from_ne_bytes([from]);
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_comes_back_as_it_went() {
        for (gpu, slot) in [(0, None), (63, None), (0, Some(0)), (15, Some(6))] {
            let target = Target { generation: 0xab, gpu, slot };
            assert_eq!(Target::of(target.to_handle()), Some(target));
        }
        let first = Target { generation: 1, gpu: 2, slot: None };
        assert_eq!(first.to_handle().addr(), 0x4e56_0102);
    }

    #[test]
    fn other_numbers_are_no_handles() {
        for bits in [0, 1, 0x4e56_0040, 0x7fff_dead_beef, usize::MAX] {
            assert_eq!(Target::of(std::ptr::without_provenance_mut(bits)), None);
        }
    }

    #[test]
    fn a_text_is_cut_before_its_nul() {
        assert_eq!(chars::<4>("abcdef").map(|c| c.to_ne_bytes()[0]), *b"abc\0");
    }
}
