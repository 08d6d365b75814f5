//! What a process has once and functions read and replace: the current directory, the umask, the locale.

use crate::engine::races::noted::Touch;
use crate::engine::races::probe_site::{Probe, peek};
use crate::engine::races::values;
use crate::evidence::race::Part;
use crate::thread::context::ThreadContext;
use crate::thread::outcome::Outcome;
use ftsan::patcher::known_calls::{CallEffect, Function};
use ftsan::races::access::Value;
use ftsan::races::matrix::AccessKind;
use ftsan::races::mix;
use pyo3::ffi;
use std::ffi::CStr;

/// Functions of Python code that replace such a state, by their qualified names, and the modules that they are in.
const OF_PYTHON_CODE: [(&CStr, &CStr); 1] = [(c"setlocale", c"locale")];

/// What stands for the state that a function is about: its module, or what that has as globals; null if it is another function.
///
/// # Safety
/// Attached; `callable` is alive, or null.
pub(super) unsafe fn home(callable: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; a function keeps its names, which are strings, and its globals alive.
    unsafe {
        if callable.is_null() {
            return callable;
        }
        if ffi::Py_TYPE(callable) == &raw mut ffi::PyCFunction_Type {
            let module = ffi::PyCFunction_GetSelf(callable);
            return if module.is_null() || ffi::PyModule_Check(module) == 0 { std::ptr::null_mut() } else { module };
        }
        if ffi::Py_TYPE(callable) != &raw mut ffi::PyFunction_Type {
            return std::ptr::null_mut();
        }
        let function = callable.cast::<ffi::PyFunctionObject>();
        let is = |text: *mut ffi::PyObject, known: &CStr| {
            !text.is_null() && ffi::PyUnicode_Check(text) != 0 && ffi::PyUnicode_CompareWithASCIIString(text, known.as_ptr()) == 0
        };
        let is_known = |(name, module): &(&CStr, &CStr)| is((*function).func_qualname, name) && is((*function).func_module, module);
        if OF_PYTHON_CODE.iter().any(is_known) { (*function).func_globals } else { std::ptr::null_mut() }
    }
}

/// A function that reads or replaces such a state is about to be called.
///
/// # Safety
/// Called from a probe, attached; `home` is alive.
pub(super) unsafe fn access(here: &'static ThreadContext, probe: &Probe, home: *mut ffi::PyObject, function: &Function) -> Outcome {
    let Some(state) = function.state else { return Outcome::Continue };
    // SAFETY: passed on; the arguments lie above what is called, behind the place of `self`.
    unsafe {
        let has_keywords = probe.keywords > 0;
        let new = if has_keywords { 0 } else { probe.callable.saturating_sub(1 + state.argument) };
        let new = peek(new);
        let is_asked = state.argument > 0 && !has_keywords && (new.is_null() || new == ffi::Py_None() && state.none_asks);
        let kind = if function.effect == CallEffect::WriteState && !is_asked { AccessKind::Write } else { AccessKind::Read };
        let value = if kind == AccessKind::Write && !new.is_null() { values::value(new) } else { Value::UNKNOWN };
        // To look first whether it is to be set at all is no matter: set to what it is already, it stays as it is.
        let probe = Probe::of_call(probe.action, probe.site, probe.code);
        let touch = Touch { here, probe: &probe, object: home };
        touch.access(home, mix(state.name.as_ptr() as u64), kind, value, Part::State(state.name))
    }
}
