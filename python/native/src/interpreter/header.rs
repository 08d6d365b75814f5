//! Bits of our own for every object, and the thread that made it.
//!
//! They are cleared at each birth, those from a free list included, so a bit says something of this life of an object and nobody needs to
//! hear of its death.  Builds without the GIL have room for them in the object's header, those with it do not.  [`verify`] tries both
//! with a few kinds of objects.

#[cfg(not(Py_GIL_DISABLED))]
mod beside_objects;
mod common;
#[cfg(Py_GIL_DISABLED)]
mod heap;
#[cfg(Py_GIL_DISABLED)]
mod in_objects;

#[cfg(not(Py_GIL_DISABLED))]
pub(crate) use beside_objects::{bits, follow_births, is_immortal, is_kept, is_plainly_private, is_private, keep, maker, set};
pub(crate) use common::{CREATE, ESCAPED, HAS_CLOCK, IGNORED, SEEN, WALKED, thread_id};
#[cfg(Py_GIL_DISABLED)]
pub(crate) use in_objects::{bits, follow_births, is_immortal, is_plainly_private, is_private, maker, set};

use common::OURS;
use pyo3::prelude::*;

/// Objects of a few kinds are made, marked and made again at the same address: their bits must be gone.
pub(crate) fn verify(py: Python<'_>) -> Result<(), String> {
    #[cfg(not(Py_GIL_DISABLED))]
    keep()?;
    let builtins = py.import("builtins").map_err(|error| error.to_string())?;
    let class = builtins.call_method1("type", ("Object", (), pyo3::types::PyDict::new(py))).map_err(|error| error.to_string())?;
    let lock = py.import("_thread").and_then(|thread| thread.getattr("lock")).map_err(|error| error.to_string())?;
    let kind = |name: &str| builtins.getattr(name).map_err(|error| error.to_string());
    #[cfg(Py_GIL_DISABLED)]
    {
        let made = [class.call0(), kind("list")?.call0(), kind("dict")?.call0()];
        let made = made.into_iter().collect::<PyResult<Vec<_>>>().map_err(|error| error.to_string())?;
        // SAFETY: attached, and new objects, which we hold references to.
        unsafe { heap::learn(&made.iter().map(|object| object.as_ptr()).collect::<Vec<_>>()) };
    }
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
