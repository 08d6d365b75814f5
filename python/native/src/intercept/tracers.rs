//! Before anything traces, profiles or monitors, probes are switched on, and none is folded any more ([`crate::thread::probe_switch`]): it is about to overwrite
//! instructions.  [`crate::intercept::masquerade::monitoring`] does so for trace functions.
//!
//! A tracer that is written in C needs no function of Python for it: the import of an extension module that could is enough.

use crate::interpreter::{function_slots, tracers};
use crate::thread::probe_switch;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ffi::c_void;
use std::sync::OnceLock;

type Object = *mut ffi::PyObject;
type Fast = unsafe extern "C" fn(Object, *const Object, ffi::Py_ssize_t) -> Object;
type OneArgument = unsafe extern "C" fn(Object, Object) -> Object;

struct SetProfile<const N: usize>;
static SET_PROFILE: [OnceLock<OneArgument>; 2] = [const { OnceLock::new() }; 2];

impl<const N: usize> SetProfile<N> {
    /// `sys.setprofile(function)` and `sys._setprofileallthreads(function)`
    unsafe extern "C" fn set(module: Object, function: Object) -> Object {
        // SAFETY: called attached, with a live object.
        unsafe {
            if !std::ptr::eq(function, ffi::Py_None()) {
                probe_switch::before_tracing();
            }
            SET_PROFILE[N].get().expect("set before it is hooked")(module, function)
        }
    }
}

static USE_TOOL: OnceLock<Fast> = OnceLock::new();

/// `sys.monitoring.use_tool_id(tool, name)`, which comes before anything is monitored.
unsafe extern "C" fn use_tool(module: Object, arguments: *const Object, count: ffi::Py_ssize_t) -> Object {
    probe_switch::before_tracing();
    // SAFETY: called attached, with this many live arguments.
    unsafe { USE_TOOL.get().expect("set before it is hooked")(module, arguments, count) }
}

static CREATE: OnceLock<Fast> = OnceLock::new();

/// `_imp.create_dynamic(spec, file=None)`
unsafe extern "C" fn create_dynamic(module: Object, arguments: *const Object, count: ffi::Py_ssize_t) -> Object {
    // SAFETY: called attached, with this many live arguments.
    unsafe {
        let created = CREATE.get().expect("set before it is hooked")(module, arguments, count);
        if !created.is_null() && count > 0 && (probe_switch::is_off() || probe_switch::is_folding()) {
            let spec = Bound::from_borrowed_ptr(Python::assume_attached(), *arguments);
            let origin = spec.getattr(pyo3::intern!(spec.py(), "origin"));
            let origin = origin.and_then(|origin| Ok(origin.cast_into::<PyString>()?));
            if origin.is_ok_and(|origin| origin.to_str().is_ok_and(tracers::may_be_in)) {
                probe_switch::before_tracing();
            }
        }
        created
    }
}

/// Hooks what may begin to trace; whether nothing has by now.
pub(crate) fn install(py: Python<'_>) -> PyResult<bool> {
    let sys = py.import("sys")?;
    // SAFETY: functions of these calling conventions, which are checked.
    unsafe {
        for (place, (name, function)) in [
            ("setprofile", SetProfile::<0>::set as *const c_void),
            ("_setprofileallthreads", SetProfile::<1>::set as *const c_void),
        ]
        .into_iter()
        .enumerate()
        {
            let found = function_slots::function(&sys, name, ffi::METH_O)?;
            let _ = SET_PROFILE[place].set(std::mem::transmute::<usize, OneArgument>(found.function()));
            found.replace(function);
        }
        for (owner, name, original, function) in [
            (sys.getattr("monitoring")?, "use_tool_id", &USE_TOOL, use_tool as *const c_void),
            (py.import("_imp")?.into_any(), "create_dynamic", &CREATE, create_dynamic as *const c_void),
        ] {
            let found = function_slots::function(&owner, name, ffi::METH_FASTCALL)?;
            let _ = original.set(std::mem::transmute::<usize, Fast>(found.function()));
            found.replace(function);
        }
    }
    Ok(!tracers::may_be_loaded())
}
