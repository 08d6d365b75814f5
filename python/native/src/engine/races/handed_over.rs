//! Objects that are about to be handed to another thread: a thread that is started, or whoever takes what is put into a container or a queue.
//!
//! They are no secret of their maker's any more, although nobody else has touched them yet: a verdict must not hang on how soon the other
//! thread does.

use crate::engine::races::container_sync;
use crate::interpreter::{attributes, header};
use crate::thread::clock;
use pyo3::ffi;
use std::ffi::CStr;

/// How deep tuples are looked into, and what a function has from around it.
const DEPTH: u32 = 3;

/// Attributes that lead on: to the call of a `threading.Thread`, to the work of a `ThreadPoolExecutor`, to the items of a `queue.Queue`.
const LED_TO: [&CStr; 5] = [c"_target", c"_args", c"_kwargs", c"task", c"queue"];

/// An object, and what it is certain to lead to, that the calling thread hands over.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn hand_over(object: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe { hand_over_to(object, DEPTH) }
}

/// It is put into a container or a queue, unless that is private.
///
/// # Safety
/// Attached; `container` is alive, and so is `object`, which may be null.
#[inline]
pub(crate) unsafe fn put_into(container: *mut ffi::PyObject, object: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        if !object.is_null() && !clock::is_at_rest() && !header::is_private(container) {
            hand_over(object);
        }
    }
}

unsafe fn hand_over_to(object: *mut ffi::PyObject, depth: u32) {
    // SAFETY: passed on; a live object has a live type, and what is looked at of it is alive as long as we hold it.
    unsafe {
        if !header::is_private(object) || header::is_immortal(object) {
            return;
        }
        container_sync::publish(object);
        if depth == 0 {
            return;
        }
        let class = ffi::Py_TYPE(object);
        if class == &raw mut ffi::PyTuple_Type {
            for place in 0..ffi::PyTuple_GET_SIZE(object) {
                hand_over_to(ffi::PyTuple_GET_ITEM(object, place), depth - 1);
            }
        } else if let Some((of, _)) = attributes::of_method(object) {
            hand_over_to(of, depth);
        } else if class == &raw mut ffi::PyFunction_Type {
            let closure = ffi::PyFunction_GetClosure(object);
            if !closure.is_null() {
                hand_over_to(closure, depth);
            }
        } else if class == &raw mut ffi::PyCell_Type {
            let content = ffi::PyCell_Get(object);
            if !content.is_null() {
                hand_over_to(content, depth - 1);
                ffi::Py_DECREF(content);
            }
        } else if leads_on(object) {
            for name in LED_TO {
                let called = attributes::own(object, name);
                if !called.is_null() {
                    hand_over_to(called, depth);
                    ffi::Py_DECREF(called);
                }
            }
        }
    }
}

/// Whether it is a thread, a piece of work for one of a pool, or a queue.
///
/// # Safety
/// Attached; `object` is alive.
unsafe fn leads_on(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; a type keeps its bases and its name alive.
    unsafe {
        let base = |class: &*mut ffi::PyTypeObject| Some((**class).tp_base).filter(|base| !base.is_null());
        let is_one =
            |class: *mut ffi::PyTypeObject| [c"Thread", c"_WorkItem", c"Queue"].contains(&CStr::from_ptr((*class).tp_name));
        std::iter::successors(Some(ffi::Py_TYPE(object)), base).any(is_one)
    }
}
