//! Stopping the world: no other thread runs Python code or touches an object while it lasts.
//!
//! The code that runs inside may not call into Python beyond reference counts, may not block and may not take a lock of ours.

use pyo3::ffi;
use pyo3::prelude::*;

unsafe extern "C" {
    // Exported for extension modules, Include/internal/pycore_pystate.h; no-ops in builds with the GIL.
    fn _PyEval_StopTheWorld(interpreter: *mut ffi::PyInterpreterState);
    fn _PyEval_StartTheWorld(interpreter: *mut ffi::PyInterpreterState);
}

/// The stopped world.
pub(crate) struct Stopped<'py> {
    interpreter: *mut ffi::PyInterpreterState,
    _attached: Python<'py>,
}

impl<'py> Stopped<'py> {
    pub(crate) fn stop(py: Python<'py>) -> Self {
        // SAFETY: attached, so there is a current interpreter.
        let interpreter = unsafe { ffi::PyInterpreterState_Get() };
        // SAFETY: the interpreter is the current one; started again on drop.
        unsafe { _PyEval_StopTheWorld(interpreter) };
        Stopped { interpreter, _attached: py }
    }

    /// The states of all threads.
    pub(crate) fn threads(&self) -> impl Iterator<Item = *mut ffi::PyThreadState> {
        let live = |thread: *mut ffi::PyThreadState| (!thread.is_null()).then_some(thread);
        // SAFETY: the list of thread states does not change while the world is stopped.
        let first = unsafe { ffi::PyInterpreterState_ThreadHead(self.interpreter) };
        // SAFETY: as above.
        std::iter::successors(live(first), move |thread| live(unsafe { ffi::PyThreadState_Next(*thread) }))
    }

    /// The thread state at this address, if there is still one.
    pub(crate) fn thread(&self, address: usize) -> Option<*mut ffi::PyThreadState> {
        self.threads().find(|thread| *thread as usize == address)
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        // SAFETY: stopped by `stop`.
        unsafe { _PyEval_StartTheWorld(self.interpreter) };
    }
}
