//! Calls that the interpreter makes in whatever thread comes by.

use pyo3::ffi;
use std::ffi::{c_int, c_void};

unsafe extern "C" {
    // Include/internal/pycore_ceval.h; exported for extension modules.  Gives an enumeration, 0 for success.
    fn _PyEval_AddPendingCall(
        interpreter: *mut ffi::PyInterpreterState,
        function: unsafe extern "C" fn(*mut c_void) -> c_int,
        argument: *mut c_void,
        flags: c_int,
    ) -> c_int;
}

/// Has the next thread that is between two instructions of Python code call `function`, with null and attached; `false` if too much was asked
/// for already.  May be called in any thread, attached or not: it allocates nothing, and the two locks that it takes (Python/ceval_gil.c,
/// Python/pystate.c) are held for a few instructions at a time.
pub(crate) fn ask(function: unsafe extern "C" fn(*mut c_void) -> c_int) -> bool {
    // SAFETY: the main interpreter is in memory as long as the process lives; null is what the function is to get.
    unsafe { _PyEval_AddPendingCall(ffi::PyInterpreterState_Main(), function, std::ptr::null_mut(), 0) == 0 }
}
