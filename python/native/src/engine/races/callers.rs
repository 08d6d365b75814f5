//! Accesses that no probe stands before: which code makes them, and whether that is watched.

use crate::interpreter::{code_text, frames};
use crate::thread::code_class;
use ftsan::races::mix;
use pyo3::ffi;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Whether a live code object is chosen to be watched.
pub(crate) type IsChosen = unsafe fn(*mut ffi::PyObject) -> bool;

static IS_CHOSEN: OnceLock<IsChosen> = OnceLock::new();
static INTERPRETER: AtomicPtr<ffi::PyInterpreterState> = AtomicPtr::new(std::ptr::null_mut());

/// To be called once, attached, before anything is hooked.
pub(crate) fn start(is_chosen: IsChosen) {
    let _ = IS_CHOSEN.set(is_chosen);
    // SAFETY: attached.
    INTERPRETER.store(unsafe { ffi::PyInterpreterState_Get() }, Ordering::Relaxed);
}

/// Whether the calling thread runs the interpreter that is watched.
pub(crate) fn is_main_interpreter() -> bool {
    // SAFETY: hooks run attached.
    std::ptr::eq(unsafe { ffi::PyInterpreterState_Get() }, INTERPRETER.load(Ordering::Relaxed))
}

/// Numbers for the instruction that runs, which no probe has, and for its function.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn site() -> (u32, u32) {
    const NO_PROBE: u32 = 1 << 31;
    // SAFETY: passed on.
    let Some(frame) = unsafe { frames::own() }.find_map(frames::Frame::raw) else { return (NO_PROBE, 0) };
    let number = mix(frame.code as u64 ^ u64::from(frame.offset) << 48);
    (number as u32 | NO_PROBE, (frame.code >> 4) as u32)
}

/// Whether what runs is done for watched code: that has called it, perhaps through the standard library, or has started a thread with it.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn is_watched() -> bool {
    let Some(is_chosen) = IS_CHOSEN.get() else { return false };
    // SAFETY: passed on; code on the own stack is alive, and so is the name of its file.
    unsafe {
        for frame in frames::own().filter_map(frames::Frame::raw) {
            if is_chosen(frame.code as *mut ffi::PyObject) {
                return true;
            }
            let mut length = 0;
            let file = ffi::PyUnicode_AsUTF8AndSize(code_text::filename(frame.code) as *mut ffi::PyObject, &raw mut length);
            if file.is_null() {
                ffi::PyErr_Clear();
                return false;
            }
            let file = std::slice::from_raw_parts(file.cast::<u8>(), length as usize);
            if !std::str::from_utf8(file).is_ok_and(code_class::is_of_standard_library) {
                return false;
            }
        }
    }
    true
}
