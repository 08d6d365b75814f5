//! Dictionaries whose class fills in what is missing (`__missing__`): to read an item of them is to look whether it is there.

use crate::engine::races::probe_site::Probe;
use crate::interpreter::types;
use ftsan::patcher::known_calls::Container;
use ftsan::races::facts::AccessFacts;
use pyo3::ffi;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};

/// Some class has such a method that stores what it makes.
static IS_FILLED: AtomicBool = AtomicBool::new(false);

/// A method of this name stores something.
pub(super) fn is_filled() {
    IS_FILLED.store(true, Ordering::Relaxed);
}

/// Whether objects of a class, which are dictionaries of this kind, may fill in what is missing.
///
/// # Safety
/// Attached; `class` is alive.
#[inline(always)]
pub(super) unsafe fn may_fill(class: *mut ffi::PyTypeObject, container: Container) -> bool {
    let may_have = class != &raw mut ffi::PyDict_Type && matches!(container, Container::Dict | Container::OrderedDict);
    // SAFETY: passed on.
    may_have && IS_FILLED.load(Ordering::Relaxed) && unsafe { has_method(class) }
}

/// # Safety
/// Attached; `class` is alive.
#[cold]
unsafe fn has_method(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on; what is found is a reference of our own.
    unsafe {
        let found = types::look_up_named(class, c"__missing__");
        let has_it = !found.is_null() && ffi::Py_TYPE(found) == &raw mut ffi::PyFunction_Type;
        ffi::Py_XDECREF(found);
        has_it
    }
}

/// The same probe, of a read that decides whether something is made.
pub(super) fn look(probe: &Probe) -> ManuallyDrop<Probe> {
    // SAFETY: plain data, of which nothing is dropped.
    let mut look = ManuallyDrop::new(unsafe { std::ptr::read(probe) });
    look.facts = look.facts | AccessFacts::TESTED;
    look
}
