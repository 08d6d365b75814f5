//! `functools.lru_cache`: the computation of a value by one thread happens before what others do with the value they are given.
//!
//! The function behind a cache is put into a [`Compute`], which releases the cache after the function has returned and before the value
//! is in the cache.  Nobody can get at it: `__wrapped__` is an attribute of its own.  A thread that calls the cache acquires it.

use crate::engine::order;
use crate::intercept::type_slot::{self, Call, New, Slot};
use crate::interpreter::own_types::new_type;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Calls the function of a cache.
#[repr(C)]
struct Compute {
    header: ffi::PyObject,
    function: *mut ffi::PyObject,
    /// Which alone refers to this, and is alive while it is called; null before it is made.
    cache: AtomicPtr<ffi::PyObject>,
}

struct Hooked {
    new: New,
    call: Call,
    compute: *mut ffi::PyTypeObject,
}
// SAFETY: a type object is made once, immortal in effect, and only read.
unsafe impl Send for Hooked {}
// SAFETY: as above.
unsafe impl Sync for Hooked {}

static HOOKED: OnceLock<Hooked> = OnceLock::new();

fn hooked() -> &'static Hooked {
    HOOKED.get().expect("set before the slots are")
}

unsafe extern "C" fn compute(
    object: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let object = object.cast::<Compute>();
    // SAFETY: attached, called by the cache.
    unsafe {
        let value = ffi::PyObject_Call((*object).function, arguments, keywords);
        let cache = (*object).cache.load(Ordering::Acquire);
        if !cache.is_null() {
            order::release(cache);
        }
        value
    }
}

unsafe extern "C" fn traverse(object: *mut ffi::PyObject, visit: ffi::visitproc, argument: *mut c_void) -> c_int {
    // SAFETY: called by the garbage collector with a live object.
    unsafe {
        match visit(ffi::Py_TYPE(object).cast(), argument) {
            0 if !(*object.cast::<Compute>()).function.is_null() => visit((*object.cast::<Compute>()).function, argument),
            result => result,
        }
    }
}

unsafe extern "C" fn clear(object: *mut ffi::PyObject) -> c_int {
    // SAFETY: called by the garbage collector, or by `dealloc`.
    unsafe {
        let function = std::mem::replace(&mut (*object.cast::<Compute>()).function, std::ptr::null_mut());
        ffi::Py_XDECREF(function);
    }
    0
}

unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: attached; the last reference is gone.
    unsafe {
        ffi::PyObject_GC_UnTrack(object.cast());
        clear(object);
        let class = ffi::Py_TYPE(object);
        ffi::PyObject_GC_Del(object.cast());
        ffi::Py_DECREF(class.cast());
    }
}

/// `_lru_cache_wrapper(function, maxsize, typed, cache_info_type)`.
unsafe extern "C" fn new(
    class: *mut ffi::PyTypeObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let hooked = hooked();
    // SAFETY: attached, called by the interpreter with live objects; an argument that is not as expected is left to the original to
    // refuse.
    unsafe {
        let count = ffi::PyTuple_GET_SIZE(arguments);
        if count == 0 || ffi::PyCallable_Check(ffi::PyTuple_GET_ITEM(arguments, 0)) == 0 {
            return (hooked.new)(class, arguments, keywords);
        }
        let (object, changed) = (ffi::PyType_GenericAlloc(hooked.compute, 0), ffi::PyTuple_New(count));
        let mut cache = std::ptr::null_mut();
        if !object.is_null() && !changed.is_null() {
            (*object.cast::<Compute>()).function = ffi::Py_NewRef(ffi::PyTuple_GET_ITEM(arguments, 0));
            ffi::PyTuple_SET_ITEM(changed, 0, ffi::Py_NewRef(object));
            for place in 1..count {
                ffi::PyTuple_SET_ITEM(changed, place, ffi::Py_NewRef(ffi::PyTuple_GET_ITEM(arguments, place)));
            }
            cache = (hooked.new)(class, changed, keywords);
            (*object.cast::<Compute>()).cache.store(cache, Ordering::Release);
        }
        ffi::Py_XDECREF(object);
        ffi::Py_XDECREF(changed);
        cache
    }
}

unsafe extern "C" fn call(
    cache: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the original slot with the arguments it was called with; the caller has a reference to the cache.
    unsafe {
        let value = (hooked().call)(cache, arguments, keywords);
        order::acquire(cache);
        value
    }
}

/// Hooks `functools._lru_cache_wrapper`: the caches that are made from now on.
pub(crate) fn install(class: &Bound<'_, PyType>) -> PyResult<()> {
    let (there, called) = (Slot::New.of(class), Slot::Call.of(class));
    if there.is_null() || called.is_null() {
        return Err(PyRuntimeError::new_err("an empty slot"));
    }
    let compute = new_type(
        class.py(),
        c"ftsan._native.Compute",
        size_of::<Compute>(),
        ffi::Py_TPFLAGS_HAVE_GC,
        &[
            (ffi::Py_tp_call, compute as *mut c_void),
            (ffi::Py_tp_traverse, traverse as *mut c_void),
            (ffi::Py_tp_clear, clear as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc as *mut c_void),
        ],
    )?;
    // SAFETY: the functions in these slots have these signatures.
    let hooked = unsafe {
        Hooked {
            new: std::mem::transmute::<*const c_void, New>(there),
            call: std::mem::transmute::<*const c_void, Call>(called),
            compute,
        }
    };
    HOOKED.set(hooked).map_err(|_| PyRuntimeError::new_err("already hooked"))?;
    type_slot::replace(class, Slot::New, new as *const c_void)?;
    type_slot::replace(class, Slot::Call, call as *const c_void)?;
    crate::findings::process::get().count_hook();
    Ok(())
}
