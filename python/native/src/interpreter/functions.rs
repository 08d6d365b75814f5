//! The version of a Python function, by which call sites are specialised for it.
//!
//! Assigning `__code__` clears the version for good, and every call of the function stays unspecialised (12 ns more per call,
//! `Objects/funcobject.c`, "Function versions").  A version stands for a code object and what belongs to it; `MAKE_FUNCTION` takes
//! it from the code object, and so do we.

use crate::interpreter::code_fields::Code;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, Ordering};

/// `FUNC_VERSION_CLEARED` and the first valid one, `Include/internal/pycore_function.h`.
pub(crate) const CLEARED: u32 = 1;
const FIRST_VALID: u32 = 2;

/// The code that a function runs, which is not what the program is shown of it.
pub(crate) fn code_of<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: attached; checked to be a function, which has code.
    unsafe {
        if ffi::PyFunction_Check(function.as_ptr()) == 0 {
            return Err(PyTypeError::new_err("not a function that is written in Python"));
        }
        let code = (*function.as_ptr().cast::<ffi::PyFunctionObject>()).func_code;
        Ok(Bound::from_borrowed_ptr(function.py(), code))
    }
}

/// The version that a function has now.
pub(crate) fn version<'a>(function: &'a Bound<'_, PyAny>) -> &'a AtomicU32 {
    // SAFETY: only called with function objects; other threads read the field without a lock, so do we.
    unsafe { AtomicU32::from_ptr(&raw mut (*function.as_ptr().cast::<ffi::PyFunctionObject>()).func_version) }
}

/// The code of a module of ours.  Not by `compile()`, which makes the types of all syntax trees first: that takes 1.5 ms.
pub(crate) fn compile<'py>(py: Python<'py>, source: &CStr) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: attached; gives a new reference, or null with an exception set.
    unsafe {
        let code = ffi::Py_CompileString(source.as_ptr(), c"<ftsan>".as_ptr(), ffi::Py_file_input);
        Bound::from_owned_ptr_or_err(py, code)
    }
}

/// Whether versions work here as described above: if not, functions are slower, not wrong.
pub(crate) fn have_versions(py: Python<'_>) -> PyResult<bool> {
    let namespace = PyDict::new(py);
    py.run(c"def f(): pass\ndef g(): pass", None, Some(&namespace))?;
    let mut seen = Vec::new();
    for name in ["f", "g"] {
        let Some(function) = namespace.get_item(name)? else { return Ok(false) };
        let (code, first) = (code_of(&function)?, version(&function).load(Ordering::Relaxed));
        function.setattr("__code__", &code)?;
        let is_cleared = version(&function).load(Ordering::Relaxed) == CLEARED;
        if first < FIRST_VALID || !is_cleared || seen.contains(&first) || Code::of(&code).map(|code| code.version()) != Some(first)
        {
            return Ok(false);
        }
        seen.push(first);
    }
    Ok(true)
}

/// Gives `function`, whose code was just replaced, the version that belongs to its code.
pub(crate) fn renew_version(function: &Bound<'_, PyAny>, code: &Code<'_>) {
    let fresh = code.version();
    if fresh >= FIRST_VALID && version(function).load(Ordering::Relaxed) == CLEARED {
        version(function).store(fresh, Ordering::Relaxed);
    }
}
