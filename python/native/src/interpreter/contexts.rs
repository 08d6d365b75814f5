//! `contextvars.Context`: is it entered, and by whom?
//!
//! `struct _pycontextobject` is in `Include/internal/pycore_context.h`: header, `ctx_prev`, `ctx_vars`, `ctx_weakreflist`, `ctx_entered`.  Where
//! a thread has its current context is not published; it is looked for once, in a context that is known ([`verify`]).

use crate::interpreter::{offsets, thread_state};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyType};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

#[repr(C)]
struct Context {
    header: ffi::PyObject,
    previous: *mut ffi::PyObject,
    variables: *mut ffi::PyObject,
    weak_references: *mut ffi::PyObject,
    entered: AtomicI32,
}

/// Offset of `context` in `PyThreadState`; 0 until it is known.
static CURRENT: AtomicUsize = AtomicUsize::new(0);

/// Whether some thread is in this context.
///
/// # Safety
/// `context` is a live `contextvars.Context`, and [`verify`] has succeeded.
#[inline]
pub(crate) unsafe fn is_entered(context: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's guarantee.
    unsafe { (*context.cast::<Context>()).entered.load(Ordering::Relaxed) != 0 }
}

/// Whether this thread is in this context, or will be again when it leaves inner ones.
///
/// # Safety
/// The own thread's state, or a live one's of the stopped world; [`verify`] has succeeded.
pub(crate) unsafe fn is_in(thread: *mut ffi::PyThreadState, context: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's guarantee; a context keeps the one before it alive.
    unsafe {
        let mut current = thread.cast::<u8>().add(CURRENT.load(Ordering::Relaxed)).cast::<*mut ffi::PyObject>().read();
        while !current.is_null() {
            if current == context {
                return true;
            }
            current = (*current.cast::<Context>()).previous;
        }
    }
    false
}

/// Enters a new context and looks where the thread has it; gives the type of contexts.
pub(crate) fn verify(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    // SAFETY: attached.
    let context = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent())? };
    let address = context.as_ptr() as usize;
    let probe = PyCFunction::new_closure(py, None, None, move |_, _| {
        // SAFETY: attached; reads words of the own thread state only, whose size is published.
        let found = unsafe {
            let thread = thread_state::own().cast::<usize>();
            (1..offsets::get().thread_size / size_of::<usize>()).find(|word| thread.add(*word).read() == address)
        };
        CURRENT.store(found.unwrap_or(0) * size_of::<usize>(), Ordering::Relaxed);
        // SAFETY: an object of the type that is being looked at.
        (unsafe { is_entered(address as *mut ffi::PyObject) }, found.is_some())
    })?;
    let (entered, found): (bool, bool) = context.call_method1("run", (probe,))?.extract()?;
    // SAFETY: as above.
    if !entered || !found || unsafe { is_entered(context.as_ptr()) } {
        return Err(PyRuntimeError::new_err("contextvars.Context does not look as expected"));
    }
    Ok(context.get_type())
}
