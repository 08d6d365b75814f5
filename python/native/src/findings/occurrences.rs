//! Which findings happened in whose name since they were last asked for: pytest's plugin blames tests by it.
//!
//! The name is the value of a context variable: threads, tasks and callbacks inherit it, so one that outlives a test still goes by
//! it.

use crate::findings::store::Known;
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

/// Notes that a finding happened in the calling thread.
pub(super) fn note(py: Python<'_>, known: Known) {
    let Some(variable) = VARIABLE.get() else { return };
    let mut value = std::ptr::null_mut();
    // SAFETY: attached, a context variable; the look-up compares identities and runs no code of the program.  An error is no name either.
    let value = unsafe {
        if ffi::PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &raw mut value) < 0 {
            ffi::PyErr_Clear();
        }
        Bound::from_owned_ptr_or_opt(py, value)
    };
    let name = value.and_then(|value| value.cast_into_exact::<PyString>().ok());
    let name = name.as_ref().and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    HAPPENED.lock().unwrap_or_else(PoisonError::into_inner).insert((known, name));
}

/// What happened since the last time, each finding once in each name.
pub(super) fn take() -> BTreeSet<(Known, String)> {
    std::mem::take(&mut *HAPPENED.lock().unwrap_or_else(PoisonError::into_inner))
}
