//! The number of an object's life, which an object that gets its address later does not have.

use crate::engine::races::shared;
use crate::interpreter::header::{self, SEEN};
use ftsan::races::lifetimes::Mark;
use pyo3::ffi;

/// Whether an access of an object was noted since it was born.
pub(super) struct Seen(pub(super) *mut ffi::PyObject);

impl Mark for Seen {
    #[inline(always)]
    fn is_set(&self) -> bool {
        // SAFETY: made for a look at an object that is alive, and gone with it.
        unsafe { header::bits(self.0) & SEEN != 0 }
    }

    fn set(&self) {
        // SAFETY: as in `is_set`.
        unsafe { header::set(self.0, SEEN) };
    }
}

/// The number of an object's life: of one that lives for ever, its address.
///
/// # Safety
/// Attached; `object` is alive.
pub(super) unsafe fn number(object: *mut ffi::PyObject) -> u64 {
    // SAFETY: passed on.
    if unsafe { header::is_immortal(object) } {
        return object as u64;
    }
    shared::get().lifetimes.life(object as u64, &Seen(object)).number()
}
