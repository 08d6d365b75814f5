//! Callbacks of weak references: they run when nobody has the object any more, in whichever thread let go of it last, and what any
//! thread did with it before happened before.
//!
//! The interpreter calls them through the function object's own pointer.  The making of a reference with a callback gives that
//! function another one, which is passed over where Python code calls the function, and looks at what it is called with.

use crate::engine::order;
use crate::intercept::type_slot::{self, New, Slot};
use crate::interpreter::{attributes, types};
use crate::thread::context::current_thread;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use std::ffi::{CStr, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

type Object = *mut ffi::PyObject;

unsafe extern "C" {
    // Include/weakrefobject.h
    fn PyWeakref_IsDead(reference: Object) -> c_int;
}

struct Hooked {
    new: New,
    /// What calls functions.
    original: ffi::vectorcallfunc,
    /// `"__call__"`, interned and never released.
    name: AtomicPtr<ffi::PyObject>,
}

static HOOKED: OnceLock<Hooked> = OnceLock::new();

/// Callbacks that take an entry out of a table.  That an object is gone orders what its thread does with that table and no more: every
/// thread that ends, and every import, is in one.
const CONTAINERS: [&str; 5] = [
    "WeakSet.__init__.<locals>._remove",
    "WeakKeyDictionary.__init__.<locals>.remove",
    "WeakValueDictionary.__init__.<locals>.remove",
    "_get_module_lock.<locals>.cb",
    "_WeakValueDictionary.__init__.<locals>.KeyedRef.remove",
];

/// How often a callable is looked for behind another one.
const DEPTH: usize = 4;

fn hooked() -> &'static Hooked {
    HOOKED.get().expect("set before the slot is")
}

/// Whether a function is called because an object is gone.
///
/// # Safety
/// Attached, with the arguments of a call.
unsafe fn is_callback(arguments: *const Object, count: usize, names: Object) -> bool {
    // SAFETY: passed on.
    unsafe {
        let last = (ffi::PyVectorcall_NARGS(count) as usize).checked_sub(1).filter(|_| names.is_null());
        let last = last.map_or(std::ptr::null_mut(), |last| *arguments.add(last));
        !last.is_null() && ffi::PyWeakref_Check(last) != 0 && PyWeakref_IsDead(last) == 1
    }
}

/// Calls a callback, which may pass on what the object had.
unsafe extern "C" fn call(function: Object, arguments: *const Object, count: usize, names: Object) -> Object {
    // SAFETY: attached, called by the interpreter with live objects.
    unsafe {
        if is_callback(arguments, count, names) {
            order::acquire_all();
        }
        (hooked().original)(function, arguments, count, names)
    }
}

/// Calls the callback of a container, which concerns nothing but its entry there.
unsafe extern "C" fn call_of_container(function: Object, arguments: *const Object, count: usize, names: Object) -> Object {
    // SAFETY: as above.
    unsafe {
        let call = || (hooked().original)(function, arguments, count, names);
        if is_callback(arguments, count, names) { current_thread().order.last(call) } else { call() }
    }
}

/// Whether a function is the callback of a container.
///
/// # Safety
/// Attached; a live function.
unsafe fn is_of_container(function: Object) -> bool {
    // SAFETY: passed on.
    unsafe {
        let name = Bound::from_borrowed_ptr(Python::assume_attached(), (*function.cast::<ffi::PyFunctionObject>()).func_qualname);
        name.cast_exact::<PyString>().is_ok_and(|name| name.to_str().is_ok_and(|name| CONTAINERS.contains(&name)))
    }
}

/// `callable` is called when an object is gone: directly, as a method, as what is behind `functools.partial`, or as a class's `__call__`.
///
/// # Safety
/// Attached; `callable` is alive.
pub(crate) unsafe fn expect(callable: Object) {
    let Some(hooked) = HOOKED.get() else { return };
    // SAFETY: passed on; we hold references to what we look at, and an aligned pointer store is seen whole by other threads.
    unsafe {
        let mut callable = ffi::Py_NewRef(callable);
        for _ in 0..DEPTH {
            if ffi::PyFunction_Check(callable) != 0 {
                let place = &raw mut (*callable.cast::<ffi::PyFunctionObject>()).vectorcall;
                if place.read().is_some_and(|there| std::ptr::fn_addr_eq(there, hooked.original)) {
                    place.write_volatile(Some(if is_of_container(callable) { call_of_container } else { call }));
                }
                break;
            }
            let behind = behind(callable, hooked);
            ffi::Py_DECREF(callable);
            if behind.is_null() {
                return;
            }
            callable = behind;
        }
        ffi::Py_DECREF(callable);
    }
}

/// The function that is called when `callable` is; a new reference, or null.
///
/// # Safety
/// As [`expect`].
unsafe fn behind(callable: Object, hooked: &Hooked) -> Object {
    // SAFETY: passed on; a type keeps its name alive.
    unsafe {
        if let Some((_, function)) = attributes::of_method(callable) {
            return ffi::Py_NewRef(function);
        }
        let class = ffi::Py_TYPE(callable);
        if types::flags(class) & ffi::Py_TPFLAGS_HEAPTYPE == 0 {
            return std::ptr::null_mut();
        }
        if CStr::from_ptr((*class).tp_name) != c"functools.partial" {
            return types::look_up(class, hooked.name.load(Ordering::Relaxed));
        }
        let function = ffi::PyObject_GetAttrString(callable, c"func".as_ptr());
        if function.is_null() {
            ffi::PyErr_Clear();
        }
        function
    }
}

/// `ref(object, callback=None)`, and its subclasses.
unsafe extern "C" fn new(class: *mut ffi::PyTypeObject, arguments: Object, keywords: Object) -> Object {
    // SAFETY: attached, called by the interpreter with live objects; an argument that is not as expected is left to the original to
    // refuse.
    unsafe {
        if ffi::PyTuple_GET_SIZE(arguments) == 2 {
            expect(ffi::PyTuple_GET_ITEM(arguments, 1));
        }
        (hooked().new)(class, arguments, keywords)
    }
}

/// Hooks `weakref.ref`: the references that are made from now on.
pub(crate) fn install(class: &Bound<'_, PyType>) -> PyResult<()> {
    let py = class.py();
    let there = Slot::New.of(class);
    // Any function written in Python, of a module that is always there.
    let function = py.import("_frozen_importlib")?.getattr("_find_and_load")?;
    // SAFETY: checked to be a function before it is used as one.
    let original = unsafe {
        let is_function = ffi::PyFunction_Check(function.as_ptr()) != 0;
        is_function.then(|| (*function.as_ptr().cast::<ffi::PyFunctionObject>()).vectorcall).flatten()
    };
    let (false, Some(original)) = (there.is_null(), original) else { return Err(PyRuntimeError::new_err("an empty slot")) };
    let name = AtomicPtr::new(PyString::intern(py, "__call__").into_any().unbind().into_ptr());
    // SAFETY: the function in this slot has this signature.
    let new_reference = unsafe { std::mem::transmute::<*const c_void, New>(there) };
    HOOKED.set(Hooked { new: new_reference, original, name }).map_err(|_| PyRuntimeError::new_err("already hooked"))?;
    type_slot::replace(class, Slot::New, new as *const c_void)?;
    crate::findings::process::get().count_hook();
    Ok(())
}
