//! Which findings happened in whose name since they were last asked for: pytest's plugin blames tests by it.
//!
//! The name is the value of a context variable: tasks and callbacks inherit it, so one that outlives a test still goes by it.  Threads
//! inherit it only where `sys.flags.thread_inherit_context` is set, as it is on free-threaded builds; elsewhere a thread begins with an
//! empty context, and is given the name by the hook of thread starts.

use crate::findings::store::Known;
use crate::thread::context::current_thread;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

static VARIABLE: OnceLock<Py<PyAny>> = OnceLock::new();

/// Bounded by how many findings there are, times names.
static HAPPENED: Mutex<BTreeSet<(Known, String)>> = Mutex::new(BTreeSet::new());

/// From now on findings are noted with the value of this context variable.
pub(crate) fn name_by(variable: Py<PyAny>) {
    let _ = VARIABLE.set(variable);
}

/// In whose name the calling thread does what it does: a new reference, null for nobody's.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn name() -> *mut ffi::PyObject {
    let Some(variable) = VARIABLE.get() else { return std::ptr::null_mut() };
    let mut value = std::ptr::null_mut();
    // SAFETY: attached, a context variable; the look-up compares identities and runs no code of the program.  An error is no name either.
    // The name that the thread was started with outlives the call that it makes.
    unsafe {
        if ffi::PyContextVar_Get(variable.as_ptr(), ffi::Py_None(), &raw mut value) < 0 {
            ffi::PyErr_Clear();
        }
        if !std::ptr::eq(value, ffi::Py_None()) {
            return value;
        }
        ffi::Py_DECREF(value);
        ffi::Py_XNewRef(current_thread().started_for.get())
    }
}

/// Notes that a finding happened in the calling thread.
pub(super) fn note(py: Python<'_>, known: Known) {
    if VARIABLE.get().is_none() {
        return;
    }
    // SAFETY: attached; a reference of our own, or null.
    let name = unsafe { Bound::from_owned_ptr_or_opt(py, name()) };
    let name = name.and_then(|name| name.cast_into_exact::<PyString>().ok());
    let name = name.as_ref().and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    HAPPENED.lock().unwrap_or_else(PoisonError::into_inner).insert((known, name));
}

/// What happened since the last time, each finding once in each name.
pub(super) fn take() -> BTreeSet<(Known, String)> {
    std::mem::take(&mut *HAPPENED.lock().unwrap_or_else(PoisonError::into_inner))
}
