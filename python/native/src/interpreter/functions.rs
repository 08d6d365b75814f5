//! The version of a Python function, by which call sites are specialised for it.
//!
//! Assigning `__code__` clears the version for good, and every call of the function stays unspecialised (12 ns more per call,
//! `Objects/funcobject.c`, "Function versions").  A version stands for a code object and what belongs to it; `MAKE_FUNCTION` takes
//! it from the code object, and so do we: by making a function of the new code and copying its version.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, Ordering};

/// `FUNC_VERSION_CLEARED` and the first valid one, `Include/internal/pycore_function.h`.
pub(crate) const CLEARED: u32 = 1;
const FIRST_VALID: u32 = 2;

/// Makes functions of code objects, the way a `def` does.
#[derive(Debug)]
pub(crate) struct FunctionMaker {
    module_code: Py<PyAny>,
}

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

impl FunctionMaker {
    /// `None` if versions do not work here as described above: functions are slower then, not wrong.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Option<Self>> {
        let namespace = PyDict::new(py);
        let module_code = compile(py, c"def f(): pass")?;
        let maker = FunctionMaker { module_code: module_code.unbind() };
        py.run(c"def f(): pass", None, Some(&namespace))?;
        let Some(function) = namespace.get_item("f")? else { return Ok(None) };
        let code = function.getattr("__code__")?;
        let first = version(&function).load(Ordering::Relaxed);
        function.setattr("__code__", &code)?;
        let works = first >= FIRST_VALID && version(&function).load(Ordering::Relaxed) == CLEARED;
        let again = maker.version_of(&code)? == first;
        Ok((works && again).then_some(maker))
    }

    /// The version that a function of this code is made with.
    pub(crate) fn version_of(&self, code: &Bound<'_, PyAny>) -> PyResult<u32> {
        let py = code.py();
        let module_code = self.module_code.bind(py);
        let constants = module_code.getattr("co_consts")?.cast_into::<PyTuple>()?;
        let is_code = |constant: &Bound<'_, PyAny>| constant.get_type().is(code.get_type());
        let replaced = constants.iter().map(|constant| if is_code(&constant) { code.clone() } else { constant });
        let changes = PyDict::new(py);
        changes.set_item("co_consts", PyTuple::new(py, replaced.collect::<Vec<_>>())?)?;
        let namespace = PyDict::new(py);
        py.import("builtins")?.call_method1("exec", (module_code.call_method("replace", (), Some(&changes))?, &namespace))?;
        let function = namespace.get_item("f")?;
        Ok(function.map_or(0, |function| version(&function).load(Ordering::Relaxed)))
    }

    /// Gives `function`, whose code was just replaced, the version that belongs to its code.
    pub(crate) fn renew_version(&self, function: &Bound<'_, PyAny>) -> PyResult<()> {
        let fresh = self.version_of(&code_of(function)?)?;
        if fresh >= FIRST_VALID && version(function).load(Ordering::Relaxed) == CLEARED {
            version(function).store(fresh, Ordering::Relaxed);
        }
        Ok(())
    }
}
