//! Objects that are about to be handed to another thread: a thread that is started, or whoever takes what is put into a container or a queue.
//!
//! They are no secret of their maker's any more, although nobody else has touched them yet: a verdict must not hang on how soon the other
//! thread does.

use crate::engine::races::touch::escape;
use crate::engine::races::{callers, container_sync, containers};
use crate::interpreter::code_fields::Code;
use crate::interpreter::{attributes, header, types};
use crate::thread::clock;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, c_int, c_void};

/// How deep tuples are looked into, and what a function has from around it.
const DEPTH: u32 = 3;

/// How many elements of a container are looked at.
const MOST: ffi::Py_ssize_t = 64;

/// Attributes that lead on: to the call of a `threading.Thread` or `Timer`, to the work of a `ThreadPoolExecutor`, to the items of a `queue.Queue`.
const LED_TO: [&CStr; 8] = [c"_target", c"_args", c"_kwargs", c"function", c"args", c"kwargs", c"task", c"queue"];

/// What a `ThreadPoolExecutor` keeps its work in.
const QUEUE: &CStr = c"_queue.SimpleQueue";

/// An object, and what it is certain to lead to, that the calling thread hands over.
///
/// # Safety
/// Attached; `object` is alive.
pub(crate) unsafe fn hand_over(object: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe { hand_over_to(object, DEPTH) }
}

/// It is put into a queue, or into a container that is not private.
///
/// # Safety
/// Attached; `container` is alive, and so is `object`, which may be null.
#[inline]
pub(crate) unsafe fn put_into(container: *mut ffi::PyObject, object: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        let is_shared = || !header::is_private(container) || containers::family(ffi::Py_TYPE(container)).is_none();
        if !object.is_null() && !clock::is_at_rest() && is_shared() {
            hand_over(object);
        }
    }
}

/// A `queue.Queue` was made: it is for threads to share, and so is the container in it.
///
/// # Safety
/// Attached; `queue` is alive.
pub(crate) unsafe fn made_to_share(queue: *mut ffi::PyObject) {
    // SAFETY: passed on; a reference of our own.
    unsafe {
        let container = attributes::own(queue, c"queue");
        if !container.is_null() && header::is_private(container) && !header::is_immortal(container) {
            container_sync::publish(container);
        }
        ffi::Py_XDECREF(container);
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
        } else if let Some((of, function)) = attributes::of_method(object) {
            hand_over_to(of, depth);
            hand_over_to(function, depth);
        } else if class == &raw mut ffi::PyFunction_Type {
            let closure = ffi::PyFunction_GetClosure(object);
            if !closure.is_null() {
                hand_over_to(closure, depth);
            }
            hand_over_globals(object, depth - 1);
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
            if is_plain(class) {
                hand_over_parts(object, depth - 1);
                let run = types::look_up_named(class, c"run");
                if !run.is_null() {
                    hand_over_to(run, depth);
                    ffi::Py_DECREF(run);
                }
            }
        } else if CStr::from_ptr((*class).tp_name) == QUEUE {
            // Work that a pool was given before it had a thread.
            if let Some(traverse) = (*class).tp_traverse {
                let mut depth = depth;
                traverse(object, hand_over_part, (&raw mut depth).cast());
            }
        } else if class == &raw mut ffi::PyDict_Type || class == &raw mut ffi::PyList_Type || is_plain(class) {
            hand_over_parts(object, depth - 1);
        }
    }
}

/// What a function that is watched names of its module: variables, classes, objects, other functions.
///
/// # Safety
/// Attached; `function` is alive.
unsafe fn hand_over_globals(function: *mut ffi::PyObject, mut depth: u32) {
    // SAFETY: passed on; a function keeps its code and its globals alive, and a lookup by a string runs no code of the program.
    unsafe {
        let (code, globals) = (ffi::PyFunction_GetCode(function), ffi::PyFunction_GetGlobals(function));
        if code.is_null() || globals.is_null() || !callers::is_chosen(code) {
            return;
        }
        // Its variables are the dictionary's.
        escape(globals);
        let code = Bound::from_borrowed_ptr(Python::assume_attached(), code);
        let Some(names) = Code::of(&code).map(|code| code.names()) else { return };
        for name in names.as_slice().iter().take(MOST as usize) {
            let mut value = std::ptr::null_mut();
            if ffi::PyDict_GetItemRef(globals, name.as_ptr(), &raw mut value) == 1 {
                let class = ffi::Py_TYPE(value);
                if class == &raw mut ffi::PyFunction_Type {
                    hand_over_to(value, depth);
                } else if ffi::PyType_Check(value) != 0 && header::is_private(value) && !header::is_immortal(value) {
                    escape(value);
                } else {
                    hand_over_part(value, (&raw mut depth).cast());
                }
                ffi::Py_DECREF(value);
            }
        }
    }
}

/// What is in a dictionary or a list; what an object has as attributes.
///
/// # Safety
/// Attached; `object` is alive, private to the calling thread, and a dictionary, a list, or of a plain type.
unsafe fn hand_over_parts(object: *mut ffi::PyObject, mut depth: u32) {
    // SAFETY: passed on: nobody changes the attributes meanwhile.  The garbage collector may ask a live object at any time for what it holds, as
    // is done here.
    unsafe {
        if ffi::PyList_CheckExact(object) != 0 {
            for place in 0..ffi::PyList_GET_SIZE(object).min(MOST) {
                hand_over_part(ffi::PyList_GET_ITEM(object, place), (&raw mut depth).cast());
            }
            return;
        }
        let home = if ffi::PyDict_CheckExact(object) != 0 { object } else { attributes::home(object) };
        if ffi::PyDict_CheckExact(home) != 0 {
            let (mut position, mut value) = (0, std::ptr::null_mut());
            while position < MOST && ffi::PyDict_Next(home, &raw mut position, std::ptr::null_mut(), &raw mut value) != 0 {
                hand_over_part(value, (&raw mut depth).cast());
            }
        } else if let Some(traverse) = (*ffi::Py_TYPE(object)).tp_traverse {
            traverse(object, hand_over_part, (&raw mut depth).cast());
        }
    }
}

/// Whether objects of this type have attributes and nothing else: it and all its bases but `object` are made by code, in a class statement.
///
/// # Safety
/// Attached; a live type.
unsafe fn is_plain(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on; a type keeps its base alive.
    unsafe {
        let is_object = |class: *mut ffi::PyTypeObject| class == &raw mut ffi::PyBaseObject_Type;
        let is_made = |class| is_object(class) || types::flags(class) & ffi::Py_TPFLAGS_HEAPTYPE != 0;
        !is_object(class)
            && types::with_bases(class).all(is_made)
            && containers::family(class).is_none()
            && (types::flags(class) & attributes::MANAGED_DICT != 0 || has_slots(class))
    }
}

/// # Safety
/// Attached; a live type.
unsafe fn has_slots(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: passed on; a reference of our own.
    unsafe {
        let found = types::look_up_named(class, c"__slots__");
        let has_slots = !found.is_null();
        ffi::Py_XDECREF(found);
        has_slots
    }
}

/// An attribute's value, of an object that is handed over: containers, and objects with attributes.
unsafe extern "C" fn hand_over_part(value: *mut ffi::PyObject, depth: *mut c_void) -> c_int {
    // SAFETY: called with the depth above, for what an object holds, which is alive.
    unsafe {
        let class = ffi::Py_TYPE(value);
        if class == &raw mut ffi::PyTuple_Type || containers::family(class).is_some() || is_plain(class) {
            hand_over_to(value, *depth.cast::<u32>());
        }
    }
    0
}

/// Whether it is a thread, a piece of work for one of a pool, or a queue.
///
/// # Safety
/// Attached; `object` is alive.
unsafe fn leads_on(object: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on; a type keeps its bases and its name alive.
    unsafe {
        let is_one =
            |class: *mut ffi::PyTypeObject| [c"Thread", c"_WorkItem", c"Queue"].contains(&CStr::from_ptr((*class).tp_name));
        types::with_bases(ffi::Py_TYPE(object)).any(is_one)
    }
}
