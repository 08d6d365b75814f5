//! Extension modules: what they declare about the GIL.
//!
//! A module object has the answer in a field behind its header, `md_gil` in 3.14's `Include/internal/pycore_moduleobject.h`.  Where that is,
//! is found out with a module of our own, of which `PyUnstable_Module_SetGIL` changes this field and nothing else.

use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

type SetGil = unsafe extern "C" fn(*mut ffi::PyObject, *mut c_void) -> c_int;

/// `Py_MOD_GIL_USED` and `Py_MOD_GIL_NOT_USED`, `Include/moduleobject.h`.
const USED: *mut c_void = std::ptr::null_mut();
const NOT_USED: *mut c_void = std::ptr::without_provenance_mut(1);

/// A byte of every module object, and its value where the GIL is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    offset: usize,
    not_used: u8,
}

static FIELD: OnceLock<Option<Field>> = OnceLock::new();

/// Whether a module says that it can do without the GIL, as what is no module cannot; `None` if builds like this one do not ask.
pub(crate) fn declares(module: &Bound<'_, PyAny>) -> Option<bool> {
    let field = (*FIELD.get_or_init(|| find(module.py()).ok().flatten()))?;
    // SAFETY: attached; a live object.
    let is_module = unsafe { ffi::PyModule_Check(module.as_ptr()) } != 0;
    // SAFETY: inside of a live module object, as `find` has looked.
    Some(is_module && unsafe { module.as_ptr().cast::<u8>().add(field.offset).read() } == field.not_used)
}

/// The function is only there on free-threaded builds.
fn set_gil() -> Option<SetGil> {
    // SAFETY: a plain question; the function has this type wherever it is (`Include/moduleobject.h`).
    unsafe {
        let function = libc::dlsym(libc::RTLD_DEFAULT, c"PyUnstable_Module_SetGIL".as_ptr());
        (!function.is_null()).then(|| std::mem::transmute::<*mut c_void, SetGil>(function))
    }
}

fn find(py: Python<'_>) -> PyResult<Option<Field>> {
    let Some(set_gil) = set_gil() else { return Ok(None) };
    let module = PyModule::new(py, "ftsan_probe")?;
    let size = module.get_type().getattr("__basicsize__")?.extract::<usize>()?;
    let with = |value| -> Vec<u8> {
        // SAFETY: a live module that nobody else knows, and the bytes of it.
        unsafe {
            set_gil(module.as_ptr(), value);
            std::slice::from_raw_parts(module.as_ptr().cast::<u8>(), size).to_vec()
        }
    };
    let (used, not_used, again) = (with(USED), with(NOT_USED), with(USED));
    let header = size_of::<ffi::PyObject>();
    let changed: Vec<usize> = (header..size).filter(|at| used[*at] != not_used[*at]).collect();
    let is_found = changed.len() == 1 && used[header..] == again[header..];
    Ok(is_found.then(|| Field { offset: changed[0], not_used: not_used[changed[0]] }))
}

/// Whether the GIL is on now.
pub(crate) fn is_gil_enabled(py: Python<'_>) -> bool {
    // SAFETY: attached; a borrowed reference, or null without an exception.
    let asked = unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PySys_GetObject(c"_is_gil_enabled".as_ptr())) };
    asked.and_then(|function| function.call0().ok()?.extract().ok()).unwrap_or(true)
}
