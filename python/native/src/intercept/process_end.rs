//! `os._exit` and `os.exec*`, after which nothing of the process is left to say what it has found: it is said before.
//!
//! Their functions are replaced in place, so that `from os import _exit` is no way round.  A process that is ended by the C
//! function of that name, as in the child of a `vfork`, is left alone: it may hold any lock.

use crate::engine::forks;
use crate::evidence::descriptor;
use crate::findings::conclusion;
use crate::interpreter::function_slots;
use crate::thread::guard;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_int;
use std::sync::OnceLock;

type Object = *mut ffi::PyObject;
type Fast = unsafe extern "C" fn(Object, *const Object, ffi::Py_ssize_t, Object) -> Object;

static EXIT: OnceLock<Fast> = OnceLock::new();
static EXECV: OnceLock<Fast> = OnceLock::new();
static EXECVE: OnceLock<Fast> = OnceLock::new();

/// Says what there is to say; attached.
fn before_the_end(say: fn()) {
    guard::catch_panic((), || {
        // SAFETY: called by the interpreter as a function of a module.
        let py = unsafe { Python::assume_attached() };
        descriptor::judge_deferred(py);
        py.detach(say);
    });
}

unsafe extern "C" fn exit(module: Object, arguments: *const Object, count: ffi::Py_ssize_t, names: Object) -> Object {
    let original = EXIT.get().expect("set before it is hooked");
    // SAFETY: called by the interpreter as a function of a module.
    forks::child_ends(unsafe { Python::assume_attached() });
    before_the_end(conclusion::end);
    // SAFETY: called by the interpreter with these arguments, of which there is exactly one if the call is right.
    unsafe {
        let given = ffi::PyVectorcall_NARGS(count as usize) + if names.is_null() { 0 } else { ffi::PyTuple_Size(names) };
        if given == 1 && conclusion::status() != 0 && ffi::PyLong_CheckExact(*arguments) != 0 && is_zero(*arguments) {
            let status = ffi::PyLong_FromLong(conclusion::status().into());
            return original(module, &raw const status, 1, std::ptr::null_mut());
        }
        original(module, arguments, count, names)
    }
}

/// # Safety
/// Attached; an `int`.
unsafe fn is_zero(number: Object) -> bool {
    // SAFETY: as the caller says; an `int` that does not fit is no zero, and its error is taken back.
    unsafe {
        let value = ffi::PyLong_AsLong(number);
        if value == -1 && !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
        }
        value == 0
    }
}

unsafe extern "C" fn execv(module: Object, arguments: *const Object, count: ffi::Py_ssize_t, names: Object) -> Object {
    // The program that is executed may be watched as well: it goes on with the same run.
    before_the_end(conclusion::flush);
    // SAFETY: the original function with the arguments it was called with.
    unsafe { EXECV.get().expect("set before it is hooked")(module, arguments, count, names) }
}

unsafe extern "C" fn execve(module: Object, arguments: *const Object, count: ffi::Py_ssize_t, names: Object) -> Object {
    // The program that is executed may be watched as well: it goes on with the same run.
    before_the_end(conclusion::flush);
    // SAFETY: the original function with the arguments it was called with.
    unsafe { EXECVE.get().expect("set before it is hooked")(module, arguments, count, names) }
}

/// Hooks the functions of module `posix`; once.
///
/// # Errors
/// One of them is not there or has another calling convention.
pub(crate) fn install(posix: &Bound<'_, PyModule>) -> PyResult<()> {
    const KEYWORDS: c_int = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;
    let hooks: [(&str, &OnceLock<Fast>, Fast, c_int); 3] =
        [("_exit", &EXIT, exit, KEYWORDS), ("execv", &EXECV, execv, ffi::METH_FASTCALL), ("execve", &EXECVE, execve, KEYWORDS)];
    for (name, original, hook, flags) in hooks {
        // SAFETY: the convention is checked.  A function without keywords gets a fourth argument that it does not look at.
        unsafe { function_slots::function(posix, name, flags)?.swap(original, hook) };
    }
    Ok(())
}
