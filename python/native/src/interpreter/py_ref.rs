//! References that are owned outside of Python objects: given back attached, whoever drops them.

use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A reference that is given back attached, whoever drops it.
#[derive(Debug)]
pub(crate) struct Owned(*mut ffi::PyObject);
// SAFETY: a reference to an object may be held by any thread.
unsafe impl Send for Owned {}
// SAFETY: as above.
unsafe impl Sync for Owned {}

impl Owned {
    pub(crate) fn of<T>(object: &Bound<'_, T>) -> Self {
        Owned(object.clone().into_ptr())
    }

    pub(crate) fn bound<'py, T>(&self, py: Python<'py>) -> Bound<'py, T> {
        // SAFETY: owned, and of the type that it was made of.
        unsafe { Bound::from_borrowed_ptr(py, self.0).cast_into_unchecked() }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: owned; the value that holds it is dropped attached, with a code object.
        unsafe { ffi::Py_DECREF(self.0) };
    }
}

/// A reference that keeps nothing alive.
#[derive(Debug, Default)]
pub(crate) struct Weak(Option<Owned>);

impl Weak {
    /// To nothing, if there are no weak references to such an object.
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> Self {
        // SAFETY: attached; a live object, and a reference of our own.
        let made =
            unsafe { Bound::from_owned_ptr_or_opt(object.py(), ffi::PyWeakref_NewRef(object.as_ptr(), std::ptr::null_mut())) };
        if made.is_none() {
            drop(PyErr::take(object.py()));
        }
        Weak(made.map(|made| Owned::of(&made)))
    }

    /// The object, if it is still there.
    pub(crate) fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let mut object = std::ptr::null_mut();
        // SAFETY: a weak reference; what it gives is a reference of our own.
        unsafe {
            ffi::PyWeakref_GetRef(self.0.as_ref()?.0, &raw mut object);
            Bound::from_owned_ptr_or_opt(py, object)
        }
    }
}

/// A reference that is set once.
#[derive(Debug, Default)]
pub(crate) struct Lazy(AtomicPtr<ffi::PyObject>);

impl Lazy {
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> Self {
        Lazy(AtomicPtr::new(object.clone().into_ptr()))
    }

    pub(crate) fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: null, or owned.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, self.0.load(Ordering::Acquire)) }
    }

    /// Sets it, unless another thread was faster; returns what it is now.
    pub(crate) fn set<'py>(&self, object: &Bound<'py, PyAny>) -> Bound<'py, PyAny> {
        let (py, ours) = (object.py(), object.clone().into_ptr());
        match self.0.compare_exchange(std::ptr::null_mut(), ours, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => object.clone(),
            // SAFETY: a reference that was not stored is given back; the stored one is owned.
            Err(theirs) => unsafe {
                ffi::Py_DECREF(ours);
                Bound::from_borrowed_ptr(py, theirs)
            },
        }
    }

    pub(crate) fn get_or_make<'py>(
        &self,
        py: Python<'py>,
        make: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.get(py).map_or_else(|| make().map(|made| self.set(&made)), Ok)
    }
}

impl Drop for Lazy {
    fn drop(&mut self) {
        // SAFETY: as for `Owned`.
        unsafe { ffi::Py_XDECREF(*self.0.get_mut()) };
    }
}
