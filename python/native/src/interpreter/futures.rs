//! The loop of a C-accelerated Future or Task.
//!
//! `fut_loop` is the first field after the object header in 3.13, 3.14 and 3.15 (`Modules/_asynciomodule.c`, `FutureObj_HEAD`).

use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// The loop of a Future or Task, borrowed; null before `__init__`.
///
/// # Safety
/// `future` is an instance of `_asyncio.Future` or of a subclass, and [`verify`] has succeeded.
#[inline]
pub(crate) unsafe fn loop_of(future: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the caller's guarantee.  `__init__` may store it in another thread, hence the atomic load.
    unsafe { (*future.add(1).cast::<AtomicPtr<ffi::PyObject>>()).load(Ordering::Relaxed) }
}

/// Type of what `iter(future)` returns, which has its future in the first field (`futureiterobject`, same file).
static ITERATOR: AtomicUsize = AtomicUsize::new(0);

/// Type of futures, of which that of tasks is a subclass.
static FUTURE: AtomicUsize = AtomicUsize::new(0);

/// Whether this is a Future or Task.
///
/// # Safety
/// Attached; a live object.
#[inline]
pub(crate) unsafe fn is_one(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; live type objects.
    unsafe {
        let class = FUTURE.load(Ordering::Relaxed) as *mut ffi::PyTypeObject;
        !class.is_null() && ffi::PyCoro_CheckExact(object) == 0 && ffi::PyType_IsSubtype(ffi::Py_TYPE(object), class) != 0
    }
}

/// The future that this iterates over, borrowed, if it is the iterator of one.
///
/// # Safety
/// A live object.
pub(crate) unsafe fn future_of_iterator(iterator: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
    // SAFETY: the caller's guarantee, and the type that has the field.
    unsafe {
        if ffi::Py_TYPE(iterator) as usize != ITERATOR.load(Ordering::Relaxed) {
            return None;
        }
        let future = (*iterator.add(1).cast::<AtomicPtr<ffi::PyObject>>()).load(Ordering::Relaxed);
        (!future.is_null()).then_some(future)
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
        FUTURE.store(future.get_type_ptr() as usize, Ordering::Relaxed);
        let iterator = future.try_iter()?;
        ITERATOR.store(iterator.get_type_ptr() as usize, Ordering::Relaxed);
        // SAFETY: reading inside objects that are larger than their header (basicsize is checked first).
        let found = unsafe {
            (*ffi::Py_TYPE(future.as_ptr())).tp_basicsize as usize >= size_of::<ffi::PyObject>() + size_of::<usize>()
                && loop_of(future.as_ptr()) == loop_.as_ptr()
                && future_of_iterator(iterator.as_ptr()) == Some(future.as_ptr())
        };
        Ok(found)
    };
    match check() {
        Ok(true) => Ok(()),
        Ok(false) => Err("_asyncio.Future does not look as expected".to_owned()),
        Err(error) => Err(format!("cannot make an _asyncio.Future to verify its layout: {error}")),
    }
}
