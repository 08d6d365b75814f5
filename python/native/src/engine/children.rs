//! Child processes as a way from one thread to another: what a child reads from one pipe may be why it writes to another one, and why it ends.
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

/// `_posixsubprocess.fork_exec` is about to be called: its standard streams are the arguments from the seventh to the twelfth, -1 for none.
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
    const STREAMS: std::ops::Range<usize> = 6..12;
    // SAFETY: passed on.
    let streams = STREAMS.filter_map(|place| unsafe { number(arguments.get(place, c"")) });
    channels::join_pipes(streams.filter_map(|number| c_int::try_from(number).ok()))
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
