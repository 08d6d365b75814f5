//! Threads: what is done before a thread is started happens before what it does, and that before what is done once its end is known.
//!
//! `_thread.start_joinable_thread` and its like are given a [`Start`] instead of the function: it takes over what the starting thread
//! has handed to it and calls the function.  Nothing of it shows: it has no frame, and its `repr` is the function's.  The same carries
//! a callback to the thread of an event loop.
//!
//! The end of a thread comes after that of its function: values of `threading.local` are finalized in it.  So what is released into the
//! thread's handle is released by an [`End`], which is in the thread state's dictionary and goes with it.

use crate::engine::order::{self, Space, key};
use crate::engine::races::{handed_over, own_thread};
use crate::findings::occurrences;
use crate::interpreter::function_slots;
use crate::interpreter::own_types::{allocate, new_type};
use crate::thread::clock::{self, ThreadOrder};
use crate::thread::context::current_thread;
use crate::thread::stacks::{self, StackId};
use crate::thread::{guard, perturb};
use ftsan::races::clock::Clock;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

/// What a thread calls.
#[repr(C)]
struct Start {
    header: ffi::PyObject,
    function: *mut ffi::PyObject,
    /// A `_ThreadHandle`; null if nobody can wait for the thread.
    handle: *mut ffi::PyObject,
    is_daemon: bool,
    /// And not a callback.
    is_thread: bool,
    handed: *mut Clock,
    /// Its number for delays.
    strand: u64,
    /// Where; 0 for a callback.
    started_at: StackId,
    /// In whose name the thread is started; null for nobody's, and for a callback.
    started_for: *mut ffi::PyObject,
}

/// What a thread leaves.
#[repr(C)]
struct End {
    header: ffi::PyObject,
    /// As the one of [`Start`].
    handle: *mut ffi::PyObject,
    is_daemon: bool,
    /// The thread, if it was not started by Python code.
    foreign: *const ThreadOrder,
}

struct Types {
    start: *mut ffi::PyTypeObject,
    end: *mut ffi::PyTypeObject,
    /// `_thread._ThreadHandle`.
    handle: *mut ffi::PyTypeObject,
}
// SAFETY: type objects are made once, immortal in effect, and only read.
unsafe impl Send for Types {}
// SAFETY: as above.
unsafe impl Sync for Types {}

static TYPES: OnceLock<Types> = OnceLock::new();

/// The originals.
static START_JOINABLE: OnceLock<ffi::PyCFunctionWithKeywords> = OnceLock::new();
static START_NEW: OnceLock<ffi::PyCFunction> = OnceLock::new();

unsafe extern "C" fn call(
    start: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let start = start.cast::<Start>();
    // SAFETY: attached; what it is made of does not change.
    unsafe {
        guard::catch_panic((), || {
            order::begin(&*(*start).handed);
            if (*start).is_thread {
                current_thread().slot.waited_by.store((*start).handle as usize, Ordering::Relaxed);
                leave_at_end((*start).handle, (*start).is_daemon, std::ptr::null());
            }
        });
        if (*start).is_thread {
            current_thread().slot.started_at.store((*start).started_at, Ordering::Relaxed);
            perturb::begin((*start).strand);
            current_thread().started_for.set((*start).started_for);
        }
        let result = ffi::PyObject_Call((*start).function, arguments, keywords);
        if (*start).is_thread {
            current_thread().started_for.set(std::ptr::null_mut());
            // Before `_thread._count` has one thread less, which is shortly before the thread state ends.
            order::release_key(key(Space::ThreadCount, 0));
        }
        result
    }
}

/// The calling thread was started by C code, and goes back there when its thread state ends: how others learn of that does not show.
///
/// # Safety
/// Attached.
unsafe fn announce_at_end() {
    // SAFETY: passed on.
    unsafe { leave_at_end(std::ptr::null_mut(), true, &raw const current_thread().order) }
}

/// # Safety
/// Attached, in the thread; a live handle, or null.
unsafe fn leave_at_end(handle: *mut ffi::PyObject, is_daemon: bool, foreign: *const ThreadOrder) {
    let Some(types) = TYPES.get() else { return };
    // SAFETY: passed on; the dictionary is the thread state's, and nobody else's.
    unsafe {
        let pending = ffi::PyErr_GetRaisedException();
        let (state, end) = (ffi::PyThreadState_GetDict(), allocate::<End>(types.end));
        if !state.is_null() && !end.is_null() {
            let left = end.cast::<End>();
            (*left).handle = ffi::Py_XNewRef(handle);
            (*left).is_daemon = is_daemon;
            (*left).foreign = foreign;
            ffi::PyDict_SetItem(state, types.end.cast(), end);
        }
        ffi::Py_XDECREF(end);
        ffi::PyErr_SetRaisedException(pending);
    }
}

unsafe extern "C" fn repr(start: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: attached, alive.
    unsafe { ffi::PyObject_Repr((*start.cast::<Start>()).function) }
}

unsafe extern "C" fn dealloc_start(object: *mut ffi::PyObject) {
    let start = object.cast::<Start>();
    // SAFETY: attached; the last reference is gone.
    unsafe {
        ffi::Py_XDECREF((*start).function);
        ffi::Py_XDECREF((*start).handle);
        ffi::Py_XDECREF((*start).started_for);
        if !(*start).handed.is_null() {
            drop(Box::from_raw((*start).handed));
        }
        ffi::PyObject_Free(object.cast());
    }
}

unsafe extern "C" fn dealloc_end(object: *mut ffi::PyObject) {
    let end = object.cast::<End>();
    // SAFETY: attached, in the thread that ends; the last reference is gone.
    unsafe {
        order::release_key(own_thread::key_of_former());
        if (*end).foreign.is_null() {
            order::release_key(key(Space::ThreadCount, 0));
        } else if std::ptr::eq((*end).foreign, &raw const current_thread().order) {
            order::announce();
            // It begins anew when it comes back.
            current_thread().order.leave();
            current_thread().races.is_introduced.set(false);
        }
        if !(*end).handle.is_null() {
            order::release((*end).handle);
            if !(*end).is_daemon {
                order::release_key(key(Space::ThreadEnds, 0));
            }
            ffi::Py_DECREF((*end).handle);
        }
        ffi::PyObject_Free(object.cast());
    }
}

/// A [`Start`] for `function`; null with an exception set.
///
/// # Safety
/// Attached; the objects are alive, the handle may be null.
unsafe fn start(
    types: &Types,
    function: *mut ffi::PyObject,
    handle: *mut ffi::PyObject,
    is_daemon: bool,
    is_thread: bool,
) -> *mut ffi::PyObject {
    // SAFETY: allocates an object of our own type and fills all of it.
    unsafe {
        let object = allocate::<Start>(types.start);
        if !object.is_null() {
            let start = object.cast::<Start>();
            (*start).function = ffi::Py_NewRef(function);
            (*start).handle = ffi::Py_XNewRef(handle);
            (*start).is_daemon = is_daemon;
            (*start).is_thread = is_thread;
            (*start).handed = Box::into_raw(Box::new(order::hand_over()));
            (*start).strand = if is_thread { perturb::next_child() } else { 0 };
            (*start).started_at = if is_thread { stacks::record(0) } else { 0 };
            (*start).started_for = if is_thread { occurrences::name() } else { std::ptr::null_mut() };
            handed_over::hand_over(function);
        }
        object
    }
}

/// Something to call later instead of `function`, with what the calling thread has done so far; null with an exception set.
///
/// # Safety
/// Attached; `function` is alive.
pub(crate) unsafe fn carrier(function: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe {
        match TYPES.get() {
            Some(types) if ffi::PyCallable_Check(function) != 0 => start(types, function, std::ptr::null_mut(), true, false),
            _ => ffi::Py_NewRef(function),
        }
    }
}

/// The arguments of a call with one of them replaced, or added by name; null with an exception set.
struct Changed {
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
}

impl Changed {
    /// # Safety
    /// Attached; a live tuple, and a live dictionary or null.
    unsafe fn of(arguments: *mut ffi::PyObject, keywords: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: passed on; a new tuple is filled before anybody sees it.
        unsafe {
            let count = ffi::PyTuple_GET_SIZE(arguments);
            let changed = Changed {
                arguments: ffi::PyTuple_New(count),
                keywords: if keywords.is_null() { ffi::PyDict_New() } else { ffi::PyDict_Copy(keywords) },
            };
            if changed.arguments.is_null() || changed.keywords.is_null() {
                return None;
            }
            for place in 0..count {
                ffi::PyTuple_SET_ITEM(changed.arguments, place, ffi::Py_NewRef(ffi::PyTuple_GET_ITEM(arguments, place)));
            }
            Some(changed)
        }
    }

    /// What the call has at this place or under this name; null for nothing.
    ///
    /// # Safety
    /// Attached.
    unsafe fn get(&self, place: isize, name: &CStr) -> *mut ffi::PyObject {
        // SAFETY: passed on.
        unsafe {
            if place < ffi::PyTuple_GET_SIZE(self.arguments) {
                ffi::PyTuple_GET_ITEM(self.arguments, place)
            } else {
                ffi::PyDict_GetItemString(self.keywords, name.as_ptr())
            }
        }
    }

    /// # Safety
    /// Attached; `value` is alive.
    unsafe fn set(&self, place: isize, name: &CStr, value: *mut ffi::PyObject) -> bool {
        // SAFETY: passed on; nobody else has seen the tuple.
        unsafe {
            if place < ffi::PyTuple_GET_SIZE(self.arguments) {
                let there = ffi::PyTuple_GET_ITEM(self.arguments, place);
                ffi::PyTuple_SET_ITEM(self.arguments, place, ffi::Py_NewRef(value));
                ffi::Py_DECREF(there);
                true
            } else {
                ffi::PyDict_SetItemString(self.keywords, name.as_ptr(), value) == 0
            }
        }
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        // SAFETY: attached; our own references.
        unsafe {
            ffi::Py_XDECREF(self.arguments);
            ffi::Py_XDECREF(self.keywords);
        }
    }
}

/// `start_joinable_thread(function, handle=None, daemon=True)`.
unsafe extern "C" fn start_joinable(
    module: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let original = START_JOINABLE.get().expect("set before it is hooked");
    // SAFETY: attached, called by the interpreter with live objects; what is not as expected is left to the original to refuse.
    unsafe {
        let (Some(types), Some(changed)) = (TYPES.get(), Changed::of(arguments, keywords)) else { return std::ptr::null_mut() };
        let (function, given) = (changed.get(0, c"function"), changed.get(1, c"handle"));
        if function.is_null() || ffi::PyCallable_Check(function) == 0 {
            return original(module, arguments, keywords);
        }
        let is_given = !given.is_null() && !std::ptr::eq(given, ffi::Py_None());
        let handle = if is_given { ffi::Py_NewRef(given) } else { ffi::PyObject_CallNoArgs(types.handle.cast()) };
        if handle.is_null() {
            return handle;
        }
        // A value that is neither True nor False counts as one that is waited for at the end: an order too many.
        let daemon = changed.get(2, c"daemon");
        let start = start(types, function, handle, daemon.is_null() || std::ptr::eq(daemon, ffi::Py_True()), true);
        let is_complete = !start.is_null() && changed.set(0, c"function", start) && changed.set(1, c"handle", handle);
        let result = if is_complete { original(module, changed.arguments, changed.keywords) } else { std::ptr::null_mut() };
        ffi::Py_XDECREF(start);
        ffi::Py_DECREF(handle);
        result
    }
}

/// `start_new_thread(function, args, kwargs={})`, and its other name.
unsafe extern "C" fn start_new(module: *mut ffi::PyObject, arguments: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let original = START_NEW.get().expect("set before it is hooked");
    // SAFETY: as above.
    unsafe {
        let (Some(types), Some(changed)) = (TYPES.get(), Changed::of(arguments, std::ptr::null_mut())) else {
            return std::ptr::null_mut();
        };
        let function = changed.get(0, c"function");
        if function.is_null() || ffi::PyCallable_Check(function) == 0 || changed.get(1, c"args").is_null() {
            return original(module, arguments);
        }
        handed_over::hand_over(changed.get(1, c"args"));
        let start = start(types, function, std::ptr::null_mut(), true, true);
        let is_complete = !start.is_null() && changed.set(0, c"function", start);
        let result = if is_complete { original(module, changed.arguments) } else { std::ptr::null_mut() };
        ffi::Py_XDECREF(start);
        result
    }
}

/// Hooks the functions of `_thread` that start threads.
pub(crate) fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let handle = module.getattr("_ThreadHandle")?.unbind().into_ptr().cast();
    let start = new_type(
        py,
        c"ftsan._native.Start",
        size_of::<Start>(),
        0,
        &[
            (ffi::Py_tp_call, call as *mut c_void),
            (ffi::Py_tp_repr, repr as *mut c_void),
            (ffi::Py_tp_dealloc, dealloc_start as *mut c_void),
        ],
    )?;
    let end = new_type(py, c"ftsan._native.End", size_of::<End>(), 0, &[(ffi::Py_tp_dealloc, dealloc_end as *mut c_void)])?;
    let slot = |name: &str, flags: c_int| function_slots::function(module, name, flags);
    let joinable = slot("start_joinable_thread", ffi::METH_VARARGS | ffi::METH_KEYWORDS)?;
    let (new, other_name) = (slot("start_new_thread", ffi::METH_VARARGS)?, slot("start_new", ffi::METH_VARARGS)?);
    TYPES.set(Types { start, end, handle }).map_err(|_| PyRuntimeError::new_err("already hooked"))?;
    // SAFETY: the slots hold functions of these types: their calling conventions are checked.
    unsafe {
        joinable.swap(&START_JOINABLE, start_joinable);
        new.swap(&START_NEW, start_new);
    }
    other_name.replace(start_new as *const c_void);
    clock::on_foreign_thread(announce_at_end);
    (0..3).for_each(|_| crate::findings::process::get().count_hook());
    Ok(())
}
