//! Ways to resume coroutines and asynchronous generators without calling a method: `await`, `async for`, a step of a task.

use crate::engine::affinity::check;
use crate::engine::affinity::watch::{OwnerKind, Watch};
use crate::intercept::type_slot::{self, Destructor, Send, Slot, Unary};
use crate::interpreter::frames;
use crate::thread::context::current_thread;
use crate::thread::outcome::Outcome;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

struct Hooked<F> {
    original: F,
    watch: &'static Watch,
}

/// Of coroutines, of generators, and of what `asend` returns.
static SENDS: [OnceLock<Hooked<Send>>; 3] = [const { OnceLock::new() }; 3];
const COROUTINE: usize = 0;
const GENERATOR: usize = 1;
const ASEND: usize = 2;
/// Of asynchronous generators.
static FINALIZE: OnceLock<Hooked<Destructor>> = OnceLock::new();
static ASYNC_NEXT: OnceLock<Hooked<Unary>> = OnceLock::new();
/// Of what `asend` and `athrow` return.
static STEPS: [OnceLock<Hooked<Unary>>; 2] = [const { OnceLock::new() }; 2];

unsafe extern "C" fn send<const N: usize>(
    object: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> c_int {
    const ERROR: c_int = -1; // PYGEN_ERROR
    let hooked = SENDS[N].get().expect("set before the slot is");
    // SAFETY: the interpreter calls a slot attached and with a live object of its type; the original slot.
    unsafe {
        let verdict = if N == ASEND {
            check::before_kind::<{ OwnerKind::AsyncStep as u8 }>(hooked.watch, object)
        } else {
            check::before_kind::<{ OwnerKind::CoroutineStep as u8 }>(hooked.watch, object)
        };
        if verdict == Outcome::Raised {
            *result = std::ptr::null_mut();
            return ERROR;
        }
        (hooked.original)(object, value, result)
    }
}

/// # Safety
/// As the slot.
#[inline(always)]
unsafe fn checked(hooked: &OnceLock<Hooked<Unary>>, object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let hooked = hooked.get().expect("set before the slot is");
    // SAFETY: the interpreter calls a slot attached and with a live object of its type; the original slot.
    unsafe {
        if check::before(hooked.watch, object) == Outcome::Raised {
            return std::ptr::null_mut();
        }
        (hooked.original)(object)
    }
}

unsafe extern "C" fn async_next(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe { checked(&ASYNC_NEXT, object) }
}

/// The loop's hook calls `aclose()` in whatever thread drops the last reference, and hands the result over.
unsafe extern "C" fn finalize(object: *mut ffi::PyObject) {
    let here = current_thread();
    // SAFETY: the interpreter calls a slot attached; the own stack.
    let innermost = unsafe { frames::own() }.next().map_or(0, frames::Frame::address);
    let before = here.generator_finalized_at.replace(innermost);
    // SAFETY: the original slot.
    unsafe { (FINALIZE.get().expect("set before the slot is").original)(object) }
    here.generator_finalized_at.set(before);
}

unsafe extern "C" fn step<const N: usize>(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on.
    unsafe { checked(&STEPS[N], object) }
}

fn replace<F: Copy>(
    place: &OnceLock<Hooked<F>>,
    class: &Bound<'_, PyType>,
    slot: Slot,
    replacement: *const c_void,
    watch: &'static Watch,
) -> PyResult<()> {
    let there = slot.of(class);
    if there.is_null() {
        return Err(PyRuntimeError::new_err(format!("{}: an empty slot", class.name()?)));
    }
    // SAFETY: `F` is the type of functions in this slot; both are pointers.
    let original = unsafe { std::mem::transmute_copy::<*const c_void, F>(&there) };
    place.set(Hooked { original, watch }).map_err(|_| PyRuntimeError::new_err("already hooked"))?;
    type_slot::replace(class, slot, replacement)
}

/// Watches the slots; `steps` are the types of what `asend` and `athrow` return.  Gives all the types.
pub(crate) fn install<'py>(
    py: Python<'py>,
    steps: Vec<Bound<'py, PyType>>,
    send_watch: &'static Watch,
    step_watch: &'static Watch,
    next_watch: &'static Watch,
) -> PyResult<Vec<Bound<'py, PyType>>> {
    // SAFETY: static types of the interpreter.
    let [coroutine, generator, asynchronous] = unsafe {
        [&raw mut ffi::PyCoro_Type, &raw mut ffi::PyGen_Type, &raw mut ffi::PyAsyncGen_Type]
            .map(|class| PyType::from_borrowed_type_ptr(py, class))
    };
    replace(&SENDS[COROUTINE], &coroutine, Slot::Send, send::<COROUTINE> as *const c_void, send_watch)?;
    replace(&SENDS[GENERATOR], &generator, Slot::Send, send::<GENERATOR> as *const c_void, send_watch)?;
    replace(&ASYNC_NEXT, &asynchronous, Slot::AsyncNext, async_next as *const c_void, next_watch)?;
    replace(&FINALIZE, &asynchronous, Slot::Finalize, finalize as *const c_void, next_watch)?;
    replace(&STEPS[0], &steps[0], Slot::Next, step::<0> as *const c_void, step_watch)?;
    replace(&STEPS[1], &steps[1], Slot::Next, step::<1> as *const c_void, step_watch)?;
    // Since 3.15.  There, an `async for` that has been specialised (`SEND_ASYNC_GEN`) goes around it; the `__anext__` before does not.
    if !Slot::Send.of(&steps[0]).is_null() {
        replace(&SENDS[ASEND], &steps[0], Slot::Send, send::<ASEND> as *const c_void, step_watch)?;
    }
    Ok([vec![coroutine, generator, asynchronous], steps].concat())
}
