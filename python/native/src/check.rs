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

/// Called before a watched function or method does anything.
///
/// # Safety
/// Attached; `object` is alive and of the type that `watch` was made for.
#[inline]
pub(crate) unsafe fn before(watch: &'static Watch, object: *mut ffi::PyObject) -> Verdict {
    let here = here();
    match watch.kind {
        Kind::Loop => check_loop(here, watch, object, object),
        // SAFETY: `_asyncio` instances only, by construction of the watch.
        Kind::Future => check_loop(here, watch, object, unsafe { futures::loop_of(object) }),
        Kind::LoopAttribute => {
            // An object keeps its loop: once it was ours, it is ours until another one is born at its address.
            if session::get().bindings.is_mine(here.slot, object as usize) {
                here.slot.count_check();
                return Verdict::GoOn;
            }
            // SAFETY: passed on.
            unsafe { check_loop_attribute(here, watch, object) }
        }
        // SAFETY: passed on.
        Kind::LoopAttributeOnly => unsafe { check_loop_attribute(here, watch, object) },
        Kind::Primitive => {
            here.slot.count_check();
            if session::get().bindings.is_mine(here.slot, object as usize) {
                return Verdict::GoOn;
            }
            // SAFETY: passed on.
            unsafe { evidence::touch_primitive(watch, object) }
        }
        Kind::LoopBorn => {
            session::get().loops.born(object as usize);
            // SAFETY: attached.
            unsafe { creations::record(object as usize, watch.frames) };
            Verdict::GoOn
        }
        Kind::PrimitiveBorn => {
            session::get().bindings.born(here.slot, object as usize);
            // SAFETY: attached.
            unsafe { creations::record(object as usize, watch.frames) };
            Verdict::GoOn
        }
        Kind::Born => {
            session::get().bindings.forget(object as usize);
            // SAFETY: attached.
            unsafe { creations::record(object as usize, watch.frames) };
            Verdict::GoOn
        }
    }
}

#[inline]
fn check_loop(here: &'static Here, watch: &'static Watch, object: *mut ffi::PyObject, loop_: *mut ffi::PyObject) -> Verdict {
    here.slot.count_check();
    if here.slot.running() == loop_ as usize {
        return Verdict::GoOn;
    }
    elsewhere(here, watch, object, loop_)
}

/// # Safety
/// As [`before`].
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
