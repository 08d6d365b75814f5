//! Cython's `async def` methods: calling one only makes a coroutine, which may be handed to the right loop; the judgement is on the
//! first step of that coroutine, or the `await` that leads to it.

use crate::engine::affinity::check;
use crate::engine::affinity::watch::Watch;
use crate::intercept::type_slot::{self, Destructor, Send, Slot, Unary};
use crate::thread::context::InSlowPath;
use crate::thread::outcome::Outcome;
use ftsan::races;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

/// The coroutine types of so many releases of Cython at once.
const MOST: usize = 4;
/// Coroutines that were made and have not begun; more than that, and some are not judged.
const FRESH: usize = 1 << 10;

/// What a coroutine type had in its slots; 0 for nothing.
struct Original {
    class: AtomicUsize,
    await_: AtomicUsize,
    send: AtomicUsize,
    next: AtomicUsize,
    dealloc: AtomicUsize,
}

static ORIGINALS: [Original; MOST] = [const {
    Original {
        class: AtomicUsize::new(0),
        await_: AtomicUsize::new(0),
        send: AtomicUsize::new(0),
        next: AtomicUsize::new(0),
        dealloc: AtomicUsize::new(0),
    }
}; MOST];

/// A coroutine that has not begun, the loop it is about, and by which watch.
struct Fresh {
    coroutine: AtomicUsize,
    loop_: AtomicUsize,
    watch: AtomicPtr<Watch>,
}

static TABLE: [Fresh; FRESH] =
    [const { Fresh { coroutine: AtomicUsize::new(0), loop_: AtomicUsize::new(0), watch: AtomicPtr::new(std::ptr::null_mut()) } };
        FRESH];

fn entry(coroutine: *mut ffi::PyObject) -> &'static Fresh {
    &TABLE[races::place(coroutine as u64 >> 4, FRESH)]
}

/// `coroutine` was just made by the method that `watch` is about.
///
/// # Safety
/// Attached; both objects are alive, and the coroutine keeps the loop alive.
pub(crate) unsafe fn made(watch: &'static Watch, loop_: *mut ffi::PyObject, coroutine: *mut ffi::PyObject) {
    // SAFETY: passed on.
    let class = unsafe { ffi::Py_TYPE(coroutine) };
    if !is_watched(class as usize) {
        // SAFETY: attached, a live type object.
        unsafe { install(&PyType::from_borrowed_type_ptr(Python::assume_attached(), class)) };
    }
    let entry = entry(coroutine);
    entry.coroutine.store(0, Ordering::Relaxed);
    entry.loop_.store(loop_ as usize, Ordering::Relaxed);
    entry.watch.store(std::ptr::from_ref(watch).cast_mut(), Ordering::Relaxed);
    entry.coroutine.store(coroutine as usize, Ordering::Release);
}

fn is_watched(class: usize) -> bool {
    ORIGINALS.iter().any(|original| original.class.load(Ordering::Acquire) == class)
}

fn install(class: &Bound<'_, PyType>) {
    let address = class.as_ptr() as usize;
    // Two threads may install the same class: then its coroutines are looked at twice, which does no harm.  A lock would have to be held
    // while Python runs.
    let free = |original: &&Original| original.class.compare_exchange(0, address, Ordering::AcqRel, Ordering::Relaxed).is_ok();
    let Some(place) = ORIGINALS.iter().position(|original| free(&original)) else { return };
    let original = &ORIGINALS[place];
    for (slot, there) in [
        (Slot::Await, &original.await_),
        (Slot::Send, &original.send),
        (Slot::Next, &original.next),
        (Slot::Dealloc, &original.dealloc),
    ] {
        there.store(slot.of(class) as usize, Ordering::Release);
    }
    let replaced = type_slot::replace(class, Slot::Await, AWAITS[place] as *const c_void)
        .and_then(|()| type_slot::replace(class, Slot::Send, SENDS[place] as *const c_void))
        .and_then(|()| type_slot::replace(class, Slot::Next, NEXTS[place] as *const c_void))
        .and_then(|()| type_slot::replace(class, Slot::Dealloc, DEALLOCS[place] as *const c_void));
    if replaced.is_err() {
        crate::thread::faults::fail("coroutines of Cython: their slots cannot be replaced");
    }
}

/// Judges a coroutine that begins.
///
/// # Safety
/// Attached; a live coroutine.
#[inline]
unsafe fn begins(coroutine: *mut ffi::PyObject) -> Outcome {
    let entry = entry(coroutine);
    if entry.coroutine.compare_exchange(coroutine as usize, 0, Ordering::AcqRel, Ordering::Relaxed).is_err() {
        return Outcome::Continue;
    }
    // SAFETY: a watch lives as long as the process; the coroutine keeps the loop alive.
    unsafe {
        match entry.watch.load(Ordering::Relaxed).as_ref() {
            Some(watch) => check::before(watch, entry.loop_.load(Ordering::Relaxed) as *mut ffi::PyObject),
            None => Outcome::Continue,
        }
    }
}

unsafe extern "C" fn await_<const N: usize>(coroutine: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls a slot attached and with a live object of its type; the original slot.
    unsafe {
        if begins(coroutine) == Outcome::Raised {
            return std::ptr::null_mut();
        }
        std::mem::transmute::<usize, Unary>(ORIGINALS[N].await_.load(Ordering::Relaxed))(coroutine)
    }
}

unsafe extern "C" fn next<const N: usize>(coroutine: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as above.
    unsafe {
        let _part_of_it = match begins(coroutine) {
            Outcome::Continue => None,
            Outcome::Misuse => InSlowPath::enter(),
            Outcome::Raised => return std::ptr::null_mut(),
        };
        std::mem::transmute::<usize, Unary>(ORIGINALS[N].next.load(Ordering::Relaxed))(coroutine)
    }
}

unsafe extern "C" fn send<const N: usize>(
    coroutine: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> c_int {
    // SAFETY: as above.
    unsafe {
        let _part_of_it = match begins(coroutine) {
            Outcome::Continue => None,
            Outcome::Misuse => InSlowPath::enter(),
            Outcome::Raised => {
                *result = std::ptr::null_mut();
                return -1; // PYGEN_ERROR
            }
        };
        std::mem::transmute::<usize, Send>(ORIGINALS[N].send.load(Ordering::Relaxed))(coroutine, value, result)
    }
}

/// A coroutine that is given up before it began leaves no entry behind: the loop may be gone by the time its address is used again.
unsafe extern "C" fn dealloc<const N: usize>(coroutine: *mut ffi::PyObject) {
    let _ = entry(coroutine).coroutine.compare_exchange(coroutine as usize, 0, Ordering::AcqRel, Ordering::Relaxed);
    // SAFETY: as above.
    unsafe { std::mem::transmute::<usize, Destructor>(ORIGINALS[N].dealloc.load(Ordering::Relaxed))(coroutine) }
}

const DEALLOCS: [Destructor; MOST] = [dealloc::<0>, dealloc::<1>, dealloc::<2>, dealloc::<3>];
const AWAITS: [Unary; MOST] = [await_::<0>, await_::<1>, await_::<2>, await_::<3>];
const NEXTS: [Unary; MOST] = [next::<0>, next::<1>, next::<2>, next::<3>];
const SENDS: [Send; MOST] = [send::<0>, send::<1>, send::<2>, send::<3>];

/// `PyCFunctionObject`, `Include/cpython/methodobject.h`, with which every function of Cython begins.
#[repr(C)]
struct Function {
    header: ffi::PyObject,
    m_ml: *mut ffi::PyMethodDef,
}

/// Where a method made by Cython has its definition, and whether it is an `async def`; `None` if it is not one.
pub(crate) fn place_of_definition(method: &Bound<'_, PyAny>) -> Option<(*mut *mut ffi::PyMethodDef, bool)> {
    if method.get_type().name().ok()?.to_string_lossy() != "cython_function_or_method" {
        return None;
    }
    let flags: u32 = method.getattr("__code__").ok()?.getattr("co_flags").ok()?.extract().ok()?;
    // SAFETY: Cython's functions begin with a `PyCFunctionObject`; that it is one is checked below, by its name.
    let (place, definition) = unsafe {
        let function = method.as_ptr().cast::<Function>();
        (&raw mut (*function).m_ml, (*function).m_ml)
    };
    let name = method.getattr("__name__").ok()?.extract::<String>().ok()?;
    // SAFETY: as above.
    let is_its = unsafe { !definition.is_null() && std::ffi::CStr::from_ptr((*definition).ml_name).to_bytes() == name.as_bytes() };
    const COROUTINE: u32 = 0x80; // CO_COROUTINE, Include/cpython/code.h
    is_its.then_some((place, flags & COROUTINE != 0))
}
