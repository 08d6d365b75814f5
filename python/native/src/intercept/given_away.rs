//! What a function is given to call later, by another thread perhaps: where that was, so that a finding names the line of the program that gave it.
//!
//! The object that stands for it is an argument, which is handed through the site on its way, or what the function has put into an
//! attribute of its `self` by the time that it returns.

use crate::intercept::python_function::{self, Bytecode, Insertion};
use crate::interpreter::own_types;
use crate::thread::origins;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

/// The frame of the function itself is no news.
const OWN_FRAMES: usize = 1;

#[repr(C)]
struct Site {
    header: ffi::PyObject,
    /// Interned name; null for an argument.
    attribute: *mut ffi::PyObject,
}

struct Type(*mut ffi::PyTypeObject);
// SAFETY: a type object is made once, immortal in effect, and only read.
unsafe impl Send for Type {}
// SAFETY: as above.
unsafe impl Sync for Type {}

static TYPE: OnceLock<Type> = OnceLock::new();

/// `argument = site[argument]`.
unsafe extern "C" fn pass(_: *mut ffi::PyObject, argument: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: attached, and the interpreter hands a live object.
    unsafe {
        origins::record_given(argument as usize, OWN_FRAMES);
        ffi::Py_NewRef(argument)
    }
}

/// `site[self] = result`.
unsafe extern "C" fn assign(site: *mut ffi::PyObject, object: *mut ffi::PyObject, result: *mut ffi::PyObject) -> c_int {
    if result.is_null() {
        return 0;
    }
    // SAFETY: attached; only sites have this slot, and the interpreter hands live objects.  The attribute keeps what it has alive.
    unsafe {
        let value = ffi::PyObject_GenericGetAttr(object, (*site.cast::<Site>()).attribute);
        if value.is_null() {
            ffi::PyErr_Clear();
        } else {
            origins::record_given(value as usize, OWN_FRAMES);
            ffi::Py_DECREF(value);
        }
    }
    0
}

fn site_type(py: Python<'_>) -> PyResult<*mut ffi::PyTypeObject> {
    if let Some(found) = TYPE.get() {
        return Ok(found.0);
    }
    let slots = [(ffi::Py_mp_ass_subscript, assign as *mut c_void), (ffi::Py_mp_subscript, pass as *mut c_void)];
    let made = own_types::new_type(py, c"ftsan._native.GivenAway", size_of::<Site>(), 0, &slots)?;
    Ok(TYPE.get_or_init(|| Type(made)).0)
}

/// Notes where `function` is called, of its argument of this number or of this attribute of its `self`.
pub(crate) fn install(function: &Bound<'_, PyAny>, number: u16, attribute: Option<&str>) -> PyResult<()> {
    let py = function.py();
    let name = attribute.map_or(std::ptr::null_mut(), |name| PyString::intern(py, name).into_any().unbind().into_ptr());
    let place = if attribute.is_some() { Insertion::End } else { Insertion::Argument(number) };
    // SAFETY: allocates an object of our own type and fills all of it.
    let site = unsafe {
        let site = ffi::PyType_GenericAlloc(site_type(py)?, 0);
        if site.is_null() {
            return Err(PyErr::take(py).unwrap_or_else(|| PyRuntimeError::new_err("no site")));
        }
        std::ptr::addr_of_mut!((*site.cast::<Site>()).attribute).write(name);
        own_types::set_immortal(site);
        Bound::from_owned_ptr(py, site).unbind()
    };
    python_function::inject_at(Bytecode::get(py)?, function, site, place)
}
