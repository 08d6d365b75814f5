//! Where the attributes of an object are.

use crate::interpreter::types;
use pyo3::ffi;
use std::ffi::CStr;

/// `Py_TPFLAGS_MANAGED_DICT`, Include/object.h.
const MANAGED_DICT: std::ffi::c_ulong = 1 << 4;

/// The object that stands for an object's attributes: its dictionary, if there is one that code may reach as such.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn home(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a live object; the word before an object with a managed dictionary is that dictionary or null
    // (`MANAGED_DICT_OFFSET`, Include/internal/pycore_object.h), which `header::verify` has checked.
    unsafe {
        let dictionary = if types::flags(ffi::Py_TYPE(object)) & MANAGED_DICT != 0 {
            object.cast::<*mut ffi::PyObject>().sub(1).read_volatile()
        } else if ffi::PyModule_Check(object) != 0 {
            ffi::PyModule_GetDict(object)
        } else {
            std::ptr::null_mut()
        };
        if dictionary.is_null() { object } else { dictionary }
    }
}

/// What an object has in a slot of its type under this name (`__slots__`, a member of an extension type); a new reference, or null without an
/// exception.  No code of the program runs.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn member(object: *mut ffi::PyObject, name: &CStr) -> *mut ffi::PyObject {
    // SAFETY: a live object has a live type; what is looked up is a reference of our own, and a member runs no code.
    unsafe {
        let name = ffi::PyUnicode_InternFromString(name.as_ptr());
        let found = types::look_up(ffi::Py_TYPE(object), name);
        let is_member = !found.is_null() && ffi::Py_TYPE(found) == &raw mut ffi::PyMemberDescr_Type;
        ffi::Py_XDECREF(found);
        let value = if is_member { ffi::PyObject_GenericGetAttr(object, name) } else { std::ptr::null_mut() };
        ffi::Py_DECREF(name);
        if is_member && value.is_null() {
            ffi::PyErr_Clear();
        }
        value
    }
}
