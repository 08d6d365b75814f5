//! In the header of the object: `ob_flags`, whose upper bits CPython 3.14 without the GIL does not use, and `ob_tid`.
//! `_Py_NewReference` (`Objects/object.c`) clears the field at each birth.

use super::common::{ESCAPED, PyRefTracer_GetTracer, PyRefTracer_SetTracer, Tracer, thread_id};
use super::heap;
use pyo3::ffi;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

#[inline(always)]
unsafe fn field<'a>(object: *mut ffi::PyObject) -> &'a AtomicU16 {
    // SAFETY: the caller guarantees a live object; the interpreter does not write the field of one that others can reach.
    unsafe { AtomicU16::from_ptr(&raw mut (*object).ob_flags) }
}

/// All the bits, ours and the interpreter's.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn bits(object: *mut ffi::PyObject) -> u16 {
    // SAFETY: passed on.
    unsafe { field(object) }.load(Ordering::Acquire)
}

/// Sets bits; gives all the bits there were.
///
/// # Safety
/// `object` is alive.
#[inline]
pub(crate) unsafe fn set(object: *mut ffi::PyObject, bits: u16) -> u16 {
    // SAFETY: passed on.
    unsafe { field(object) }.fetch_or(bits, Ordering::AcqRel)
}

/// Whether only the calling thread has touched the object, which it made.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn is_private(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { bits(object) & ESCAPED == 0 && (counted_for(object) == thread_id() || is_of_own_heap(object)) }
}

/// Whether it is, as far as one look at the header tells.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn is_plainly_private(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { counted_for(object) == thread_id() && bits(object) & ESCAPED == 0 }
}

/// Whether the calling thread made an object whose references are not counted for it, as far as the heap knows.
///
/// # Safety
/// `object` is alive.
#[cold]
#[inline(never)]
unsafe fn is_of_own_heap(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { maker(object) == thread_id() }
}

/// The thread that the object's references are counted for, as [`thread_id`] names it; 0 for none.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
unsafe fn counted_for(object: *mut ffi::PyObject) -> usize {
    // SAFETY: passed on; the interpreter changes the field of live objects atomically.
    unsafe { AtomicUsize::from_ptr(&raw mut (*object).ob_tid).load(Ordering::Relaxed) }
}

/// The thread that made the object, as [`thread_id`] names it; 0 if that is not known.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn maker(object: *mut ffi::PyObject) -> usize {
    // SAFETY: passed on.
    unsafe {
        match counted_for(object) {
            0 if !is_immortal(object) => heap::thread_of(object),
            thread => thread,
        }
    }
}

/// `_Py_IsImmortal`, `Include/refcount.h`: nobody counts the references of what lives for ever, and nobody can change it but for classes
/// and modules, which are not among it if they are Python code's.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn is_immortal(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { (*object).ob_ref_local.load(Ordering::Relaxed) == u32::MAX }
}

/// Calls `tracer` at each birth from now on, unless somebody else traces them.
///
/// # Safety
/// Attached.
pub(crate) unsafe fn follow_births(tracer: Tracer) {
    // SAFETY: passed on.
    unsafe {
        let mut data = std::ptr::null_mut();
        if PyRefTracer_GetTracer(&raw mut data).is_none() {
            PyRefTracer_SetTracer(Some(tracer), std::ptr::null_mut());
        }
    }
}
