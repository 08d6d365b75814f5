//! Who a thread was: names and origins of threads, kept beyond their end.

use crate::interpreter::code_fields::Code;
use crate::interpreter::frames;
use crate::interpreter::introspection::loaded;
use crate::thread::code_class::resolve_all;
use crate::thread::context::{self, here};
use crate::thread::{origins, stacks};
use ftsan::races::clock::Epoch;
use ftsan::report::ThreadInfo;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};
use std::sync::{Mutex, PoisonError};

/// Name and origin of a thread, from what `threading` knows; never makes a dummy thread and takes no lock of the host's.
pub(crate) fn thread_info(py: Python<'_>, ident: u64, native_id: u64) -> ThreadInfo {
    let known = || -> PyResult<Option<(String, usize)>> {
        let Some(threading) = loaded(py, c"threading") else { return Ok(None) };
        let active = threading.getattr("_active")?.cast_into::<PyDict>()?;
        let starting =
            || threading.getattr("Thread").ok().filter(|_| ident == here().slot.ident()).and_then(|class| beginner(&class));
        let Some(thread) = active.get_item(ident)?.or_else(starting) else { return Ok(None) };
        Ok(Some((thread.getattr("_name")?.extract()?, thread.as_ptr() as usize)))
    };
    let (name, object) = known().ok().flatten().unwrap_or_else(|| (format!("thread {ident}"), 0));
    let started_at = if object == 0 { &[][..] } else { stacks::get(origins::of(object)) };
    ThreadInfo { name, ident, native_id, started_at: resolve_all(py, started_at) }
}

/// The thread object whose method the calling thread began with: `threading` does not know of it yet, or not any more.
fn beginner<'py>(class: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = class.py();
    // SAFETY: attached, and it is our own stack.
    let stack = unsafe { frames::own() };
    let (frame, raw) = stack.filter_map(|frame| Some((frame, frame.raw()?))).last()?;
    // SAFETY: the code object of a running frame is alive, and so are its local variables.
    let first = unsafe {
        let code = Code::of(&Bound::from_borrowed_ptr(py, raw.code as *mut ffi::PyObject))?;
        Bound::from_borrowed_ptr_or_opt(py, frame.local(0).filter(|_| code.arguments() > 0)?)?
    };
    // SAFETY: both are live type objects.
    let is_one = unsafe { ffi::PyType_IsSubtype(first.get_type_ptr(), class.cast::<PyType>().ok()?.as_type_ptr()) } != 0;
    is_one.then_some(first)
}

/// A thread, and the first epoch of its slot that is its own.
struct Person {
    since: Epoch,
    info: ThreadInfo,
}

static PEOPLE: Mutex<Vec<Person>> = Mutex::new(Vec::new());

fn lock() -> std::sync::MutexGuard<'static, Vec<Person>> {
    PEOPLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The calling thread.
pub(crate) fn me(py: Python<'_>) -> ThreadInfo {
    let slot = context::here().slot;
    thread_info(py, slot.ident(), slot.native_id())
}

/// Introduces the calling thread, which is in `epoch`: before its first access that others may race with.
#[cold]
pub(crate) fn introduce(py: Python<'_>, epoch: Epoch) {
    let info = me(py);
    lock().push(Person { since: epoch, info });
}

/// The thread of an epoch.
pub(crate) fn of(epoch: Epoch) -> ThreadInfo {
    let people = lock();
    let known = people.iter().filter(|person| person.since.slot() == epoch.slot() && person.since.clock() <= epoch.clock());
    let person = known.max_by_key(|person| person.since.clock());
    person.map_or_else(
        || ThreadInfo { name: "?".to_owned(), ident: 0, native_id: 0, started_at: Vec::new() },
        |person| person.info.clone(),
    )
}
