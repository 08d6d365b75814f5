//! What the code that makes an access calls an object: the variable, or the attribute of something, that it is in.
//!
//! No code of the program runs: asked are variables, dictionaries of modules and objects, types, and attributes that are merely stored.

use super::accesses;
use crate::interpreter::code_fields::Code;
use crate::interpreter::frames::{self, Frame};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};
use std::cell::RefCell;

unsafe extern "C" {
    // Exported for extension modules, Include/internal/pycore_typeobject.h; runs no code of the program.
    fn _PyType_LookupRef(class: *mut ffi::PyTypeObject, name: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// The name of a module, given as itself or as its dictionary.
pub(super) fn module(object: &Bound<'_, PyAny>) -> Option<String> {
    dictionary_of_module(object)?.get_item("__name__").ok()??.extract().ok()
}

/// The name of a class, given as itself or as an object of it, without its module.
pub(super) fn class(object: &Bound<'_, PyAny>) -> String {
    // SAFETY: attached; a class's name is a string of its own.
    let name = unsafe {
        let is_class = ffi::PyType_Check(object.as_ptr()) != 0;
        let class = if is_class { object.as_ptr().cast() } else { object.get_type_ptr() };
        std::ffi::CStr::from_ptr((*class).tp_name).to_string_lossy()
    };
    name.rsplit('.').next().unwrap_or(&name).to_owned()
}

/// What the innermost function of the calling thread calls `object`.
pub(super) fn expression(object: &Bound<'_, PyAny>) -> Option<String> {
    let py = object.py();
    // SAFETY: attached, and it is our own stack.
    let mut stack = unsafe { frames::of_thread(ffi::PyThreadState_GetUnchecked()) };
    let (frame, raw) = stack.find_map(|frame| frame.raw().map(|raw| (frame, raw)))?;
    // SAFETY: the code object of a running frame is alive; so are the global variables that belong to it.
    let (code, globals) = unsafe {
        let code = Code::of(&Bound::from_borrowed_ptr(py, raw.code as *mut ffi::PyObject))?;
        (code, Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetGlobals())?)
    };
    let names = code.names();
    let locals = locals(py, frame, &code);
    let globals_used = || names.iter().filter_map(|name| item(globals.cast_exact().ok()?, &name));
    let owners = locals.iter().map(|(_, value)| value.clone()).chain(globals_used());
    variable(object, &globals)
        .or_else(|| owners.into_iter().find_map(|owner| attribute(object, &owner, &names)))
        .or_else(|| locals.iter().find(|(_, value)| value.is(object)).map(|(name, _)| name.clone()))
}

fn dictionary_of_module<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    // SAFETY: attached; a module keeps its dictionary.
    let dictionary = unsafe {
        if ffi::PyModule_Check(object.as_ptr()) == 0 {
            object.clone()
        } else {
            Bound::from_borrowed_ptr_or_opt(object.py(), ffi::PyModule_GetDict(object.as_ptr()))?
        }
    };
    dictionary.cast_into_exact().ok()
}

fn item<'py>(dictionary: &Bound<'py, PyDict>, name: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    dictionary.get_item(name).ok().flatten()
}

/// The local variables of a running function that have a value, with those that it shares with other functions.
fn locals<'py>(py: Python<'py>, frame: Frame<'_>, code: &Code<'py>) -> Vec<(String, Bound<'py, PyAny>)> {
    let value = |place: usize| {
        let value = frame.local(place)?;
        // SAFETY: a local variable of a running function is alive.
        unsafe {
            if ffi::Py_TYPE(value) == &raw mut ffi::PyCell_Type {
                Bound::from_owned_ptr_or_opt(py, ffi::PyCell_Get(value))
            } else {
                Some(Bound::from_borrowed_ptr(py, value))
            }
        }
    };
    let names = code.locals();
    names.iter().enumerate().filter_map(|(place, name)| Some((name.extract().ok()?, value(place)?))).collect()
}

/// A global variable that it is in.
fn variable(object: &Bound<'_, PyAny>, globals: &Bound<'_, PyAny>) -> Option<String> {
    let (module, found) = (module(globals)?, RefCell::new(None));
    let look = |name: Bound<'_, PyAny>, value: Bound<'_, PyAny>| {
        if value.is(object) {
            found.replace(name.extract::<String>().ok());
        }
        Ok(())
    };
    globals.cast_exact::<PyDict>().ok()?.locked_for_each(look).ok()?;
    found.into_inner().map(|name| format!("{module}.{name}"))
}

/// An attribute of `owner` that it is in, of these names.
fn attribute(object: &Bound<'_, PyAny>, owner: &Bound<'_, PyAny>, names: &Bound<'_, PyTuple>) -> Option<String> {
    let module = module(owner);
    // SAFETY: attached, alive.
    if module.is_none() && unsafe { accesses::home(owner.as_ptr()) } == object.as_ptr() && !owner.is(object) {
        return Some(format!("{}.__dict__", class(owner)));
    }
    let found = names.iter().find(|name| match (&module, dictionary_of_module(owner)) {
        (Some(_), Some(attributes)) => item(&attributes, name).is_some_and(|value| value.is(object)),
        _ => stored(owner, name).is_some_and(|value| value.is(object)),
    })?;
    let owner = module.unwrap_or_else(|| class(owner));
    Some(format!("{owner}.{}", found.cast::<PyString>().ok()?.to_string_lossy()))
}

/// The value of an attribute that is stored in an object or in its class, or that a class has.
fn stored<'py>(owner: &Bound<'py, PyAny>, name: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: attached; what has no descriptor but that of a slot is found without running code of the program.
    unsafe {
        let is_class = ffi::PyType_Check(owner.as_ptr()) != 0;
        let class = if is_class { owner.as_ptr().cast() } else { owner.get_type_ptr() };
        let in_class = Bound::from_owned_ptr_or_opt(owner.py(), _PyType_LookupRef(class, name.as_ptr()));
        let is_slot = |found: &Bound<'_, PyAny>| found.get_type_ptr() == &raw mut ffi::PyMemberDescr_Type;
        if is_class || in_class.as_ref().is_some_and(|found| !is_slot(found)) {
            return in_class;
        }
        let value = Bound::from_owned_ptr_or_opt(owner.py(), ffi::PyObject_GenericGetAttr(owner.as_ptr(), name.as_ptr()));
        if value.is_none() {
            ffi::PyErr_Clear();
        }
        value
    }
}
