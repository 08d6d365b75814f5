//! Type slots: functions that the interpreter finds in a type object, not in its dictionary.
//!
//! A slot is copied into each subclass when that is made, and wrapped by a descriptor (`__init__`, `__await__`); all three are
//! replaced: the type's, those of subclasses that exist already, and what the descriptor calls.

use crate::interpreter::replaced::{self, Replacement, Which};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};

pub(crate) type Init = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject, *mut ffi::PyObject) -> c_int;
pub(crate) type Destructor = unsafe extern "C" fn(*mut ffi::PyObject);
pub(crate) type Unary = unsafe extern "C" fn(*mut ffi::PyObject) -> *mut ffi::PyObject;
pub(crate) type Send = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject, *mut *mut ffi::PyObject) -> c_int;

pub(crate) type Call = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject;
pub(crate) type Allocate = unsafe extern "C" fn(*mut ffi::PyTypeObject, ffi::Py_ssize_t) -> *mut ffi::PyObject;
pub(crate) type New = unsafe extern "C" fn(*mut ffi::PyTypeObject, *mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject;

/// The slots that are replaced.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slot {
    New,
    Allocate,
    Init,
    Call,
    Dealloc,
    Hash,
    Compare,
    Iter,
    Next,
    Finalize,
    Await,
    AsyncNext,
    Send,
}

impl Slot {
    /// Where a type has it; null if it has no room for it.
    ///
    /// # Safety
    /// A live type object.
    unsafe fn place(self, class: *mut ffi::PyTypeObject) -> *mut *const c_void {
        // SAFETY: the fields are function pointers of the type.
        unsafe {
            let asynchronous = (*class).tp_as_async;
            match self {
                Slot::New => (&raw mut (*class).tp_new).cast(),
                Slot::Allocate => (&raw mut (*class).tp_alloc).cast(),
                Slot::Call => (&raw mut (*class).tp_call).cast(),
                Slot::Init => (&raw mut (*class).tp_init).cast(),
                Slot::Dealloc => (&raw mut (*class).tp_dealloc).cast(),
                Slot::Hash => (&raw mut (*class).tp_hash).cast(),
                Slot::Compare => (&raw mut (*class).tp_richcompare).cast(),
                Slot::Iter => (&raw mut (*class).tp_iter).cast(),
                Slot::Next => (&raw mut (*class).tp_iternext).cast(),
                Slot::Finalize => (&raw mut (*class).tp_finalize).cast(),
                _ if asynchronous.is_null() => std::ptr::null_mut(),
                Slot::Await => (&raw mut (*asynchronous).am_await).cast(),
                Slot::AsyncNext => (&raw mut (*asynchronous).am_anext).cast(),
                Slot::Send => (&raw mut (*asynchronous).am_send).cast(),
            }
        }
    }

    /// What the type has in this slot; null for nothing.
    pub(crate) fn of(self, class: &Bound<'_, PyType>) -> *const c_void {
        // SAFETY: a live type object.
        unsafe {
            let place = self.place(class.as_type_ptr());
            if place.is_null() { std::ptr::null() } else { place.read() }
        }
    }
}

/// `PyWrapperDescrObject`, `Include/cpython/descrobject.h`.
#[repr(C)]
struct WrapperDescriptor {
    header: ffi::PyObject,
    d_type: *mut ffi::PyTypeObject,
    d_name: *mut ffi::PyObject,
    d_qualname: *mut ffi::PyObject,
    d_base: *mut c_void,
    d_wrapped: *const c_void,
}

/// Replaces what `class` has in `slot`, if it has anything, by a function of the same signature.
pub(crate) fn replace(class: &Bound<'_, PyType>, slot: Slot, replacement: *const c_void) -> PyResult<()> {
    let original = slot.of(class);
    if original.is_null() {
        return Ok(());
    }
    replaced::keep(Replaced { class: class.clone().unbind(), slot, ours: replacement as usize, theirs: original as usize });
    exchange(class, slot, original, replacement)
}

/// What was replaced.
struct Replaced {
    class: Py<PyType>,
    slot: Slot,
    ours: usize,
    theirs: usize,
}

impl Replacement for Replaced {
    /// Subclasses that were made since have inherited what was there.
    fn put(&self, py: Python<'_>, which: Which) -> PyResult<()> {
        let (from, to) = if which == Which::Ours { (self.theirs, self.ours) } else { (self.ours, self.theirs) };
        exchange(self.class.bind(py), self.slot, from as *const c_void, to as *const c_void)
    }
}

fn exchange(class: &Bound<'_, PyType>, slot: Slot, original: *const c_void, replacement: *const c_void) -> PyResult<()> {
    for descriptor in class.getattr("__dict__")?.call_method0("values")?.try_iter()? {
        let descriptor = descriptor?;
        // SAFETY: checked to be a wrapper descriptor before it is used as one.
        unsafe {
            if std::ptr::eq(ffi::Py_TYPE(descriptor.as_ptr()), &raw mut ffi::PyWrapperDescr_Type) {
                let wrapped = &raw mut (*descriptor.as_ptr().cast::<WrapperDescriptor>()).d_wrapped;
                if wrapped.read() == original {
                    wrapped.write_volatile(replacement);
                }
            }
        }
    }
    inherit(class, slot, original, replacement)
}

fn inherit(class: &Bound<'_, PyType>, slot: Slot, original: *const c_void, replacement: *const c_void) -> PyResult<()> {
    // SAFETY: a live type object; an aligned pointer store is seen whole by other threads.
    unsafe {
        let place = slot.place(class.as_type_ptr());
        if !place.is_null() && place.read() == original {
            place.write_volatile(replacement);
        }
    }
    for subclass in class.py().get_type::<PyType>().getattr("__subclasses__")?.call1((class,))?.try_iter()? {
        inherit(subclass?.cast::<PyType>()?, slot, original, replacement)?;
    }
    Ok(())
}
