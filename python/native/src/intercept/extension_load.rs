//! `_imp.create_dynamic`, by which every extension module is loaded that is a file: its `PyMethodDef.ml_meth` is swapped in place.

use crate::evidence::runtime;
use crate::interpreter::{extension_modules, function_slots, thread_state};
use crate::thread::context::InSlowPath;
use crate::thread::guard;
use crate::thread::outcome::Outcome;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_void;
use std::sync::OnceLock;

type Object = *mut ffi::PyObject;
type Fast = unsafe extern "C" fn(Object, *const Object, ffi::Py_ssize_t) -> Object;

static CREATE: OnceLock<Fast> = OnceLock::new();

unsafe extern "C" fn create(module: Object, arguments: *const Object, count: ffi::Py_ssize_t) -> Object {
    // SAFETY: the original function with the arguments it was called with.
    let made = unsafe { CREATE.get().expect("set before it is hooked")(module, arguments, count) };
    if made.is_null() || count < 1 || !thread_state::is_of_main_interpreter() {
        return made;
    }
    let outcome = guard::catch_panic(Outcome::Continue, || {
        // SAFETY: called attached; a new reference that is passed on, and the specification that it was made from.
        let (made, specification) = unsafe {
            let py = Python::assume_attached();
            (Bound::from_borrowed_ptr(py, made), Bound::from_borrowed_ptr(py, *arguments))
        };
        match (extension_modules::declares(&made), InSlowPath::enter()) {
            (Some(false), Some(_busy)) => runtime::undeclared(&made, &specification),
            (_, _) => Outcome::Continue,
        }
    });
    if outcome == Outcome::Raised {
        // SAFETY: the reference was ours to pass on.
        unsafe { ffi::Py_DECREF(made) };
        return std::ptr::null_mut();
    }
    made
}

/// Hooks the function of module `_imp`; once.
///
/// # Errors
/// It is not there or has another calling convention.
pub(crate) fn install(imp: &Bound<'_, PyAny>) -> PyResult<()> {
    let place = function_slots::function(imp, "create_dynamic", ffi::METH_FASTCALL)?;
    // SAFETY: the calling convention was checked.
    let original = unsafe { std::mem::transmute::<usize, Fast>(place.function()) };
    if CREATE.set(original).is_ok() {
        place.replace(create as *const c_void);
    }
    Ok(())
}
