//! What the code that makes an access calls an object: the variable, the attribute or the element of something that it is.
//!
//! No code of the program runs: asked are variables, dictionaries of modules and objects, types, and attributes that are merely stored.

use crate::interpreter::code_fields::Code;
use crate::interpreter::frames::{self, Frame};
use crate::interpreter::{attributes as attribute_home, types};
use crate::thread::code_class;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyString, PyTuple};
use std::cell::RefCell;

/// The name of a module, given as itself or as its dictionary.
pub(crate) fn module(object: &Bound<'_, PyAny>) -> Option<String> {
    dictionary_of_module(object)?.get_item("__name__").ok()??.extract().ok()
}

/// The name of a class, given as itself or as an object of it, without its module.
pub(crate) fn class(object: &Bound<'_, PyAny>) -> String {
    // SAFETY: attached; a class's name is a string of its own.
    let name = unsafe {
        let is_class = ffi::PyType_Check(object.as_ptr()) != 0;
        let class = if is_class { object.as_ptr().cast() } else { object.get_type_ptr() };
        std::ffi::CStr::from_ptr((*class).tp_name).to_string_lossy()
    };
    name.rsplit('.').next().unwrap_or(&name).to_owned()
}

/// What the calling thread's code calls `object`: the innermost function of the program, as long as the standard library works for it; or the innermost
/// one of all.
pub(crate) fn expression(object: &Bound<'_, PyAny>) -> Option<String> {
    let py = object.py();
    // SAFETY: the code object of a running frame is alive.
    let is_library = |code| unsafe { code_class::file(code) }.is_some_and(code_class::is_of_standard_library);
    // SAFETY: attached, and it is our own stack.
    let frames = || unsafe { frames::own() }.filter_map(|frame| Some((frame, frame.raw()?.code)));
    let outer = frames().find(|(_, code)| !is_library(*code)).map(|(frame, _)| frame);
    let of_outer = outer.and_then(|frame| expression_in(frame, globals_of(py, frame).as_ref(), py, object.as_ptr(), true));
    // SAFETY: attached; of the innermost function.
    let globals = || unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetGlobals()) };
    let of_innermost = || expression_in(frames().next()?.0, Some(&globals()?), py, object.as_ptr(), true);
    of_outer.or_else(of_innermost)
}

/// The global variables of a function of the calling thread.
pub(crate) fn globals_of<'py>(py: Python<'py>, frame: Frame<'_>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: attached; a running function has globals.
    unsafe { Bound::from_borrowed_ptr_or_opt(py, frame.globals()) }
}

/// The local variables of a function of the calling thread.
pub(crate) fn locals_of<'py>(py: Python<'py>, frame: Frame<'_>) -> Vec<Named<'py>> {
    // SAFETY: the code object of a running frame is alive.
    let code = frame.raw().and_then(|raw| unsafe { Code::of(&Bound::from_borrowed_ptr(py, raw.code as *mut ffi::PyObject)) });
    code.map_or_else(Vec::new, |code| locals(py, frame, &code))
}

/// The dictionary of an object's attributes, if it has one already.
pub(crate) fn dictionary_of<'py>(owner: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: attached, alive; its dictionary lives as long.
    let dictionary = unsafe { Bound::from_borrowed_ptr(owner.py(), attribute_home::home(owner.as_ptr())) };
    (!dictionary.is(owner)).then_some(dictionary)
}

/// What a function of the calling thread calls `object`, which is not looked at.  The global variables that it has, if they are known; its local
/// variables count `by_locals`.
pub(crate) fn expression_in<'py>(
    frame: Frame<'_>,
    globals: Option<&Bound<'py, PyAny>>,
    py: Python<'py>,
    object: *mut ffi::PyObject,
    by_locals: bool,
) -> Option<String> {
    // SAFETY: the code object of a running frame is alive.
    let code = unsafe { Code::of(&Bound::from_borrowed_ptr(py, frame.raw()?.code as *mut ffi::PyObject))? };
    let names = code.names();
    let locals = locals(py, frame, &code);
    let used = globals.and_then(|globals| variables(globals, &names)).unwrap_or_default();
    let owners = locals.iter().chain(&used).map(|(_, owner)| owner);
    let attributes: Vec<Named<'_>> = owners.flat_map(|owner| attributes(owner, &names)).collect();
    let is_it = |named: &&Named<'_>| named.1.as_ptr() == object;
    let name = |named: &Named<'_>| named.0.clone();
    globals
        .and_then(|globals| variable(object, globals))
        .or_else(|| attributes.iter().find(is_it).map(name))
        .or_else(|| used.iter().chain(&attributes).find_map(|(name, container)| element(object, name, container)))
        .or_else(|| locals.iter().filter(|_| by_locals).find(is_it).map(name))
}

/// Something, and what the code calls it.
pub(crate) type Named<'py> = (String, Bound<'py, PyAny>);

/// How much there may be in a container that is looked through.
const SMALL: usize = 1000;

/// The element of a container that it is.
fn element(object: *mut ffi::PyObject, name: &str, container: &Bound<'_, PyAny>) -> Option<String> {
    if let Ok(list) = container.cast::<PyList>() {
        let mut elements = (0..list.len().min(SMALL)).map_while(|place| list.get_item(place).ok());
        return elements.position(|element| element.as_ptr() == object).map(|place| format!("{name}[{place}]"));
    }
    let dictionary = container.cast::<PyDict>().ok().filter(|all| all.len() <= SMALL)?;
    key_of(object, dictionary).map(|key| format!("{name}[{}]", shown(&key)))
}

/// The key behind which it is in a dictionary.
fn key_of<'py>(object: *mut ffi::PyObject, dictionary: &Bound<'py, PyDict>) -> Option<Bound<'py, PyAny>> {
    let found = RefCell::new(None);
    let look = |key, value: Bound<'_, PyAny>| {
        if value.as_ptr() == object {
            found.replace(Some(key));
        }
        Ok(())
    };
    dictionary.locked_for_each(look).ok()?;
    found.into_inner()
}

/// A key as one would write it, if it is a string or a number.
pub(crate) fn shown(key: &Bound<'_, PyAny>) -> String {
    if let Ok(text) = key.cast_exact::<PyString>() {
        return format!("'{}'", text.to_string_lossy().chars().take(40).collect::<String>());
    }
    match key.cast_exact::<PyInt>() {
        Ok(number) => number.extract::<i64>().map_or_else(|_| "...".to_owned(), |number| number.to_string()),
        Err(_) => "...".to_owned(),
    }
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

/// The local variables of a running function that have a value, with those that it shares with other functions.
fn locals<'py>(py: Python<'py>, frame: Frame<'_>, code: &Code<'py>) -> Vec<Named<'py>> {
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
fn variable(object: *mut ffi::PyObject, globals: &Bound<'_, PyAny>) -> Option<String> {
    let name = key_of(object, globals.cast_exact::<PyDict>().ok()?)?;
    Some(format!("{}.{}", module(globals)?, name.extract::<String>().ok()?))
}

/// The variables of these names that a module has, given as itself or as its dictionary; `None` if it is none.
fn variables<'py>(owner: &Bound<'py, PyAny>, names: &Bound<'py, PyTuple>) -> Option<Vec<Named<'py>>> {
    let (module, variables) = (module(owner)?, dictionary_of_module(owner)?);
    let value = |name: Bound<'py, PyAny>| Some((format!("{module}.{}", text(&name)), variables.get_item(&name).ok().flatten()?));
    Some(names.iter().filter_map(value).collect())
}

/// The attributes of these names that an object has, and its dictionary if it has one.
fn attributes<'py>(owner: &Bound<'py, PyAny>, names: &Bound<'py, PyTuple>) -> Vec<Named<'py>> {
    if let Some(variables) = variables(owner, names) {
        return variables;
    }
    let class = class(owner);
    let value = |name: Bound<'py, PyAny>| Some((format!("{class}.{}", text(&name)), stored(owner, &name)?));
    let dictionary = dictionary_of(owner).map(|dictionary| (format!("{class}.__dict__"), dictionary));
    names.iter().filter_map(value).chain(dictionary).collect()
}

fn text(name: &Bound<'_, PyAny>) -> String {
    name.cast::<PyString>().map_or_else(|_| "?".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The value of an attribute that is stored in an object or in its class, or that a class has.
pub(crate) fn stored<'py>(owner: &Bound<'py, PyAny>, name: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: attached; what has no descriptor but that of a slot is found without running code of the program.
    unsafe {
        let is_class = ffi::PyType_Check(owner.as_ptr()) != 0;
        let class = if is_class { owner.as_ptr().cast() } else { owner.get_type_ptr() };
        let in_class = Bound::from_owned_ptr_or_opt(owner.py(), types::look_up(class, name.as_ptr()));
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
