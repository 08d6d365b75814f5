//! Child processes as a way from one thread to another: the bytes that a child reads from one pipe may be why it writes to another
//! one, and why it ends.
//!
//! All pipes of a child count as one, and so does its end.  Pipes and processes are folded into a few thousand numbers: two that share one are
//! ordered more than they are, which hides and never invents.

use crate::engine::channels::{self, FOLDED};
use crate::engine::order::{self, Space, key};
use crate::interpreter::call_arguments::Arguments;
use pyo3::ffi;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU16, Ordering};

const SIZE: usize = FOLDED as usize;

/// By process, the number of its pipes; one more, 0 is none.
static PIPES: [AtomicU16; SIZE] = [const { AtomicU16::new(0) }; SIZE];

fn child(process: u64) -> u64 {
    key(Space::Child, process % FOLDED)
}

/// `_posixsubprocess.fork_exec` or `posix_spawn` is about to be called.
///
/// # Safety
/// Attached, during the call.
pub(crate) unsafe fn starting(arguments: Arguments) {
    // SAFETY: passed on.
    unsafe { pipes(arguments) };
}

/// The child has started.
///
/// # Safety
/// As [`starting`]; `result` is what was returned.
pub(crate) unsafe fn started(arguments: Arguments, result: *mut ffi::PyObject) {
    // SAFETY: passed on.
    let (Some(process), number) = (unsafe { (number(result), pipes(arguments)) }) else { return };
    PIPES[process as usize % SIZE].store(number.map_or(0, |number| number + 1), Ordering::Relaxed);
    order::release_key(child(process));
}

/// A child was waited for: the result is its number, or a tuple that begins with it.
///
/// # Safety
/// Attached; `result` is alive.
pub(crate) unsafe fn waited(result: *mut ffi::PyObject) {
    // SAFETY: passed on.
    let process = unsafe {
        let is_tuple = ffi::PyTuple_Check(result) != 0 && ffi::PyTuple_GET_SIZE(result) > 0;
        number(if is_tuple { ffi::PyTuple_GET_ITEM(result, 0) } else { result })
    };
    let Some(process) = process.filter(|process| *process > 0) else { return };
    order::acquire_key(child(process));
    if let Some(pipes) = PIPES[process as usize % SIZE].load(Ordering::Relaxed).checked_sub(1) {
        order::acquire_key(key(Space::Pipe, u64::from(pipes)));
    }
}

/// The number of the child's pipes, which are one from now on.
///
/// # Safety
/// As [`starting`].
unsafe fn pipes(arguments: Arguments) -> Option<u16> {
    /// Of `fork_exec`.
    const STREAMS: std::ops::Range<usize> = 6..12;
    /// Of `posix_spawn`, the rest has names.
    const PLACES: usize = 3;
    // SAFETY: passed on; exact types run no code of the program.
    unsafe {
        if arguments.count > PLACES {
            let streams = STREAMS.filter_map(|place| number(arguments.get(place, c"")));
            return channels::join_pipes(streams.filter_map(|number| c_int::try_from(number).ok()));
        }
        let actions = arguments.get(PLACES, c"file_actions");
        if actions.is_null() || ffi::PyList_CheckExact(actions) == 0 {
            return None;
        }
        // The action that is to be done, and its descriptor.
        let descriptor = |place| {
            let action = ffi::PyList_GetItemRef(actions, place);
            let is_action = !action.is_null() && ffi::PyTuple_CheckExact(action) != 0 && ffi::PyTuple_GET_SIZE(action) > 1;
            let descriptor = if is_action { number(ffi::PyTuple_GET_ITEM(action, 1)) } else { None };
            ffi::Py_XDECREF(action);
            descriptor.and_then(|number| c_int::try_from(number).ok())
        };
        channels::join_pipes((0..ffi::PyList_GET_SIZE(actions)).filter_map(descriptor))
    }
}

/// # Safety
/// Attached; `object` is alive, or null.
unsafe fn number(object: *mut ffi::PyObject) -> Option<u64> {
    // SAFETY: passed on; an exact int runs no code of the program.
    unsafe {
        if object.is_null() || ffi::PyLong_CheckExact(object) == 0 {
            return None;
        }
        let mut overflow = 0;
        u64::try_from(ffi::PyLong_AsLongAndOverflow(object, &raw mut overflow)).ok()
    }
}
