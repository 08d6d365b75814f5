//! Containers as a means to hand objects over: what was put in happened before what is done with it after it was taken out, or after
//! a loop has waited for it to be there.

use crate::engine::order;
use crate::interpreter::header::{self, ESCAPED};
use crate::thread::clock;
use crate::thread::context::Here;
use pyo3::ffi;

/// Something is about to be put into a container that threads share.
///
/// # Safety
/// Attached; `container` is alive.
pub(crate) unsafe fn put(container: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe { order::release(container) };
}

/// Something is about to be put into a container, by code that is chosen or not.
///
/// # Safety
/// Attached; `container` is alive.
#[inline(always)]
pub(crate) unsafe fn put_unless_private(container: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if !clock::is_alone() && !header::is_private(container) {
            order::release(container);
        }
    }
}

/// Something was taken out of a container, by code that is chosen or not.
///
/// # Safety
/// Attached; `container` is alive.
#[inline(always)]
pub(crate) unsafe fn taken_unless_private(container: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if !clock::is_alone() && !header::is_private(container) {
            meet(container);
            order::acquire(container);
        }
    }
}

/// Something is about to be taken out of a container that threads share.  What was put in by then is known once it is out, which is
/// before the thread's next access: see [`settle`].
pub(crate) fn take(here: &Here, container: *mut ffi::PyObject) {
    here.races.taken_from.set(container as usize);
}

/// As [`take`]; what was put in up to now is known at once.
pub(crate) fn take_now(here: &Here, container: *mut ffi::PyObject) {
    order::acquire_key(container as u64);
    take(here, container);
}

/// Something is about to be taken out of a container.  If nobody but its maker has touched it up to now, nothing of what that has put in was
/// noted as handed over: then everything that the maker has done counts as done before.
///
/// # Safety
/// Attached; `container` is alive.
#[inline]
pub(crate) unsafe fn meet(container: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if !header::is_private(container) && header::bits(container) & ESCAPED == 0 {
            order::acquire_maker(container);
            header::set(container, ESCAPED);
        }
    }
}

/// To be called before an access: what was taken out by now was put in before.
#[inline]
pub(crate) fn settle(here: &Here) {
    let container = here.races.taken_from.replace(0);
    if container != 0 {
        // The container may be gone by now; its key may at worst be that of another one, and order more than there is.
        order::acquire_key(container as u64);
    }
}
