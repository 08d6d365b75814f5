//! Coroutines, generators and asynchronous generators: are they being executed, and by what are they driven?
//!
//! The three share `_PyGenObject_HEAD` (`Include/internal/pycore_interpframe_structs.h`), whose offsets are published.  The object
//! that `__anext__` or `asend` returns has its generator in the first field (`PyAsyncGenASend`, `PyAsyncGenAThrow`,
//! `Objects/genobject.c`).

use crate::interpreter::{frames, offsets};
use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple, PyType};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI8, AtomicPtr, Ordering};

/// Types of what drives an asynchronous generator: of `asend` and of `athrow`.
static STEPS: OnceLock<[usize; 2]> = OnceLock::new();

/// `FRAME_CREATED` and the like, as a number.
///
/// # Safety
/// [`is_one`] says yes.
#[inline]
pub(crate) unsafe fn state(generator: *mut ffi::PyObject) -> i8 {
    // SAFETY: the offset is published for a field of this type; another thread may be writing it.
    unsafe { (*generator.cast::<u8>().add(offsets::get().gen_frame_state).cast::<AtomicI8>()).load(Ordering::Relaxed) }
}

/// Whether this is a coroutine, a generator or an asynchronous generator.
///
/// # Safety
/// A live object.
pub(crate) unsafe fn is_one(object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's guarantee.
    unsafe { ffi::PyCoro_CheckExact(object) != 0 || ffi::PyGen_CheckExact(object) != 0 || ffi::PyAsyncGen_CheckExact(object) != 0 }
}

/// Whether some thread executes it right now.
///
/// # Safety
/// As [`state`].
#[inline]
pub(crate) unsafe fn is_executing(generator: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { state(generator) == offsets::get().unpublished.executing }
}

/// Whether it is suspended in an `await`.  Not said in the moment in which another thread asks it what it awaits, which is a state of its
/// own (`FRAME_SUSPENDED_YIELD_FROM_LOCKED`).
///
/// # Safety
/// As [`state`].
#[inline]
pub(crate) unsafe fn is_waiting(generator: *mut ffi::PyObject) -> bool {
    // SAFETY: passed on.
    unsafe { state(generator) == offsets::get().unpublished.awaiting }
}

/// The finalizer of an asynchronous generator, borrowed: a method of the loop that iterated it first.  Null before that.
///
/// In `_PyGenObject_HEAD` a pointer, `ag_origin_or_finalizer`, and three flags come right before the state.
///
/// # Safety
/// A live asynchronous generator.
#[inline]
pub(crate) unsafe fn finalizer(generator: *mut ffi::PyObject) -> *mut ffi::PyObject {
    const FLAGS: usize = 3;
    let offset = offsets::get().gen_frame_state - FLAGS - size_of::<usize>();
    // SAFETY: inside the object; verified before it is used.
    unsafe { (*generator.cast::<u8>().add(offset).cast::<AtomicPtr<ffi::PyObject>>()).load(Ordering::Relaxed) }
}

/// The asynchronous generator that this awaitable drives, if it is one of those.
///
/// # Safety
/// A live object.
#[inline]
pub(crate) unsafe fn generator_of_step(step: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
    // SAFETY: a live object, and one that has the field.
    unsafe {
        if !STEPS.get()?.contains(&(ffi::Py_TYPE(step) as usize)) {
            return None;
        }
        let generator = (*step.add(1).cast::<AtomicPtr<ffi::PyObject>>()).load(Ordering::Relaxed);
        (!generator.is_null()).then_some(generator)
    }
}

/// Takes a generator through all of its states, and looks whether it is in them.
pub(crate) fn verify_states(py: Python<'_>) -> Result<(), String> {
    let states = offsets::get().unpublished;
    let check = || -> PyResult<bool> {
        let namespace = PyDict::new(py);
        let source = c"def inner(look):\n    yield look((yield))\n    yield\ndef outer(inner):\n    yield from inner\n";
        py.run(source, Some(&namespace), None)?;
        let look = PyCFunction::new_closure(py, None, None, |arguments, _| -> PyResult<bool> {
            // SAFETY: the generator that calls it.
            Ok(unsafe { is_executing(arguments.get_item(0)?.as_ptr()) })
        })?;
        // SAFETY: only called with generators, which nobody else has.
        let state_of = |generator: &Bound<'_, PyAny>| unsafe { state(generator.as_ptr()) };

        let inner = namespace.as_any().get_item("inner")?.call1((look,))?;
        let created = state_of(&inner) == states.created;
        inner.call_method0("__next__")?;
        let executing: bool = inner.call_method1("send", (&inner,))?.extract()?;
        let suspended = state_of(&inner) == states.suspended;
        let outer = namespace.as_any().get_item("outer")?.call1((&inner,))?;
        outer.call_method0("__next__")?;
        // SAFETY: if it says that it is awaiting, it is.
        let awaiting = state_of(&outer) == states.awaiting
            && unsafe { frames::of_generator(outer.as_ptr()).awaited() } == Some(inner.as_ptr());
        outer.call_method0("close")?;
        Ok(created && executing && suspended && awaiting)
    };
    match check() {
        Ok(true) => Ok(()),
        Ok(false) => Err("the states of a generator are not as expected".to_owned()),
        Err(error) => Err(format!("cannot take a generator through its states: {error}")),
    }
}

/// Compares fields with those of an asynchronous generator that is known; gives the types of its steps.
pub(crate) fn verify<'py>(py: Python<'py>) -> PyResult<Vec<Bound<'py, PyType>>> {
    let namespace = PyDict::new(py);
    py.run(c"async def numbers():\n    yield 1\ndef probe(generator):\n    pass\n", Some(&namespace), None)?;
    let (numbers, probe) = (namespace.as_any().get_item("numbers")?, namespace.as_any().get_item("probe")?);
    let generator = numbers.call0()?;
    let system = py.import("sys")?;
    let hooks = system.call_method0("get_asyncgen_hooks")?.cast_into::<PyTuple>()?;
    system.call_method1("set_asyncgen_hooks", (py.None(), &probe))?;
    let steps =
        [generator.call_method1("asend", (py.None(),))?, generator.call_method1("athrow", (py.get_type::<PyGeneratorExit>(),))?];
    system.call_method1("set_asyncgen_hooks", hooks)?;
    let types: Vec<Bound<'py, PyType>> = steps.iter().map(|step| step.get_type()).collect();
    // SAFETY: both are larger than a header; a step keeps its generator alive.
    let as_expected = unsafe {
        steps
            .iter()
            .all(|step| (*step.as_ptr().add(1).cast::<AtomicPtr<ffi::PyObject>>()).load(Ordering::Relaxed) == generator.as_ptr())
            && is_one(generator.as_ptr())
            && finalizer(generator.as_ptr()) == probe.as_ptr()
    };
    for step in &steps {
        step.call_method0("close")?;
    }
    if !as_expected {
        return Err(PyRuntimeError::new_err("an asynchronous generator does not look as expected"));
    }
    let _ = STEPS.set([types[0].as_ptr() as usize, types[1].as_ptr() as usize]);
    Ok(types)
}
