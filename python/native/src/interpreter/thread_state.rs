//! The calling thread's state, read where the interpreter keeps it: a probe asks for it often, and the function that gives it away is not
//! cheap in a shared library.
//!
//! It is a thread-local variable.  If its library was loaded when the process started, the variable has the same place in all threads,
//! next to the thread pointer (Drepper, "ELF Handling For Thread-Local Storage").  Otherwise the function is called.

use crate::interpreter::header::thread_id;
#[cfg(not(Py_GIL_DISABLED))]
use crate::interpreter::memory;
use crate::interpreter::offsets;
use pyo3::ffi;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

#[cfg(Py_GIL_DISABLED)]
unsafe extern "C" {
    // Include/object.h: the address of `_Py_tss_tstate` (Python/pystate.c)
    fn _Py_GetThreadLocal_Addr() -> usize;
}

/// From the thread pointer to the variable; 0 if it has no such place.
static PLACE: AtomicIsize = AtomicIsize::new(0);

/// Libraries that are loaded at the start share some kilobytes.
const NEAR: usize = 1 << 16;

#[cfg(Py_GIL_DISABLED)]
fn place() -> isize {
    // SAFETY: has no precondition.
    unsafe { _Py_GetThreadLocal_Addr() }.wrapping_sub(thread_id()) as isize
}

/// The place where the state is while the thread is attached, and nothing while it is not.  Builds with the GIL do not tell it.
#[cfg(not(Py_GIL_DISABLED))]
fn place() -> isize {
    const PAGE: usize = 1 << 12;
    // SAFETY: has no precondition.
    let state = unsafe { ffi::PyThreadState_GetUnchecked() } as usize;
    let first = (thread_id() - NEAR) & !(PAGE - 1);
    let mut candidates = Vec::new();
    let mut page = [0; PAGE];
    for from in (first..first + 2 * NEAR).step_by(PAGE).filter(|_| state != 0) {
        if memory::read_into(from, &mut page) {
            let words = page.chunks_exact(size_of::<usize>()).enumerate();
            let same = words.filter(|(_, word)| *word == state.to_ne_bytes());
            candidates.extend(same.map(|(at, _)| from + at * size_of::<usize>()));
        }
    }
    // SAFETY: attached, as there is a state, and attached again before anything of Python is touched.
    unsafe {
        let saved = ffi::PyEval_SaveThread();
        candidates.retain(|candidate| memory::word(*candidate) == Some(0));
        ffi::PyEval_RestoreThread(saved);
    }
    candidates.retain(|candidate| memory::word(*candidate) == Some(state));
    candidates.first().map_or(0, |found| found.wrapping_sub(thread_id()) as isize)
}

/// Whether the calling thread has its state where the first one had it.
fn is_in_place() -> bool {
    let place = PLACE.load(Ordering::Relaxed);
    #[cfg(Py_GIL_DISABLED)]
    return place == self::place();
    #[cfg(not(Py_GIL_DISABLED))]
    // SAFETY: has no precondition.
    return place == 0
        || memory::word(thread_id().wrapping_add_signed(place)) == Some(unsafe { ffi::PyThreadState_GetUnchecked() } as usize);
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
    if !is_in_place() {
        PLACE.store(0, Ordering::Relaxed);
    }
}

/// The calling thread's state; null if it is detached.
#[inline(always)]
pub(crate) fn own() -> *mut ffi::PyThreadState {
    // SAFETY: has no precondition.
    own_at_place().unwrap_or_else(|| unsafe { ffi::PyThreadState_GetUnchecked() })
}

/// The same; `None` if it has no place that is known.
#[inline(always)]
pub(crate) fn own_at_place() -> Option<*mut ffi::PyThreadState> {
    let place = PLACE.load(Ordering::Relaxed);
    // SAFETY: the place of the variable in every thread.
    let read = || unsafe { (thread_id().wrapping_add_signed(place) as *const *mut ffi::PyThreadState).read_volatile() };
    (place != 0).then(read)
}

/// What `threading.get_ident()` says in a thread, and the kernel's id of it.
///
/// # Safety
/// The state of a thread that is stopped.
pub(crate) unsafe fn identity(thread: *mut ffi::PyThreadState) -> (u64, u64) {
    let offsets = offsets::get();
    // SAFETY: passed on; the places are published.
    unsafe {
        let field = |offset: usize| thread.cast::<u8>().add(offset).cast::<u64>().read();
        (field(offsets.thread_ident), field(offsets.thread_native_id))
    }
}

/// Whether the calling thread is attached to the main interpreter, whose objects are all that we know.
pub(crate) fn is_of_main_interpreter() -> bool {
    // SAFETY: plain questions; the thread is attached if it has a state.
    unsafe { !own().is_null() && ffi::PyInterpreterState_Get() == ffi::PyInterpreterState_Main() }
}

/// For how many changes of tracers and tools code was made anew (`eval_breaker`, which follows `interp`, `Include/cpython/pystate.h`).
///
/// # Safety
/// A live state.
pub(crate) unsafe fn instrumentation_version(thread: *mut ffi::PyThreadState) -> usize {
    /// `_PY_EVAL_EVENTS_BITS`, `Include/internal/pycore_ceval.h`
    const EVENTS: u32 = 8;
    // SAFETY: passed on; the field is changed atomically.
    unsafe {
        let field = thread.cast::<u8>().add(offsets::get().thread_interp + size_of::<usize>());
        AtomicUsize::from_ptr(field.cast()).load(Ordering::Relaxed) >> EVENTS
    }
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
