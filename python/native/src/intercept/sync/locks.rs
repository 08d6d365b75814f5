//! The deaths of locks: `tp_dealloc` of `_thread.lock` and `_thread.RLock`.  Their methods are rows of [`crate::intercept::sync::operations`].

use crate::engine::locks::died;
use crate::intercept::type_slot::{self, Destructor, Slot};
use crate::interpreter::locks;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_void;
use std::sync::OnceLock;

static DEALLOCATORS: [OnceLock<Destructor>; 2] = [const { OnceLock::new() }; 2];

/// A lock dies: nobody holds it any more, and its order is of no use.
unsafe extern "C" fn dealloc<const N: usize>(object: *mut ffi::PyObject) {
    // SAFETY: the interpreter calls this with an object of a type that was verified, whose memory is still there; the original slot.
    unsafe {
        died(object);
        (DEALLOCATORS[N].get().expect("set before the slot is"))(object)
    }
}

/// Begins to watch locks.  Their methods are not swapped yet; `module` is `_thread`.
pub(crate) fn watch(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let classes = locks::verify(module)?;
    let replacements: [Destructor; 2] = [dealloc::<0>, dealloc::<1>];
    for ((class, original), replacement) in classes.iter().zip(&DEALLOCATORS).zip(replacements) {
        // SAFETY: the function in this slot has this signature.
        let slot = unsafe { std::mem::transmute::<*const c_void, Destructor>(Slot::Dealloc.of(class)) };
        let _ = original.set(slot);
        type_slot::replace(class, Slot::Dealloc, replacement as *const c_void)?;
    }
    let [plain, _] = classes;
    locks::begin(plain);
    Ok(())
}
