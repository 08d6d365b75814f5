//! Modules that are not chosen, so that the next function that is made there costs two loads and two compares.
//!
//! A module is known by the addresses of two strings, its file and its name, which are kept alive while they are here: the same addresses
//! are the same strings, and the choice depends on nothing else.  Nothing is decided by an address that is not here.

use pyo3::ffi;
use std::sync::atomic::{AtomicUsize, Ordering};

type Object = *mut ffi::PyObject;

/// Two modules in the same place push each other out.
const PLACES: usize = 1024;

/// The two addresses, and a mark that belongs to both: a thread that reads while another one writes reads no pair.
struct Place {
    file: AtomicUsize,
    module: AtomicUsize,
    mark: AtomicUsize,
}

static KNOWN: [Place; PLACES] =
    [const { Place { file: AtomicUsize::new(0), module: AtomicUsize::new(0), mark: AtomicUsize::new(0) } }; PLACES];

fn mark(file: Object, module: Object) -> usize {
    (file as usize).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (module as usize).rotate_left(32)
}

fn place(mark: usize) -> &'static Place {
    &KNOWN[(mark >> 40) % PLACES]
}

/// Whether code of this file with globals of this name is known not to be chosen.
#[inline]
pub(crate) fn contains(file: Object, module: Object) -> bool {
    let mark = mark(file, module);
    let place = place(mark);
    place.mark.load(Ordering::Acquire) == mark
        && place.file.load(Ordering::Relaxed) == file as usize
        && place.module.load(Ordering::Relaxed) == module as usize
}

/// Remembers that it is not.
///
/// # Safety
/// Attached; live strings.
pub(crate) unsafe fn add(file: Object, module: Object) {
    let mark = mark(file, module);
    let place = place(mark);
    // SAFETY: passed on.
    unsafe {
        ffi::Py_INCREF(file);
        ffi::Py_INCREF(module);
    }
    place.mark.store(0, Ordering::Relaxed);
    let before = [place.file.swap(file as usize, Ordering::AcqRel), place.module.swap(module as usize, Ordering::AcqRel)];
    place.mark.store(mark, Ordering::Release);
    for string in before {
        // SAFETY: null, or a reference that was kept here.
        unsafe { ffi::Py_XDECREF(string as Object) };
    }
}
