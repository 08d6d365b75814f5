//! Containers as a means to hand objects over: the act of putting one in happened before what is done with it after it was taken
//! out, or after a loop has waited for it to be there.

use crate::engine::order::{self, Space};
use crate::engine::races::{callers, containers, flags, values, waits};
use crate::interpreter::header::{self, ESCAPED};
use crate::thread::clock;
use crate::thread::context::ThreadContext;
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
        if !clock::is_at_rest() && !header::is_private(container) {
            meet(container);
            order::release(container);
        }
    }
}

/// As [`put_unless_private`], if the key is there, or if it is not.
///
/// # Safety
/// Attached; `container` is alive and a dict or a set, and `key` is alive, or null.
#[inline(always)]
pub(crate) unsafe fn put_if(container: *mut ffi::PyObject, key: *mut ffi::PyObject, is_there: bool) {
    // SAFETY: passed on; a plain key runs no code of the program.
    unsafe {
        if clock::is_at_rest() || header::is_private(container) {
            return;
        }
        let found = if key.is_null() || !values::is_plain_key(key) {
            None
        } else if ffi::PyDict_Check(container) != 0 {
            Some(ffi::PyDict_Contains(container, key) == 1)
        } else {
            Some(ffi::PySet_Contains(container, key) == 1)
        };
        meet(container);
        if found.is_none_or(|found| found == is_there) {
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
        if !clock::is_at_rest() && !header::is_private(container) {
            meet(container);
            order::acquire(container);
        }
    }
}

/// Something is about to be taken out of a container that threads share.  The items that were put in by then are known once it is
/// out, which is before the thread's next access: see [`settle`].
pub(crate) fn take(here: &ThreadContext, container: *mut ffi::PyObject) {
    here.races.taken_from.set(container as usize);
}

/// As [`take`]; the items that were put in up to now are known at once.
pub(crate) fn take_now(here: &ThreadContext, container: *mut ffi::PyObject) {
    order::acquire_key(container as u64);
    take(here, container);
}

/// An entry of a container that threads share is about to be deleted: whoever finds then that it is not there, and makes it in one step, comes
/// after that (`owner.setdefault("me", me) == me`).
pub(crate) fn vacate(container: *mut ffi::PyObject) {
    order::release_key(order::key(Space::Vacant, container as u64));
}

/// Something is about to be taken away from a container that threads share: a loop may wait until nothing is left, which comes after that.
#[inline(always)]
pub(crate) fn drain(container: *mut ffi::PyObject) {
    if waits::is_drained() {
        flags::set(drained(container));
    }
}

/// The calling thread waits until nothing is left in a container; as with [`see`].
pub(crate) fn wait_until_drained(here: &ThreadContext, container: *mut ffi::PyObject) {
    if here.races.taken_from.get() == 0 {
        here.races.taken_from.set(drained(container) as usize);
    } else {
        here.races.drained.set(drained(container));
    }
}

/// A flag for what is taken away from a container.
fn drained(container: *mut ffi::PyObject) -> u64 {
    flags::waited(flags::of(container as u64))
}

/// An entry is about to be made, in one step, because it is not there.
pub(crate) fn occupy(container: *mut ffi::PyObject) {
    order::acquire_key(order::key(Space::Vacant, container as u64));
}

/// Another thread than its maker is about to touch a container, perhaps as the first one: the items that the maker has put in up to
/// now were not handed over.
///
/// # Safety
/// Attached; `container` is alive and not private to the calling thread.
#[inline]
pub(crate) unsafe fn meet(container: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if header::bits(container) & ESCAPED == 0 {
            first_meeting(container);
        }
    }
}

/// # Safety
/// As [`meet`].
#[cold]
unsafe fn first_meeting(container: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if callers::is_import() {
            // The tables that importlib keeps of modules hand nothing over: a thread that imports a module comes after the import
            // of it, and no more.
            order::ignore(container);
        } else {
            order::release_for_maker(container);
        }
        header::set(container, ESCAPED);
    }
}

/// The calling thread is about to put an object of its own where others can reach it; if that is a container, what is in it by now is
/// handed over with it.
///
/// # Safety
/// Attached; `object` is alive and private to the calling thread.
#[inline]
pub(crate) unsafe fn publish(object: *mut ffi::PyObject) {
    // SAFETY: passed on; a live object has a live type.
    unsafe {
        if containers::family(ffi::Py_TYPE(object)).is_some() {
            order::release(object);
        }
        header::set(object, ESCAPED);
    }
}

/// To be called before an access: the item that was taken out by now was put in before.
#[inline]
pub(crate) fn settle(here: &ThreadContext) {
    let taken_from = here.races.taken_from.replace(0) as u64;
    if taken_from == 0 {
        return;
    }
    if flags::is_one(taken_from) {
        flags::acquire(taken_from);
    } else {
        // The container may be gone by now; its key may at worst be that of another one, and order more than there is.
        order::acquire_key(taken_from);
    }
    let also = [&here.races.also_seen, &here.races.drained].map(|flag| flag.replace(0));
    also.into_iter().filter(|flag| *flag != 0).for_each(flags::acquire);
}

/// The calling thread is about to read a flag: all that was done before it was set is known before the thread's next access, as
/// with [`take`].
pub(crate) fn see(here: &ThreadContext, flag: u64) {
    if here.races.taken_from.get() == 0 {
        here.races.taken_from.set(flag as usize);
    } else {
        here.races.also_seen.set(flag);
    }
}
