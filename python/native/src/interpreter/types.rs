//! Type objects: asked without running code of the program.

use pyo3::ffi;
use std::ffi::{CStr, c_ulong};
#[cfg(Py_GIL_DISABLED)]
use std::sync::atomic::Ordering;

unsafe extern "C" {
    // Exported for extension modules, Include/internal/pycore_typeobject.h
    fn _PyType_LookupRef(class: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// `tp_flags`, without the call that it takes from outside of the interpreter.
///
/// # Safety
/// Attached; `class` is alive.
#[inline(always)]
pub(crate) unsafe fn flags(class: *mut ffi::PyTypeObject) -> c_ulong {
    // SAFETY: passed on.
    unsafe {
        #[cfg(Py_GIL_DISABLED)]
        return (*class).tp_flags.load(Ordering::Relaxed);
        #[cfg(not(Py_GIL_DISABLED))]
        return (*class).tp_flags;
    }
}

/// A class, and then its bases as far as they lie one in the other (`tp_base`), outwards.
///
/// # Safety
/// `class` is alive as long as the result is used, and so are its bases, which it keeps.
#[inline]
pub(crate) unsafe fn with_bases(class: *mut ffi::PyTypeObject) -> impl Iterator<Item = *mut ffi::PyTypeObject> {
    // SAFETY: passed on.
    std::iter::successors(Some(class), |class| Some(unsafe { (**class).tp_base }).filter(|base| !base.is_null()))
}

/// What a class or one of its bases has under a name; a new reference, or null without an exception.
///
/// # Safety
/// Attached; `class` and `name`, a string, are alive.
pub(crate) unsafe fn look_up(class: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe { _PyType_LookupRef(class, name) }
}

/// As [`look_up`], by a name that is no object yet.
///
/// # Safety
/// As [`look_up`].
pub(crate) unsafe fn look_up_named(class: *mut ffi::PyTypeObject, name: &CStr) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe { with_name(name, |name| look_up(class, name)) }
}

/// Whether a class says that it is of this module.
///
/// # Safety
/// Attached; `class` is alive.
pub(crate) unsafe fn is_of_module(class: *mut ffi::PyTypeObject, module: &CStr) -> bool {
    // SAFETY: passed on; a reference of our own.
    unsafe {
        let own = look_up_named(class, c"__module__");
        let is_it =
            !own.is_null() && ffi::PyUnicode_Check(own) != 0 && ffi::PyUnicode_CompareWithASCIIString(own, module.as_ptr()) == 0;
        ffi::Py_XDECREF(own);
        is_it
    }
}

/// Asks by a name that is no object yet, which is one for as long as that takes.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn with_name(name: &CStr, ask: impl FnOnce(*mut ffi::PyObject) -> *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; a reference of our own.
    unsafe {
        let name = ffi::PyUnicode_InternFromString(name.as_ptr());
        let found = ask(name);
        ffi::Py_DECREF(name);
        found
    }
}
