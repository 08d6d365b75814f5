//! Python functions that hand something over: a few instructions are injected ([`crate::intercept::python_function`]), which call a site.

use crate::engine::order::{self, Space, key};
use crate::engine::races::handed_over;
use crate::engine::{counted, locks};
use crate::intercept::bytecode::code_data;
use crate::intercept::python_function::Insertion;
use crate::intercept::sync::threads;
use crate::interpreter::header::{self, IGNORED};
use crate::interpreter::{own_types, types};
use crate::thread::outcome::Outcome;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

/// What a function does to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PythonSyncOp {
    /// The first argument is about to have something for others.
    Release,
    /// The first argument had something.
    Acquire,
    /// The first argument had something if the result is true.
    AcquireIfTrue,
    /// Something is sent to another process, which may be why that sends something back.
    SentOutside,
    /// Something has come from another process.
    FromOutside,
    /// A thread takes itself off the list of those that run.
    Uncounted,
    /// The threads that run were counted.
    Counted,
    /// A module was executed.
    Imported,
    /// The second argument is called later, by another thread perhaps.
    Carry,
    /// The first argument is an executor, and the lock of its semaphore orders nothing: it is about idle threads.
    IgnoreIdle,
    /// The first argument is a queue that was made.
    QueueMade,
    /// The first argument is a semaphore that was made.
    SemaphoreMade,
    /// A semaphore is about to be acquired.
    SemaphoreAcquiring,
    /// It was acquired if the result is true.
    SemaphoreAcquired,
    /// A semaphore is about to be released.
    SemaphoreReleasing,
    /// It was released.
    SemaphoreReleased,
    /// A pool completes the future that is made of the first argument.
    LeftToAPool,
}

/// The edges by the names that the table uses.
const NAMES: [(&str, PythonSyncOp); 17] = [
    ("sent-outside", PythonSyncOp::SentOutside),
    ("from-outside", PythonSyncOp::FromOutside),
    ("release", PythonSyncOp::Release),
    ("acquire", PythonSyncOp::Acquire),
    ("uncounted", PythonSyncOp::Uncounted),
    ("counted", PythonSyncOp::Counted),
    ("acquire-if-true", PythonSyncOp::AcquireIfTrue),
    ("imported", PythonSyncOp::Imported),
    ("carry", PythonSyncOp::Carry),
    ("ignore-idle", PythonSyncOp::IgnoreIdle),
    ("queue-made", PythonSyncOp::QueueMade),
    ("semaphore-made", PythonSyncOp::SemaphoreMade),
    ("semaphore-acquiring", PythonSyncOp::SemaphoreAcquiring),
    ("semaphore-acquired", PythonSyncOp::SemaphoreAcquired),
    ("semaphore-releasing", PythonSyncOp::SemaphoreReleasing),
    ("semaphore-released", PythonSyncOp::SemaphoreReleased),
    ("left-to-a-pool", PythonSyncOp::LeftToAPool),
];

#[repr(C)]
struct Site {
    header: ffi::PyObject,
    edge: PythonSyncOp,
}

struct Type(*mut ffi::PyTypeObject);
// SAFETY: a type object is made once, immortal in effect, and only read.
unsafe impl Send for Type {}
// SAFETY: as above.
unsafe impl Sync for Type {}

static TYPE: OnceLock<Type> = OnceLock::new();

struct Names([*mut ffi::PyObject; 3]);
// SAFETY: interned strings, which are immutable and never released.
unsafe impl Send for Names {}
// SAFETY: as above.
unsafe impl Sync for Names {}

static IDLE: OnceLock<Names> = OnceLock::new();

unsafe extern "C" fn assign(site: *mut ffi::PyObject, object: *mut ffi::PyObject, result: *mut ffi::PyObject) -> c_int {
    // SAFETY: attached; only sites have this slot, and the interpreter hands live objects.
    unsafe {
        match (*site.cast::<Site>()).edge {
            PythonSyncOp::Release => order::release(object),
            PythonSyncOp::Acquire => order::acquire(object),
            PythonSyncOp::SentOutside => order::release_key(key(Space::Child, 0)),
            PythonSyncOp::FromOutside => order::acquire_key(key(Space::Child, 0)),
            PythonSyncOp::Uncounted => order::release_key(key(Space::ThreadCount, 0)),
            PythonSyncOp::Counted => order::acquire_key(key(Space::ThreadCount, 0)),
            PythonSyncOp::AcquireIfTrue if std::ptr::eq(result, ffi::Py_True()) => order::acquire(object),
            PythonSyncOp::AcquireIfTrue => {}
            PythonSyncOp::Imported => order::release_key(key(Space::Imports, 0)),
            PythonSyncOp::IgnoreIdle => ignore_idle(object),
            PythonSyncOp::QueueMade => handed_over::made_to_share(object),
            PythonSyncOp::SemaphoreMade => counted::made(object),
            PythonSyncOp::SemaphoreAcquiring => counted::acquire(object),
            PythonSyncOp::SemaphoreAcquired => counted::acquired(object, std::ptr::eq(result, ffi::Py_True())),
            PythonSyncOp::SemaphoreReleasing => counted::release(object),
            PythonSyncOp::SemaphoreReleased => counted::released(object),
            PythonSyncOp::LeftToAPool => return left_to_a_pool(object).status(),
            PythonSyncOp::Carry => {}
        }
    }
    0
}

/// The calling thread's task awaits a pool, which has perhaps done already what it was given: then the task goes on at once, but only this time.
///
/// # Safety
/// Attached; `future` is alive.
unsafe fn left_to_a_pool(future: *mut ffi::PyObject) -> Outcome {
    // SAFETY: passed on; the result of the look-up is a reference of our own.
    unsafe {
        if !locks::is_any_held() {
            return Outcome::Continue;
        }
        let of_a_loop = types::look_up_named(ffi::Py_TYPE(future), c"_asyncio_future_blocking");
        ffi::Py_XDECREF(of_a_loop);
        if of_a_loop.is_null() && code_data::is_awaited() { locks::suspends() } else { Outcome::Continue }
    }
}

/// What becomes of the argument.
unsafe extern "C" fn replace(_: *mut ffi::PyObject, argument: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: attached, alive.
    unsafe { threads::carrier(argument) }
}

/// `executor._idle_semaphore._cond._lock`, of which the first is marked too, so that this is done once.
///
/// # Safety
/// Attached; `executor` is alive.
unsafe fn ignore_idle(executor: *mut ffi::PyObject) {
    let names = IDLE.get().expect("made with the sites");
    // SAFETY: passed on; we hold references to what we look at.
    unsafe {
        let mut object = ffi::Py_NewRef(executor);
        for (depth, name) in names.0.iter().enumerate() {
            let part = ffi::PyObject_GenericGetAttr(object, *name);
            ffi::Py_DECREF(object);
            if part.is_null() {
                ffi::PyErr_Clear();
                return;
            }
            object = part;
            if depth == 0 && header::bits(object) & IGNORED != 0 {
                break;
            }
            if depth != 1 {
                order::ignore(object);
            }
        }
        ffi::Py_DECREF(object);
    }
}

impl PythonSyncOp {
    /// By the name that the table uses.
    pub(crate) fn parse(name: &str) -> PyResult<Self> {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, edge)| *edge).ok_or_else(|| PyValueError::new_err(format!("unknown edge {name}")))
    }

    /// Where the site is called.
    pub(crate) fn place(self) -> Insertion {
        match self {
            PythonSyncOp::Acquire
            | PythonSyncOp::AcquireIfTrue
            | PythonSyncOp::Counted
            | PythonSyncOp::FromOutside
            | PythonSyncOp::QueueMade
            | PythonSyncOp::SemaphoreMade
            | PythonSyncOp::SemaphoreAcquired
            | PythonSyncOp::SemaphoreReleased => Insertion::End,
            PythonSyncOp::Carry => Insertion::Argument(1),
            PythonSyncOp::Release
            | PythonSyncOp::Uncounted
            | PythonSyncOp::SentOutside
            | PythonSyncOp::Imported
            | PythonSyncOp::SemaphoreAcquiring
            | PythonSyncOp::SemaphoreReleasing
            | PythonSyncOp::LeftToAPool
            | PythonSyncOp::IgnoreIdle => Insertion::Beginning,
        }
    }
}

fn site_type(py: Python<'_>) -> PyResult<*mut ffi::PyTypeObject> {
    if let Some(found) = TYPE.get() {
        return Ok(found.0);
    }
    let slots = [(ffi::Py_mp_ass_subscript, assign as *mut c_void), (ffi::Py_mp_subscript, replace as *mut c_void)];
    let made = own_types::new_type(py, c"ftsan._native.PythonSyncOp", size_of::<Site>(), 0, &slots)?;
    let name = |name| PyString::intern(py, name).into_any().unbind().into_ptr();
    IDLE.get_or_init(|| Names(["_idle_semaphore", "_cond", "_lock"].map(name)));
    Ok(TYPE.get_or_init(|| Type(made)).0)
}

/// A new site.
pub(crate) fn new(py: Python<'_>, edge: PythonSyncOp) -> PyResult<Py<PyAny>> {
    let class = site_type(py)?;
    // SAFETY: allocates an object of our own type and fills all of it.
    unsafe {
        let site = ffi::PyType_GenericAlloc(class, 0);
        if site.is_null() {
            return Err(PyErr::fetch(py));
        }
        std::ptr::addr_of_mut!((*site.cast::<Site>()).edge).write(edge);
        own_types::set_immortal(site);
        Ok(Bound::from_owned_ptr(py, site).unbind())
    }
}
