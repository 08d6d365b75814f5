//! Types that only we make objects of.

use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, c_int, c_ulong, c_void};

unsafe extern "C" {
    // Include/cpython/object.h
    fn _Py_NewReference(object: *mut ffi::PyObject);
}

/// A type with these slots and flags, and objects of `size` bytes.
pub(crate) fn new_type(
    py: Python<'_>,
    name: &CStr,
    size: usize,
    flags: c_ulong,
    slots: &[(c_int, *mut c_void)],
) -> PyResult<*mut ffi::PyTypeObject> {
    let slot = |(slot, pfunc): &(c_int, *mut c_void)| ffi::PyType_Slot { slot: *slot, pfunc: *pfunc };
    let mut slots: Vec<ffi::PyType_Slot> = slots.iter().chain([&(0, std::ptr::null_mut())]).map(slot).collect();
    let mut spec = ffi::PyType_Spec {
        name: name.as_ptr(),
        basicsize: size as c_int,
        itemsize: 0,
        flags: (flags | ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION | ffi::Py_TPFLAGS_IMMUTABLETYPE) as u32,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the spec is complete and copied by the call.
    let made = unsafe { ffi::PyType_FromSpec(&raw mut spec) };
    if made.is_null() { Err(PyErr::fetch(py)) } else { Ok(made.cast()) }
}

/// An object of a type that is made by [`new_type`], all zero; null with an exception set.  It has no reference to its type: threads count
/// those by a number that is another type's in another interpreter, and there are hooks of ours, too.
///
/// # Safety
/// Attached; the type's objects are a `T`.
pub(crate) unsafe fn allocate<T>(class: *mut ffi::PyTypeObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; memory for all of the object, which nobody else has yet.
    unsafe {
        let object = ffi::PyObject_Calloc(1, size_of::<T>()).cast::<ffi::PyObject>();
        if object.is_null() {
            return ffi::PyErr_NoMemory();
        }
        (*object).ob_type = class;
        _Py_NewReference(object);
        object
    }
}

unsafe extern "C" {
    // Exported by 3.14 and 3.15, Include/internal/pycore_object.h.  The public one (PyUnstable_SetImmortal) is there since 3.15.
    fn _Py_SetImmortal(object: *mut ffi::PyObject);
}

/// Of one object, for good: a reference count that threads share costs more than what a site or a probe does.
///
/// # Safety
/// Attached; a new object.
pub(crate) unsafe fn set_immortal(object: *mut ffi::PyObject) {
    // SAFETY: nobody else has the object yet.
    unsafe { _Py_SetImmortal(object) }
}
