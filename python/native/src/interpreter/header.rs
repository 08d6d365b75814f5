//! Bits of our own for every object, and the thread that made it.
//!
//! They are cleared at each birth, those from a free list included, so a bit says something of this life of an object and nobody needs to
//! hear of its death.  Builds without the GIL have room for them in the object's header, those with it do not.  [`verify`] tries both
//! with a few kinds of objects.

#[cfg(not(Py_GIL_DISABLED))]
mod beside_objects;
#[cfg(Py_GIL_DISABLED)]
mod in_objects;

#[cfg(not(Py_GIL_DISABLED))]
pub(crate) use beside_objects::{bits, follow_births, is_immortal, is_kept, is_private, keep, maker, set};
#[cfg(Py_GIL_DISABLED)]
pub(crate) use in_objects::{bits, follow_births, is_immortal, is_private, maker, set};

use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};

/// `PyRefTracer`, `Include/cpython/object.h`: hears of births and deaths of all objects.
pub(crate) type Tracer = unsafe extern "C" fn(*mut ffi::PyObject, c_int, *mut c_void) -> c_int;

unsafe extern "C" {
    fn PyRefTracer_SetTracer(tracer: Option<Tracer>, data: *mut c_void) -> c_int;
    fn PyRefTracer_GetTracer(data: *mut *mut c_void) -> Option<Tracer>;
}

/// `PyRefTracer_CREATE`
pub(crate) const CREATE: c_int = 0;

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
    #[cfg(not(Py_GIL_DISABLED))]
    keep()?;
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
