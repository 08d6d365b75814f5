//! The calling thread's state, read where the interpreter keeps it: a probe asks for it often, and the function that gives it away is not
//! cheap in a shared library.
//!
//! It is a thread-local variable.  If its library was loaded when the process started, the variable has the same place in all threads,
//! next to the thread pointer (Drepper, "ELF Handling For Thread-Local Storage").  Otherwise the function is called.

use crate::interpreter::header::thread_id;
use pyo3::ffi;
use std::sync::atomic::{AtomicIsize, Ordering};

unsafe extern "C" {
    // Include/object.h: the address of `_Py_tss_tstate` (Python/pystate.c)
    fn _Py_GetThreadLocal_Addr() -> usize;
}

/// From the thread pointer to the variable; 0 if it has no such place.
static PLACE: AtomicIsize = AtomicIsize::new(0);

/// What libraries that are loaded at the start share is some kilobytes.
const NEAR: usize = 1 << 16;

fn place() -> isize {
    // SAFETY: has no precondition.
    unsafe { _Py_GetThreadLocal_Addr() }.wrapping_sub(thread_id()) as isize
}

/// To be called once, before other threads ask.
pub(crate) fn load() {
    let place = place();
    if place.unsigned_abs() < NEAR {
        PLACE.store(place, Ordering::Relaxed);
    }
}

/// To be called by each thread, soon: should it be elsewhere here, the function is called from now on.
pub(crate) fn check() {
    if PLACE.load(Ordering::Relaxed) != place() {
        PLACE.store(0, Ordering::Relaxed);
    }
}

/// The calling thread's state; null if it is detached.
#[inline(always)]
pub(crate) fn own() -> *mut ffi::PyThreadState {
    let place = PLACE.load(Ordering::Relaxed);
    if place == 0 {
        // SAFETY: has no precondition.
        return unsafe { ffi::PyThreadState_GetUnchecked() };
    }
    // SAFETY: the place of the variable in every thread.
    unsafe { (thread_id().wrapping_add_signed(place) as *const *mut ffi::PyThreadState).read_volatile() }
}

/// Whether the calling thread is attached to the main interpreter, whose objects are all that we know.
pub(crate) fn is_of_main_interpreter() -> bool {
    // SAFETY: plain questions; the thread is attached if it has a state.
    unsafe { !own().is_null() && ffi::PyInterpreterState_Get() == ffi::PyInterpreterState_Main() }
}

/// Whether there is another interpreter than the main one.
pub(crate) fn are_there_sub_interpreters() -> bool {
    // SAFETY: plain questions.  The newest one comes first, the main one, which is there as long as any is, last.
    unsafe { ffi::PyInterpreterState_Head() != ffi::PyInterpreterState_Main() }
}

/// Compares with what the interpreter says.
pub(crate) fn verify() -> Result<(), String> {
    // SAFETY: has no precondition.
    if own() == unsafe { ffi::PyThreadState_GetUnchecked() } { Ok(()) } else { Err("the thread's state is elsewhere".to_owned()) }
}
