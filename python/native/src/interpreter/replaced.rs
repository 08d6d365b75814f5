//! The replaced parts of the interpreter and of its functions, so that they can be put back, and replaced again: for a process that
//! somebody attached to, and that goes on without us.  In any other process nothing is kept here.

use crate::interpreter::world::Stopped;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Which of the two is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Ours,
    Theirs,
}

/// Something that was replaced.
pub(crate) trait Replacement: Send {
    /// Puts one in the place of the other.  One that somebody else has replaced meanwhile is left alone.
    ///
    /// # Errors
    /// As the program's own code that is asked, if any is.
    fn put(&self, py: Python<'_>, which: Which) -> PyResult<()>;
}

/// The replacements, each in the order in which it was done.
#[derive(Default)]
struct Kept {
    codes: Vec<Code>,
    others: Vec<Box<dyn Replacement>>,
}

static IS_KEPT: AtomicBool = AtomicBool::new(false);
static ALL: Mutex<Kept> = Mutex::new(Kept { codes: Vec::new(), others: Vec::new() });

fn lock() -> MutexGuard<'static, Kept> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Replacements are kept from now on.
pub(crate) fn begin() {
    IS_KEPT.store(true, Ordering::Relaxed);
}

/// Whether it is: other threads may be running what is replaced.
pub(crate) fn is_kept() -> bool {
    IS_KEPT.load(Ordering::Relaxed)
}

/// Something was replaced.
pub(crate) fn keep(replacement: impl Replacement + 'static) {
    if is_kept() {
        lock().others.push(Box::new(replacement));
    }
}

/// Puts back everything, the last first.
///
/// # Errors
/// As [`Replacement::put`]; the rest is put back all the same.
pub(crate) fn put_back(py: Python<'_>) -> PyResult<()> {
    put_all(py, Which::Theirs)
}

/// Replaces everything again.
///
/// # Errors
/// As [`Replacement::put`]; the rest is replaced all the same.
pub(crate) fn replace_again(py: Python<'_>) -> PyResult<()> {
    put_all(py, Which::Ours)
}

/// Not under the lock: the question may run code of the program, and another thread may replace something meanwhile.
fn put_all(py: Python<'_>, which: Which) -> PyResult<()> {
    let mut done = Kept::default();
    let mut result = Ok(());
    loop {
        let mut some = std::mem::take(&mut *lock());
        if some.codes.is_empty() && some.others.is_empty() {
            break;
        }
        put_codes(py, &some.codes, which);
        for one in in_order(&some.others, which) {
            result = one.put(py, which).and(result);
        }
        done.codes.append(&mut some.codes);
        done.others.append(&mut some.others);
    }
    let mut all = lock();
    done.codes.append(&mut all.codes);
    done.others.append(&mut all.others);
    *all = done;
    result
}

/// The last replacement is put back first.
fn in_order<T>(all: &[T], which: Which) -> impl Iterator<Item = &T> {
    let count = all.len();
    (0..count).map(move |at| &all[if which == Which::Ours { at } else { count - 1 - at }])
}

/// No thread is between looking at the code of a function and running it while the world is stopped: that is no place to stop at.
fn put_codes(py: Python<'_>, codes: &[Code], which: Which) {
    let mut old = Vec::with_capacity(codes.len());
    let stopped = Stopped::stop(py);
    for code in in_order(codes, which) {
        // SAFETY: the world is stopped.
        old.push(unsafe { code.put(which) });
    }
    drop(stopped);
    for code in old {
        // SAFETY: the reference that a function had.
        unsafe { ffi::Py_XDECREF(code) };
    }
}

/// A function pointer.
struct Pointer {
    place: *mut *const c_void,
    ours: *const c_void,
    theirs: *const c_void,
}

// SAFETY: addresses of functions and of a place that is never unmapped.
unsafe impl Send for Pointer {}

impl Replacement for Pointer {
    fn put(&self, _: Python<'_>, which: Which) -> PyResult<()> {
        let (from, to) = if which == Which::Ours { (self.theirs, self.ours) } else { (self.ours, self.theirs) };
        // SAFETY: the place that `pointer` was given; an aligned pointer store is seen whole by other threads.
        unsafe {
            if self.place.read_volatile() == from {
                self.place.write_volatile(to);
            }
        }
        Ok(())
    }
}

/// Replaces a function pointer.
///
/// # Safety
/// A place that holds one and is never unmapped; `ours` is of the same calling convention.
pub(crate) unsafe fn pointer(place: *mut *const c_void, ours: *const c_void) {
    // SAFETY: the caller's guarantees; an aligned pointer store is seen whole by other threads.
    let theirs = unsafe {
        let theirs = place.read_volatile();
        place.write_volatile(ours);
        theirs
    };
    keep(Pointer { place, ours, theirs });
}

/// The code of a function that other threads may be calling.
struct Code {
    function: Py<PyAny>,
    /// Code object, and the version that the function has with it.
    ours: (Py<PyAny>, u32),
    theirs: (Py<PyAny>, u32),
}

impl Code {
    /// Gives the function one code in the place of the other; returns that with the function's reference, or null if it has yet another.
    /// The audit event and the watchers of an assignment from Python code would be the program's to notice.
    ///
    /// # Safety
    /// Attached, with the world stopped.
    unsafe fn put(&self, which: Which) -> *mut ffi::PyObject {
        let (from, to) = if which == Which::Ours { (&self.theirs, &self.ours) } else { (&self.ours, &self.theirs) };
        let function = self.function.as_ptr().cast::<ffi::PyFunctionObject>();
        // SAFETY: a live function, which nobody runs into; its new reference is counted.
        unsafe {
            if (*function).func_code != from.0.as_ptr() {
                return std::ptr::null_mut();
            }
            ffi::Py_INCREF(to.0.as_ptr());
            AtomicU32::from_ptr(&raw mut (*function).func_version).store(to.1, Ordering::Relaxed);
            std::mem::replace(&mut (*function).func_code, to.0.as_ptr())
        }
    }
}

/// Gives a function other code, and the version that belongs to it.
pub(crate) fn code(function: &Bound<'_, PyAny>, theirs: (Py<PyAny>, u32), ours: (Py<PyAny>, u32)) {
    let code = Code { function: function.clone().unbind(), ours, theirs };
    put_codes(function.py(), std::slice::from_ref(&code), Which::Ours);
    if is_kept() {
        lock().codes.push(code);
    }
}
