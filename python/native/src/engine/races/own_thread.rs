//! Values that name the calling thread: its number, its `Thread`, the task that it runs, and tuples of these.

use crate::engine::order::{self, Space};
use crate::interpreter::{attributes, tasks};
use pyo3::ffi;

unsafe extern "C" {
    fn PyThread_get_thread_ident() -> std::ffi::c_ulong;
}

/// The key for threads that had the calling thread's identifier before, and have ended.
pub(crate) fn key_of_former() -> u64 {
    // SAFETY: a plain question.
    order::key(Space::Identifier, unsafe { PyThread_get_thread_ident() })
}

/// Whether a value is only equal to what the calling thread itself writes.
///
/// # Safety
/// Attached; `object` is alive, or null.
#[cold]
pub(crate) unsafe fn is_identity(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; exact types run no code of the program.
    unsafe {
        if object.is_null() {
            return false;
        }
        if ffi::PyTuple_CheckExact(object) != 0 {
            return (0..ffi::PyTuple_GET_SIZE(object)).any(|at| is_number(ffi::PyTuple_GET_ITEM(object, at)));
        }
        if is_number(object) || object as usize == tasks::running() {
            return true;
        }
        let ident = attributes::own(object, c"_ident");
        let is_thread = !ident.is_null() && is_number(ident);
        ffi::Py_XDECREF(ident);
        is_thread
    }
}

/// Whether it is the calling thread's identifier, which another thread may have had before.
///
/// # Safety
/// As [`is_identity`].
pub(crate) unsafe fn is_number(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe {
        if object.is_null() || ffi::PyLong_CheckExact(object) == 0 {
            return false;
        }
        let mut overflow = 0;
        let number = ffi::PyLong_AsLongAndOverflow(object, &raw mut overflow);
        overflow == 0 && number != 0 && number as std::ffi::c_ulong == PyThread_get_thread_ident()
    }
}
