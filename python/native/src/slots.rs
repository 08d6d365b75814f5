//! Type slots of `_asyncio.Future` and `_asyncio.Task`: creation, `await`, and finalization.
//!
//! A slot is copied into each subclass when that is made, and wrapped by a descriptor (`__init__`, `__await__`); all three are
//! swapped: the type's, those of subclasses that exist already, and what the descriptor calls.

use crate::check::{self, Verdict};
use crate::threads::{Busy, here};
use crate::watch::Watch;
use crate::{creations, evidence};
use ftsan::loops::Affinity;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

type Init = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject, *mut ffi::PyObject) -> c_int;
type Unary = unsafe extern "C" fn(*mut ffi::PyObject) -> *mut ffi::PyObject;
type Finalize = unsafe extern "C" fn(*mut ffi::PyObject);

/// What one of the two types had in its slots.
struct Original {
    init: Init,
    iterate: Unary,
    finalize: Option<Finalize>,
    watch_init: &'static Watch,
    watch_await: &'static Watch,
    keyword_loop: Py<PyAny>,
}

const FUTURE: usize = 0;
const TASK: usize = 1;
static ORIGINAL: [OnceLock<Original>; 2] = [const { OnceLock::new() }; 2];

fn original<const T: usize>() -> &'static Original {
    ORIGINAL[T].get().expect("set before the slots are")
}

/// `PyWrapperDescrObject`, `Include/cpython/descrobject.h`.
#[repr(C)]
struct WrapperDescriptor {
    header: ffi::PyObject,
    d_type: *mut ffi::PyTypeObject,
    d_name: *mut ffi::PyObject,
    d_qualname: *mut ffi::PyObject,
    d_base: *mut c_void,
    d_wrapped: *mut c_void,
}

unsafe extern "C" fn init<const T: usize>(
    object: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> c_int {
    let original = original::<T>();
    let mut part_of_it = None;
    if T == TASK && !keywords.is_null() {
        // SAFETY: attached; `keywords` is a dict.
        let loop_ = unsafe { ffi::PyDict_GetItemWithError(keywords, original.keyword_loop.as_ptr()) };
        if !loop_.is_null()
            && here().slot.running() != loop_ as usize
            && let Affinity::Elsewhere(runner) = crate::session::get().loops.affinity(here().slot, loop_ as usize)
        {
            // SAFETY: attached; the object is being initialized, so it is alive.
            if unsafe { evidence::misuse(original.watch_init, object, runner) } == Verdict::Raised {
                return -1;
            }
            part_of_it = Busy::enter();
        }
    }
    // SAFETY: the original slot with the arguments it was called with.
    let result = unsafe { (original.init)(object, arguments, keywords) };
    drop(part_of_it);
    if result == 0 {
        // SAFETY: attached.
        unsafe { creations::record(object as usize, 0) };
    }
    result
}

unsafe extern "C" fn iterate<const T: usize>(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let original = original::<T>();
    // SAFETY: the interpreter calls a slot attached and with a live object of its type.
    if unsafe { check::before(original.watch_await, object) } == Verdict::Raised {
        return std::ptr::null_mut();
    }
    // SAFETY: the original slot.
    unsafe { (original.iterate)(object) }
}

unsafe extern "C" fn finalize<const T: usize>(object: *mut ffi::PyObject) {
    let here = here();
    here.finalizing.set(here.finalizing.get() + 1);
    if let Some(finalize) = original::<T>().finalize {
        // SAFETY: the original slot.
        unsafe { finalize(object) };
    }
    here.finalizing.set(here.finalizing.get() - 1);
}

/// Swaps the slots of `_asyncio.Future` and `_asyncio.Task` and of their subclasses.
pub(crate) fn install(
    future: &Bound<'_, PyType>,
    task: &Bound<'_, PyType>,
    watches: [(&'static Watch, &'static Watch); 2],
) -> PyResult<()> {
    remember(&ORIGINAL[FUTURE], future, watches[FUTURE])?;
    remember(&ORIGINAL[TASK], task, watches[TASK])?;
    // Task first: it is a subclass of Future and has slots of its own.
    swap::<TASK>(task)?;
    swap::<FUTURE>(future)
}

fn remember(
    place: &OnceLock<Original>,
    class: &Bound<'_, PyType>,
    (watch_init, watch_await): (&'static Watch, &'static Watch),
) -> PyResult<()> {
    let missing = || PyRuntimeError::new_err("_asyncio: a type slot that is always there is empty");
    // SAFETY: a live type object; its slots are only read.
    let (init, iterate, finalize) = unsafe {
        let class = &*class.as_type_ptr();
        (class.tp_init.ok_or_else(missing)?, class.tp_iter.ok_or_else(missing)?, class.tp_finalize)
    };
    let keyword_loop = pyo3::types::PyString::intern(class.py(), "loop").into_any().unbind();
    place
        .set(Original { init, iterate, finalize, watch_init, watch_await, keyword_loop })
        .map_err(|_| PyRuntimeError::new_err("already hooked"))
}

fn swap<const T: usize>(class: &Bound<'_, PyType>) -> PyResult<()> {
    let original = original::<T>();
    for name in ["__init__", "__await__", "__iter__"] {
        let Ok(descriptor) = class.getattr("__dict__")?.get_item(name) else { continue };
        // SAFETY: checked to be a wrapper descriptor before it is used as one; what it wraps is replaced by a function of
        // the same signature.
        unsafe {
            if std::ptr::eq(ffi::Py_TYPE(descriptor.as_ptr()), &raw mut ffi::PyWrapperDescr_Type) {
                let wrapped = &raw mut (*descriptor.as_ptr().cast::<WrapperDescriptor>()).d_wrapped;
                if wrapped.read() as usize == original.init as usize {
                    wrapped.write_volatile(init::<T> as *mut c_void);
                } else if wrapped.read() as usize == original.iterate as usize {
                    wrapped.write_volatile(iterate::<T> as *mut c_void);
                }
            }
        }
    }
    swap_slots::<T>(class)
}

fn swap_slots<const T: usize>(class: &Bound<'_, PyType>) -> PyResult<()> {
    let original = original::<T>();
    // SAFETY: a live heap type; each slot is replaced by a function of the same signature, in one aligned store.
    unsafe {
        let slots = class.as_type_ptr();
        if (*slots).tp_init.is_some_and(|there| there as usize == original.init as usize) {
            (&raw mut (*slots).tp_init).write_volatile(Some(init::<T>));
        }
        if (*slots).tp_iter.is_some_and(|there| there as usize == original.iterate as usize) {
            (&raw mut (*slots).tp_iter).write_volatile(Some(iterate::<T>));
        }
        let asynchronous = (*slots).tp_as_async;
        if !asynchronous.is_null() && (*asynchronous).am_await.is_some_and(|there| there as usize == original.iterate as usize) {
            (&raw mut (*asynchronous).am_await).write_volatile(Some(iterate::<T>));
        }
        let finalizes = |there: Option<Finalize>| there.map(|there| there as usize);
        if original.finalize.is_some() && finalizes((*slots).tp_finalize) == finalizes(original.finalize) {
            (&raw mut (*slots).tp_finalize).write_volatile(Some(finalize::<T>));
        }
    }
    for subclass in class.call_method0("__subclasses__")?.try_iter()? {
        swap_slots::<T>(subclass?.cast::<PyType>()?)?;
    }
    Ok(())
}
