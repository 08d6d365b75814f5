//! The objects that an object holds, directly or in its containers, as the garbage collector sees it.

use pyo3::ffi;
use std::ffi::{c_int, c_void};

/// How many objects are looked at.
const MOST: usize = 512;
/// An object has a dictionary, that a list, and that pairs.
const DEEPEST: usize = 4;

struct Search {
    wanted: *mut ffi::PyObject,
    is_found: bool,
    /// Containers that are to be looked into, with their depth.
    queue: [(usize, usize); MOST],
    len: usize,
    depth: usize,
}

unsafe extern "C" fn visit(object: *mut ffi::PyObject, search: *mut c_void) -> c_int {
    // SAFETY: called by `tp_traverse` with a live object and what `holds` gave it.
    unsafe {
        let search = &mut *search.cast::<Search>();
        search.is_found |= object == search.wanted;
        if search.depth < DEEPEST && search.len < MOST && is_container(object) {
            search.queue[search.len] = (object as usize, search.depth + 1);
            search.len += 1;
        }
        c_int::from(search.is_found)
    }
}

/// # Safety
/// A live object.
unsafe fn is_container(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; the name of a type is a string of C.
    unsafe {
        let class = ffi::Py_TYPE(object);
        ffi::PyDict_Check(object) != 0
            || ffi::PyList_Check(object) != 0
            || ffi::PyTuple_Check(object) != 0
            || ffi::PyAnySet_Check(object) != 0
            || std::ffi::CStr::from_ptr((*class).tp_name) == c"collections.deque"
    }
}

/// Whether `object` holds `wanted`.
///
/// # Safety
/// Both are alive, and the world is stopped.
pub(crate) unsafe fn holds(object: *mut ffi::PyObject, wanted: *mut ffi::PyObject) -> bool {
    let mut search = Search { wanted, is_found: false, queue: [(object as usize, 0); MOST], len: 1, depth: 0 };
    let mut next = 0;
    while next < search.len && !search.is_found {
        let (object, depth) = search.queue[next];
        let object = object as *mut ffi::PyObject;
        search.depth = depth;
        next += 1;
        // SAFETY: passed on; the objects that a live object holds are alive.
        unsafe {
            if let Some(traverse) = (*ffi::Py_TYPE(object)).tp_traverse {
                traverse(object, visit, (&raw mut search).cast());
            }
        }
    }
    search.is_found
}
