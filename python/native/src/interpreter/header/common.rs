//! The common part of both places for bits: which bits there are, what names a thread, and the tracer of births.

use pyo3::ffi;
use std::ffi::{c_int, c_void};

/// `PyRefTracer`, `Include/cpython/object.h`: hears of births and deaths of all objects.
pub(crate) type Tracer = unsafe extern "C" fn(*mut ffi::PyObject, c_int, *mut c_void) -> c_int;

unsafe extern "C" {
    pub(super) fn PyRefTracer_SetTracer(tracer: Option<Tracer>, data: *mut c_void) -> c_int;
    pub(super) fn PyRefTracer_GetTracer(data: *mut *mut c_void) -> Option<Tracer>;
}

/// `PyRefTracer_CREATE`
pub(crate) const CREATE: c_int = 0;

/// An access was recorded: the object has a number of its own (`ftsan::races::lifetimes`).
pub(crate) const SEEN: u16 = 1 << 15;
/// Others than the thread that made it have touched it.
pub(crate) const ESCAPED: u16 = 1 << 14;
/// The clock of all that was released into it is in the table of `crate::engine::order`.
pub(crate) const HAS_CLOCK: u16 = 1 << 13;
/// It orders nothing, although it is a lock.
pub(crate) const IGNORED: u16 = 1 << 12;

/// A step of the iterator was noted.  No iterator is a lock.
pub(crate) const WALKED: u16 = IGNORED;

pub(super) const OURS: u16 = SEEN | ESCAPED | HAS_CLOCK | IGNORED;

/// `_Py_ThreadId`, `Include/object.h`.
#[inline(always)]
pub(crate) fn thread_id() -> usize {
    let id;
    // SAFETY: reads the thread pointer.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {}, qword ptr fs:[0]", out(reg) id, options(pure, readonly, nostack, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mrs {}, tpidr_el0", out(reg) id, options(pure, readonly, nostack, preserves_flags));
    }
    id
}
