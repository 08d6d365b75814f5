//! The hot path: is the loop of this object running in another thread?
//!
//! Nothing here allocates, formats, locks or calls Python code.  What is not settled by one compare goes to [`crate::evidence`].

use crate::interpreter::futures;
use crate::threads::{Here, here};
use crate::watch::{Kind, Watch};
use crate::{creations, evidence, session};
use ftsan::loops::Affinity;
use pyo3::ffi;

/// What the hooked call has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on.
    GoOn,
    /// Go on; this is a misuse, and what the call does to the foreign loop in turn belongs to it.
    Misused,
    /// An exception is set; return with it.
    Raised,
}

/// Called before a watched C method does anything.
///
/// # Safety
/// Attached; `object` is alive and of the type that `watch` was made for.
#[inline]
pub(crate) unsafe fn before(watch: &'static Watch, object: *mut ffi::PyObject) -> Verdict {
    // SAFETY: C methods are watched on futures and tasks only, and it is passed on.
    unsafe { before_kind::<{ Kind::Future as u8 }>(watch, object) }
}

/// Called before a watched function whose watch is of kind `K` does anything.
///
/// # Safety
/// As [`before`].
#[inline(always)]
pub(crate) unsafe fn before_kind<const K: u8>(watch: &'static Watch, object: *mut ffi::PyObject) -> Verdict {
    const LOOP: u8 = Kind::Loop as u8;
    const FUTURE: u8 = Kind::Future as u8;
    const LOOP_ATTRIBUTE: u8 = Kind::LoopAttribute as u8;
    const LOOP_ATTRIBUTE_ONLY: u8 = Kind::LoopAttributeOnly as u8;
    const PRIMITIVE: u8 = Kind::Primitive as u8;
    let here = here();
    // SAFETY: attached, and what `watch` was made for, by the caller's guarantee.
    unsafe {
        match K {
            LOOP => check_loop(here, watch, object, object),
            FUTURE => check_loop(here, watch, object, futures::loop_of(object)),
            // An object keeps its loop: once it was ours, it is ours until another one is born at its address.
            LOOP_ATTRIBUTE | PRIMITIVE if watch.bindings.is_mine(here.slot, object as usize) => {
                here.slot.count_check();
                Verdict::GoOn
            }
            LOOP_ATTRIBUTE | LOOP_ATTRIBUTE_ONLY => check_loop_attribute(here, watch, object),
            PRIMITIVE => {
                here.slot.count_check();
                evidence::touch_primitive(watch, object)
            }
            _ => {
                born(here, watch, object as usize);
                Verdict::GoOn
            }
        }
    }
}

/// # Safety
/// Attached.
unsafe fn born(here: &'static Here, watch: &'static Watch, object: usize) {
    match watch.kind {
        Kind::LoopBorn => session::get().loops.born(object),
        Kind::PrimitiveBorn => watch.bindings.born(here.slot, object),
        Kind::Born | Kind::Loop | Kind::LoopAttribute | Kind::LoopAttributeOnly | Kind::Future | Kind::Primitive => {
            watch.bindings.forget(object);
        }
    }
    // SAFETY: passed on.
    unsafe { creations::record(object, watch.frames) };
}

#[inline(always)]
fn check_loop(here: &'static Here, watch: &'static Watch, object: *mut ffi::PyObject, loop_: *mut ffi::PyObject) -> Verdict {
    here.slot.count_check();
    if here.slot.running() == loop_ as usize {
        return Verdict::GoOn;
    }
    elsewhere(here, watch, object, loop_)
}

/// # Safety
/// As [`before`].
#[cold]
unsafe fn check_loop_attribute(here: &'static Here, watch: &'static Watch, object: *mut ffi::PyObject) -> Verdict {
    let session = session::get();
    // SAFETY: attached, and both objects are alive.
    let loop_ = unsafe { ffi::PyObject_GenericGetAttr(object, session.loop_attribute.as_ptr()) };
    if loop_.is_null() {
        // SAFETY: attached.  Not yet or no longer initialized: nobody's.
        unsafe { ffi::PyErr_Clear() };
        return Verdict::GoOn;
    }
    if watch.kind == Kind::LoopAttribute && here.slot.running() == loop_ as usize {
        session.bindings.remember(here.slot, object as usize);
    }
    let verdict = check_loop(here, watch, object, loop_);
    // SAFETY: GenericGetAttr gave us a reference.
    unsafe { ffi::Py_DECREF(loop_) };
    verdict
}

#[cold]
fn elsewhere(here: &'static Here, watch: &'static Watch, object: *mut ffi::PyObject, loop_: *mut ffi::PyObject) -> Verdict {
    match session::get().loops.affinity(here.slot, loop_ as usize) {
        Affinity::Fine => Verdict::GoOn,
        // SAFETY: attached, and the object is alive while its method runs.
        Affinity::Elsewhere(runner) => unsafe { evidence::misuse(watch, object, runner) },
    }
}
