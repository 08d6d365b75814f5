//! File descriptors of sockets and raw files: the first field of `PySocketSockObject` (`Modules/socketmodule.h`) and of `fileio`
//! (`Modules/_io/fileio.c`).

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_int;
use std::mem::size_of;

/// The descriptor of a `_socket.socket` or an `_io.FileIO`; -1 if it is closed.
///
/// # Safety
/// `object` is alive, and one of these.
pub(crate) unsafe fn of(object: *mut ffi::PyObject) -> c_int {
    // SAFETY: a type of which [`verify`] has seen an object; an aligned integer is read whole.
    unsafe { object.cast::<u8>().add(size_of::<ffi::PyObject>()).cast::<c_int>().read_volatile() }
}

/// Checks that a new object of this type, which has no descriptor yet, has none there.  Memory of new objects is 0 but for what is set.
pub(crate) fn verify(class: &Bound<'_, PyAny>) -> PyResult<()> {
    let object = class.call_method1("__new__", (class,))?;
    // SAFETY: alive; any object of these types is larger than that.
    match unsafe { of(object.as_ptr()) } {
        -1 => Ok(()),
        _ => Err(PyRuntimeError::new_err("its descriptor is not where it is expected")),
    }
}
