//! Somebody who attaches has this library brought into a process whose interpreter runs no code (`python/ftsan/cli/injecting.py`): a thread
//! that frida has made, which is none of Python's, runs a script.

use libc::{c_char, c_int, c_void};
use std::ffi::CStr;

/// A function of the interpreter, or null: the process may have none.
fn function(name: &CStr) -> *mut c_void {
    // SAFETY: a name and a zero.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// Called by frida, with what its `inject_library_file` was given, where to write whether the library stays (it does not: whoever needs it
/// loads it once more), and a pointer of frida's own.
///
/// # Safety
/// `program` is a text of Python that ends with a zero.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ftsan_hooks_enter(program: *const c_char, _: *mut c_int, _: *mut c_void) {
    type Asked = unsafe extern "C" fn() -> c_int;
    type Ensure = unsafe extern "C" fn() -> c_int;
    type Release = unsafe extern "C" fn(c_int);
    type Run = unsafe extern "C" fn(*const c_char, *mut c_void) -> c_int;
    let names = [c"Py_IsInitialized", c"Py_IsFinalizing", c"PyGILState_Ensure", c"PyGILState_Release", c"PyRun_SimpleStringFlags"];
    let found = names.map(function);
    if found.iter().any(|function| function.is_null()) {
        return;
    }
    let [is_initialized, is_finalizing, ensure, release, run] = found;
    // SAFETY: these are the functions of these names, of CPython's C API, whose types are part of its ABI.  They are called in the order that it
    // asks for: the two questions by any thread, the script between `Ensure` and `Release`.
    unsafe {
        let [is_initialized, is_finalizing] =
            [is_initialized, is_finalizing].map(|one| std::mem::transmute::<*mut c_void, Asked>(one));
        if is_initialized() == 0 || is_finalizing() != 0 {
            return;
        }
        let state = std::mem::transmute::<*mut c_void, Ensure>(ensure)();
        std::mem::transmute::<*mut c_void, Run>(run)(program, std::ptr::null_mut());
        std::mem::transmute::<*mut c_void, Release>(release)(state);
    }
}
