//! The loop of a C-accelerated Future or Task.
//!
//! `fut_loop` is the first field after the object header in 3.13, 3.14 and 3.15 (`Modules/_asynciomodule.c`, `FutureObj_HEAD`).

use pyo3::ffi;
use pyo3::prelude::*;

/// The loop of a Future or Task, borrowed; null before `__init__`.
///
/// # Safety
/// `future` is an instance of `_asyncio.Future` or of a subclass, and [`verify`] has succeeded.
#[inline]
pub(crate) unsafe fn loop_of(future: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the caller's guarantee.  `__init__` may store it in another thread, hence the atomic load.
    unsafe {
        let field = future.add(1).cast::<std::sync::atomic::AtomicPtr<ffi::PyObject>>();
        (*field).load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// Makes a Future and a Task with a loop that is known, and looks where they have it.
pub(crate) fn verify(module: &Bound<'_, PyModule>) -> Result<(), String> {
    let py = module.py();
    let check = || -> PyResult<bool> {
        let namespace = pyo3::types::PyDict::new(py);
        let stand_in = py.get_type::<pyo3::types::PyType>().call1((
            "Loop",
            (),
            [("get_debug", py.eval(c"lambda self: False", None, None)?)].into_iter().collect::<std::collections::HashMap<_, _>>(),
        ))?;
        let loop_ = stand_in.call0()?;
        namespace.set_item("loop", &loop_)?;
        let future = module.getattr("Future")?.call((), Some(&namespace))?;
        // SAFETY: reading inside an object that is larger than its header (basicsize is checked first).
        let found = unsafe {
            (*ffi::Py_TYPE(future.as_ptr())).tp_basicsize as usize >= size_of::<ffi::PyObject>() + size_of::<usize>()
                && loop_of(future.as_ptr()) == loop_.as_ptr()
        };
        Ok(found)
    };
    match check() {
        Ok(true) => Ok(()),
        Ok(false) => Err("_asyncio.Future does not keep its loop in its first field".to_owned()),
        Err(error) => Err(format!("cannot make an _asyncio.Future to verify its layout: {error}")),
    }
}
