//! Where the attributes of an object are.

use crate::interpreter::types;
use pyo3::ffi;

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
