//! `list.append` as the interpreter calls it without calling it.
//!
//! The specialised instruction `CALL_LIST_APPEND` compares what is called with the method that the interpreter remembers, and then does the work itself:
//! no hook of the method is reached.  Where nothing is remembered, the method is called like any other (`callable_cache` in
//! `Include/internal/pycore_interp_structs.h`).

use crate::interpreter::offsets;
use pyo3::ffi;
use pyo3::prelude::*;

/// Makes the interpreter call `list.append`, in code that is specialised already as well.
///
/// # Errors
/// The method that is remembered is not found; one line.
pub(crate) fn forget_list_append(py: Python<'_>) -> Result<(), String> {
    let failed = |error: PyErr| error.to_string();
    let builtins = py.import("builtins").map_err(failed)?;
    let [isinstance, len, list] = ["isinstance", "len", "list"].map(|name| builtins.getattr(name));
    let (isinstance, len) = (isinstance.map_err(failed)?, len.map_err(failed)?);
    let append = list.and_then(|list| list.getattr("append")).map_err(failed)?;
    let remembered = [isinstance.as_ptr(), len.as_ptr(), append.as_ptr()];
    let words = offsets::get().interpreter_size / size_of::<usize>();
    // SAFETY: attached, so there is a current interpreter, whose state has the size that it publishes; words of it are read one by one, and the one
    // that is written is a pointer that is only compared with others.
    unsafe {
        let state = ffi::PyInterpreterState_Get().cast::<*mut ffi::PyObject>();
        let is_here = |at: &usize| (0..3).all(|next| state.add(at + next).read_volatile() == remembered[next]);
        let at = (0..words.saturating_sub(3)).find(is_here).ok_or("list.append is not remembered where it is expected")?;
        state.add(at + 2).write_volatile(std::ptr::null_mut());
    }
    Ok(())
}
