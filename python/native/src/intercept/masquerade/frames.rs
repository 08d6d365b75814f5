//! Offsets that the program sees of frames and tracebacks: those of the original code.

use crate::intercept::bytecode::code_data;
use crate::intercept::type_slot::{self, Slot};
use crate::interpreter::code_fields;
use crate::interpreter::function_slots::{self, Getter};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

type Object = *mut ffi::PyObject;

static FRAME_OFFSET: OnceLock<Getter> = OnceLock::new();
static NEW_TRACEBACK: OnceLock<ffi::newfunc> = OnceLock::new();

/// `frame.f_lasti`
unsafe extern "C" fn frame_offset(frame: Object, closure: *mut c_void) -> Object {
    // SAFETY: called as an attribute of frames, attached.
    unsafe {
        let answer = FRAME_OFFSET.get().expect("set before it is hooked")(frame, closure);
        let code = ffi::PyFrame_GetCode(frame.cast());
        let shown = if answer.is_null() { None } else { code_data::view(code.cast()) }.map(|view| {
            let offset = ffi::PyLong_AsLong(answer) as c_int;
            ffi::Py_DECREF(answer);
            ffi::PyLong_FromLong(view.shown_offset(offset).into())
        });
        ffi::Py_DECREF(code.cast());
        shown.unwrap_or(answer)
    }
}

/// `traceback.tb_lasti`
unsafe extern "C" fn traceback_offset(traceback: Object, _: *mut c_void) -> Object {
    // SAFETY: called as an attribute of tracebacks, attached.
    unsafe {
        let offset = code_fields::traceback_offset(traceback).read();
        let code = code_fields::traceback_code(traceback);
        let shown = code_data::view(code).map_or(offset, |view| view.shown_offset(offset));
        ffi::Py_DECREF(code);
        ffi::PyLong_FromLong(shown.into())
    }
}

/// `types.TracebackType(next, frame, lasti, lineno)`: the offset is one that the program was shown.
unsafe extern "C" fn new_traceback(class: *mut ffi::PyTypeObject, arguments: Object, names: Object) -> Object {
    // SAFETY: called as the slot, attached; the new traceback is nobody else's yet.
    unsafe {
        let traceback = NEW_TRACEBACK.get().expect("set before it is hooked")(class, arguments, names);
        if !traceback.is_null() {
            let code = code_fields::traceback_code(traceback);
            if let Some(view) = code_data::view(code) {
                let offset = code_fields::traceback_offset(traceback);
                offset.write(view.real_offset(offset.read()));
            }
            ffi::Py_DECREF(code);
        }
        traceback
    }
}

/// Replaces what the types of frames and tracebacks have; once.
pub(crate) fn install(frame: &Bound<'_, PyType>, traceback: &Bound<'_, PyType>) -> PyResult<()> {
    let place = function_slots::getter(frame, "f_lasti")?;
    // SAFETY: the getter of an attribute.
    let _ = FRAME_OFFSET.set(unsafe { std::mem::transmute::<usize, Getter>(place.function()) });
    place.replace(frame_offset as *const c_void);
    function_slots::show(traceback, c"tb_lasti", traceback_offset)?;
    // SAFETY: the slot of tracebacks, of this signature.
    let _ = NEW_TRACEBACK.set(unsafe { std::mem::transmute::<*const c_void, ffi::newfunc>(Slot::New.of(traceback)) });
    type_slot::replace(traceback, Slot::New, new_traceback as *const c_void)
}
