//! Where objects of an extension type have their loop: found by asking the garbage collector's visitor once, or by looking for the address
//! of a loop that runs, then read as a field.
//!
//! Cython's classes (uvloop's transports and handles) show their fields to nobody else.  The offset holds for all objects of the class,
//! because a field of a base class keeps its place in subclasses; a value that is read there counts only if it is a loop that is
//! running.

use crate::engine::affinity::watch::Watch;
use crate::interpreter::world::Stopped;
use crate::thread::registry;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

/// A class is searched so often.  Less than this is no offset, which is beyond the header, but how often it was.
const GIVEN_UP: usize = 8;

/// The loop of `object`, borrowed; null if it has none.
///
/// # Safety
/// Attached; `object` is alive and of the class that `watch` was made for.
#[inline]
pub(crate) unsafe fn loop_of(watch: &'static Watch, object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    match watch.field.load(Ordering::Relaxed) {
        GIVEN_UP => std::ptr::null_mut(),
        // SAFETY: passed on.
        0..GIVEN_UP => unsafe { find(watch, object) },
        // SAFETY: a field of the class, which was found to hold an object.
        offset => unsafe { (*object.cast::<u8>().add(offset).cast::<AtomicPtr<ffi::PyObject>>()).load(Ordering::Relaxed) },
    }
}

struct Search {
    class: *mut ffi::PyTypeObject,
    found: *mut ffi::PyObject,
}

unsafe extern "C" fn visit(object: *mut ffi::PyObject, search: *mut c_void) -> c_int {
    // SAFETY: called by `tp_traverse` with a live object and what `find` gave it.
    unsafe {
        let search = &mut *search.cast::<Search>();
        if search.found.is_null() && ffi::PyType_IsSubtype(ffi::Py_TYPE(object), search.class) != 0 {
            search.found = object;
        }
    }
    0
}

/// # Safety
/// As [`loop_of`].
#[cold]
unsafe fn find(watch: &'static Watch, object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let mut search = Search { class: watch.loop_class as *mut ffi::PyTypeObject, found: std::ptr::null_mut() };
    // SAFETY: attached by the caller's guarantee; nobody changes the object while the world is stopped, and all words that are read
    // are inside it.
    unsafe {
        let _stopped = Stopped::stop(Python::assume_attached());
        let class = ffi::Py_TYPE(object);
        if let Some(traverse) = (*class).tp_traverse {
            traverse(object, visit, (&raw mut search).cast());
        }
        let words = (*class).tp_basicsize as usize / size_of::<usize>();
        let header = size_of::<ffi::PyObject>() / size_of::<usize>();
        let at = |word: &usize| object.cast::<*mut ffi::PyObject>().add(*word).read();
        let loops = &registry::get().loops;
        // A reference that Rust owns is not shown to the garbage collector: then a loop that runs is known by its address.
        let is_it = |word: &usize| match search.found.is_null() {
            true => loops.is_run(at(word) as usize),
            false => at(word) == search.found,
        };
        match (header..words).find(is_it) {
            Some(word) => {
                search.found = at(&word);
                watch.field.store(word * size_of::<usize>(), Ordering::Relaxed);
            }
            None if search.found.is_null() => {
                watch.field.fetch_add(1, Ordering::Relaxed);
            }
            None => {}
        }
    }
    search.found
}
