//! Type slots of `_asyncio.Future` and `_asyncio.Task`: creation, `await`, and finalization.

use crate::engine::affinity::watch::{OwnerKind, Watch};
use crate::engine::affinity::{check, judge};
use crate::intercept::type_slot::{self, Destructor, Init, Slot, Unary};
use crate::thread::context::{InSlowPath, current_thread};
use crate::thread::outcome::Outcome;
use crate::thread::{origins, registry};
use ftsan::loops::{Affinity, Realm};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

/// What one of the two types had in its slots.
struct Original {
    init: Init,
    iterate: Unary,
    finalize: Option<Destructor>,
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

/// The value of a keyword argument, borrowed; null if it is not given.  Names of keywords in calls are interned; looking one up costs ten
/// times as much, because a dictionary may be shared.
///
/// # Safety
/// Attached; a dictionary that nobody else has, and an interned string.
unsafe fn keyword(keywords: *mut ffi::PyObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: passed on.
    while unsafe { ffi::PyDict_Next(keywords, &mut position, &mut key, &mut value) } != 0 {
        if key == name {
            return value;
        }
    }
    std::ptr::null_mut()
}

unsafe extern "C" fn init<const T: usize>(
    object: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> c_int {
    let original = original::<T>();
    let mut part_of_it = None;
    if T == TASK && !keywords.is_null() {
        // SAFETY: attached; `keywords` is a dict that was made for this call.
        let loop_ = unsafe { keyword(keywords, original.keyword_loop.as_ptr()) };
        if !loop_.is_null()
            && current_thread().slot.running(Realm::Asyncio) != loop_ as usize
            && let Affinity::Elsewhere(runner) =
                registry::get().loops.affinity(current_thread().slot, Realm::Asyncio, loop_ as usize)
        {
            // SAFETY: attached; the object is being initialized, so it is alive.
            if unsafe { judge::misuse(original.watch_init, object, runner) } == Outcome::Raised {
                return -1;
            }
            part_of_it = InSlowPath::enter();
        }
    }
    // SAFETY: the original slot with the arguments it was called with.
    let result = unsafe { (original.init)(object, arguments, keywords) };
    drop(part_of_it);
    if result == 0 {
        // SAFETY: attached.
        unsafe { origins::record(object as usize, 0) };
    }
    result
}

unsafe extern "C" fn iterate<const T: usize>(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let original = original::<T>();
    // SAFETY: the interpreter calls a slot attached and with a live object of its type.
    if unsafe { check::before_kind::<{ OwnerKind::Future as u8 }>(original.watch_await, object) } == Outcome::Raised {
        return std::ptr::null_mut();
    }
    // SAFETY: the original slot.
    unsafe { (original.iterate)(object) }
}

unsafe extern "C" fn finalize<const T: usize>(object: *mut ffi::PyObject) {
    let _finalizing = current_thread().finalizing();
    if let Some(finalize) = original::<T>().finalize {
        // SAFETY: the original slot.
        unsafe { finalize(object) };
    }
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
    type_slot::replace(class, Slot::Init, init::<T> as *const c_void)?;
    type_slot::replace(class, Slot::Iter, iterate::<T> as *const c_void)?;
    type_slot::replace(class, Slot::Await, iterate::<T> as *const c_void)?;
    type_slot::replace(class, Slot::Finalize, finalize::<T> as *const c_void)
}
