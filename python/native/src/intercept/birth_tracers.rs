//! `tracemalloc` hears of births as we do, and there is one place for both: ours is put back whenever it has set or removed its own.

use crate::interpreter::header;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyCFunction;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

type Object = *mut ffi::PyObject;
type Start = unsafe extern "C" fn(Object, *const Object, ffi::Py_ssize_t) -> Object;
type Stop = unsafe extern "C" fn(Object, Object) -> Object;

static START: OnceLock<Start> = OnceLock::new();
static STOP: OnceLock<Stop> = OnceLock::new();

/// Should it fail, [`header::is_kept`] says so.
fn keep() {
    let _ = header::keep();
}

unsafe extern "C" fn start(module: Object, arguments: *const Object, count: ffi::Py_ssize_t) -> Object {
    // SAFETY: the original function with the arguments it was called with.
    let result = unsafe { START.get().expect("set before it is hooked")(module, arguments, count) };
    keep();
    result
}

unsafe extern "C" fn stop(module: Object, nothing: Object) -> Object {
    // SAFETY: as in `start`.
    let result = unsafe { STOP.get().expect("set before it is hooked")(module, nothing) };
    keep();
    result
}

/// Hooks the functions of `_tracemalloc` that set and remove its tracer; once.
///
/// # Errors
/// One of them is not there or has another calling convention.
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let slot = |name: &str, flags: c_int| -> PyResult<*mut *const c_void> {
        let function = module.getattr(name)?.cast_into::<PyCFunction>()?;
        // SAFETY: a built-in function, whose definition is a static array of its module.
        unsafe {
            let definition = (*function.as_ptr().cast::<ffi::PyCFunctionObject>()).m_ml;
            if (*definition).ml_flags != flags {
                return Err(PyRuntimeError::new_err(format!("{name} has another calling convention")));
            }
            Ok((&raw mut (*definition).ml_meth).cast())
        }
    };
    let (starts, stops) = (slot("start", ffi::METH_FASTCALL)?, slot("stop", ffi::METH_NOARGS)?);
    // SAFETY: the slots hold functions of the calling conventions that were checked, and get such.
    unsafe {
        if START.set(std::mem::transmute::<*const c_void, Start>(starts.read())).is_ok() {
            starts.write_volatile(start as *const c_void);
        }
        if STOP.set(std::mem::transmute::<*const c_void, Stop>(stops.read())).is_ok() {
            stops.write_volatile(stop as *const c_void);
        }
    }
    Ok(())
}
