//! `marshal` writes originals: the object that it is given is searched for patched code, which is replaced in a copy.
//!
//! Tuples, lists, dicts, sets and slices are searched, down to a depth that no data has.  A container that is met twice and has code in it
//! is written twice.

use crate::intercept::masquerade::original_view;
use crate::interpreter::code_fields::Code;
use crate::interpreter::function_slots;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyList, PySet, PySlice, PyTuple};
use std::ffi::c_void;
use std::sync::OnceLock;

type Object = *mut ffi::PyObject;
type Fast = unsafe extern "C" fn(Object, *const Object, ffi::Py_ssize_t, Object) -> Object;

/// Nothing is searched further down.
const DEEPEST: usize = 100;

/// A copy of `value` with originals in the place of patched code; `None` if there is none in it.
fn copy<'py>(value: &Bound<'py, PyAny>, depth: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = value.py();
    if Code::of(value).is_some() {
        return original_view::original(value).map(|original| (!original.is(value)).then_some(original));
    }
    if depth == DEEPEST {
        return Ok(None);
    }
    let items = if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        tuple.iter().collect::<Vec<_>>()
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        list.iter().collect()
    } else if let Ok(dict) = value.cast_exact::<PyDict>() {
        // A copy, which no other thread changes meanwhile.
        dict.copy()?.iter().flat_map(|(key, value)| [key, value]).collect()
    } else if let Ok(set) = value.cast_exact::<PySet>() {
        set.call_method0("copy")?.cast_into::<PySet>()?.iter().collect()
    } else if let Ok(set) = value.cast_exact::<PyFrozenSet>() {
        set.iter().collect()
    } else if value.cast_exact::<PySlice>().is_ok() {
        ["start", "stop", "step"].into_iter().map(|name| value.getattr(name)).collect::<PyResult<_>>()?
    } else {
        return Ok(None);
    };
    let mut copies: Option<Vec<Bound<'py, PyAny>>> = None;
    for (at, item) in items.iter().enumerate() {
        if let Some(copied) = copy(item, depth + 1)? {
            copies.get_or_insert_with(|| items.clone())[at] = copied;
        }
    }
    let Some(items) = copies else { return Ok(None) };
    Ok(Some(if value.is_exact_instance_of::<PyTuple>() {
        PyTuple::new(py, items)?.into_any()
    } else if value.is_exact_instance_of::<PyList>() {
        PyList::new(py, items)?.into_any()
    } else if value.is_exact_instance_of::<PyDict>() {
        let dict = PyDict::new(py);
        for pair in items.chunks_exact(2) {
            dict.set_item(&pair[0], &pair[1])?;
        }
        dict.into_any()
    } else if value.is_exact_instance_of::<PySet>() {
        PySet::new(py, items)?.into_any()
    } else if value.is_exact_instance_of::<PyFrozenSet>() {
        PyFrozenSet::new(py, items)?.into_any()
    } else {
        value.get_type().call1(PyTuple::new(py, items)?)?
    }))
}

struct Write<const N: usize>;
static WRITE: [OnceLock<Fast>; 2] = [const { OnceLock::new() }; 2];

impl<const N: usize> Write<N> {
    /// `marshal.dumps(value, ...)` and `marshal.dump(value, ...)`
    unsafe extern "C" fn write(module: Object, arguments: *const Object, count: ffi::Py_ssize_t, names: Object) -> Object {
        let original = WRITE[N].get().expect("set before it is hooked");
        // SAFETY: called attached, with this many live arguments, and those that are named after them.
        unsafe {
            if count < 1 {
                return original(module, arguments, count, names);
            }
            let py = Python::assume_attached();
            match copy(&Bound::from_borrowed_ptr(py, *arguments), 0) {
                Ok(None) => original(module, arguments, count, names),
                Ok(Some(copied)) => {
                    let named = if names.is_null() { 0 } else { ffi::PyTuple_Size(names) };
                    let mut given = std::slice::from_raw_parts(arguments, (count + named) as usize).to_vec();
                    given[0] = copied.as_ptr();
                    original(module, given.as_ptr(), count, names)
                }
                Err(error) => {
                    error.restore(py);
                    std::ptr::null_mut()
                }
            }
        }
    }
}

/// Replaces the functions of `marshal`; once.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let module = py.import("marshal")?;
    let functions = [("dumps", Write::<0>::write as *const c_void), ("dump", Write::<1>::write as *const c_void)];
    for (place, (name, function)) in functions.into_iter().enumerate() {
        let found = function_slots::function(&module, name, ffi::METH_FASTCALL | ffi::METH_KEYWORDS)?;
        // SAFETY: a function of this calling convention, which was checked.
        let _ = WRITE[place].set(unsafe { std::mem::transmute::<usize, Fast>(found.function()) });
        found.replace(function);
    }
    Ok(())
}
