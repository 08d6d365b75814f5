//! What we know of a code object, found without a lock from the code object itself (its extra, PEP 523).
//!
//! A code object that is not chosen has only the address of the globals that it was not chosen with, so that the next function made of
//! it costs a load and a compare.

use super::code_view::View;
use super::owned::Lazy;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

unsafe extern "C" {
    // Include/cpython/code.h and ceval.h
    fn PyUnstable_Eval_RequestCodeExtraIndex(free: unsafe extern "C" fn(*mut c_void)) -> ffi::Py_ssize_t;
    fn PyUnstable_Code_GetExtra(code: *mut ffi::PyObject, index: ffi::Py_ssize_t, extra: *mut *mut c_void) -> c_int;
    fn PyUnstable_Code_SetExtra(code: *mut ffi::PyObject, index: ffi::Py_ssize_t, extra: *mut c_void) -> c_int;
}

/// What is known of a code object, for as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// Its patched version, which lives as long as this one.
    pub(super) patched: Lazy,
    /// What the program sees of it, if it is a patched version itself.
    pub(super) view: Option<View>,
    /// Never to be patched.
    pub(super) is_left_alone: AtomicBool,
}

impl Extra {
    /// Whether the code object is a patched one, or is never patched.
    #[inline]
    pub(super) fn is_final(&self) -> bool {
        self.view.is_some() || self.is_left_alone.load(Ordering::Relaxed)
    }
}

/// What the extra of a code object says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known<'a> {
    Nothing,
    /// Not chosen with the globals of this address.
    NotChosen(usize),
    Extra(&'a Extra),
}

static INDEX: AtomicIsize = AtomicIsize::new(-1);

/// Marks the address of globals.
const GLOBALS: usize = 1;

unsafe extern "C" fn free(extra: *mut c_void) {
    if extra.is_null() || extra as usize & GLOBALS != 0 {
        return;
    }
    // SAFETY: made by `of`, and the code object that it belongs to is gone.
    drop(unsafe { Box::from_raw(extra.cast::<Extra>()) });
}

/// Reserves the place in all code objects.
pub(super) fn load() -> PyResult<()> {
    if INDEX.load(Ordering::Relaxed) < 0 {
        // SAFETY: attached (a module function).
        let index = unsafe { PyUnstable_Eval_RequestCodeExtraIndex(free) };
        if index < 0 {
            return Err(PyRuntimeError::new_err("no room in code objects"));
        }
        INDEX.store(index, Ordering::Relaxed);
    }
    Ok(())
}

/// What is known of a code object.
///
/// # Safety
/// A live code object, which outlives `'a`.
#[inline]
pub(crate) unsafe fn known<'a>(code: *mut ffi::PyObject) -> Known<'a> {
    let mut extra = std::ptr::null_mut();
    // SAFETY: a live code object; an extra is only freed with it, because `of` never replaces one.
    unsafe {
        PyUnstable_Code_GetExtra(code, INDEX.load(Ordering::Relaxed), &raw mut extra);
        match extra as usize {
            0 => Known::Nothing,
            tagged if tagged & GLOBALS != 0 => Known::NotChosen(tagged & !GLOBALS),
            _ => Known::Extra(&*extra.cast::<Extra>()),
        }
    }
}

/// The view of a patched code object.
///
/// # Safety
/// As [`known`].
#[inline]
pub(crate) unsafe fn view<'a>(code: *mut ffi::PyObject) -> Option<&'a View> {
    // SAFETY: passed on.
    match unsafe { known(code) } {
        Known::Extra(extra) => extra.view.as_ref(),
        Known::Nothing | Known::NotChosen(_) => None,
    }
}

/// What becomes of a code object.
#[derive(Debug)]
pub(super) enum Fate<'py> {
    /// This is made of it.
    Patched(Bound<'py, PyAny>),
    /// It is a patched one, or is never patched.
    Final,
    Open,
}

/// What becomes of a code object.
pub(super) fn fate<'py>(code: &Bound<'py, PyAny>) -> Fate<'py> {
    // SAFETY: alive.
    let Known::Extra(extra) = (unsafe { known(code.as_ptr()) }) else { return Fate::Open };
    match extra.patched.get(code.py()) {
        Some(patched) => Fate::Patched(patched),
        None if extra.is_final() => Fate::Final,
        None => Fate::Open,
    }
}

/// A lock that may be waited for attached: the interpreter detaches who waits for it.
struct Lock(UnsafeCell<ffi::PyMutex>);
// SAFETY: a mutex.
unsafe impl Sync for Lock {}

static SETTING: Lock = Lock(UnsafeCell::new(ffi::PyMutex::new()));

struct Setting;

impl Setting {
    fn begin() -> Self {
        // SAFETY: a mutex in a static; unlocked on drop.
        unsafe { ffi::PyMutex_Lock(SETTING.0.get()) };
        Setting
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        // SAFETY: locked by `begin`.
        unsafe { ffi::PyMutex_Unlock(SETTING.0.get()) };
    }
}

fn set(code: &Bound<'_, PyAny>, extra: *mut c_void) -> PyResult<()> {
    // SAFETY: a live code object; what is replaced is null or an address, never an extra that somebody may be looking at.
    match unsafe { PyUnstable_Code_SetExtra(code.as_ptr(), INDEX.load(Ordering::Relaxed), extra) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(code.py())),
    }
}

/// The extra of a code object, `new` if it had none.
pub(super) fn of<'a>(code: &'a Bound<'_, PyAny>, new: Extra) -> PyResult<&'a Extra> {
    let _setting = Setting::begin();
    // SAFETY: a live code object, which the borrow keeps.
    if let Known::Extra(extra) = unsafe { known(code.as_ptr()) } {
        return Ok(extra);
    }
    let extra = Box::into_raw(Box::new(new));
    set(code, extra.cast()).inspect_err(|_| {
        // SAFETY: was not stored.
        drop(unsafe { Box::from_raw(extra) });
    })?;
    // SAFETY: stored for as long as the code object lives.
    Ok(unsafe { &*extra })
}

/// Remembers that the code object was not chosen with these globals.
pub(super) fn set_not_chosen(code: &Bound<'_, PyAny>, globals: usize) -> PyResult<()> {
    let _setting = Setting::begin();
    // SAFETY: a live code object.
    match unsafe { known(code.as_ptr()) } {
        Known::Extra(_) => Ok(()),
        Known::Nothing | Known::NotChosen(_) => set(code, (globals | GLOBALS) as *mut c_void),
    }
}

/// Marks a code object as never to be patched.
pub(super) fn leave_alone(code: &Bound<'_, PyAny>) -> PyResult<()> {
    of(code, Extra::default())?.is_left_alone.store(true, Ordering::Relaxed);
    Ok(())
}
