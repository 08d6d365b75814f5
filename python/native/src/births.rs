//! Creation of objects of extension types: their `tp_init` is replaced by a function that calls it and then notes the object.

use crate::check;
use crate::slots::{self, Init, Slot};
use crate::watch::Watch;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Original {
    init: Init,
    watch: &'static Watch,
}

const MOST: usize = 16;
static ORIGINALS: [OnceLock<Original>; MOST] = [const { OnceLock::new() }; MOST];
static COUNT: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn init<const N: usize>(
    object: *mut ffi::PyObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> c_int {
    let original = ORIGINALS[N].get().expect("set before the slot is");
    // SAFETY: attached, the interpreter is making `object`; the original slot with the arguments it was called with.
    unsafe {
        check::before(original.watch, object);
        (original.init)(object, arguments, keywords)
    }
}

macro_rules! inits {
    ($($n:literal)*) => { [$(init::<$n>),*] };
}

const INITS: [Init; MOST] = inits!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

/// Watches the creation of objects of this extension type and of its subclasses.
pub(crate) fn install(class: &Bound<'_, PyType>, watch: &'static Watch) -> PyResult<()> {
    let there = Slot::Init.of(class);
    let place = COUNT.fetch_add(1, Ordering::Relaxed);
    let (false, Some(original)) = (there.is_null(), ORIGINALS.get(place)) else {
        return Err(PyRuntimeError::new_err(format!("{}: its creation cannot be watched", class.name()?)));
    };
    // SAFETY: what is in this slot has this signature.
    let _ = original.set(Original { init: unsafe { std::mem::transmute::<*const c_void, Init>(there) }, watch });
    slots::replace(class, Slot::Init, INITS[place] as *const c_void)
}
