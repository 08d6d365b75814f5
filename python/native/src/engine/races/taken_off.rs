//! Properties that are taken off their class while the program runs: by a getter that loads the values and lets everybody read them directly
//! from then on.
//!
//! A thread that reads such an attribute before its value is there finds neither: what it has read is the class, as far as its bases go.

use crate::engine::races::noted::Touch;
use crate::engine::races::probe_site::Probe;
use crate::evidence::race::Part;
use crate::interpreter::{attributes, types};
use crate::thread::context::ThreadContext;
use crate::thread::outcome::Outcome;
use ftsan::patcher::Action;
use ftsan::races::access::Value;
use ftsan::races::facts::AccessFacts;
use ftsan::races::matrix::AccessKind;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names that were taken off some class, a bit each; some share one.
static NAMES: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];

fn bit(field: u64) -> (&'static AtomicU64, u64) {
    let mixed = ftsan::races::mix(field);
    (&NAMES[(mixed >> 60) as usize], 1 << (mixed >> 54 & 63))
}

/// Whether a property of this name may have been taken off a class.
#[inline(always)]
pub(super) fn may_be(field: u64) -> bool {
    let (word, bit) = bit(field);
    word.load(Ordering::Relaxed) & bit != 0
}

/// The look at what a class has under a name, of which the thread is about to take it off or which it has just found missing.
fn look(probe: &Probe) -> Probe {
    let facts = AccessFacts::TESTED | AccessFacts::ACTING;
    Probe { facts, ..Probe::of_call(Action::ReadAttribute, probe.site, probe.code) }
}

/// Whether the class has a property under this name.
///
/// # Safety
/// Attached; `class` and `name`, a string, are alive.
unsafe fn has_property(class: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; what is found is a reference of our own.
    unsafe {
        let found = types::look_up(class, name);
        let is_property = !found.is_null() && ffi::PyType_IsSubtype(ffi::Py_TYPE(found), &raw mut ffi::PyProperty_Type) != 0;
        ffi::Py_XDECREF(found);
        is_property
    }
}

/// An attribute of `object` is about to be deleted: if that is a property of a class, whoever does so has found it there.
///
/// # Safety
/// Called from a probe, attached; `object` is alive.
pub(super) unsafe fn deleted(
    here: &'static ThreadContext,
    probe: &Probe,
    object: *mut ffi::PyObject,
    name: &'static str,
    field: u64,
) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        if ffi::PyType_Check(object) == 0 {
            return Outcome::Continue;
        }
        let text = PyString::new(Python::assume_attached(), name);
        if !may_be(field) && !has_property(object.cast(), text.as_ptr()) {
            return Outcome::Continue;
        }
        let (word, bit) = bit(field);
        word.fetch_or(bit, Ordering::Relaxed);
        let look = look(probe);
        Touch { here, probe: &look, object }.access(object, field, AccessKind::Read, Value::UNKNOWN, Part::Attribute(name))
    }
}

/// An attribute is about to be read of whose name [`may_be`] is true: if it is missing, each of the object's classes may have had it.
///
/// # Safety
/// As [`deleted`].
#[cold]
pub(super) unsafe fn read(
    here: &'static ThreadContext,
    probe: &Probe,
    object: *mut ffi::PyObject,
    name: &'static str,
    field: u64,
) -> Outcome {
    // SAFETY: passed on; a type keeps its bases alive, and what is found is a reference of our own.
    unsafe {
        let text = PyString::new(Python::assume_attached(), name);
        let of_class = types::look_up(ffi::Py_TYPE(object), text.as_ptr());
        let found = if of_class.is_null() { attributes::own_by(object, text.as_ptr()) } else { of_class };
        if !found.is_null() {
            ffi::Py_DECREF(found);
            return Outcome::Continue;
        }
        let bases = (*ffi::Py_TYPE(object)).tp_mro;
        if bases.is_null() || ffi::PyTuple_Check(bases) == 0 {
            return Outcome::Continue;
        }
        let look = look(probe);
        for place in 0..ffi::PyTuple_GET_SIZE(bases) {
            let class = ffi::PyTuple_GET_ITEM(bases, place);
            if types::flags(class.cast()) & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
                continue;
            }
            let touch = Touch { here, probe: &look, object: class };
            let kind = AccessKind::Read;
            if let Outcome::Raised = touch.access(class, field, kind, Value::UNKNOWN, Part::Attribute(name)) {
                return Outcome::Raised;
            }
        }
        Outcome::Continue
    }
}
