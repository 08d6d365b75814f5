//! The C function behind a thread's trace function (`sys.settrace`).
//!
//! `PyThreadState` has `c_profilefunc`, `c_tracefunc`, `c_profileobj` and `c_traceobj` a few words after `current_frame`, the place of which is
//! published (`Include/cpython/pystate.h`); they are found by the object that was just set.

use crate::interpreter::offsets;
use pyo3::ffi;
use std::ffi::c_int;

/// `Py_tracefunc`
pub(crate) type Trace = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyFrameObject, c_int, *mut ffi::PyObject) -> c_int;

/// How far behind `current_frame` the trace object is at most, in words.
const FURTHEST: usize = 8;

/// Where a thread has the C function that is called for the trace function `object`; `None` if that is not its trace function.
///
/// # Safety
/// The calling thread's state, or a live one's while the world is stopped.
pub(crate) unsafe fn function_of(thread: *mut ffi::PyThreadState, object: *mut ffi::PyObject) -> Option<*mut Option<Trace>> {
    // SAFETY: words of a thread state, which is much longer.
    unsafe {
        let first = thread.cast::<u8>().add(offsets::get().thread_current_frame).cast::<usize>();
        // The last one: the profile function may be the same object, and comes before.
        let at = (4..=FURTHEST).rev().find(|at| first.add(*at).read() == object as usize)?;
        let function = first.add(at - 2).cast::<Option<Trace>>();
        (*function).is_some().then_some(function)
    }
}
