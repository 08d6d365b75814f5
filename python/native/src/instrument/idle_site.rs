//! A site that does nothing.

use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_int;
use std::sync::OnceLock;

unsafe extern "C" {
    // Exported in free-threaded builds of 3.14, Include/internal/pycore_object.h.
    fn _Py_SetImmortal(object: *mut ffi::PyObject);
}

unsafe extern "C" fn pass(_: *mut ffi::PyObject, _: *mut ffi::PyObject, _: *mut ffi::PyObject) -> c_int {
    0
}

/// The site.
pub(super) fn get(py: Python<'_>) -> PyResult<Py<PyAny>> {
    static SITE: OnceLock<Py<PyAny>> = OnceLock::new();
    if let Some(site) = SITE.get() {
        return Ok(site.clone_ref(py));
    }
    let mut slots = [
        ffi::PyType_Slot { slot: ffi::Py_mp_ass_subscript, pfunc: pass as *mut std::ffi::c_void },
        ffi::PyType_Slot { slot: 0, pfunc: std::ptr::null_mut() },
    ];
    let mut spec = ffi::PyType_Spec {
        name: c"ftsan._native.IdleSite".as_ptr(),
        basicsize: size_of::<ffi::PyObject>() as c_int,
        itemsize: 0,
        flags: (ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION | ffi::Py_TPFLAGS_IMMUTABLETYPE) as u32,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the spec is complete and copied by the call; the object is of our own type and has no fields.
    let site = unsafe {
        let class = ffi::PyType_FromSpec(&mut spec);
        if class.is_null() {
            return Err(PyErr::fetch(py));
        }
        let site = Bound::from_owned_ptr_or_err(py, ffi::PyType_GenericAlloc(class.cast(), 0))?;
        _Py_SetImmortal(site.as_ptr());
        site.unbind()
    };
    Ok(SITE.get_or_init(|| site).clone_ref(py))
}
