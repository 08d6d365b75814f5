//! From a suspended coroutine to what it waits for in the end.

use crate::interpreter::frames::{Frame, RawStack, of_generator};
use crate::interpreter::{coroutines, futures, offsets, reach};
use pyo3::ffi;

/// Where a suspended coroutine awaits, and where what it awaits does, innermost first.  Empty if it is running or done.
///
/// # Safety
/// `coroutine` is a live object and the world is stopped.
pub(crate) unsafe fn await_chain(coroutine: *mut ffi::PyObject) -> RawStack {
    let mut outermost_first = RawStack::default();
    // SAFETY: passed on.
    unsafe { follow(coroutine, |frame| frame.raw().is_some_and(|raw| outermost_first.push(raw))) };
    let mut stack = RawStack::default();
    for raw in outermost_first.frames().iter().rev() {
        stack.push(*raw);
    }
    stack
}

/// What a suspended coroutine waits for in the end: the iterator of a future, usually.
///
/// # Safety
/// As [`await_chain`].
pub(crate) unsafe fn awaited(coroutine: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
    // SAFETY: passed on.
    unsafe { follow(coroutine, |_| true) }
}

/// Whether a suspended coroutine waits for `object`, a future, or for one that it holds, or in a method of it.
///
/// # Safety
/// As [`await_chain`]; `object` is alive.
pub(crate) unsafe fn leads_to(coroutine: *mut ffi::PyObject, object: *mut ffi::PyObject) -> bool {
    let mut is_in_it = false;
    // SAFETY: passed on.
    let future = unsafe {
        let end = follow(coroutine, |frame| {
            is_in_it |= frame.first_argument_is(object);
            true
        });
        end.and_then(|end| futures::future_of_iterator(end))
    };
    // SAFETY: passed on; the coroutine keeps what it waits for alive.
    is_in_it || future.is_some_and(|future| future == object || unsafe { reach::holds(object, future) })
}

/// Follows a suspended coroutine to what it waits for, which is returned; each frame on the way goes to `visit`, until that says no.
///
/// # Safety
/// As [`await_chain`].
unsafe fn follow(coroutine: *mut ffi::PyObject, mut visit: impl FnMut(Frame<'static>) -> bool) -> Option<*mut ffi::PyObject> {
    let states = offsets::get().unpublished;
    let mut object = coroutine;
    loop {
        // SAFETY: the caller's guarantee, and each awaited object is kept alive by the frame that awaits it.
        unsafe {
            if let Some(generator) = coroutines::generator_of_step(object) {
                object = generator;
            }
            if !coroutines::is_one(object) {
                return Some(object);
            }
            let state = coroutines::state(object);
            if state != states.awaiting && state != states.suspended {
                return None;
            }
            let frame = of_generator(object);
            if !visit(frame) || state != states.awaiting {
                return None;
            }
            object = frame.awaited()?;
        }
    }
}
