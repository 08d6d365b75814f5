//! What a thread has had since it was started, or since a pool or a loop has called the function that it runs: objects that others give it later are not among it.

use crate::engine::order;
use crate::engine::races::lives::Seen;
use crate::engine::races::{callers, names, shared};
use crate::interpreter::attributes;
use crate::interpreter::code_fields::Code;
use crate::interpreter::frames::{self, Frame};
use crate::thread::context::ThreadContext;
use crate::thread::stacks::{self, StackId};
use ftsan::races::location;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU8, Ordering};

/// How often something was looked for at a stack.
static ASKED: [AtomicU8; stacks::STACKS] = [const { AtomicU8::new(0) }; stacks::STACKS];

/// Whether it was not yet looked for in vain too often at a stack: that takes longer than an access should.
pub(super) fn may_ask(stack: StackId) -> bool {
    const MOST: u8 = 200;
    let Some(asked) = ASKED.get((stack as usize).wrapping_sub(1)) else { return false };
    let is_left = asked.load(Ordering::Relaxed) < MOST;
    if is_left {
        asked.fetch_add(1, Ordering::Relaxed);
    }
    is_left
}

/// The outermost function of the program on the stack of the calling thread, and its code, if nothing but the standard library has called it: a
/// thread, a pool or a loop.
///
/// # Safety
/// Attached.
unsafe fn first_of_program(py: Python<'_>) -> Option<(Frame<'static>, Code<'_>)> {
    let mut first = None;
    // SAFETY: passed on; code on the own stack is alive.
    unsafe {
        for frame in frames::own() {
            let Some(raw) = frame.raw() else { continue };
            if callers::is_chosen(raw.code as *mut ffi::PyObject) {
                first = Some((frame, raw.code));
            } else if !callers::is_of_standard_library(raw.code) {
                first = None;
            }
        }
        let (frame, code) = first?;
        Some((frame, Code::of(&Bound::from_borrowed_ptr(py, code as *mut ffi::PyObject))?))
    }
}

/// What the first function of the program was given: its arguments, those in a tuple one by one, and the variables that it has from around it; of a method,
/// what it is bound to.
///
/// # Safety
/// Attached.
unsafe fn all(py: Python<'_>) -> Vec<Bound<'_, PyAny>> {
    // SAFETY: passed on.
    let Some((frame, code)) = (unsafe { first_of_program(py) }) else { return Vec::new() };
    let flag = |flag: c_int| usize::from(code.flags() & flag != 0);
    let count = |number: c_int| usize::try_from(number).unwrap_or(0);
    let arguments = count(code.arguments()) + count(code.keyword_only()) + flag(ffi::CO_VARARGS) + flag(ffi::CO_VARKEYWORDS);
    let (variables, free) = (code.locals().len(), code.free().map_or(0, |free| free.len()));
    let mut given = Vec::new();
    // SAFETY: a variable of a running function is alive, and so is what a tuple has, and what a method is bound to; a cell's is a reference of our own.
    unsafe {
        for value in (0..arguments).chain(variables.saturating_sub(free)..variables).filter_map(|place| frame.local(place)) {
            if ffi::Py_TYPE(value) == &raw mut ffi::PyCell_Type {
                given.extend(Bound::from_owned_ptr_or_opt(py, ffi::PyCell_Get(value)));
            } else if ffi::Py_TYPE(value) == &raw mut ffi::PyTuple_Type {
                let items = (0..ffi::PyTuple_GET_SIZE(value)).map(|at| ffi::PyTuple_GET_ITEM(value, at));
                given.extend(items.map(|item| Bound::from_borrowed_ptr(py, item)));
            } else {
                given.push(Bound::from_borrowed_ptr(py, value));
            }
        }
        for value in &mut given {
            if let Some((of, _)) = attributes::of_method(value.as_ptr()) {
                *value = Bound::from_borrowed_ptr(py, of);
            }
        }
    }
    given
}

/// Whether the calling thread has had an object since then: it was given it, or something that had it as an attribute by then.
///
/// # Safety
/// Called from a probe, attached; the object is alive.
pub(super) unsafe fn is_one(here: &ThreadContext, object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe {
        let py = Python::assume_attached();
        let given = all(py);
        if given.iter().any(|value| value.as_ptr() == object) {
            return true;
        }
        let frame = frames::own().find_map(Frame::raw);
        let code = frame.and_then(|frame| Code::of(&Bound::from_borrowed_ptr(py, frame.code as *mut ffi::PyObject)));
        let Some(code) = code.filter(|_| !given.is_empty()) else { return false };
        code.names().iter().any(|name| given.iter().any(|value| had(here, value, &name, object)))
    }
}

/// Whether `owner` has had an object as this attribute, as far as the calling thread knows, and since before that has come to it.
///
/// # Safety
/// Attached; the object is alive.
unsafe fn had(here: &ThreadContext, owner: &Bound<'_, PyAny>, name: &Bound<'_, PyAny>, object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; what is looked up is a reference of our own.
    unsafe {
        let found = attributes::own_by(owner.as_ptr(), name.as_ptr());
        ffi::Py_XDECREF(found);
        let Some(Ok((_, field))) = (found == object).then(|| names::intern(owner.py(), &name.extract::<String>()?)) else {
            return false;
        };
        let (races, home) = (shared::get(), attributes::home(owner.as_ptr()));
        let life = races.lifetimes.life(home as u64, &Seen(home)).number();
        let clock = here.order.clock();
        // An object that it has found there itself was not given to it.
        let is_known = |writer: ftsan::races::clock::Epoch| writer.slot() != clock.epoch().slot() && clock.has_seen(writer);
        races.shadow.last_writer(location(life ^ order::slice(), field)).is_none_or(is_known)
    }
}

/// Whether the first function of the program that the calling thread has run has these global variables.
///
/// # Safety
/// Attached.
pub(super) unsafe fn are_its_globals(globals: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    let first = unsafe { first_of_program(Python::assume_attached()) };
    first.is_some_and(|(frame, code)| code.flags() & ffi::CO_NEWLOCALS != 0 && frame.globals() == globals)
}
