//! `os.fork` and `os.forkpty`: no thread of ours looks into an object of the program while they run.
//!
//! Handlers of `os.register_at_fork` would be too late: a wait between those of the program, which take locks, and the fork lets other
//! threads register more of them, whose second halves then release what they have not taken (`concurrent.futures.thread`).

use crate::engine::races::sampling;
use crate::interpreter::{fork_gate, function_slots};
use crate::thread::perturb;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::OnceLock;

static FORK: OnceLock<ffi::PyCFunction> = OnceLock::new();
static FORKPTY: OnceLock<ffi::PyCFunction> = OnceLock::new();

unsafe fn call(original: &OnceLock<ffi::PyCFunction>, module: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let original = original.get().expect("set before it is hooked");
    // SAFETY: called by the interpreter as a function of a module, which takes no arguments.  In the child the gate is open already.
    let fork = || unsafe { original(module, std::ptr::null_mut()) };
    perturb::next_child();
    // SAFETY: attached.
    fork_gate::without_looks(unsafe { Python::assume_attached() }, || sampling::without_timer(fork))
}

unsafe extern "C" fn fork(module: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe { call(&FORK, module) }
}

unsafe extern "C" fn forkpty(module: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe { call(&FORKPTY, module) }
}

/// Hooks the functions of module `posix`; once.
///
/// # Errors
/// One of them is not there or has another calling convention.
pub(crate) fn install(posix: &Bound<'_, PyModule>) -> PyResult<()> {
    let hooks: [(&str, &OnceLock<ffi::PyCFunction>, ffi::PyCFunction); 2] = [("fork", &FORK, fork), ("forkpty", &FORKPTY, forkpty)];
    for (name, original, hook) in hooks {
        // SAFETY: the convention is checked.
        unsafe { function_slots::function(posix, name, ffi::METH_NOARGS)?.swap(original, hook) };
    }
    Ok(())
}
