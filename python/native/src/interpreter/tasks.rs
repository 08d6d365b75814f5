//! Which task of asyncio a thread is in the middle of.
//!
//! `_PyThreadStateImpl` is in `Include/internal/pycore_tstate.h`: `asyncio_running_task` follows `asyncio_running_loop`.  Where they are is
//! not published; it is looked for once, with a loop and a task that are known ([`verify`]).

use crate::interpreter::{offsets, thread_state};
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Offset of `asyncio_running_task` in words; 0 until it is known.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// How many words behind the published part of the thread state are looked at: since 3.15 a frame comes first.  The unpublished
/// part is far longer.
const BEYOND: usize = 32;

/// Address of the task that the calling thread is running; 0 for none, or if that cannot be told.
///
/// # Safety
/// Attached.
#[inline]
pub(crate) unsafe fn running() -> usize {
    match RUNNING.load(Ordering::Relaxed) {
        0 => 0,
        // SAFETY: attached; a field of the own thread state.
        word => unsafe { thread_state::own().cast::<usize>().add(word).read() },
    }
}

/// The loop that a thread runs, borrowed; null for none, or if that cannot be told.
///
/// # Safety
/// The state of a thread that is stopped.
pub(crate) unsafe fn running_loop_of(thread: *mut ffi::PyThreadState) -> *mut ffi::PyObject {
    match RUNNING.load(Ordering::Relaxed) {
        0 => std::ptr::null_mut(),
        // SAFETY: passed on; the field before that of the task.
        word => unsafe { thread.cast::<*mut ffi::PyObject>().add(word - 1).read() },
    }
}

/// Finds out where a thread has its running task.  `module` is `_asyncio`, and nothing of it is hooked yet.
pub(crate) fn verify(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let running_loop = module.call_method0("_get_running_loop")?;
    let found = if running_loop.is_none() {
        let object = py.get_type::<PyAny>();
        let (loop_, task) = (object.call0()?, object.call0()?);
        module.call_method1("_set_running_loop", (&loop_,))?;
        let found = find(loop_.as_ptr() as usize);
        module.call_method1("_enter_task", (&loop_, &task))?;
        let is_it = found.is_some_and(|word| at(word) == task.as_ptr() as usize);
        module.call_method1("_leave_task", (&loop_, &task))?;
        module.call_method1("_set_running_loop", (py.None(),))?;
        found.filter(|word| is_it && at(*word) == 0)
    } else {
        let task = module.call_method0("current_task")?;
        let address = if task.is_none() { 0 } else { task.as_ptr() as usize };
        find(running_loop.as_ptr() as usize).filter(|word| at(*word) == address)
    };
    RUNNING.store(found.unwrap_or(0), Ordering::Relaxed);
    found.map(|_| ()).ok_or_else(|| PyRuntimeError::new_err("the running task is not where it was expected"))
}

/// The word behind the one with this value.
fn find(value: usize) -> Option<usize> {
    let end = offsets::get().thread_size / size_of::<usize>();
    (end..end + BEYOND).find(|word| at(*word) == value).map(|word| word + 1)
}

fn at(word: usize) -> usize {
    // SAFETY: attached, as there is a module; `_PyThreadStateImpl` is longer than that.
    unsafe { thread_state::own().cast::<usize>().add(word).read() }
}
