//! Loops that no table knows: when one runs, and what it gives away.
//!
//! Objects of an extension type may have their loop where nobody sees it.  An object that a loop returned belongs to it, as long as
//! it lives.

use crate::interpreter::own_types;
use crate::thread::context::{InSlowPath, current_thread};
use crate::thread::{faults, guard, origins, registry};
use ftsan::loops::Realm;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// How many classes of loops a process has; with more, they are met again each time that one runs.
const CLASSES: usize = 16;
static MET: [AtomicUsize; CLASSES] = [const { AtomicUsize::new(0) }; CLASSES];

/// Python functions: one is called with a loop of a class that has not been met, the other without arguments when there may be classes of
/// transports that were not there before.
static CALLED: OnceLock<(Py<PyAny>, Py<PyAny>)> = OnceLock::new();
/// A loop was met that no table knows.
static LOOKS_AROUND: AtomicBool = AtomicBool::new(false);
static BEGINNINGS: AtomicU64 = AtomicU64::new(0);
/// So many beginnings of threads and tasks of executors are worth a look each.
const FIRST: u64 = 64;

/// Calls these from now on.
pub(crate) fn start(meet: Py<PyAny>, look_around: Py<PyAny>) {
    let _ = CALLED.set((meet, look_around));
}

/// A loop that no table knows is watched: its transports may be of classes that are yet to come.
pub(crate) fn expect_classes() {
    LOOKS_AROUND.store(true, Ordering::Relaxed);
}

/// The calling thread begins to run a loop.
///
/// # Safety
/// Attached; a live object.
pub(crate) unsafe fn runs(py: Python<'_>, loop_: *mut ffi::PyObject) {
    // SAFETY: passed on.
    let class = unsafe { ffi::Py_TYPE(loop_) };
    if MET.iter().any(|met| met.load(Ordering::Relaxed) == class as usize) {
        return;
    }
    let free = |met: &AtomicUsize| met.compare_exchange(0, class as usize, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if MET.iter().any(free) {
        // SAFETY: a live type; it is kept, so that its address means no other one.
        unsafe { ffi::Py_INCREF(class.cast()) };
    }
    // SAFETY: passed on.
    let loop_ = unsafe { Bound::from_borrowed_ptr(py, loop_) };
    if let Some((meet, _)) = CALLED.get() {
        call(|| meet.bind(py).call1((loop_,)).map(drop));
    }
}

/// A thread, or a task of an executor, begins.
#[inline]
pub(crate) fn something_begins() {
    if LOOKS_AROUND.load(Ordering::Relaxed) {
        let count = BEGINNINGS.fetch_add(1, Ordering::Relaxed);
        if count < FIRST || count.is_power_of_two() {
            look_around();
        }
    }
}

#[cold]
fn look_around() {
    // SAFETY: called by hooks, which run attached.
    let py = unsafe { Python::assume_attached() };
    if let Some((_, look_around)) = CALLED.get() {
        call(|| look_around.bind(py).call0().map(drop));
    }
}

/// Calls Python code of ours.
fn call(function: impl FnOnce() -> PyResult<()>) {
    guard::catch_panic((), || {
        let Some(_busy) = InSlowPath::enter() else { return };
        if let Err(error) = function() {
            faults::fail(&format!("loops that no table knows: {error}"));
        }
    });
}

/// A loop has returned something.
///
/// # Safety
/// Attached; live objects.
pub(crate) unsafe fn away(loop_: *mut ffi::PyObject, result: *mut ffi::PyObject) {
    let slot = current_thread().slot;
    if slot.running_asyncio() != loop_ as usize {
        return;
    }
    // SAFETY: passed on; a tuple keeps its items alive.
    unsafe {
        // A transport and its protocol.
        let is_pair = ffi::PyTuple_CheckExact(result) != 0 && ffi::PyTuple_GET_SIZE(result) > 0;
        let object = if is_pair { ffi::PyTuple_GET_ITEM(result, 0) } else { result };
        registry::get().bindings.remember(slot, Realm::Asyncio, object as usize);
        origins::record(object as usize, 1);
    }
    something_begins();
}

/// `site[loop] = result`, injected before each return of a method that is written in Python.
unsafe extern "C" fn assign(_: *mut ffi::PyObject, loop_: *mut ffi::PyObject, result: *mut ffi::PyObject) -> c_int {
    if !result.is_null() {
        // SAFETY: attached, and the interpreter hands live objects.
        unsafe { away(loop_, result) };
    }
    0
}

/// The object whose items are what loops return.
pub(crate) fn site(py: Python<'_>) -> PyResult<Py<PyAny>> {
    let class = own_types::new_type(
        py,
        c"ftsan._native.Given",
        size_of::<ffi::PyObject>(),
        0,
        &[(ffi::Py_mp_ass_subscript, assign as *mut c_void)],
    )?;
    // SAFETY: allocates an object of our own type, which has no fields.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_GenericAlloc(class, 0)).map(Bound::unbind) }
}
