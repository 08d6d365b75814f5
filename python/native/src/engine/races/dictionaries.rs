//! The dictionary that has an object's attributes: what is reached by it is no secret of the object's maker.

use crate::engine::races::touch::{escape, is_private};
use crate::interpreter::{attributes, header, types};
use pyo3::ffi;

/// The object that stands for an object's attributes.  A dictionary among them may be reached as such, so it is no secret of its creator.
///
/// # Safety
/// Attached; `object` is alive.
#[inline]
pub(super) unsafe fn home(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: a live object keeps its dictionary alive.
    unsafe {
        let home = attributes::home(object);
        if !std::ptr::eq(home, object) {
            escape(home);
        }
        home
    }
}

/// The dictionary of an object's attributes is about to be handed out.  It may be made now, but it is no secret of the thread that does so if the object is
/// none.
///
/// # Safety
/// Attached; `object` is alive.
pub(super) unsafe fn expose(object: *mut ffi::PyObject) {
    // SAFETY: passed on; without descriptors no code of the program runs.
    unsafe {
        if types::flags(ffi::Py_TYPE(object)) & attributes::MANAGED_DICT == 0 || is_private(object) {
            return;
        }
        let dictionary = ffi::PyObject_GenericGetDict(object, std::ptr::null_mut());
        if dictionary.is_null() {
            ffi::PyErr_Clear();
        } else {
            escape(dictionary);
            ffi::Py_DECREF(dictionary);
        }
    }
}

/// An object gets a dictionary for its attributes, perhaps that of another object: then they are no secrets of the thread that has made it.
///
/// # Safety
/// Attached; `object` is alive, and so is the dictionary, which may be null.
pub(super) unsafe fn share(object: *mut ffi::PyObject, dictionary: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if !dictionary.is_null() && header::is_private(object) && !header::is_private(dictionary) {
            escape(dictionary);
            escape(object);
        }
    }
}
