//! Bits of our own in the header of every object: `ob_flags`, whose upper bits CPython 3.14 does not use.
//!
//! `_Py_NewReference` (`Objects/object.c`) clears the field at each birth, those from a free list included, so a bit says something of
//! this life of an object and nobody needs to hear of its death.  [`verify`] tries that with a few kinds of objects.

use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

/// An access was recorded: the object has a number of its own (`ftsan::races::lifetimes`).
pub(crate) const SEEN: u16 = 1 << 15;
/// Others than the thread that made it have touched it.
pub(crate) const ESCAPED: u16 = 1 << 14;
/// What was released into it is in the table of `crate::engine::order`.
pub(crate) const HAS_CLOCK: u16 = 1 << 13;
/// It orders nothing, although it is a lock.
pub(crate) const IGNORED: u16 = 1 << 12;

/// A step of the iterator was noted.  No iterator is a lock.
pub(crate) const WALKED: u16 = IGNORED;

const OURS: u16 = SEEN | ESCAPED | HAS_CLOCK | IGNORED;

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
    // SAFETY: passed on; the interpreter changes the field of live objects atomically.
    unsafe { maker(object) == thread_id() && bits(object) & ESCAPED == 0 }
}

/// The thread that made the object, as [`thread_id`] names it; 0 if its references are no longer counted for that one.
///
/// # Safety
/// `object` is alive.
#[inline(always)]
pub(crate) unsafe fn maker(object: *mut ffi::PyObject) -> usize {
    // SAFETY: passed on; the interpreter changes the field of live objects atomically.
    unsafe { AtomicUsize::from_ptr(&raw mut (*object).ob_tid).load(Ordering::Relaxed) }
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

/// `_Py_ThreadId`, `Include/object.h`.
#[inline(always)]
pub(crate) fn thread_id() -> usize {
    let id;
    // SAFETY: reads the thread pointer.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {}, qword ptr fs:[0]", out(reg) id, options(readonly, nostack, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mrs {}, tpidr_el0", out(reg) id, options(readonly, nostack, preserves_flags));
    }
    id
}

/// Objects of a few kinds are made, marked and made again at the same address: their bits must be gone.
pub(crate) fn verify(py: Python<'_>) -> Result<(), String> {
    let builtins = py.import("builtins").map_err(|error| error.to_string())?;
    let class = builtins.call_method1("type", ("Object", (), pyo3::types::PyDict::new(py))).map_err(|error| error.to_string())?;
    let lock = py.import("_thread").and_then(|thread| thread.getattr("lock")).map_err(|error| error.to_string())?;
    let kind = |name: &str| builtins.getattr(name).map_err(|error| error.to_string());
    let mut reused = 0;
    for class in [class, lock, kind("list")?, kind("dict")?, kind("set")?, kind("object")?] {
        reused += usize::from(is_cleared(&class)?);
    }
    if reused == 0 { Err("no address was used again".to_owned()) } else { Ok(()) }
}

/// Whether the address of an object was used again; an error if the new object has kept a bit.
fn is_cleared(class: &Bound<'_, PyAny>) -> Result<bool, String> {
    let make = || class.call0().map_err(|error| error.to_string());
    let first = make()?;
    // SAFETY: a new object, which we hold a reference to.
    unsafe {
        if bits(first.as_ptr()) & OURS != 0 || !is_private(first.as_ptr()) {
            return Err("the header of a new object is not as expected".to_owned());
        }
        set(first.as_ptr(), OURS);
        if bits(first.as_ptr()) & OURS != OURS || is_private(first.as_ptr()) {
            return Err("bits in the header of an object do not stay".to_owned());
        }
    }
    let address = first.as_ptr();
    drop(first);
    // mimalloc gives out what was freed once the rest of its page is used up.
    for _ in 0..ATTEMPTS {
        let other = make()?;
        // SAFETY: as above.
        if unsafe { bits(other.as_ptr()) } & OURS != 0 {
            return Err("a new object has the bits of one before it".to_owned());
        }
        if other.as_ptr() == address {
            return Ok(true);
        }
    }
    Ok(false)
}

const ATTEMPTS: usize = 4096;
