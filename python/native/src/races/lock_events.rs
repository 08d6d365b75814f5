//! What the swapped methods of locks tell: on the path of every `with lock`.

use pyo3::ffi;

/// By which call a lock changes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// `acquire()` and `release()`.
    Call,
    /// A `with` statement.
    With,
    /// The wait of a condition, which gives an RLock up whole and takes it back.
    Wait,
}

/// The calling thread has just acquired `lock` (a Lock or an RLock, again perhaps).
///
/// # Safety
/// Attached; `lock` is alive.
#[inline(always)]
pub(crate) unsafe fn acquired(_lock: *mut ffi::PyObject, _how: How) {}

/// The calling thread is about to release `lock`; it may not hold it.
///
/// # Safety
/// As [`acquired`].
#[inline(always)]
pub(crate) unsafe fn releasing(_lock: *mut ffi::PyObject, _how: How) {}

/// The coroutine that runs is about to hand over to its loop.
#[inline(always)]
pub(crate) fn suspends() {}

/// The locks that the calling thread holds, by number and address, sorted.
pub(crate) fn guards() -> Vec<(u32, usize)> {
    Vec::new()
}
