//! Creation of objects of extension types: their `tp_init` is replaced by a function that notes the object and then calls it.  Their
//! `tp_dealloc` is replaced too, because C code may make objects without calling `tp_init`.  Where it always does, as Cython code does of
//! its own classes, `tp_alloc` is replaced instead.

use crate::engine::affinity::check;
use crate::engine::affinity::watch::Watch;
use crate::intercept::type_slot::{self, Allocate, Destructor, Init, Slot};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Original {
    init: Init,
    dealloc: Destructor,
    watch: &'static Watch,
}

const MOST: usize = 32;
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

unsafe extern "C" fn dealloc<const N: usize>(object: *mut ffi::PyObject) {
    let original = ORIGINALS[N].get().expect("set before the slot is");
    original.watch.bindings.forget(object as usize);
    // SAFETY: the original slot.
    unsafe { (original.dealloc)(object) }
}

macro_rules! rows {
    ($($n:literal)*) => { [$((init::<$n>, dealloc::<$n>)),*] };
}

const ROWS: [(Init, Destructor); MOST] =
    rows!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);

/// Watches the creation of objects of this extension type and of its subclasses.
pub(crate) fn install(class: &Bound<'_, PyType>, watch: &'static Watch) -> PyResult<()> {
    let (init, dealloc) = (Slot::Init.of(class), Slot::Dealloc.of(class));
    let place = COUNT.fetch_add(1, Ordering::Relaxed);
    let (false, Some(original)) = (init.is_null() || dealloc.is_null(), ORIGINALS.get(place)) else {
        return Err(PyRuntimeError::new_err(format!("{}: its creation cannot be watched", class.name()?)));
    };
    // SAFETY: the functions in these slots have these signatures.
    let (init, dealloc) =
        unsafe { (std::mem::transmute::<*const c_void, Init>(init), std::mem::transmute::<*const c_void, Destructor>(dealloc)) };
    let _ = original.set(Original { init, dealloc, watch });
    type_slot::replace(class, Slot::Init, ROWS[place].0 as *const c_void)?;
    type_slot::replace(class, Slot::Dealloc, ROWS[place].1 as *const c_void)
}

struct Allocated {
    original: Allocate,
    watch: &'static Watch,
}

const MOST_ALLOCATED: usize = 8;
static ALLOCATED: [OnceLock<Allocated>; MOST_ALLOCATED] = [const { OnceLock::new() }; MOST_ALLOCATED];
static COUNT_ALLOCATED: AtomicUsize = AtomicUsize::new(0);

/// The object has its class and nothing else yet: only its address may be looked at.
unsafe extern "C" fn allocate<const N: usize>(class: *mut ffi::PyTypeObject, items: ffi::Py_ssize_t) -> *mut ffi::PyObject {
    let allocated = ALLOCATED[N].get().expect("set before the slot is");
    // SAFETY: attached, the interpreter or an extension makes an object; the original slot with the arguments it was called with.
    unsafe {
        let object = (allocated.original)(class, items);
        if !object.is_null() {
            check::before(allocated.watch, object);
        }
        object
    }
}

const ALLOCATORS: [Allocate; MOST_ALLOCATED] =
    [allocate::<0>, allocate::<1>, allocate::<2>, allocate::<3>, allocate::<4>, allocate::<5>, allocate::<6>, allocate::<7>];

/// Watches the creation of objects of this extension type and of its subclasses, by whatever code.
pub(crate) fn install_allocator(class: &Bound<'_, PyType>, watch: &'static Watch) -> PyResult<()> {
    let original = Slot::Allocate.of(class);
    let place = COUNT_ALLOCATED.fetch_add(1, Ordering::Relaxed);
    let (false, Some(allocated)) = (original.is_null(), ALLOCATED.get(place)) else {
        return Err(PyRuntimeError::new_err(format!("{}: its creation cannot be watched", class.name()?)));
    };
    // SAFETY: the function in this slot has this signature.
    let original = unsafe { std::mem::transmute::<*const c_void, Allocate>(original) };
    let _ = allocated.set(Allocated { original, watch });
    type_slot::replace(class, Slot::Allocate, ALLOCATORS[place] as *const c_void)
}
