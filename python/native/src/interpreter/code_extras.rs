//! How many extras a code object has (PEP 523).
//!
//! The interpreter makes room for all that anybody has reserved, and when the code object goes, it calls the free function of each room, set or
//! not.  A program that has reserved one would hear of code objects that it has given nothing: those have room for ours only.

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use std::ffi::c_void;
use std::sync::OnceLock;

/// `_PyCodeObjectExtra`, `Objects/codeobject.c`; the extras follow.
#[repr(C)]
struct Extras {
    count: usize,
}

impl Extras {
    /// # Safety
    /// There are more than `index`.
    unsafe fn get(&self, index: usize) -> *mut c_void {
        // SAFETY: passed on.
        unsafe { (&raw const *self).add(1).cast::<*mut c_void>().add(index).read() }
    }
}

/// Where a code object refers to its extras, in words.
static PLACE: OnceLock<usize> = OnceLock::new();

/// The words of a code object behind its header, but for its bytecode.
///
/// # Safety
/// A live code object.
unsafe fn words(code: *mut ffi::PyObject) -> Vec<usize> {
    let (header, word) = (size_of::<ffi::PyObject>(), size_of::<usize>());
    // SAFETY: a static type, whose size is that of the fields; they are read as plain words.
    unsafe {
        let size = (&raw const ffi::PyCode_Type).read().tp_basicsize as usize;
        (header / word..size / word).map(|at| code.cast::<usize>().add(at).read()).collect()
    }
}

/// Finds where a code object refers to its extras; `set` gives one an extra of ours, which it returns.
///
/// # Errors
/// It is not as in the source, or there is no memory.
pub(crate) fn load(py: Python<'_>, index: usize, set: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<*mut c_void>) -> PyResult<()> {
    if PLACE.get().is_some() {
        return Ok(());
    }
    // SAFETY: attached; the strings are C strings.
    let code = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyCode_NewEmpty(c"".as_ptr(), c"".as_ptr(), 1).cast()) }?;
    // SAFETY: alive, and only this thread knows it.
    let before = unsafe { words(code.as_ptr()) };
    let extra = set(&code)?;
    // SAFETY: as above.
    let after = unsafe { words(code.as_ptr()) };
    let mut changed = (0..before.len()).filter(|at| before[*at] != after[*at]);
    if let (Some(at), None) = (changed.next(), changed.next())
        && before[at] == 0
        // SAFETY: it was null and is set now: it refers to the extras that were just made.
        && let Some(extras) = unsafe { (after[at] as *const Extras).as_ref() }
        && extras.count == index + 1
        // SAFETY: there are as many.
        && unsafe { extras.get(index) } == extra
    {
        let _ = PLACE.set(at + size_of::<ffi::PyObject>() / size_of::<usize>());
        return Ok(());
    }
    Err(PyRuntimeError::new_err("the extras of code objects are not as expected"))
}

/// Runs `set`, which gives a code object the extra of this index.  If that is its first one, it has room for no more then than up to this one.
pub(crate) fn set<T>(code: &Bound<'_, PyAny>, index: usize, set: impl FnOnce() -> T) -> T {
    let Some(place) = PLACE.get() else { return set() };
    // SAFETY: a live code object, which has a word there; it is changed in critical sections of it only.
    let extras = || unsafe { code.as_ptr().cast::<*mut Extras>().add(*place).read().as_mut() };
    let had_none = with_critical_section(code, || extras().is_none());
    let result = set();
    with_critical_section(code, || {
        if had_none
            && let Some(extras) = extras()
            // SAFETY: there are as many.  Another thread may have set one meanwhile.
            && (index + 1..extras.count).all(|other| unsafe { extras.get(other) }.is_null())
        {
            extras.count = extras.count.min(index + 1);
        }
    });
    result
}
