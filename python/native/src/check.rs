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
            // SAFETY: attached, and both objects are alive.
            let loop_ = unsafe { ffi::PyObject_GenericGetAttr(object, session::get().loop_attribute.as_ptr()) };
            if loop_.is_null() {
                // SAFETY: attached.  Not yet or no longer initialized: nobody's.
                unsafe { ffi::PyErr_Clear() };
                return Verdict::GoOn;
            }
            let verdict = check_loop(here, watch, object, loop_);
            // SAFETY: GenericGetAttr gave us a reference.
            unsafe { ffi::Py_DECREF(loop_) };
            verdict
        }
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
            // SAFETY: attached.
            unsafe { creations::record(object as usize, watch.frames) };
            Verdict::GoOn
        }
        Kind::HandleBorn => {
            // SAFETY: attached.
            unsafe { record_handle(object as usize) };
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

#[cold]
fn elsewhere(here: &'static Here, watch: &'static Watch, object: *mut ffi::PyObject, loop_: *mut ffi::PyObject) -> Verdict {
    match session::get().loops.affinity(here.slot, loop_ as usize) {
        Affinity::Fine => Verdict::GoOn,
        // SAFETY: attached, and the object is alive while its method runs.
        Affinity::Elsewhere(runner) => unsafe { evidence::misuse(watch, object, runner) },
    }
}

/// A Handle is made by `call_soon` and the like, which C code calls for each step of a task; those handles are nobody's to
/// cancel.  Three frames out (`__init__`, `_call_soon` or `TimerHandle.__init__`, `call_*`) is the caller.
///
/// # Safety
/// Attached.
unsafe fn record_handle(object: usize) {
    // SAFETY: attached, and it is our own stack.
    let caller = unsafe { crate::interpreter::frames::of_thread(ffi::PyThreadState_GetUnchecked()) }.nth(3);
    if caller.is_some_and(|frame| !frame.is_entry()) {
        // SAFETY: attached.
        unsafe { creations::record(object, 1) };
    }
}
