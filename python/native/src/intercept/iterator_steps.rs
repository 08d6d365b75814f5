//! Steps of built-in iterators, whoever makes them: `tp_iternext` of their types is replaced by a function that asks
//! [`crate::engine::races::walks`] before it calls the original.
//!
//! `list(d.values())`, `deque(o)`, `f(*o)`, `sum(it)`, `map(f, o)`, the loop of a helper in another package: everything comes by here, but for
//! what the interpreter does in one step under the container's lock (`list(d)`, `d.copy()`), and for loops over lists, which it inlines.

use crate::engine::races::walks;
use crate::intercept::c_method::rows;
use crate::intercept::type_slot::{self, Slot, Unary};
use crate::interpreter::iterators::{self, Iterators};
use crate::thread::outcome::Outcome;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyModule;
use std::ffi::c_void;
use std::sync::OnceLock;

struct Hooked {
    original: Unary,
    iterators: &'static Iterators,
}

const MOST: usize = 64;
static HOOKED: [OnceLock<Hooked>; MOST] = [const { OnceLock::new() }; MOST];

unsafe extern "C" fn next<const N: usize>(iterator: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let hooked = HOOKED[N].get().expect("set before the slot is");
    // SAFETY: the interpreter calls a slot attached and with a live object of its type; the original slot.
    unsafe {
        if walks::is_of_no_concern(hooked.iterators, iterator) { (hooked.original)(iterator) } else { watched(hooked, iterator) }
    }
}

/// # Safety
/// As for the slot.
#[inline(never)]
unsafe extern "C" fn watched(hooked: &Hooked, iterator: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; the original slot.
    unsafe {
        if walks::step(hooked.iterators, iterator) == Outcome::Raised {
            return std::ptr::null_mut();
        }
        walks::around(iterator, || (hooked.original)(iterator))
    }
}

const fn row<const N: usize>() -> *const c_void {
    next::<N> as *const c_void
}

struct Rows([*const c_void; MOST]);
// SAFETY: functions.
unsafe impl Sync for Rows {}

static ROWS: Rows = Rows(rows!(row: 0 1 2 3));

/// Watches the types of iterators of a module, one of [`iterators::modules`].
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for (class, iterators) in iterators::learn(module)? {
        let there = Slot::Next.of(&class);
        if there.is_null() {
            continue;
        }
        // SAFETY: this slot holds such a function.
        let original = unsafe { std::mem::transmute::<*const c_void, Unary>(there) };
        let free = HOOKED.iter().zip(&ROWS.0).find(|(hook, _)| hook.set(Hooked { original, iterators }).is_ok());
        let (_, row) = free.ok_or_else(|| PyRuntimeError::new_err("more types of iterators than places"))?;
        type_slot::replace(&class, Slot::Next, *row)?;
    }
    Ok(())
}
